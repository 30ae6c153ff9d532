//! Text that means nothing to a service but itself.

use std::fmt::Write as _;

use super::{Limit, Link};

/// A way in which services mark text up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// None.
    Plain,
    /// HTML. Line breaks stay line breaks.
    Html,
    /// The HTML of Telegram's Bot API: as HTML, and `@name` mentions nobody.
    TelegramHtml,
    /// Telegram's `MarkdownV2`.
    TelegramMarkdown,
    /// Slack's `mrkdwn`. Nothing but `&`, `<` and `>` can be escaped in it: text
    /// can be bold, but has no links and mentions nobody.
    Slack,
    /// Markdown, as Discord, Mattermost, Teams and others read it: `@name` and
    /// `<@id>` mention nobody.
    Markdown,
    /// Zulip's Markdown. It knows no backslashes, so that all that could mean
    /// something is written as `&#N;`.
    Zulip,
}

/// Stands between an `@` or a `<` and what follows, so that nobody is mentioned;
/// seen by nobody.
const ZERO_WIDTH_SPACE: char = '\u{200B}';

impl Markup {
    /// `text` so that it means nothing but itself. Line breaks stay.
    pub fn escape(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + text.len() / 8);
        for c in text.chars() {
            self.write(c, &mut out);
        }
        out
    }

    /// [`escape`](Self::escape)d and cut to `limit`, never within what was written
    /// for one character.
    pub fn cut(self, text: &str, limit: Limit) -> String {
        limit.cut_as(text, |c, out| self.write(c, out))
    }

    /// What stands before and after bold text.
    pub(super) const fn bold(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain => ("", ""),
            Self::Html | Self::TelegramHtml => ("<b>", "</b>"),
            Self::TelegramMarkdown | Self::Slack => ("*", "*"),
            Self::Markdown | Self::Zulip => ("**", "**"),
        }
    }

    /// `text` in bold, escaped.
    pub fn strong(self, text: &str) -> String {
        let (open, close) = self.bold();
        format!("{open}{}{close}", self.escape(text))
    }

    /// A link with its label.
    pub fn link(self, link: &Link) -> String {
        let Link { label, url } = link;
        match self {
            Self::Plain => format!("{label}: {url}"),
            Self::Html | Self::TelegramHtml => {
                format!(r#"<a href="{}">{label}</a>"#, Self::Html.escape(url))
            }
            Self::Slack => format!("<{}|{label}>", url.replace('&', "&amp;")),
            // The address has no character that Markdown knows within parentheses.
            Self::TelegramMarkdown | Self::Markdown | Self::Zulip => format!("[{label}]({url})"),
        }
    }

    fn write(self, c: char, out: &mut String) {
        match self {
            Self::Plain => out.push(c),
            Self::TelegramHtml | Self::TelegramMarkdown | Self::Markdown if c == '@' => {
                write_at(out);
            }
            Self::Html | Self::TelegramHtml => write_html(c, out),
            Self::TelegramMarkdown => {
                // All that the Bot API lists, and more: any may be escaped.
                if c.is_ascii_punctuation() {
                    out.push('\\');
                }
                out.push(c);
            }
            Self::Slack => match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                c => out.push(c),
            },
            // Not every Markdown knows a backslash before it.
            Self::Markdown if c == '<' => {
                out.push(c);
                out.push(ZERO_WIDTH_SPACE);
            }
            Self::Markdown => {
                if matches!(
                    c,
                    '\\' | '*' | '_' | '~' | '`' | '[' | ']' | '>' | '|' | '#'
                ) {
                    out.push('\\');
                }
                out.push(c);
            }
            Self::Zulip => match c {
                '&' | '<' | '>' | '*' | '_' | '~' | '`' | '[' | ']' | '@' | '$' | '#' | '|'
                | '\\' => {
                    write!(out, "&#{};", u32::from(c)).expect("a text takes all that is written");
                }
                c => out.push(c),
            },
        }
    }
}

fn write_html(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// An `@` that mentions nobody. Within a word, as in `user@host`, none does, and
/// who copies it wants it as it is.
fn write_at(out: &mut String) {
    let is_within = out.chars().next_back().is_some_and(char::is_alphanumeric);
    out.push('@');
    if !is_within {
        out.push(ZERO_WIDTH_SPACE);
    }
}

/// `text` in one line: every run of white space and control characters is one
/// space, and nothing is left that is not seen and changes what is.
pub fn line(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| {
            if is_break(c) || c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As [`line`], of every line of `text`; empty ones at both ends go, and of
/// several in a row one is left.
pub fn lines(text: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for part in text.replace("\r\n", "\n").split(is_break) {
        let part = line(part);
        if part.is_empty() {
            gap = true;
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
            if gap {
                out.push('\n');
            }
        }
        gap = false;
        out.push_str(&part);
    }
    out
}

/// Ends a line, in Unicode's eyes.
fn is_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Is not seen, and changes the order of what is (Unicode's bidirectional
/// controls, UAX #9) or hides something: zero-width spaces, tags, annotations.
/// Joiners stay: scripts and emoji need them.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{61C}'
            | '\u{180E}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// `url`, if it is one of the web's, with everything percent-encoded that could
/// end it or mean something in a markup. A server takes it for the same.
pub(super) fn address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let mut out = format!("{scheme}://");
    // An `@` stands for itself before the host's name.
    let mut is_authority = true;
    for byte in rest.bytes() {
        is_authority &= !matches!(byte, b'/' | b'?' | b'#');
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'/'
                    | b':'
                    | b'?'
                    | b'#'
                    | b'&'
                    | b'='
                    | b'%'
                    | b'+'
                    | b','
                    | b';'
                    | b'!'
                    | b'$'
            )
            || (is_authority && matches!(byte, b'@' | b'[' | b']'));
        if is_plain {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a text takes all that is written");
        }
    }
    Some(out)
}

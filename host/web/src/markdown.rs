//! What people write, as HTML.
//!
//! Markup in it is shown as text, pictures are left out but for their words, and
//! links lead to the web or to a mail only: whoever writes here may lay out words,
//! and nothing else.

use pulldown_cmark::html::push_html;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use crate::words;

/// The longest text that is laid out, in bytes; a longer one is shown as it is.
const LONGEST: usize = 64 * 1024;

/// `text` as safe HTML. Headings are set three levels lower, as they stand below
/// headings of the page.
pub(crate) fn html(text: &str) -> String {
    if text.len() > LONGEST {
        let mut whole = String::from("<p>");
        escape(text, &mut whole);
        return whole + "</p>";
    }
    // No tables: their cells are aligned by inline style, which the page's policy
    // forbids.
    let options = Options::ENABLE_STRIKETHROUGH;
    // Of each open link, whether it leads anywhere.
    let mut links: Vec<bool> = Vec::new();
    let events = Parser::new_ext(text, options).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Heading { level, .. }) => Some(Event::Start(Tag::Heading {
            level: lower(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        })),
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lower(level)))),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            ..
        }) => {
            let is_mail = link_type == LinkType::Email;
            let leads = is_mail || words::contact_address(&dest_url).is_some();
            links.push(leads);
            leads.then_some(Event::Start(Tag::Link {
                link_type,
                dest_url,
                title: CowStr::Borrowed(""),
                id: CowStr::Borrowed(""),
            }))
        }
        Event::End(TagEnd::Link) => links
            .pop()
            .unwrap_or_default()
            .then_some(Event::End(TagEnd::Link)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        other => Some(other),
    });
    let mut made = String::with_capacity(text.len() + text.len() / 4);
    push_html(&mut made, events);
    made
}

/// The words of a text without its layout, for where only words can stand.
pub(crate) fn plain(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for event in Parser::new(text) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                words.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => words.push('\n'),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => {
                words.push('\n');
            }
            _ => {}
        }
    }
    words.truncate(words.trim_end().len());
    words
}

const fn lower(level: HeadingLevel) -> HeadingLevel {
    use HeadingLevel::{H1, H2, H3, H4, H5, H6};

    match level {
        H1 => H4,
        H2 => H5,
        H3 | H4 | H5 | H6 => H6,
    }
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_laid_out() {
        for (text, expected) in [
            ("", ""),
            (
                "One.\n\nTwo *three*.",
                "<p>One.</p>\n<p>Two <em>three</em>.</p>\n",
            ),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
            ("# A", "<h4>A</h4>\n"),
            (
                "[a](https://a.example/?b=1&c=2 \"t\")",
                "<p><a href=\"https://a.example/?b=1&amp;c=2\">a</a></p>\n",
            ),
            (
                "<a@b.example>",
                "<p><a href=\"mailto:a@b.example\">a@b.example</a></p>\n",
            ),
            ("`<b>`", "<p><code>&lt;b&gt;</code></p>\n"),
        ] {
            assert_eq!(html(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_but_layout_gets_through() {
        for (text, expected) in [
            ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
            (
                "<script>alert(1)</script>",
                "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
            ),
            ("[a](javascript:alert(1))", "<p>a</p>\n"),
            ("[a](data:text/html,x) b", "<p>a b</p>\n"),
            ("[a](/admin)", "<p>a</p>\n"),
            ("![a](https://a.example/x.png)", "<p>a</p>\n"),
            (
                "[![a](x)](https://a.example)",
                "<p><a href=\"https://a.example\">a</a></p>\n",
            ),
            (
                "[a](https://a.example/\"onclick=alert(1))",
                "<p><a href=\"https://a.example/%22onclick=alert(1)\">a</a></p>\n",
            ),
        ] {
            assert_eq!(html(text), expected, "{text}");
        }
        let long = "<i>".repeat(LONGEST);
        assert!(!html(&long).contains("<i>"));
    }

    #[test]
    fn words_alone() {
        assert_eq!(plain("# A\n\nb *c* [d](e)\nf `g`"), "A\nb c d\nf g");
    }

    proptest! {
        /// Whatever is written, only these elements come out, with no attribute but
        /// an address that may be followed.
        #[test]
        fn only_known_elements_come_out(text in "[ -~\n<>\\[\\]()!\"'`*_#|:&/a-z]{0,200}") {
            const KNOWN: [&str; 16] = [
                "p", "em", "strong", "del", "ul", "ol", "li", "h4", "h5", "h6", "a", "code", "pre",
                "blockquote", "hr", "br",
            ];
            let made = html(&text);
            for piece in made.split('<').skip(1) {
                let tag = piece.split('>').next().unwrap().trim_start_matches('/');
                let tag = tag.trim_end_matches('/');
                let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
                prop_assert!(KNOWN.contains(&name), "{tag} of {text}");
                let fine = match name {
                    "a" => ["href=\"http:", "href=\"https:", "href=\"mailto:"]
                        .iter()
                        .any(|it| rest.to_ascii_lowercase().starts_with(it)),
                    "ol" => rest.is_empty() || rest.starts_with("start=\""),
                    "code" => rest.is_empty() || rest.starts_with("class=\"language-"),
                    _ => rest.is_empty(),
                };
                prop_assert!(fine, "{tag} of {text}");
            }
        }
    }
}

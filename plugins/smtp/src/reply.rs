//! What a server says: replies of one line or several (RFC 5321 section 4.2), and
//! what it offers.

use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};

/// The longest line, in bytes. RFC 5321 section 4.5.3.1.5 allows 512; servers are
/// known to be more talkative.
const LONGEST_LINE: usize = 2048;

/// The most lines of one reply. The longest that are known, answers to EHLO, have
/// two dozen.
const MOST_LINES: usize = 128;

/// How many characters of a reply a reason quotes.
const QUOTED: usize = 120;

/// A reply: its code, and the text of each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

impl Reply {
    pub(crate) fn read<S: Stream>(stream: &mut Buffered<S>) -> Result<Self, Error> {
        let mut lines = Vec::new();
        let mut of_all = None;
        loop {
            let line = stream.line(LONGEST_LINE)?;
            let (code, text, is_last) = parse(&line).ok_or_else(|| no_reply(&line))?;
            if *of_all.get_or_insert(code) != code {
                return Err(no_reply(&line));
            }
            lines.push(text);
            if is_last {
                return Ok(Self { code, lines });
            }
            if lines.len() == MOST_LINES {
                let why = format!("the server sends a reply of more than {MOST_LINES} lines");
                return Err(Error::Malformed(why));
            }
        }
    }

    /// The text of all lines.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// For reasons: code and text in one line, cut to what fits.
    pub(crate) fn quoted(&self) -> String {
        shortened(&format!("{} {}", self.code, self.lines.join(" ")))
    }
}

/// What a server offers, as it answers to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Extensions with their parameters, each in upper case.
    extensions: Vec<(String, Vec<String>)>,
}

impl Offer {
    pub(crate) fn of(hello: &Reply) -> Self {
        // The first line says the server's name.
        let extensions = hello.lines.iter().skip(1).filter_map(|line| {
            // Before RFC 2554 the ways to log in were offered as `AUTH=LOGIN`,
            // and some servers still do it besides.
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_ascii_whitespace().map(str::to_owned);
            Some((words.next()?, words.collect()))
        });
        Self {
            extensions: extensions.collect(),
        }
    }

    pub(crate) fn has(&self, extension: &str) -> bool {
        self.extensions
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(extension))
    }

    /// The ways to log in.
    pub(crate) fn mechanisms(&self) -> Vec<&str> {
        self.extensions
            .iter()
            .filter(|(name, _)| name == "AUTH")
            .flat_map(|(_, parameters)| parameters.iter().map(String::as_str))
            .collect()
    }
}

/// Code and text of one line, and whether it is the last.
fn parse(line: &[u8]) -> Option<(u16, String, bool)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let digits = str::from_utf8(digits).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (is_last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(text).into_owned();
    Some((digits.parse().ok()?, text, is_last))
}

fn no_reply(line: &[u8]) -> Error {
    let line = shortened(&String::from_utf8_lossy(line));
    Error::Malformed(format!("the server does not speak SMTP: {line:?}"))
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(QUOTED).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    fn read(text: &str) -> Result<Reply, String> {
        let mut stream = Buffered::new(Script::saying(text));
        Reply::read(&mut stream).map_err(|error| error.to_string())
    }

    #[test]
    fn replies_have_one_line_or_several() {
        let reply = read("220 mail.test ESMTP\r\n250 x").unwrap();
        assert_eq!(reply.quoted(), "220 mail.test ESMTP");
        let reply = read("250-mail.test\r\n250-SIZE 100\n250 HELP\r\n").unwrap();
        assert_eq!(reply.lines, ["mail.test", "SIZE 100", "HELP"]);
        assert_eq!(read("354\r\n").unwrap().text(), "");
    }

    #[test]
    fn what_is_no_reply_is_quoted() {
        for text in ["HTTP/1.1 400 Bad\r\n", "25\r\n", "2x0 a\r\n", "250_a\r\n"] {
            let why = read(text).unwrap_err();
            let line = text.trim_end();
            assert_eq!(why, format!("the server does not speak SMTP: {line:?}"));
        }
        let two = read("250-a\r\n550 b\r\n").unwrap_err();
        assert_eq!(two, r#"the server does not speak SMTP: "550 b""#);
        let binary = read("\u{fffd}\0\n").unwrap_err();
        assert!(binary.starts_with("the server does not speak SMTP"));
    }

    #[test]
    fn replies_are_bounded() {
        let many = read(&"250-a\r\n".repeat(1000)).unwrap_err();
        assert_eq!(many, "the server sends a reply of more than 128 lines");
        let long = read(&"2".repeat(5000)).unwrap_err();
        assert_eq!(long, "the server sends a line of more than 2048 bytes");
        let quoted = read(&format!("220 {}\r\n", "é".repeat(500))).unwrap();
        assert_eq!(quoted.quoted().chars().count(), QUOTED + 1);
    }

    #[test]
    fn offers_are_read_in_every_spelling() {
        let hello =
            "250-AUTH is my name\r\n250-size 100\r\n250-Auth plain LOGIN\r\n250 AUTH=CRAM-MD5\r\n";
        let offer = Offer::of(&read(hello).unwrap());
        assert!(offer.has("SIZE") && offer.has("Auth") && !offer.has("is"));
        assert_eq!(offer.mechanisms(), ["PLAIN", "LOGIN", "CRAM-MD5"]);
        assert!(
            Offer::of(&read("250 a\r\n").unwrap())
                .mechanisms()
                .is_empty()
        );
    }
}

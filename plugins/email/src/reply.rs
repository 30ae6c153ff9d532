//! What a server says: replies of one line or several (RFC 5321 section 4.2), and
//! what it offers.

use std::time::Duration;

use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};
use watchkeeper_sdk::wording::{Limit, line};

/// The longest line, in bytes. RFC 5321 section 4.5.3.1.5 allows 512; servers are
/// known to be more talkative.
const LONGEST_LINE: usize = 2048;

/// The most lines of one reply. The longest that are known, answers to EHLO, have
/// two dozen.
const MOST_LINES: usize = 128;

/// How much of a reply a failure quotes.
const QUOTED: Limit = Limit::chars(200);

/// When to come back to a server that keeps strangers waiting and does not say how
/// long: RFC 6647 section 5 finds a minute to be enough for most.
const GREYLISTED: Duration = Duration::from_mins(1);

/// The longest wait that a server is believed to mean.
const LONGEST_WAIT: u64 = 3600;

/// A reply: its code, and the text of each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    lines: Vec<String>,
}

impl Reply {
    #[cfg(test)]
    pub(crate) fn new(code: u16, text: &str) -> Self {
        Self {
            code,
            lines: text.split('\n').map(str::to_owned).collect(),
        }
    }

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

    /// For people: code and text in one line, in quotes, cut to what fits.
    pub(crate) fn quoted(&self) -> String {
        let said = line(&format!("{} {}", self.code, self.lines.join(" ")));
        format!("\"{}\"", QUOTED.cut(&said))
    }

    /// Whether trying again cannot help, by the code's first digit.
    pub(crate) fn is_final(&self) -> bool {
        (500..600).contains(&self.code)
    }

    /// How long the server wants to be left alone, where it says so: `try again in
    /// 300 seconds`, or that it is greylisting.
    pub(crate) fn wait(&self) -> Option<Duration> {
        if self.is_final() {
            return None;
        }
        let text = self.lines.join(" ").to_ascii_lowercase();
        let words: Vec<&str> = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let named = words.windows(2).find_map(|pair| {
            let [number, unit] = pair else { return None };
            let seconds = match *unit {
                "s" | "sec" | "secs" | "second" | "seconds" => 1,
                "min" | "mins" | "minute" | "minutes" => 60,
                _ => return None,
            };
            number.parse::<u64>().ok()?.checked_mul(seconds)
        });
        let is_greylisting = || {
            ["greylist", "graylist", "grey-list", "gray-list"]
                .iter()
                .any(|word| text.contains(word))
        };
        match named {
            Some(seconds) => Some(Duration::from_secs(seconds.min(LONGEST_WAIT))),
            None if is_greylisting() => Some(GREYLISTED),
            None => None,
        }
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
        self.extensions.iter().any(|(name, _)| name == extension)
    }

    /// The ways to log in.
    pub(crate) fn mechanisms(&self) -> Vec<&str> {
        self.extensions
            .iter()
            .filter(|(name, _)| name == "AUTH")
            .flat_map(|(_, parameters)| parameters.iter().map(String::as_str))
            .collect()
    }

    /// The largest message in bytes (RFC 1870); none where the server sets no
    /// limit or does not say.
    pub(crate) fn size(&self) -> Option<usize> {
        let (_, parameters) = self.extensions.iter().find(|(name, _)| name == "SIZE")?;
        let size = parameters.first()?.parse().ok()?;
        (size > 0).then_some(size)
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

fn no_reply(text: &[u8]) -> Error {
    let text = QUOTED.cut(&line(&String::from_utf8_lossy(text)));
    Error::Malformed(format!("the server does not speak SMTP: {text:?}"))
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
        assert_eq!(
            read("220 mail.test ESMTP\r\n").unwrap().quoted(),
            "\"220 mail.test ESMTP\""
        );
        let reply = read("250-mail.test\r\n250-SIZE 100\n250 HELP\r\n").unwrap();
        assert_eq!(reply, Reply::new(250, "mail.test\nSIZE 100\nHELP"));
        assert_eq!(read("354\r\n").unwrap(), Reply::new(354, ""));
        let hostile = read("550 no\u{202E}\u{1b}[31m\tway\r\n").unwrap();
        assert_eq!(hostile.quoted(), "\"550 no [31m way\"");
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
    }

    #[test]
    fn replies_are_bounded() {
        let many = read(&"250-a\r\n".repeat(1000)).unwrap_err();
        assert_eq!(many, "the server sends a reply of more than 128 lines");
        let long = read(&"2".repeat(5000)).unwrap_err();
        assert_eq!(long, "the server sends a line of more than 2048 bytes");
        let quoted = read(&format!("220 {}\r\n", "é".repeat(500))).unwrap();
        assert_eq!(quoted.quoted().chars().count(), QUOTED.most() + 2);
    }

    #[test]
    fn a_server_says_when_to_come_back() {
        for (text, seconds) in [
            ("4.2.0 Greylisted, try again in 300 seconds", Some(300)),
            (
                "4.7.1 Greylisting in action, come back in 00:05:00",
                Some(60),
            ),
            ("please retry after 5 minutes", Some(300)),
            ("wait 99999999999 min", Some(3600)),
            ("too many connections", None),
        ] {
            let wait = Reply::new(450, text).wait();
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(Reply::new(550, "in 5 minutes").wait(), None);
    }

    #[test]
    fn offers_are_read_in_every_spelling() {
        let hello =
            "250-AUTH is my name\r\n250-size 100\r\n250-Auth plain LOGIN\r\n250 AUTH=CRAM-MD5\r\n";
        let offer = Offer::of(&read(hello).unwrap());
        assert!(offer.has("SIZE") && offer.has("AUTH") && !offer.has("IS"));
        assert_eq!(offer.mechanisms(), ["PLAIN", "LOGIN", "CRAM-MD5"]);
        assert_eq!(offer.size(), Some(100));
        for unlimited in ["a\nSIZE", "a\nSIZE 0", "a\nSIZE x", "a"] {
            assert_eq!(Offer::of(&Reply::new(250, unlimited)).size(), None);
        }
    }
}

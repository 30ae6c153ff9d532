//! The first line that each side sends (RFC 4253 section 4.2).

use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};

use crate::wrong;

/// The longest line, in bytes. The identification has at most 255; lines before it
/// have no limit in the standard.
const LONGEST_LINE: usize = 1024;

/// How many lines may come before the identification.
const MOST_LINES: usize = 64;

/// How many characters a reason quotes.
const QUOTED: usize = 100;

/// What a server calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identification {
    /// The whole line, which is part of what the server signs.
    pub(crate) line: Vec<u8>,
    /// Software and comments: `OpenSSH_9.2p1 Debian-2`.
    pub(crate) software: String,
}

impl Identification {
    pub(crate) fn read<S: Stream>(stream: &mut Buffered<S>) -> Result<Self, Error> {
        let mut first = None;
        for _ in 0..MOST_LINES {
            let line = stream.line(LONGEST_LINE)?;
            if line.starts_with(b"SSH-") {
                return Self::parse(line);
            }
            first.get_or_insert(line);
        }
        let said = quoted(&first.unwrap_or_default());
        Err(wrong(format!("does not speak SSH: {said:?}")))
    }

    fn parse(line: Vec<u8>) -> Result<Self, Error> {
        let text = quoted(&line);
        let mut parts = text.splitn(3, '-').skip(1);
        match (parts.next(), parts.next()) {
            // RFC 4253 section 5.1: servers that speak both versions say 1.99.
            (Some("2.0" | "1.99"), Some(software)) => Ok(Self {
                software: software.to_owned(),
                line,
            }),
            _ => Err(wrong(format!("speaks another SSH than 2: {text:?}"))),
        }
    }
}

fn quoted(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    fn check(says: &str, expected: &str) {
        let mut stream = Buffered::new(Peer::saying(says.as_bytes()));
        let found = match Identification::read(&mut stream) {
            Ok(found) => {
                assert!(found.line.starts_with(b"SSH-"));
                found.software
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{says}");
    }

    #[test]
    fn the_software_is_what_follows_the_version() {
        check(
            "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
            "OpenSSH_9.2p1 Debian-2",
        );
        check("Welcome\r\nall\nSSH-1.99-x\n", "x");
    }

    #[test]
    fn what_is_no_ssh_is_quoted() {
        check(
            "SSH-1.5-old\r\n",
            r#"speaks another SSH than 2: "SSH-1.5-old""#,
        );
        check("SSH-2.0\r\n", r#"speaks another SSH than 2: "SSH-2.0""#);
        check(
            &"220 mail\r\n".repeat(100),
            r#"does not speak SSH: "220 mail""#,
        );
        check(
            "220 mail\r\n",
            "connection closed before the answer was complete",
        );
    }
}

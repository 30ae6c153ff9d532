//! The upgrade: a request in HTTP/1.1 and what must be answered (RFC 6455 section
//! 4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use watchkeeper_sdk::stream::{Buffered, Stream};
use watchkeeper_sdk::{Error, Url};

/// What a server proves with that it knows the protocol (RFC 6455 section 1.3).
const PROOF: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The longest line of an answer, in bytes.
const LONGEST_LINE: usize = 8 * 1024;

/// The most headers of an answer.
const MOST_HEADERS: usize = 100;

/// Headers that belong to the upgrade: nobody else may set them.
const RESERVED: [&str; 8] = [
    "host",
    "upgrade",
    "connection",
    "content-length",
    "transfer-encoding",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
];

/// A request for an upgrade.
#[derive(Debug)]
pub(crate) struct Request {
    text: String,
    key: String,
}

impl Request {
    /// A request for `url` with these headers and subprotocols. The error says which
    /// key of the configuration cannot be sent.
    pub(crate) fn new(
        url: &Url,
        headers: &BTreeMap<String, String>,
        subprotocols: &[String],
        random: [u8; 16],
    ) -> Result<Self, String> {
        let key = STANDARD.encode(random);
        let mut text = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n",
            url.path_and_query(),
            url.authority()
        );
        let mut put = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            _ = write!(text, "{name}: {value}\r\n").is_ok();
        };
        for subprotocol in subprotocols {
            if !is_token(subprotocol) {
                return Err(format!("config.subprotocols: {subprotocol:?} is no token"));
            }
        }
        if !subprotocols.is_empty() {
            put("Sec-WebSocket-Protocol", &subprotocols.join(", "));
        }
        let is_given = |wanted: &str| headers.keys().any(|name| name.eq_ignore_ascii_case(wanted));
        if !is_given("User-Agent") {
            put(
                "User-Agent",
                concat!("Watchkeeper/", env!("CARGO_PKG_VERSION")),
            );
        }
        if let Some((user, password)) = url.credentials()
            && !is_given("Authorization")
        {
            let both = STANDARD.encode(format!("{user}:{password}"));
            put("Authorization", &format!("Basic {both}"));
        }
        for (name, value) in headers {
            if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(format!("config.headers.{name}: the upgrade sets it"));
            }
            if !is_token(name) {
                return Err(format!("config.headers: {name:?} is no header name"));
            }
            // The value may be a secret: it is not quoted.
            if value.chars().any(|c| c != '\t' && c.is_control()) {
                return Err(format!("config.headers.{name}: has a control character"));
            }
            put(name, value);
        }
        text += "\r\n";
        Ok(Self { text, key })
    }

    /// Sends the request and reads the answer, up to the first byte of what comes
    /// after it.
    pub(crate) fn send<S: Stream>(&self, stream: &mut Buffered<S>) -> Result<Answer, Error> {
        stream.write(self.text.as_bytes())?;
        let mut head = Vec::new();
        for _ in 0..=MOST_HEADERS + 1 {
            let line = stream.line(LONGEST_LINE)?;
            if head.is_empty() && !line.starts_with(b"HTTP/") {
                let start = shortened(&String::from_utf8_lossy(&line));
                return Err(wrong(format!("does not speak HTTP: {start:?}")));
            }
            head.extend(&line);
            head.extend(b"\r\n");
            if line.is_empty() {
                return Answer::parse(&head);
            }
        }
        let why = format!("answers the upgrade with more than {MOST_HEADERS} headers");
        Err(wrong(why))
    }

    /// What is wrong with an answer, besides what the configuration demands of it.
    pub(crate) fn fault(&self, answer: &Answer, subprotocols: &[String]) -> Option<String> {
        if answer.status != 101 {
            let to = match answer.header("location") {
                Some(location) => format!(" to {}", shortened(location)),
                None => String::new(),
            };
            return Some(format!(
                "answers the upgrade with status {}{to}",
                answer.status
            ));
        }
        for (name, wanted) in [("upgrade", "websocket"), ("connection", "upgrade")] {
            if !answer.has_word(name, wanted) {
                return Some(format!("upgrades without the header {name}: {wanted}"));
            }
        }
        let proof = Sha1::digest(format!("{}{PROOF}", self.key));
        if answer.header("sec-websocket-accept") != Some(STANDARD.encode(proof).as_str()) {
            return Some("upgrades with a wrong Sec-WebSocket-Accept".to_owned());
        }
        if let Some(extension) = answer.header("sec-websocket-extensions") {
            let extension = shortened(extension);
            return Some(format!(
                "uses an extension that was not offered: {extension}"
            ));
        }
        if let Some(chosen) = answer.subprotocol()
            && !subprotocols.iter().any(|offered| offered == chosen)
        {
            let chosen = shortened(chosen);
            return Some(format!(
                "chooses subprotocol {chosen}, which was not offered"
            ));
        }
        None
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    status: u16,
    /// With names in lower case.
    headers: Vec<(String, String)>,
}

impl Answer {
    fn parse(head: &[u8]) -> Result<Self, Error> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(head);
        match (parsed, response.code) {
            (Ok(httparse::Status::Complete(_)), Some(status)) => Ok(Self {
                status,
                headers: response
                    .headers
                    .iter()
                    .map(|header| {
                        let value = String::from_utf8_lossy(header.value);
                        (header.name.to_ascii_lowercase(), value.into_owned())
                    })
                    .collect(),
            }),
            (Err(error), _) => Err(wrong(format!("does not speak HTTP: {error}"))),
            (Ok(_), _) => Err(wrong("does not speak HTTP: the answer breaks off")),
        }
    }

    /// The first value of the header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.header("sec-websocket-protocol")
    }

    /// Whether the header's list, in one or several lines, has the word.
    fn has_word(&self, name: &str, word: &str) -> bool {
        self.headers
            .iter()
            .filter(|(header, _)| header == name)
            .flat_map(|(_, value)| value.split(','))
            .any(|found| found.trim().eq_ignore_ascii_case(word))
    }
}

/// A server that says what it should not: dead.
pub(crate) fn wrong(why: impl Into<String>) -> Error {
    Error::Malformed(why.into())
}

/// A text cut to what fits into a reason.
pub(crate) fn shortened(text: &str) -> String {
    const LENGTH: usize = 80;
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(LENGTH).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    /// The key of the example in RFC 6455 section 1.3.
    const RANDOM: [u8; 16] = *b"the sample nonce";

    fn request(headers: &[(&str, &str)], subprotocols: &[&str]) -> Result<Request, String> {
        let url = Url::parse("ws://u:p@a.test:81/path?q=1").unwrap();
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let subprotocols: Vec<String> = subprotocols.iter().map(|&one| one.to_owned()).collect();
        Request::new(&url, &headers, &subprotocols, RANDOM)
    }

    #[test]
    fn the_request_has_what_the_standard_demands() {
        let request = request(&[("Origin", "https://a.test")], &["chat", "v2"]).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            request.text,
            format!(
                "GET /path?q=1 HTTP/1.1\r\nHost: a.test:81\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, v2\r\n\
                 User-Agent: Watchkeeper/{version}\r\nAuthorization: Basic dTpw\r\n\
                 Origin: https://a.test\r\n\r\n"
            )
        );
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        let check = |name: &str, value: &str, expected: &str| {
            assert_eq!(request(&[(name, value)], &[]).unwrap_err(), expected);
        };
        check("HOST", "x", "config.headers.HOST: the upgrade sets it");
        check("a b", "x", r#"config.headers: "a b" is no header name"#);
        check(
            "X",
            "s3cret\r\nY: z",
            "config.headers.X: has a control character",
        );
        assert_eq!(
            request(&[], &["a, b"]).unwrap_err(),
            r#"config.subprotocols: "a, b" is no token"#
        );
    }

    fn check(answer: &str, expected: Result<&str, &str>) {
        let mut stream = Buffered::new(Peer::saying(answer.as_bytes()));
        let request = request(&[], &["chat"]).unwrap();
        let found = request.send(&mut stream).map(|answer| {
            let fault = request.fault(&answer, &["chat".to_owned()]);
            fault.unwrap_or_default()
        });
        let found = found.map_err(|error| error.to_string());
        assert_eq!(
            found.as_deref().map_err(String::as_str),
            expected,
            "{answer}"
        );
    }

    #[test]
    fn the_answer_must_prove_that_it_was_meant() {
        // The example of RFC 6455 section 1.3.
        let good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
                    Connection: keep-alive, Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        check(&format!("{good}\r\n"), Ok(""));
        check(
            &format!("{good}Sec-WebSocket-Protocol: chat\r\n\r\n"),
            Ok(""),
        );
        check(
            &format!("{good}Sec-WebSocket-Protocol: other\r\n\r\n"),
            Ok("chooses subprotocol other, which was not offered"),
        );
        check(
            &format!("{good}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
            Ok("uses an extension that was not offered: permessage-deflate"),
        );
        check(
            &format!("{}\r\n", good.replace("s3pP", "S3pP")),
            Ok("upgrades with a wrong Sec-WebSocket-Accept"),
        );
        check(
            &format!("{}\r\n", good.replace("WebSocket\r\n", "h2c\r\n")),
            Ok("upgrades without the header upgrade: websocket"),
        );
        check(
            "HTTP/1.1 301 Moved\r\nLocation: wss://b.test/\r\n\r\n",
            Ok("answers the upgrade with status 301 to wss://b.test/"),
        );
        check(
            "HTTP/1.1 403 No\r\n\r\n",
            Ok("answers the upgrade with status 403"),
        );
    }

    #[test]
    fn what_is_no_http_is_quoted() {
        check("220 mail\r\n", Err(r#"does not speak HTTP: "220 mail""#));
        check(
            "HTTP/1.1 abc\r\n\r\n",
            Err("does not speak HTTP: invalid response status"),
        );
        let endless = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(200));
        check(
            &endless,
            Err("answers the upgrade with more than 100 headers"),
        );
    }
}

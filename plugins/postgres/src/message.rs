//! Taking the server's messages from what came, and its errors into words.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{DATA_ROW_TAG, ErrorFields, Header, Message};
use watchkeeper_sdk::Stop;
use watchkeeper_sdk::database::one_line;

/// The longest message that is read: one row.
pub(crate) const LONGEST: usize = 1 << 20;

/// `syntax_error` among PostgreSQL's error codes (its documentation, appendix A).
const SYNTAX_ERROR: &str = "42601";

/// The message at the beginning of `received` and its length in bytes; none while
/// there is more of it to come.
pub(crate) fn parse(received: &[u8]) -> Result<Option<(Message, usize)>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("this is not PostgreSQL: {error}");
    let header = match Header::parse(received) {
        Ok(Some(header)) => header,
        Ok(None) => return Ok(None),
        Err(error) => return Err(wrong(&error)),
    };
    // The length counts itself, but not the tag before it. Checked here, because
    // the crate makes room for whatever it says.
    let length = usize::try_from(header.len()).map_err(|error| wrong(&error))?;
    let length = length.saturating_add(1);
    if length > LONGEST {
        return match header.tag() {
            // A row may be that long. It is waited for, up to the limit.
            DATA_ROW_TAG => Ok(None),
            _ => Err(wrong(&format!("a message of {length} bytes"))),
        };
    }
    let Some(whole) = received.get(..length) else {
        return Ok(None);
    };
    match Message::parse(&mut BytesMut::from(whole)) {
        Ok(message) => Ok(message.map(|message| (message, length))),
        Err(error) => Err(wrong(&error)),
    }
}

/// The end of a check by an error of the server, in one line: `FATAL: password
/// authentication failed`. A query that is no SQL is the operator's mistake.
pub(crate) fn stop_of(mut fields: ErrorFields<'_>) -> Stop {
    let (mut severity, mut code, mut text) = (None, None, None);
    // What is cut off or no text is left out: what came before it is told.
    while let Ok(Some(field)) = fields.next() {
        let value = || Some(String::from_utf8_lossy(field.value_bytes()).into_owned());
        match field.type_() {
            b'S' => severity = value(),
            b'C' => code = value(),
            b'M' => text = value(),
            _ => {}
        }
    }
    let severity = severity.unwrap_or_else(|| "ERROR".to_owned());
    let text = text.unwrap_or_else(|| "no reason given".to_owned());
    let words = one_line(&format!("{severity}: {text}"));
    match code.as_deref() {
        Some(SYNTAX_ERROR) => Stop::Misconfigured(format!("config.query: {words}")),
        _ => Stop::Dead(words),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_taken_whole() {
        let ready = b"Z\0\0\0\x05I";
        assert!(parse(&ready[..5]).unwrap().is_none());
        let (message, length) = parse(b"Z\0\0\0\x05Irest").unwrap().unwrap();
        assert!(matches!(message, Message::ReadyForQuery(_)));
        assert_eq!(length, 6);
        assert!(parse(b"D\x7f\0\0\0long").unwrap().is_none());
    }

    #[test]
    fn what_is_no_message_is_said_to_be_none() {
        for (received, expected) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\n"[..],
                "this is not PostgreSQL: a message of 1414811696 bytes",
            ),
            (
                b"Z\0\0\0\x03",
                "this is not PostgreSQL: invalid message length: header length < 4",
            ),
            (
                b"~\0\0\0\x04",
                "this is not PostgreSQL: unknown message tag `126`",
            ),
        ] {
            assert_eq!(parse(received).err().unwrap(), expected);
        }
    }

    fn stop(body: &[u8]) -> Stop {
        let mut bytes = b"E\0\0\0\0".to_vec();
        bytes[4] = u8::try_from(body.len() + 4).unwrap();
        bytes.extend_from_slice(body);
        match parse(&bytes).unwrap() {
            Some((Message::ErrorResponse(body), _)) => stop_of(body.fields()),
            _ => panic!("no error"),
        }
    }

    #[test]
    fn errors_are_one_line_and_have_an_owner() {
        for (body, expected) in [
            (
                &b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication\nfailed\0\0"[..],
                Stop::Dead("FATAL: password authentication failed".to_owned()),
            ),
            (
                b"SERROR\0C42601\0Msyntax error at \"x\"\0\0",
                Stop::Misconfigured("config.query: ERROR: syntax error at \"x\"".to_owned()),
            ),
            (
                b"SERROR\0Mcut",
                Stop::Dead("ERROR: no reason given".to_owned()),
            ),
        ] {
            assert_eq!(stop(body), expected);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(received in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some((Message::ErrorResponse(body), _))) = parse(&received) {
                drop(stop_of(body.fields()));
            }
        }
    }
}

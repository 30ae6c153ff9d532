//! The protocol (RESP, version 2): what a server answers to the commands that are
//! sent here. None of them is answered with a list.

use serde_json::Value;
use watchkeeper_sdk::number_or_text;

/// The longest answer that is read.
pub(crate) const LONGEST: usize = 1 << 20;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A word: `OK`, `PONG`.
    Word(String),
    /// What went wrong, its kind first: `NOAUTH Authentication required.`
    Error(String),
    /// A number.
    Number(i64),
    /// A text, or none where there is no such key.
    Text(Option<Vec<u8>>),
}

impl Reply {
    /// The answer to a question about a key; none: there is no such key.
    pub(crate) fn into_value(self) -> Option<Value> {
        match self {
            Self::Word(text) | Self::Error(text) => Some(Value::String(text)),
            Self::Number(number) => Some(number.into()),
            Self::Text(text) => text.map(|text| number_or_text(&String::from_utf8_lossy(&text))),
        }
    }
}

/// The answer at the beginning of `received` and its length in bytes; none while
/// there is more of it to come.
pub(crate) fn parse(received: &[u8]) -> Result<Option<(Reply, usize)>, String> {
    let Some((kind, rest)) = received.split_first() else {
        return Ok(None);
    };
    // Before the line is whole: what is no answer may have no line either.
    if !matches!(kind, b'+' | b'-' | b':' | b'$') {
        return Err("this is not Redis: no answer begins so".to_owned());
    }
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let line = rest.get(..end).unwrap_or_default();
    let text = || String::from_utf8_lossy(line).into_owned();
    let number = || {
        let number = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.parse().ok());
        number.ok_or_else(|| "this is not Redis: no number where one must be".to_owned())
    };
    let after_line = 1 + end + 2;
    let reply = match kind {
        b'+' => Reply::Word(text()),
        b'-' => Reply::Error(text()),
        b':' => Reply::Number(number()?),
        _ => {
            let Ok(length) = usize::try_from(number()?) else {
                return Ok(Some((Reply::Text(None), after_line)));
            };
            let whole = after_line.saturating_add(length).saturating_add(2);
            if received.len() < whole {
                return Ok(None);
            }
            let text = received.get(after_line..after_line + length);
            return Ok(Some((Reply::Text(text.map(<[u8]>::to_vec)), whole)));
        }
    };
    Ok(Some((reply, after_line)))
}

/// A command as it is sent.
pub(crate) fn command(words: &[&str]) -> Vec<u8> {
    let words = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let words: Vec<String> = words.collect();
    format!("*{}\r\n{}", words.len(), words.concat()).into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_are_taken_whole() {
        let text = |text: &[u8]| Reply::Text(Some(text.to_vec()));
        for (received, expected) in [
            (&b"+PONG\r\nrest"[..], Reply::Word("PONG".to_owned())),
            (b"-ERR no\r\n", Reply::Error("ERR no".to_owned())),
            (b":-2\r\n", Reply::Number(-2)),
            (b"$3\r\na\r\n\r\n", text(b"a\r\n")),
            (b"$0\r\n\r\n", text(b"")),
            (b"$-1\r\n", Reply::Text(None)),
        ] {
            let (reply, length) = parse(received).unwrap().unwrap();
            assert_eq!(reply, expected);
            assert!(received[..length].ends_with(b"\r\n"), "{length}");
            for cut in 0..length {
                assert_eq!(parse(&received[..cut]), Ok(None), "{cut}");
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        for (received, expected) in [
            (&b"HTTP/1.1"[..], "this is not Redis: no answer begins so"),
            (b"*1\r\n", "this is not Redis: no answer begins so"),
            (b":x\r\n", "this is not Redis: no number where one must be"),
            (
                b"$\xff\r\n",
                "this is not Redis: no number where one must be",
            ),
        ] {
            assert_eq!(parse(received).unwrap_err(), expected);
        }
        // A length that nothing can have is waited for, up to the limit.
        assert_eq!(parse(b"$9223372036854775807\r\nab"), Ok(None));
    }

    #[test]
    fn commands_are_lists_of_texts() {
        assert_eq!(
            command(&["GET", "é"]),
            "*2\r\n$3\r\nGET\r\n$2\r\né\r\n".as_bytes()
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(kind in "[+:$-]", rest in proptest::collection::vec(any::<u8>(), 0..60), number: i64) {
            let mut received = kind.clone().into_bytes();
            received.extend_from_slice(&rest);
            drop(parse(&received));
            let mut received = format!("{kind}{number}\r\n").into_bytes();
            received.extend_from_slice(&rest);
            if let Ok(Some((_, length))) = parse(&received) {
                prop_assert!(length <= received.len());
            }
        }
    }
}

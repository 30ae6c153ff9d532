//! Packets, and the fields that they are made of.

use watchkeeper_sdk::Stop;
use watchkeeper_sdk::database::one_line;

/// The longest packet that is read: one row. Longer ones come in parts, of which
/// the first would be longer than this already.
pub(crate) const LONGEST: usize = 1 << 20;

/// `ER_PARSE_ERROR`: what was asked is no SQL.
const SYNTAX_ERROR: u16 = 1064;

/// A packet as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// The answer to it bears the next number.
    pub(crate) sequence: u8,
    pub(crate) payload: Vec<u8>,
}

/// As [`parse`], of the first packet that a server sends: what is no beginning of
/// one is not waited for.
pub(crate) fn parse_greeting(received: &[u8]) -> Result<Option<(Packet, usize)>, String> {
    match head(received) {
        Some((length, sequence, _)) if sequence != 0 || length >= LONGEST => {
            Err("this is not MySQL: no greeting".to_owned())
        }
        _ => parse(received),
    }
}

/// The packet at the beginning of `received` and its length in bytes; none while
/// there is more of it to come.
#[expect(clippy::unnecessary_wraps, reason = "what a conversation calls")]
pub(crate) fn parse(received: &[u8]) -> Result<Option<(Packet, usize)>, String> {
    let packet = head(received).and_then(|(length, sequence, rest)| {
        let payload = rest.get(..length)?.to_vec();
        Some((Packet { sequence, payload }, length + 4))
    });
    Ok(packet)
}

/// The length of a packet, its number, and what follows.
fn head(received: &[u8]) -> Option<(usize, u8, &[u8])> {
    let (&[low, middle, high, sequence], rest) = received.split_first_chunk()?;
    let length = u32::from_le_bytes([low, middle, high, 0]);
    Some((usize::try_from(length).ok()?, sequence, rest))
}

/// `payload` as a packet to be sent. None of ours is long enough to be split.
pub(crate) fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let [low, middle, high, _] = length.to_le_bytes();
    let mut packet = vec![low, middle, high, sequence];
    packet.extend_from_slice(payload);
    packet
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Text(&'a [u8]),
}

/// What is left of a packet; each field is taken off its beginning, and none of
/// them is there when the packet is too short for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_le_bytes(*first))
    }

    /// Up to the next zero byte, which is taken too.
    pub(crate) fn until_zero(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.bytes(end)?;
        self.u8()?;
        Some(text)
    }

    /// A length-encoded integer. Not for a first byte that means something else.
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let count = match self.u8()? {
            0xfb | 0xff => return None,
            0xfc => 2,
            0xfd => 3,
            0xfe => 8,
            small => return Some(small.into()),
        };
        let bytes = self.bytes(count)?.iter().rev();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A value of a row: a text, or the byte that stands for `NULL`.
    pub(crate) fn value(&mut self) -> Option<Cell<'a>> {
        if self.0.first() == Some(&0xfb) {
            self.u8()?;
            return Some(Cell::Null);
        }
        self.text().map(Cell::Text)
    }

    /// A text with its length before it.
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.integer()?).ok()?;
        self.bytes(length)
    }
}

/// The end of a check by an error packet of the server, in one line: `error 1045:
/// Access denied`. A query that is no SQL is the operator's mistake. What is left
/// of the packet begins after its first byte.
pub(crate) fn stop_of(mut fields: Fields<'_>) -> Stop {
    let Some(code) = fields.u16() else {
        return malformed("an error without a number");
    };
    let mut text = fields;
    // Between number and text there is a state, but for errors before the login.
    if text.u8() == Some(b'#') && text.bytes(5).is_some() {
        fields = text;
    }
    let words = format!(
        "error {code}: {}",
        one_line(&String::from_utf8_lossy(fields.0))
    );
    match code {
        SYNTAX_ERROR => Stop::Misconfigured(format!("config.query: {words}")),
        _ => Stop::Dead(words),
    }
}

/// What the server sent makes no sense.
pub(crate) fn malformed(why: &str) -> Stop {
    Stop::Dead(format!("this is not MySQL: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_taken_whole() {
        assert_eq!(parse(b"\x01\0\0"), Ok(None));
        assert_eq!(parse(b"\x02\0\0\x07a"), Ok(None));
        let (packet, length) = parse(b"\x02\0\0\x07abc").unwrap().unwrap();
        assert_eq!(
            (packet.sequence, &*packet.payload, length),
            (7, &b"ab"[..], 6)
        );
        assert_eq!(super::packet(7, b"ab"), b"\x02\0\0\x07ab");
        assert!(parse_greeting(b"\x02\0\0\0abc").unwrap().is_some());
        assert_eq!(parse_greeting(b"\x02\0\0"), Ok(None));
        for received in [&b"HTTP/1.1 400"[..], b"\x02\0\0\x01ab", b"\0\0\x10\0"] {
            let error = parse_greeting(received).unwrap_err();
            assert_eq!(error, "this is not MySQL: no greeting");
        }
    }

    #[test]
    fn integers_have_as_many_bytes_as_their_first_says() {
        for (bytes, expected) in [
            (&b"\xfa"[..], Some(250)),
            (b"\xfc\x01\x02", Some(513)),
            (b"\xfd\x01\0\x02", Some(131_073)),
            (b"\xfe\x01\0\0\0\0\0\0\x80", Some(0x8000_0000_0000_0001)),
            (b"\xfb", None),
            (b"\xfc\x01", None),
            (b"", None),
        ] {
            assert_eq!(Fields(bytes).integer(), expected, "{bytes:?}");
        }
        assert_eq!(Fields(b"\x02abc").text(), Some(&b"ab"[..]));
        assert_eq!(
            Fields(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffabc").text(),
            None
        );
    }

    #[test]
    fn errors_are_one_line_and_have_an_owner() {
        for (payload, expected) in [
            (
                &b"\x15\x04#28000Access denied\nfor user"[..],
                Stop::Dead("error 1045: Access denied for user".to_owned()),
            ),
            (
                b"\x10\x04Too many connections",
                Stop::Dead("error 1040: Too many connections".to_owned()),
            ),
            (
                b"\x28\x04#42000You have an error",
                Stop::Misconfigured("config.query: error 1064: You have an error".to_owned()),
            ),
            (
                b"\x10",
                Stop::Dead("this is not MySQL: an error without a number".to_owned()),
            ),
        ] {
            assert_eq!(stop_of(Fields(payload)), expected);
        }
    }
}

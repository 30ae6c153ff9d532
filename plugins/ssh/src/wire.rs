//! How SSH writes data (RFC 4251 section 5) and packs it before there are keys
//! (RFC 4253 section 6).

use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};

use crate::wrong;

/// The longest packet, in bytes: RFC 4253 section 6.1 has 35,000 as the least that
/// everybody must take, and no server sends more before there are keys.
const LONGEST_PACKET: u32 = 35_000;

/// What the length of a packet is a multiple of.
const BLOCK: usize = 8;

/// The least padding that a packet has.
const LEAST_PADDING: usize = 4;

/// Takes data apart. Every method has nothing where too little is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    pub(crate) fn uint32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.uint32()?).ok()?;
        self.bytes(length)
    }

    /// The magnitude of an integer that is not negative, without leading zeros.
    pub(crate) fn mpint(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            return None;
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..)
    }

    pub(crate) fn names(&mut self) -> Option<Vec<&'a str>> {
        let text = str::from_utf8(self.string()?).ok()?;
        Some(text.split(',').filter(|name| !name.is_empty()).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Puts data together.
pub(crate) trait Write {
    fn put_string(&mut self, bytes: &[u8]);

    /// An integer that is not negative, from its magnitude.
    fn put_mpint(&mut self, magnitude: &[u8]);
}

impl Write for Vec<u8> {
    fn put_string(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.extend(length.to_be_bytes());
        self.extend(bytes);
    }

    fn put_mpint(&mut self, magnitude: &[u8]) {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        let mut digits = magnitude.get(zeros..).unwrap_or_default().to_vec();
        if digits.first().is_some_and(|first| *first >= 0x80) {
            digits.insert(0, 0);
        }
        self.put_string(&digits);
    }
}

/// A packet with that payload. Its padding is zeros: nothing is encrypted yet.
pub(crate) fn pack(payload: &[u8]) -> Vec<u8> {
    // Length, padding's length, payload and padding fill whole blocks.
    let unpadded = 4 + 1 + payload.len() + LEAST_PADDING;
    let padding = LEAST_PADDING + (BLOCK - unpadded % BLOCK) % BLOCK;
    let length = 1 + payload.len() + padding;
    let mut packet = Vec::with_capacity(4 + length);
    packet.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    packet.push(u8::try_from(padding).unwrap_or(u8::MAX));
    packet.extend(payload);
    packet.resize(4 + length, 0);
    packet
}

/// The payload of the next packet.
pub(crate) fn unpack<S: Stream>(stream: &mut Buffered<S>) -> Result<Vec<u8>, Error> {
    let head = stream.exactly(4)?;
    let length = Reader::new(&head).uint32().unwrap_or_default();
    if !(2..=LONGEST_PACKET).contains(&length) {
        return Err(wrong(format!("sends a packet of {length} bytes")));
    }
    let packet = stream.exactly(usize::try_from(length).unwrap_or_default())?;
    let payload = packet.split_first().and_then(|(padding, rest)| {
        let end = rest.len().checked_sub(usize::from(*padding))?;
        rest.get(..end)
    });
    match payload {
        Some(payload) if !payload.is_empty() => Ok(payload.to_vec()),
        Some(_) | None => Err(wrong("sends a packet that is nothing but padding")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    #[test]
    fn integers_are_written_as_in_the_standard() {
        // The examples of RFC 4251 section 5 that are not negative.
        for (magnitude, expected) in [
            (&[][..], &[0, 0, 0, 0][..]),
            (&[0x80], &[0, 0, 0, 2, 0, 0x80]),
            (
                &[0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
                &[0, 0, 0, 8, 0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
            ),
        ] {
            let mut written = Vec::new();
            written.put_mpint(magnitude);
            assert_eq!(written, expected);
            assert_eq!(Reader::new(&written).mpint().unwrap(), magnitude);
        }
        // -1234
        assert_eq!(Reader::new(&[0, 0, 0, 2, 0xed, 0xcc]).mpint(), None);
    }

    #[test]
    fn packets_fill_whole_blocks() {
        for length in 1..100 {
            let payload = vec![7; length];
            let packet = pack(&payload);
            assert_eq!(packet.len() % BLOCK, 0);
            assert!(usize::from(packet[4]) >= LEAST_PADDING);
            let mut stream = Buffered::new(Peer::saying(&packet));
            assert_eq!(unpack(&mut stream).unwrap(), payload);
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for (bytes, expected) in [
            (&b"HTTP"[..], "sends a packet of 1213486160 bytes"),
            (&[0, 0, 0, 0], "sends a packet of 0 bytes"),
            (
                &[0, 0, 0, 4, 9, 0, 0, 0],
                "sends a packet that is nothing but padding",
            ),
        ] {
            let mut stream = Buffered::new(Peer::saying(bytes));
            assert_eq!(unpack(&mut stream), Err(wrong(expected)));
        }
        assert_eq!(Reader::new(&[0, 0, 0, 9, 1]).string(), None);
        assert_eq!(Reader::new(&[0, 0, 0]).uint32(), None);
    }
}

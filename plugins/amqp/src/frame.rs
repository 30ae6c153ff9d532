//! Frames of AMQP 0-9-1 (section 4.2 of the specification): what a connection is
//! cut into. Written by hand, as three kinds of fields are all that is read here,
//! and crates for AMQP come with a parser for nested tables of any depth.

use watchkeeper_sdk::tls::Connection;
use watchkeeper_sdk::{Error, Stop};

use crate::method::Method;

/// What a client says first: the protocol and its version.
pub(crate) const GREETING: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// The largest payload that is taken. Before it was negotiated no frame may be
/// larger than 4,096 bytes, and what follows here is shorter.
const LARGEST: usize = 128 * 1024;

/// How much is read at a time.
const CHUNK: u32 = 16 * 1024;

/// How much of an answer that is no AMQP is told.
const EXCERPT: usize = 60;

const METHOD: u8 = 1;
const HEARTBEAT: u8 = 8;
const END: u8 = 0xce;

/// Frames on one connection, each read as a whole.
pub(crate) struct Frames<'a> {
    connection: &'a Connection,
    received: Vec<u8>,
}

/// What the beginning of the bytes received is.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    /// The beginning of a frame, or less.
    Incomplete,
    /// A frame of that kind and so many bytes, with its payload.
    Frame(u8, usize, Vec<u8>),
    /// The greeting of a broker that speaks another version: its numbers.
    OtherVersion([u8; 4]),
    /// No AMQP.
    Garbage,
}

impl<'a> Frames<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            received: Vec::new(),
        }
    }

    /// Sends bytes outside of frames.
    pub(crate) fn greet(&self) -> Result<(), Error> {
        self.connection.write(GREETING)
    }

    /// Sends a method on the channel that is the connection itself.
    pub(crate) fn send(&self, payload: &[u8]) -> Result<(), Error> {
        self.connection.write(&frame(payload))
    }

    /// The next method; none when the broker closed the connection between two
    /// frames.
    pub(crate) fn next(&mut self) -> Result<Option<Method>, Stop> {
        loop {
            match begin(&self.received) {
                Beginning::Frame(METHOD, length, payload) => {
                    self.received.drain(..length);
                    let method = Method::parse(&payload).ok_or_else(|| {
                        Stop::Dead("the broker sent a method that is cut short".to_owned())
                    })?;
                    return Ok(Some(method));
                }
                Beginning::Frame(_, length, _) => {
                    self.received.drain(..length);
                }
                Beginning::OtherVersion([_, major, minor, revision]) => {
                    return Err(Stop::Dead(format!(
                        "the server speaks AMQP {major}-{minor}-{revision}, not 0-9-1"
                    )));
                }
                Beginning::Garbage => {
                    return Err(Stop::Dead(format!(
                        "the server does not speak AMQP: {:?}",
                        excerpt(&self.received)
                    )));
                }
                Beginning::Incomplete => {
                    let bytes = self.connection.read(CHUNK)?;
                    if bytes.is_empty() {
                        return if self.received.is_empty() {
                            Ok(None)
                        } else {
                            Err(Error::Closed.into())
                        };
                    }
                    self.received.extend_from_slice(&bytes);
                }
            }
        }
    }
}

/// A method's frame, on channel 0.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("what is sent is short");
    let mut bytes = vec![METHOD, 0, 0];
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.push(END);
    bytes
}

fn begin(received: &[u8]) -> Beginning {
    match received {
        [] => Beginning::Incomplete,
        [b'A', ..] => match received {
            [b'A', b'M', b'Q', b'P', a, b, c, d, ..] => Beginning::OtherVersion([*a, *b, *c, *d]),
            _ if GREETING.starts_with(received) || received.starts_with(b"AMQP") => {
                Beginning::Incomplete
            }
            _ => Beginning::Garbage,
        },
        [METHOD..=HEARTBEAT, ..] => begin_frame(received),
        _ => Beginning::Garbage,
    }
}

fn begin_frame(received: &[u8]) -> Beginning {
    let Some((&[kind, _, _, a, b, c, d], rest)) = received.split_first_chunk() else {
        return Beginning::Incomplete;
    };
    let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if size > LARGEST {
        return Beginning::Garbage;
    }
    match rest.split_at_checked(size) {
        Some((payload, [END, ..])) => Beginning::Frame(kind, 7 + size + 1, payload.to_vec()),
        Some((_, [_, ..])) => Beginning::Garbage,
        Some((_, [])) | None => Beginning::Incomplete,
    }
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_is_taken_when_it_is_whole() {
        let bytes = frame(b"abc");
        assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 3, b'a', b'b', b'c', 0xce]);
        for end in 0..bytes.len() {
            assert_eq!(begin(&bytes[..end]), Beginning::Incomplete);
        }
        let mut two = bytes.clone();
        two.extend(&bytes);
        assert_eq!(begin(&two), Beginning::Frame(1, 11, b"abc".to_vec()));
    }

    #[test]
    fn what_is_no_amqp_is_told_apart() {
        for (received, expected) in [
            (&b"AMQ"[..], Beginning::Incomplete),
            (b"AMQP\x00\x01", Beginning::Incomplete),
            (
                b"AMQP\x00\x01\x00\x00",
                Beginning::OtherVersion([0, 1, 0, 0]),
            ),
            (b"ACK\n", Beginning::Garbage),
            (b"HTTP/1.1 400", Beginning::Garbage),
            (b"\x01\0\0\xff\xff\xff\xff", Beginning::Garbage),
            (b"\x01\0\0\0\0\0\x01a?", Beginning::Garbage),
        ] {
            assert_eq!(begin(received), expected, "{received:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_taken_for_more_than_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Beginning::Frame(_, length, payload) = begin(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert_eq!(payload.len() + 8, length);
                drop(Method::parse(&payload));
            }
        }
    }
}

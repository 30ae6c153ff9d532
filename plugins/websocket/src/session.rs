//! What is said after the upgrade. The frames are tungstenite's.

use std::io;

use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};
use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};

use crate::upgrade::{shortened, wrong};

/// How many messages are passed over while one is waited for: each costs the check
/// processor time.
const MOST_MESSAGES: usize = 1000;

/// A connection after its upgrade.
pub(crate) struct Session<S> {
    socket: WebSocket<Wire<S>>,
}

/// How the other side took leave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It answered the closing.
    Clean,
    /// The connection ended without an answer, or nothing came.
    Rude(Error),
}

impl<S: Stream> Session<S> {
    pub(crate) fn new(stream: Buffered<S>, message_limit: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(0)
            .max_message_size(Some(message_limit))
            .max_frame_size(Some(message_limit));
        Self {
            socket: WebSocket::from_raw_socket(Wire(stream), Role::Client, Some(config)),
        }
    }

    pub(crate) fn send(&mut self, text: &str) -> Result<(), Error> {
        self.socket.send(Message::text(text)).map_err(translate)
    }

    /// Waits for a message that `is_it`; its text, or bytes taken for text.
    pub(crate) fn wait_for(&mut self, is_it: impl Fn(&str) -> bool) -> Result<(), Unmet> {
        let mut last = None;
        for _ in 0..MOST_MESSAGES {
            let text = match self.socket.read() {
                Ok(Message::Text(text)) => text.as_str().to_owned(),
                Ok(Message::Binary(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
                Ok(Message::Close(frame)) => {
                    let why = closed(
                        frame
                            .as_ref()
                            .map(|frame| (frame.code.into(), &*frame.reason)),
                    );
                    return Err(Unmet {
                        last,
                        error: wrong(why),
                    });
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(error) => {
                    let error = translate(error);
                    return Err(Unmet { last, error });
                }
            };
            if is_it(&text) {
                return Ok(());
            }
            last = Some(shortened(&text));
        }
        Err(Unmet {
            last,
            error: wrong(format!("sends {MOST_MESSAGES} messages without it")),
        })
    }

    /// Sends a ping and waits for its answer.
    pub(crate) fn ping(&mut self, payload: [u8; 4]) -> Result<(), Error> {
        let ping = Message::Ping(payload.to_vec().into());
        self.socket.send(ping).map_err(translate)?;
        for _ in 0..MOST_MESSAGES {
            match self.socket.read().map_err(translate)? {
                Message::Pong(answer) if answer[..] == payload => return Ok(()),
                Message::Close(frame) => {
                    let frame = frame.as_ref();
                    let why = closed(frame.map(|frame| (frame.code.into(), &*frame.reason)));
                    return Err(wrong(why));
                }
                _ => {}
            }
        }
        Err(wrong(format!(
            "sends {MOST_MESSAGES} messages in place of the answer to a ping"
        )))
    }

    /// Says that the connection is to be closed.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        self.socket
            .close(None)
            .and_then(|()| self.socket.flush())
            .map_err(translate)
    }

    /// Waits for the answer to it.
    pub(crate) fn closed(&mut self) -> Leave {
        for _ in 0..MOST_MESSAGES {
            match self.socket.read() {
                Ok(Message::Close(_)) | Err(tungstenite::Error::ConnectionClosed) => {
                    return Leave::Clean;
                }
                Ok(_) => {}
                Err(error) => return Leave::Rude(translate(error)),
            }
        }
        Leave::Rude(wrong("goes on sending"))
    }
}

/// No message was the one that was waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    /// The last one that came, shortened.
    pub(crate) last: Option<String>,
    pub(crate) error: Error,
}

fn closed(frame: Option<(u16, &str)>) -> String {
    match frame {
        None => "closes the connection".to_owned(),
        Some((code, "")) => format!("closes the connection with code {code}"),
        Some((code, reason)) => {
            let reason = shortened(reason);
            format!("closes the connection with code {code}: {reason:?}")
        }
    }
}

fn translate(error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Io(error) => match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::Failed(error.to_string()),
        },
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Error::Closed
        }
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => wrong(
            format!("sends a message of {size} bytes, more than {max_size}"),
        ),
        other => wrong(format!("does not keep to the protocol: {other}")),
    }
}

/// A stream as the standard library has it.
struct Wire<S>(Buffered<S>);

impl<S: Stream> io::Read for Wire<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.some(buffer.len()).map_err(io::Error::other)?;
        let target = buffer
            .get_mut(..bytes.len())
            .ok_or_else(|| io::Error::other("more than was asked for"))?;
        target.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl<S: Stream> io::Write for Wire<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    fn session(frames: &[&[u8]]) -> Session<Peer> {
        Session::new(Buffered::new(Peer::saying(&frames.concat())), 125)
    }

    #[test]
    fn messages_are_passed_over_until_the_right_one() {
        let frames: [&[u8]; 4] = [b"\x81\x02no", b"\x89\x01x", b"\x01\x02al", b"\x80\x03so!"];
        let mut stream = session(&frames);
        assert_eq!(stream.wait_for(|text| text == "also!"), Ok(()));
        let unmet = stream.wait_for(|_| true).unwrap_err();
        assert_eq!(unmet.error, Error::Closed);
        let unmet = session(&frames).wait_for(|text| text == "?").unwrap_err();
        assert_eq!(unmet.last.as_deref(), Some("also!"));
        let closing = session(&[b"\x88\x06\x03\xf0late"]).wait_for(|_| true);
        assert_eq!(
            closing.unwrap_err().error,
            wrong(r#"closes the connection with code 1008: "late""#)
        );
    }

    #[test]
    fn only_the_answer_to_our_ping_counts() {
        assert_eq!(
            session(&[b"\x8a\x04abcd", b"\x8a\x04PING"]).ping(*b"PING"),
            Ok(())
        );
        assert_eq!(
            session(&[b"\x8a\x04abcd"]).ping(*b"PING"),
            Err(Error::Closed)
        );
        let endless = b"\x81\x00".repeat(2000);
        assert_eq!(
            session(&[&endless]).ping(*b"PING"),
            Err(wrong(
                "sends 1000 messages in place of the answer to a ping"
            ))
        );
    }

    #[test]
    fn what_breaks_the_protocol_is_told() {
        let check = |frames: &[u8], expected: &str| {
            let unmet = session(&[frames]).wait_for(|_| true).unwrap_err();
            assert!(unmet.error.to_string().starts_with(expected), "{unmet:?}");
        };
        // A mask, a reserved bit, a text that is none, a message over the limit.
        check(b"\x81\x81abcdx", "does not keep to the protocol: ");
        check(b"\xc1\x01x", "does not keep to the protocol: ");
        check(b"\x81\x01\xff", "does not keep to the protocol: ");
        check(
            b"\x81\x7e\x01\x00",
            "sends a message of 256 bytes, more than 125",
        );
    }

    #[test]
    fn the_closing_is_answered_or_not() {
        let mut clean = session(&[b"\x81\x01x", b"\x88\x02\x03\xe8"]);
        clean.close().unwrap();
        assert_eq!(clean.closed(), Leave::Clean);
        let mut rude = session(&[b"\x81\x01x"]);
        rude.close().unwrap();
        assert_eq!(rude.closed(), Leave::Rude(Error::Closed));
    }
}

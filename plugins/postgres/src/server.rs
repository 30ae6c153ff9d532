//! A connection to a server: dialling, TLS, the question, the goodbye.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use serde_json::Value;
use watchkeeper_sdk::database::{Address, Answer};
use watchkeeper_sdk::tls::{Connection, Conversation, Encryption, Session};
use watchkeeper_sdk::{Context, Error, Reading, Stop, number_or_text};

use crate::message::{LONGEST, parse, stop_of};

/// A server that was connected to.
pub(crate) struct Server {
    pub(crate) conversation: Conversation,
    /// How TLS was agreed upon; none: the connection is in the clear.
    pub(crate) session: Option<Session>,
    connected: std::time::Duration,
    /// What a request to cancel this session's query must bear: process and key.
    cancel_key: Option<(i32, i32)>,
}

impl Server {
    /// Dials and, as `encryption` says, asks for TLS.
    pub(crate) fn connect(
        address: &Address,
        encryption: &Encryption,
        context: &Context,
    ) -> Result<Self, Stop> {
        let conversation = Conversation::open(&address.host, address.port, LONGEST, context)?;
        let mut server = Self {
            conversation,
            session: None,
            connected: context.elapsed(),
            cancel_key: None,
        };
        if encryption.is_wanted() {
            server.ask_for_tls(address, encryption)?;
        }
        Ok(server)
    }

    /// A reading with what connecting took.
    pub(crate) fn reading(&self) -> Reading {
        let connected = self.connected.as_secs_f64();
        let reading = Reading::healthy().measure("connect", connected, "seconds");
        match &self.session {
            Some(session) => reading.measure("tls", session.handshake.as_secs_f64(), "seconds"),
            None => reading,
        }
    }

    /// The next message that is not one of those that a server may send at any
    /// time. Its error is the end of the check.
    pub(crate) fn receive(&mut self) -> Result<Message, Stop> {
        loop {
            match self.conversation.receive(parse)? {
                Message::ErrorResponse(body) => {
                    return Err(stop_of(body.fields()));
                }
                Message::BackendKeyData(key) => {
                    self.cancel_key = Some((key.process_id(), key.secret_key()));
                }
                Message::NoticeResponse(_)
                | Message::ParameterStatus(_)
                | Message::NotificationResponse(_) => {}
                message => return Ok(message),
            }
        }
    }

    /// Runs `query`. Where its answer does not come in time the server is told
    /// that nobody waits for it any more: what is asked every minute must not
    /// pile up there.
    pub(crate) fn ask(
        &mut self,
        query: &str,
        address: &Address,
        context: &Context,
    ) -> Result<Answer, Stop> {
        let mut message = BytesMut::new();
        frontend::query(query, &mut message)
            .map_err(|_| Stop::Misconfigured("config.query: holds a character 0".to_owned()))?;
        self.conversation.await_next("answer to the query");
        self.conversation.write(&message)?;
        let answer = self.answer();
        if answer.is_err() && self.conversation.is_over() {
            self.cancel(address, context);
        }
        answer
    }

    fn answer(&mut self) -> Result<Answer, Stop> {
        let mut answer = Answer::default();
        let mut kind = 0;
        loop {
            match self.receive()? {
                Message::RowDescription(body) => {
                    // One of several statements: the last one's rows count.
                    let first = body.fields().next().map_err(|error| malformed(&error))?;
                    kind = first.map_or(0, |field| field.type_oid());
                    answer = Answer {
                        rows: Some(0),
                        ..Answer::default()
                    };
                }
                Message::DataRow(body) => {
                    let rows = answer.rows.get_or_insert(0);
                    *rows += 1;
                    if *rows == 1 {
                        let first = body.ranges().next().map_err(|error| malformed(&error))?;
                        answer.value = first.map(|range| {
                            range.map_or(Value::Null, |range| {
                                value_of(kind, body.buffer().get(range).unwrap_or_default())
                            })
                        });
                    }
                }
                Message::ReadyForQuery(_) => return Ok(answer),
                Message::CommandComplete(_) | Message::EmptyQueryResponse => {}
                Message::CopyInResponse(_) | Message::CopyOutResponse(_) => {
                    return Err(Stop::Misconfigured(
                        "config.query: COPY cannot be answered here".to_owned(),
                    ));
                }
                _ => return Err(malformed(&"an answer to another question")),
            }
        }
    }

    /// Asks the server, over a connection of its own as the protocol has it, to
    /// end this session's query. There is no answer to that.
    fn cancel(&self, address: &Address, context: &Context) {
        let Some((process, key)) = self.cancel_key else {
            return;
        };
        let mut message = BytesMut::new();
        frontend::cancel_request(process, key, &mut message);
        let patience = context.remaining();
        if let Ok(connection) = Connection::open(&address.host, address.port, patience) {
            drop(connection.write(&message));
        }
    }

    /// Ends the session in order, so that the server does not log a lost connection.
    pub(crate) fn leave(self) {
        let mut message = BytesMut::new();
        frontend::terminate(&mut message);
        self.conversation.close(&message);
    }

    fn ask_for_tls(&mut self, address: &Address, encryption: &Encryption) -> Result<(), Stop> {
        let mut message = BytesMut::new();
        frontend::ssl_request(&mut message);
        self.conversation
            .await_next("answer to the request for TLS");
        self.conversation.write(&message)?;
        let first = |received: &[u8]| {
            Ok(received
                .first()
                .map(|byte| (*byte, usize::from(*byte != b'E'))))
        };
        match self.conversation.receive(first)? {
            b'S' => {
                self.session = Some(self.conversation.start_tls(encryption, &address.host)?);
            }
            b'N' if encryption.is_required() => {
                return Err(Stop::Dead("the server does not offer TLS".to_owned()));
            }
            b'N' => {}
            // A server that cannot serve at all may say so already.
            b'E' => {
                self.receive()?;
                return Err(malformed(&"no answer to the request for TLS"));
            }
            _ => return Err(malformed(&"no answer to the request for TLS")),
        }
        Ok(())
    }
}

/// What the server sent makes no sense.
pub(crate) fn malformed(why: &dyn std::fmt::Display) -> Stop {
    Error::Malformed(format!("this is not PostgreSQL: {why}")).into()
}

/// A value as what it is, by its type's number in `pg_type`.
fn value_of(kind: u32, bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    match kind {
        // bool
        16 => Value::Bool(text == "t"),
        // int8, int2, int4, oid, float4, float8, numeric
        20 | 21 | 23 | 26 | 700 | 701 | 1700 => number_or_text(&text),
        _ => Value::String(text.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_what_their_types_say() {
        for (kind, bytes, expected) in [
            (16, &b"t"[..], json!(true)),
            (16, b"f", json!(false)),
            (23, b"-5", json!(-5)),
            (1700, b"0.25", json!(0.25)),
            (701, b"Infinity", json!("Infinity")),
            (25, b"12", json!("12")),
            (25, b"\xff", json!("\u{fffd}")),
        ] {
            assert_eq!(value_of(kind, bytes), expected, "{kind}");
        }
    }
}

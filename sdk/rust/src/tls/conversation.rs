//! A connection that is read message by message, for protocols whose messages
//! say where they end.

use std::time::{Duration, Instant};

use super::{Connection, Encryption, Session};
use crate::{Context, Error, in_words};

/// How much one call to the host carries at most.
const CHUNK: u32 = 16 << 10;

/// Which part of a run's time may be spent on waiting: what is left is enough to
/// say in words what did not come, and to say goodbye.
const PATIENCE: f64 = 0.96;

/// A connection with what came and was not read yet. It begins in the clear.
pub struct Conversation {
    connection: Connection,
    received: Vec<u8>,
    awaited: &'static str,
    started: Instant,
    patience: Duration,
    timeout: Duration,
    limit: usize,
}

impl Conversation {
    /// Opens TCP to `host:port`. Everything must be over shortly before the run
    /// is. A message of more than `limit` bytes is [`Error::TooLarge`].
    pub fn open(host: &str, port: u16, limit: usize, context: &Context) -> Result<Self, Error> {
        let patience = context.remaining().mul_f64(PATIENCE);
        let started = Instant::now();
        Ok(Self {
            connection: Connection::open(host, port, patience)?,
            received: Vec::new(),
            awaited: "answer",
            started,
            patience,
            timeout: context.timeout(),
            limit,
        })
    }

    /// Says what is waited for from here on: without it in time the error reads
    /// `no greeting in 10 s`.
    pub fn await_next(&mut self, what: &'static str) {
        self.awaited = what;
    }

    /// Upgrades to TLS as `encryption` asks for, at `host`.
    pub fn start_tls(&mut self, encryption: &Encryption, host: &str) -> Result<Session, Error> {
        if !self.received.is_empty() {
            // It could otherwise be mistaken for what came within TLS.
            return Err(Error::Malformed(
                "the server sent more before TLS than it was asked for".to_owned(),
            ));
        }
        let session =
            self.connection
                .start_tls(encryption.server_name(host), &[], encryption.verify());
        session.map_err(|error| self.named("TLS handshake", error))
    }

    /// Writes all of `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.connection.write(bytes);
        written.map_err(|error| self.named(self.awaited, error))
    }

    /// Reads until `parse` finds a whole message at the beginning of what came:
    /// it and its length in bytes, none while there is more to come. What `parse`
    /// says is wrong becomes [`Error::Malformed`]; the end of the stream is
    /// [`Error::Closed`].
    pub fn receive<T>(
        &mut self,
        mut parse: impl FnMut(&[u8]) -> Result<Option<(T, usize)>, String>,
    ) -> Result<T, Error> {
        loop {
            if let Some((message, length)) = parse(&self.received).map_err(Error::Malformed)? {
                let length = length.min(self.received.len());
                self.received.drain(..length);
                return Ok(message);
            }
            if self.received.len() >= self.limit {
                return Err(Error::TooLarge(self.limit as u64));
            }
            let bytes = self.connection.read(CHUNK);
            let bytes = bytes.map_err(|error| self.named(self.awaited, error))?;
            if bytes.is_empty() {
                return Err(Error::Closed);
            }
            self.received.extend_from_slice(&bytes);
        }
    }

    /// Whether the time for waiting is over.
    pub fn is_over(&self) -> bool {
        self.started.elapsed() >= self.patience
    }

    /// Sends a last message that nobody answers. That it may not arrive is of no
    /// interest.
    pub fn close(mut self, goodbye: &[u8]) {
        drop(self.write(goodbye));
    }

    fn named(&self, awaited: &str, error: Error) -> Error {
        match error {
            Error::TimedOut(_) => {
                Error::Failed(format!("no {awaited} in {}", in_words(self.timeout)))
            }
            other => other,
        }
    }
}

//! A connection to a server: dialling, TLS, the question, the goodbye.

use std::time::Duration;

use watchkeeper_sdk::database::{Address, Answer};
use watchkeeper_sdk::tls::{Conversation, Encryption, Session};
use watchkeeper_sdk::{Context, Reading, Stop};

use crate::answer::Reader;
use crate::greeting::{Greeting, capability};
use crate::login::{capabilities, head};
use crate::packet::{LONGEST, packet, parse, parse_greeting};

/// Commands: the first byte of what a client sends once it is logged in.
mod command {
    pub(super) const QUIT: u8 = 1;
    pub(super) const QUERY: u8 = 3;
}

/// A server that was connected to.
pub(crate) struct Server {
    pub(crate) conversation: Conversation,
    /// How TLS was agreed upon; none: the connection is in the clear.
    pub(crate) session: Option<Session>,
    connected: Duration,
    /// The number of the next packet that is sent.
    sequence: u8,
}

impl Server {
    /// Dials, hears the greeting and, as `encryption` says, asks for TLS.
    pub(crate) fn connect(
        address: &Address,
        encryption: &Encryption,
        context: &Context,
    ) -> Result<(Self, Greeting), Stop> {
        let conversation = Conversation::open(&address.host, address.port, LONGEST, context)?;
        let mut server = Self {
            conversation,
            session: None,
            connected: context.elapsed(),
            sequence: 0,
        };
        server.conversation.await_next("greeting");
        let packet = server.conversation.receive(parse_greeting)?;
        server.sequence = 1;
        let greeting = Greeting::parse(&packet.payload)?;
        if encryption.is_wanted() {
            if greeting.can(capability::SSL) {
                let database = address.database.is_some();
                server.send(&head(capabilities(&greeting, true, database)))?;
                let session = server.conversation.start_tls(encryption, &address.host)?;
                server.session = Some(session);
            } else if encryption.is_required() {
                return Err(Stop::Dead("the server does not offer TLS".to_owned()));
            }
        }
        Ok((server, greeting))
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

    /// The next packet's payload.
    pub(crate) fn receive(&mut self) -> Result<Vec<u8>, Stop> {
        let packet = self.conversation.receive(parse)?;
        self.sequence = packet.sequence.wrapping_add(1);
        Ok(packet.payload)
    }

    /// Sends the next packet.
    pub(crate) fn send(&mut self, payload: &[u8]) -> Result<(), Stop> {
        self.conversation.write(&packet(self.sequence, payload))?;
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }

    /// Has the server end this session's queries after `limit`: it does not notice
    /// that nobody waits for them any more, and what is asked every minute must
    /// not pile up there. A server that knows no such limit goes without.
    pub(crate) fn limit_queries(
        &mut self,
        greeting: &Greeting,
        limit: Duration,
    ) -> Result<(), Stop> {
        let statement = if greeting.is_mariadb() {
            format!("SET max_statement_time={:.3}", limit.as_secs_f64())
        } else {
            format!("SET max_execution_time={}", limit.as_millis())
        };
        self.conversation.await_next("answer to the limit of time");
        self.command(command::QUERY, statement.as_bytes())?;
        self.receive()?;
        Ok(())
    }

    /// Runs `query`; in its answer `column` counts, or the first.
    pub(crate) fn ask(&mut self, query: &str, column: Option<&str>) -> Result<Answer, Stop> {
        self.conversation.await_next("answer to the query");
        self.command(command::QUERY, query.as_bytes())?;
        let mut reader = Reader::new(column);
        loop {
            let payload = self.receive()?;
            if let Some(answer) = reader.take(&payload)? {
                return Ok(answer);
            }
        }
    }

    /// Ends the session in order, so that the server does not count a client that
    /// was lost.
    pub(crate) fn leave(self) {
        self.conversation.close(&packet(0, &[command::QUIT]));
    }

    fn command(&mut self, command: u8, argument: &[u8]) -> Result<(), Stop> {
        self.sequence = 0;
        self.send(&[&[command], argument].concat())
    }
}

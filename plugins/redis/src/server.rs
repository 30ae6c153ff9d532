//! A connection to a server: dialling, TLS, the questions, the goodbye.

use std::time::Duration;

use serde_json::Value;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::database::{Address, one_line};
use watchkeeper_sdk::tls::{Conversation, Encryption, Session};
use watchkeeper_sdk::{Context, Reading, Stop};

use crate::config::Key;
use crate::reply::{LONGEST, Reply, command, parse};

/// A server that was connected to.
pub(crate) struct Server {
    conversation: Conversation,
    /// How TLS was agreed upon; none: the connection is in the clear.
    pub(crate) session: Option<Session>,
    connected: Duration,
}

impl Server {
    /// Dials and encrypts as `encryption` says.
    pub(crate) fn connect(
        address: &Address,
        encryption: Option<&Encryption>,
        context: &Context,
    ) -> Result<Self, Stop> {
        let mut conversation = Conversation::open(&address.host, address.port, LONGEST, context)?;
        let connected = context.elapsed();
        let session = match encryption {
            Some(encryption) => Some(conversation.start_tls(encryption, &address.host)?),
            None => None,
        };
        Ok(Self {
            conversation,
            session,
            connected,
        })
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

    /// Logs in where there is somebody to log in as, and selects the database.
    pub(crate) fn log_in(
        &mut self,
        user: Option<&str>,
        password: Option<&Secret>,
        database: Option<u32>,
    ) -> Result<(), Stop> {
        self.conversation.await_next("answer to the login");
        match (user, password) {
            // A user without a password may be let in with any.
            (Some(user), password) => {
                let password = password.map_or("", Secret::expose);
                self.ask(&["AUTH", user, password])?;
            }
            (None, Some(password)) => {
                self.ask(&["AUTH", password.expose()])?;
            }
            (None, None) => {}
        }
        if let Some(database) = database {
            self.ask(&["SELECT", &database.to_string()])?;
        }
        Ok(())
    }

    pub(crate) fn ping(&mut self) -> Result<(), Stop> {
        self.conversation.await_next("answer to the ping");
        match self.ask(&["PING"])? {
            Reply::Word(word) if word == "PONG" => Ok(()),
            _ => Err(Stop::Dead(
                "this is not Redis: no PONG for a PING".to_owned(),
            )),
        }
    }

    /// What the server says of itself.
    pub(crate) fn info(&mut self) -> Result<String, Stop> {
        self.conversation.await_next("answer to INFO");
        match self.ask(&["INFO"])? {
            Reply::Text(Some(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
            _ => Err(Stop::Dead("this is not Redis: no text for INFO".to_owned())),
        }
    }

    /// What there is to be said about a key; none: there is no such key.
    pub(crate) fn look_up(&mut self, key: &Key) -> Result<Option<Value>, Stop> {
        self.conversation.await_next("answer about a key");
        let reply = self.ask(&[key.command.word(), &key.key])?;
        Ok(reply.into_value())
    }

    /// Ends the session in order.
    pub(crate) fn leave(self) {
        self.conversation.close(&command(&["QUIT"]));
    }

    /// The answer to a command. An error that is not about a lacking password is
    /// the end of the check: a server that is still loading, cannot write or has
    /// lost its master answers everything so.
    fn ask(&mut self, words: &[&str]) -> Result<Reply, Stop> {
        self.conversation.write(&command(words))?;
        match self.conversation.receive(parse)? {
            Reply::Error(error) if error.starts_with("NOAUTH ") => Err(Stop::Misconfigured(
                "config.password: the server asks for one".to_owned(),
            )),
            Reply::Error(error) => Err(Stop::Dead(one_line(&error))),
            reply => Ok(reply),
        }
    }
}

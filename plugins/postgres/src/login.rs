//! Logging in: by SCRAM, by an MD5 hash, or with the password itself.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use watchkeeper_sdk::Stop;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::database::Address;

use crate::Config;
use crate::server::{Server, malformed};

/// Who logs in where nobody is named.
const USER: &str = "postgres";

impl Server {
    /// Logs in and waits until the server is ready to be asked.
    pub(crate) fn log_in(&mut self, address: &Address, config: &Config) -> Result<(), Stop> {
        let user = address.user.as_deref().unwrap_or(USER);
        let database = address.database.as_deref().unwrap_or(user);
        let mut message = BytesMut::new();
        // Those that pgbouncer lets through, and no other.
        let parameters = [
            ("user", user),
            ("database", database),
            ("application_name", "watchkeeper"),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(parameters, &mut message).map_err(|error| malformed(&error))?;
        self.conversation.await_next("answer to the login");
        self.conversation.write(&message)?;
        loop {
            match self.receive()? {
                Message::AuthenticationOk => {}
                Message::ReadyForQuery(_) => return Ok(()),
                Message::AuthenticationCleartextPassword => {
                    let password = password(config)?;
                    if self.session.is_none() && !config.allow_cleartext {
                        return Err(Stop::Misconfigured(
                            "config.allow_cleartext: the server asks for the password itself, and \
                             the connection is not encrypted"
                                .to_owned(),
                        ));
                    }
                    self.send_password(password.as_bytes())?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let password = password(config)?.as_bytes();
                    let hash = md5_hash(user.as_bytes(), password, body.salt());
                    self.send_password(hash.as_bytes())?;
                }
                Message::AuthenticationSasl(body) => self.log_in_by_scram(&body, config)?,
                message => return Err(not_spoken(kind_of(&message))),
            }
        }
    }

    fn log_in_by_scram(
        &mut self,
        offered: &AuthenticationSaslBody,
        config: &Config,
    ) -> Result<(), Stop> {
        let mechanisms: Vec<&str> = offered
            .mechanisms()
            .collect()
            .map_err(|error| malformed(&error))?;
        if !mechanisms.contains(&SCRAM_SHA_256) {
            return Err(not_spoken(&mechanisms.join(", ")));
        }
        // Not bound to the channel: who must not be pretended to is told by its
        // certificate, with the mode `verify`.
        let binding = ChannelBinding::unsupported();
        let mut scram = ScramSha256::new(password(config)?.as_bytes(), binding);
        let mut message = BytesMut::new();
        frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), &mut message)
            .map_err(|error| malformed(&error))?;
        self.conversation.write(&message)?;
        let Message::AuthenticationSaslContinue(body) = self.receive()? else {
            return Err(malformed(&"SCRAM without a challenge"));
        };
        scram
            .update(body.data())
            .map_err(|error| malformed(&error))?;
        let mut message = BytesMut::new();
        frontend::sasl_response(scram.message(), &mut message)
            .map_err(|error| malformed(&error))?;
        self.conversation.write(&message)?;
        let Message::AuthenticationSaslFinal(body) = self.receive()? else {
            return Err(malformed(&"SCRAM without an end"));
        };
        // Whoever does not know the password cannot make this signature.
        scram
            .finish(body.data())
            .map_err(|error| Stop::Dead(format!("the server cannot prove who it is: {error}")))
    }

    fn send_password(&mut self, password: &[u8]) -> Result<(), Stop> {
        let mut message = BytesMut::new();
        frontend::password_message(password, &mut message)
            .map_err(|_| Stop::Misconfigured("config.password: holds a character 0".to_owned()))?;
        self.conversation.write(&message)?;
        Ok(())
    }
}

fn password(config: &Config) -> Result<&str, Stop> {
    let password = config.password.as_ref().map(Secret::expose);
    password
        .filter(|password| !password.is_empty())
        .ok_or_else(|| Stop::Misconfigured("config.password: the server asks for one".to_owned()))
}

fn not_spoken(what: &str) -> Stop {
    Stop::Undecided(format!(
        "the server wants to be logged in to by {what}, which this probe cannot"
    ))
}

fn kind_of(message: &Message) -> &'static str {
    match message {
        Message::AuthenticationGss | Message::AuthenticationGssContinue(_) => "GSSAPI",
        Message::AuthenticationSspi => "SSPI",
        Message::AuthenticationKerberosV5 => "Kerberos",
        _ => "other means",
    }
}

//! The client's side: one command after another, and what must be answered.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use watchkeeper_sdk::recipients::Round;
use watchkeeper_sdk::stream::{Buffered, Stream};
use watchkeeper_sdk::{Error, Failure, in_words};

use crate::config::{Login, Mechanism};
use crate::message::Message;
use crate::reply::{Offer, Reply};

/// What is waited for behind the mail itself.
const WORD: &str = "the server's word that it has the mail";

/// A conversation with a server.
pub(crate) struct Dialogue<S> {
    stream: Buffered<S>,
    /// The run's, for words about silence.
    timeout: Duration,
}

/// What an error means that came while something was waited for: silence and a
/// connection that ends are told with it.
pub(crate) fn waiting(what: &str, timeout: Duration) -> impl Fn(Error) -> Failure {
    move |error| match error {
        Error::TimedOut(_) => {
            Failure::temporary(format!("waited {} for {what}", in_words(timeout)))
        }
        Error::Closed => Failure::temporary(format!("connection closed before {what}")),
        other => other.into(),
    }
}

impl<S: Stream> Dialogue<S> {
    pub(crate) fn new(stream: S, timeout: Duration) -> Self {
        Self {
            stream: Buffered::new(stream),
            timeout,
        }
    }

    pub(crate) fn stream(&self) -> &S {
        self.stream.stream()
    }

    /// Waits for the first word.
    pub(crate) fn greeting(&mut self) -> Result<(), Failure> {
        let greeting = self.reply("the greeting")?;
        expect(&greeting, 220, "the server greets with")
    }

    /// Says hello, in the old way where the server does not know the new one
    /// (RFC 5321 section 3.2).
    pub(crate) fn hello(&mut self, name: &str) -> Result<Offer, Failure> {
        let extended = self.command(&format!("EHLO {name}"), "the answer to EHLO")?;
        if extended.code == 250 {
            return Ok(Offer::of(&extended));
        }
        if matches!(extended.code, 500 | 502) {
            let plain = self.command(&format!("HELO {name}"), "the answer to HELO")?;
            expect(&plain, 250, "the server answers HELO with")?;
            return Ok(Offer::default());
        }
        expect(&extended, 250, "the server answers EHLO with")?;
        Ok(Offer::default())
    }

    /// Asks for TLS (RFC 3207). When it returns the handshake is next.
    pub(crate) fn start_tls(&mut self) -> Result<(), Failure> {
        let reply = self.command("STARTTLS", "the answer to STARTTLS")?;
        expect(&reply, 220, "the server answers STARTTLS with")?;
        // What someone in between put behind the reply would count as if it had
        // come through TLS.
        if !self.stream.waiting().is_empty() {
            return Err(Failure::temporary(
                "the server sends more in the clear after its answer to STARTTLS",
            ));
        }
        Ok(())
    }

    /// Logs in by the mechanism that is configured, or the better one of those
    /// that are offered.
    pub(crate) fn login(&mut self, login: &Login, offer: &Offer) -> Result<(), Failure> {
        const AWAITED: &str = "the answer to the login";
        let offered = offer.mechanisms();
        let usable = match login.mechanism {
            Some(mechanism) => &[mechanism][..],
            None => &[Mechanism::Plain, Mechanism::Login],
        };
        let mechanism = usable
            .iter()
            .find(|mechanism| offered.contains(&mechanism.name()))
            .ok_or_else(|| {
                let wanted: Vec<&str> = usable.iter().map(|usable| usable.name()).collect();
                let only = match offered.as_slice() {
                    [] => "none".to_owned(),
                    names => names.join(", "),
                };
                let wanted = wanted.join(" or ");
                Failure::permanent(format!(
                    "the server offers no login by {wanted}, only by {only}"
                ))
            })?;
        let (username, password) = (&login.username, login.password.expose());
        let reply = match mechanism {
            Mechanism::Plain => {
                let both = STANDARD.encode(format!("\0{username}\0{password}"));
                self.command(&format!("AUTH PLAIN {both}"), AWAITED)?
            }
            Mechanism::Login => {
                let mut reply = self.command("AUTH LOGIN", AWAITED)?;
                for part in [username, password] {
                    if reply.code == 334 {
                        reply = self.command(&STANDARD.encode(part), AWAITED)?;
                    }
                }
                reply
            }
        };
        let what = format!("the server refuses the login of {username}:");
        expect(&reply, 235, &what)
    }

    /// Offers `message` for all `recipients`. Where the server takes it for some
    /// of them, those get it.
    pub(crate) fn send(
        &mut self,
        sender: &str,
        recipients: &[&str],
        message: &Message,
        offer: &Offer,
    ) -> Result<Round, Failure> {
        let size = message.bytes().len();
        if let Some(most) = offer.size()
            && size > most
        {
            return Err(Failure::permanent(format!(
                "the server takes no more than {most} bytes, and the mail has {size}"
            )));
        }
        let declared = if offer.has("SIZE") {
            format!(" SIZE={size}")
        } else {
            String::new()
        };
        let from = format!("MAIL FROM:<{sender}>{declared}");
        let reply = self.command(&from, "the answer to MAIL")?;
        let what = format!("the server refuses the sender {sender}:");
        expect(&reply, 250, &what)?;
        let mut round = Round::new();
        for &recipient in recipients {
            let to = format!("RCPT TO:<{recipient}>");
            let reply = self.command(&to, "the answer to RCPT")?;
            let outcome = match reply.code {
                250..=252 => Ok(()),
                421 => return Err(failure(&reply, "the server ends the conversation:")),
                _ => Err(failure(&reply, "the server refuses the recipient:")),
            };
            round.push((recipient.to_owned(), outcome));
        }
        if round.iter().all(|(_, outcome)| outcome.is_err()) {
            return Ok(round);
        }
        let reply = self.command("DATA", "the answer to DATA")?;
        expect(&reply, 354, "the server answers DATA with")?;
        self.stream
            .write(&message.stuffed())
            .map_err(waiting(WORD, self.timeout))?;
        let reply = self.reply(WORD)?;
        expect(&reply, 250, "the server refuses the mail:")?;
        Ok(round)
    }

    /// Takes leave in order. What comes of it changes nothing.
    pub(crate) fn quit(mut self) {
        _ = self.command("QUIT", "the answer to QUIT").is_ok();
    }

    fn command(&mut self, line: &str, awaited: &str) -> Result<Reply, Failure> {
        self.stream
            .write(format!("{line}\r\n").as_bytes())
            .map_err(waiting(awaited, self.timeout))?;
        self.reply(awaited)
    }

    fn reply(&mut self, awaited: &str) -> Result<Reply, Failure> {
        Reply::read(&mut self.stream).map_err(waiting(awaited, self.timeout))
    }
}

fn expect(reply: &Reply, code: u16, what: &str) -> Result<(), Failure> {
    if reply.code == code {
        return Ok(());
    }
    Err(failure(reply, what))
}

/// 5xx is for ever, anything else until later (RFC 5321 section 4.2.1).
fn failure(reply: &Reply, what: &str) -> Failure {
    let reason = format!("{what} {}", reply.quoted());
    if reply.is_final() {
        Failure::Permanent(reason)
    } else {
        Failure::Temporary {
            reason,
            wait: reply.wait(),
        }
    }
}

#[cfg(test)]
mod tests;

//! The client's side: one command after another, and what must be answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};

use crate::config::{Login, Mechanism};
use crate::reply::{Offer, Reply};

/// A conversation with a server.
pub(crate) struct Dialogue<S> {
    stream: Buffered<S>,
}

impl<S: Stream> Dialogue<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: Buffered::new(stream),
        }
    }

    pub(crate) fn stream(&self) -> &S {
        self.stream.stream()
    }

    /// Waits for the first word.
    pub(crate) fn greeting(&mut self) -> Result<Reply, Error> {
        let greeting = Reply::read(&mut self.stream)?;
        match greeting.code {
            220 => Ok(greeting),
            _ => Err(wrong(format!("greets with {:?}", greeting.quoted()))),
        }
    }

    /// Says hello, in the old way where the server does not know the new one
    /// (RFC 5321 section 3.2).
    pub(crate) fn hello(&mut self, name: &str) -> Result<Offer, Error> {
        let extended = self.command(&format!("EHLO {name}"))?;
        if extended.code == 250 {
            return Ok(Offer::of(&extended));
        }
        if matches!(extended.code, 500 | 502) {
            let plain = self.command(&format!("HELO {name}"))?;
            expect(&plain, 250, "HELO")?;
            return Ok(Offer::default());
        }
        expect(&extended, 250, "EHLO")?;
        Ok(Offer::default())
    }

    /// Asks for TLS (RFC 3207). When it returns the handshake is next.
    pub(crate) fn start_tls(&mut self) -> Result<(), Error> {
        let reply = self.command("STARTTLS")?;
        expect(&reply, 220, "STARTTLS")?;
        // What someone in between put behind the reply would count as if it had
        // come through TLS.
        if !self.stream.waiting().is_empty() {
            return Err(wrong(
                "sends more in the clear after its answer to STARTTLS",
            ));
        }
        Ok(())
    }

    /// Logs in by the mechanism that is configured, or the better one of those
    /// that are offered.
    pub(crate) fn login(&mut self, login: &Login, offer: &Offer) -> Result<(), Error> {
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
                wrong(format!(
                    "offers no login by {}, only by {}",
                    wanted.join(" or "),
                    listed(&offered)
                ))
            })?;
        let (username, password) = (&login.username, login.password.expose());
        let reply = match mechanism {
            Mechanism::Plain => {
                let both = STANDARD.encode(format!("\0{username}\0{password}"));
                self.command(&format!("AUTH PLAIN {both}"))?
            }
            Mechanism::Login => {
                let mut reply = self.command("AUTH LOGIN")?;
                for part in [username, password] {
                    if reply.code == 334 {
                        reply = self.command(&STANDARD.encode(part))?;
                    }
                }
                reply
            }
        };
        if reply.code != 235 {
            let said = reply.quoted();
            return Err(wrong(format!("refuses the login of {username}: {said:?}")));
        }
        Ok(())
    }

    /// Whether it still listens.
    pub(crate) fn noop(&mut self) -> Result<(), Error> {
        let reply = self.command("NOOP")?;
        expect(&reply, 250, "NOOP")
    }

    /// Takes leave in order. What comes of it says nothing of the server that was
    /// not known already.
    pub(crate) fn quit(mut self) {
        _ = self.command("QUIT").is_ok();
    }

    fn command(&mut self, line: &str) -> Result<Reply, Error> {
        self.stream.write(format!("{line}\r\n").as_bytes())?;
        Reply::read(&mut self.stream)
    }
}

fn expect(reply: &Reply, code: u16, command: &str) -> Result<(), Error> {
    if reply.code == code {
        return Ok(());
    }
    let said = reply.quoted();
    Err(wrong(format!("answers {command} with {said:?}")))
}

/// A server that says what it should not: dead.
fn wrong(why: impl Into<String>) -> Error {
    Error::Malformed(why.into())
}

/// For people: `PLAIN, LOGIN` or `none`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => "none".to_owned(),
        words => words.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    fn login(config: &str) -> Login {
        serde_json::from_str(config).unwrap()
    }

    const WATCH: &str = r#"{"username":"watch","password":"secret"}"#;

    fn check_login(says: &str, config: &str, offers: &str, expected: &str, heard: &str) {
        let offer = Reply {
            code: 250,
            lines: vec!["mail.test".to_owned(), offers.to_owned()],
        };
        let mut dialogue = Dialogue::new(Script::saying(says));
        let found = dialogue.login(&login(config), &Offer::of(&offer));
        let found = match found {
            Ok(()) => "in".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
        assert_eq!(dialogue.stream().heard(), heard);
    }

    #[test]
    fn a_login_uses_what_is_offered() {
        let plain = "AUTH PLAIN AHdhdGNoAHNlY3JldA==\r\n";
        let one_by_one = "AUTH LOGIN\r\nd2F0Y2g=\r\nc2VjcmV0\r\n";
        let asks = "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n";
        check_login("235 ok\r\n", WATCH, "AUTH LOGIN PLAIN", "in", plain);
        check_login(asks, WATCH, "AUTH LOGIN", "in", one_by_one);
        let chosen = r#"{"username":"watch","password":"secret","mechanism":"login"}"#;
        check_login(asks, chosen, "AUTH PLAIN LOGIN", "in", one_by_one);
        check_login(
            "",
            chosen,
            "AUTH PLAIN",
            "offers no login by LOGIN, only by PLAIN",
            "",
        );
        check_login(
            "",
            WATCH,
            "SIZE",
            "offers no login by PLAIN or LOGIN, only by none",
            "",
        );
    }

    #[test]
    fn a_refused_login_says_what_was_said() {
        check_login(
            "535 5.7.8 no\r\n",
            WATCH,
            "AUTH PLAIN",
            r#"refuses the login of watch: "535 5.7.8 no""#,
            "AUTH PLAIN AHdhdGNoAHNlY3JldA==\r\n",
        );
        // The password does not follow where it was not asked for.
        check_login(
            "504 no\r\n",
            WATCH,
            "AUTH LOGIN",
            r#"refuses the login of watch: "504 no""#,
            "AUTH LOGIN\r\n",
        );
    }

    #[test]
    fn hello_falls_back_to_the_old_way() {
        let mut old = Dialogue::new(Script::saying("502 what?\r\n250 mail.test\r\n"));
        assert_eq!(old.hello("me.test").unwrap(), Offer::default());
        assert_eq!(old.stream().heard(), "EHLO me.test\r\nHELO me.test\r\n");
        let mut angry = Dialogue::new(Script::saying("550 go away\r\n"));
        assert_eq!(
            angry.hello("me.test").unwrap_err(),
            wrong(r#"answers EHLO with "550 go away""#)
        );
        let mut full = Dialogue::new(Script::saying("421 too many\r\n"));
        assert_eq!(
            full.greeting().unwrap_err(),
            wrong(r#"greets with "421 too many""#)
        );
    }

    #[test]
    fn what_follows_the_answer_to_starttls_is_not_trusted() {
        struct AtOnce;
        impl Stream for AtOnce {
            fn read(&self, _: usize) -> Result<Vec<u8>, Error> {
                Ok(b"220 go ahead\r\n250 injected\r\n".to_vec())
            }

            fn write(&self, _: &[u8]) -> Result<(), Error> {
                Ok(())
            }
        }
        assert_eq!(
            Dialogue::new(AtOnce).start_tls().unwrap_err(),
            wrong("sends more in the clear after its answer to STARTTLS")
        );
        let mut clean = Dialogue::new(Script::saying("220 go ahead\r\n"));
        assert_eq!(clean.start_tls(), Ok(()));
    }
}

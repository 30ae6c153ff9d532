//! A stream with a server: opened, secured, opened again.

use watchkeeper_sdk::tls::{Conversation, Encryption};
use watchkeeper_sdk::{Context, Error, Failure};

use crate::trouble;
use crate::xml::{Element, Piece, escaped, piece};

/// The most that waits to be read, in bytes: a stanza of a server that was told no
/// other limit has less.
const LONGEST: usize = 256 << 10;

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    StartTls,
    AtOnce,
}

/// A stream, and what the server offers on it.
pub(crate) struct Stream {
    conversation: Conversation,
    domain: String,
    features: Element,
}

impl Stream {
    /// Connects; nothing is said yet.
    pub(crate) fn open(
        host: &str,
        port: u16,
        domain: &str,
        context: &Context,
    ) -> Result<Self, Failure> {
        Ok(Self {
            conversation: Conversation::open(host, port, LONGEST, context)?,
            domain: domain.to_owned(),
            features: Element::default(),
        })
    }

    /// Begins TLS, by STARTTLS (RFC 6120 section 5) or at once (XEP-0368), and the
    /// stream within it.
    pub(crate) fn secure(
        &mut self,
        security: Security,
        encryption: &Encryption,
    ) -> Result<(), Failure> {
        if security == Security::StartTls {
            self.begin()?;
            if self.features.child("starttls").is_none() {
                return Err(Failure::temporary(
                    "the server does not offer STARTTLS: nothing is said without TLS",
                ));
            }
            self.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")?;
            let answer = self.stanza("answer to STARTTLS")?;
            if answer.name != "proceed" {
                let what = "the server refuses STARTTLS";
                return Err(trouble::of_stream(what, &answer));
            }
        }
        self.conversation.start_tls(encryption, &self.domain)?;
        self.begin()
    }

    /// Begins the stream, or begins it anew after TLS and after the login.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        let domain = escaped(&self.domain);
        self.say(&format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xml:lang='en' \
             xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        ))?;
        match self.piece("greeting")? {
            Piece::Open(_) => {}
            Piece::Stanza(_) | Piece::Close => {
                return Err(Failure::temporary("the server does not begin a stream"));
            }
        }
        let features = self.stanza("features of the stream")?;
        if features.name != "features" {
            let why = "the server does not say what it offers";
            return Err(Failure::temporary(why));
        }
        self.features = features;
        Ok(())
    }

    /// What the server offers on the stream as it is now.
    pub(crate) fn features(&self) -> &Element {
        &self.features
    }

    /// The domain of the service.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// Sends XML as it is.
    pub(crate) fn say(&mut self, xml: &str) -> Result<(), Failure> {
        Ok(self.conversation.write(xml.as_bytes())?)
    }

    /// The next element of the stream, which is `awaited`.
    pub(crate) fn stanza(&mut self, awaited: &'static str) -> Result<Element, Failure> {
        match self.piece(awaited)? {
            Piece::Stanza(element) if element.name == "error" => {
                Err(trouble::of_stream("the server ends the stream", &element))
            }
            Piece::Stanza(element) => Ok(element),
            Piece::Open(_) => Err(Failure::temporary(
                "the server begins a stream within the stream",
            )),
            Piece::Close => Err(Failure::temporary(format!(
                "the server ends the stream before its {awaited}"
            ))),
        }
    }

    /// Takes leave, and does not wait for what is said to it.
    pub(crate) fn close(self) {
        self.conversation.close(b"</stream:stream>");
    }

    fn piece(&mut self, awaited: &'static str) -> Result<Piece, Failure> {
        self.conversation.await_next(awaited);
        self.conversation
            .receive(piece)
            .map_err(|error| match error {
                Error::Closed => {
                    Failure::temporary(format!("connection closed before the server's {awaited}"))
                }
                other => other.into(),
            })
    }
}

//! TLS over a connection that the host holds: from the start, or after a
//! STARTTLS exchange in the clear. Needs [`Capability::Tls`](crate::Capability::Tls).

mod conversation;
mod encryption;
mod expiry;
mod trust;

use std::time::{Duration, Instant};

use crate::bindings::tls as wit;
use crate::probe::nanos;
use crate::{Error, Timestamp};

pub use self::conversation::Conversation;
pub use self::encryption::{Encryption, Mode};
pub use self::expiry::Expiry;
pub use self::trust::Trust;
pub use crate::bindings::tls::Verify;

/// A connection to `host:port`.
pub struct Connection {
    inner: wit::Connection,
    host: String,
    opened: Instant,
    timeout: Duration,
}

/// What was agreed upon in a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `TLSv1.3`, …
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// The application protocol agreed upon by ALPN: `h2`; none where none was
    /// offered or the peer chose none.
    pub alpn: Option<String>,
    /// The peer's certificates, its own first.
    pub chain: Vec<Certificate>,
    /// Why the chain is not trusted for the name; none: it is.
    pub untrusted: Option<String>,
    /// How long the handshake took.
    pub handshake: Duration,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for, as a distinguished name.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The host names and addresses that it is valid for.
    pub names: Vec<String>,
    /// The first moment of its validity.
    pub not_before: Timestamp,
    /// The last.
    pub not_after: Timestamp,
    /// All of it, in DER.
    pub der: Vec<u8>,
}

impl Connection {
    /// Opens TCP. All that happens on it must be over after `timeout`.
    pub fn open(host: &str, port: u16, timeout: Duration) -> Result<Self, Error> {
        let opened = Instant::now();
        let inner = wit::Connection::connect(host, port, nanos(timeout))
            .map_err(|error| translate(error, host, timeout))?;
        Ok(Self {
            inner,
            host: host.to_owned(),
            opened,
            timeout,
        })
    }

    /// Upgrades to TLS for `server_name`, offering the application protocols
    /// `alpn` (`h2`, `http/1.1`), best first.
    pub fn start_tls(
        &self,
        server_name: &str,
        alpn: &[&str],
        verify: Verify,
    ) -> Result<Session, Error> {
        let alpn: Vec<String> = alpn.iter().map(|&protocol| protocol.to_owned()).collect();
        self.inner
            .start_tls(server_name, &alpn, verify, self.left())
            .map(Session::from)
            .map_err(|error| self.translate(error))
    }

    /// Up to `max` bytes; empty at the end of the stream.
    pub fn read(&self, max: u32) -> Result<Vec<u8>, Error> {
        self.inner
            .read(max, self.left())
            .map_err(|error| self.translate(error))
    }

    /// Writes all of `bytes`.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.inner
            .write(bytes, self.left())
            .map_err(|error| self.translate(error))
    }

    /// What is left of the time that the connection has, in nanoseconds.
    fn left(&self) -> u64 {
        nanos(self.timeout.saturating_sub(self.opened.elapsed()))
    }

    fn translate(&self, error: wit::Error) -> Error {
        translate(error, &self.host, self.timeout)
    }
}

fn translate(error: wit::Error, host: &str, timeout: Duration) -> Error {
    match error {
        wit::Error::Denied(why) => Error::Denied(why),
        wit::Error::Unresolved(why) => Error::unresolved(host, &why),
        wit::Error::Refused(_) => Error::Refused,
        wit::Error::TimedOut => Error::TimedOut(Some(timeout)),
        wit::Error::Handshake(why) => match why.strip_prefix("certificate ") {
            Some(why) => Error::Untrusted(why.to_owned()),
            None => Error::Handshake(why),
        },
        wit::Error::Closed => Error::Closed,
        wit::Error::Failed(why) => Error::Failed(why),
    }
}

impl From<wit::Session> for Session {
    fn from(session: wit::Session) -> Self {
        Self {
            version: session.version,
            cipher: session.cipher,
            alpn: session.alpn,
            chain: session.chain.into_iter().map(Certificate::from).collect(),
            untrusted: session.untrusted,
            handshake: Duration::from_nanos(session.handshake),
        }
    }
}

impl From<wit::Certificate> for Certificate {
    fn from(certificate: wit::Certificate) -> Self {
        Self {
            subject: certificate.subject,
            issuer: certificate.issuer,
            names: certificate.names,
            not_before: Timestamp::from_nanos(certificate.not_before),
            not_after: Timestamp::from_nanos(certificate.not_after),
            der: certificate.der,
        }
    }
}

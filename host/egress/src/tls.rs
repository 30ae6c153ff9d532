//! TLS: one handshake, what it found, and whether the chain is to be trusted.
//!
//! No session is ever resumed: a resumed handshake shows no certificate, and
//! looking at the certificate is half of what a monitor is for.

mod certificate;
mod connection;
mod trust;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::gate::{CountedStream, DialError, Limit, limit_of};
use crate::grants::Denied;
use crate::host::{Host, HostError};
use crate::reason;

pub use certificate::Certificate;
pub use connection::Connection;
use trust::{Untrusted, Verifier};

/// A TLS stream over a counted connection.
pub type TlsStream = tokio_rustls::client::TlsStream<CountedStream>;

/// Trusted roots and TLS settings, made once and shared by every run.
#[derive(Clone)]
pub struct Tls {
    shared: Arc<Shared>,
}

struct Shared {
    verifier: Arc<Verifier>,
    /// By [`Verify`] and by whether ALPN offers `http/1.1`: the four that nearly
    /// every handshake uses.
    required: [Arc<ClientConfig>; 2],
    reported: [Arc<ClientConfig>; 2],
    roots: usize,
}

/// Whether an untrusted chain ends the handshake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// It does.
    #[default]
    Required,
    /// It does not; [`Session::untrusted`] says why it would have.
    Reported,
}

/// What a handshake found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The cipher suite by its registered name: `TLS_AES_128_GCM_SHA256`.
    pub cipher: String,
    /// The protocol agreed on by ALPN, if any.
    pub alpn: Option<String>,
    /// The peer's chain as it was sent, leaf first.
    pub chain: Vec<Certificate>,
    /// Why the chain is not trusted for the name; none: it is.
    pub untrusted: Option<String>,
    /// How long the handshake took.
    pub handshake: Duration,
}

/// Why there is no TLS connection, or why it ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The run may not reach it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The name leads nowhere; says why.
    #[error("{0}")]
    Unresolved(String),
    /// Nothing listens there.
    #[error("connection refused")]
    Refused,
    /// No answer within this time.
    #[error("no answer in {}", reason::duration(*.0))]
    TimedOut(Duration),
    /// The two sides did not agree, or the chain is not trusted; says which.
    #[error("{0}")]
    Handshake(String),
    /// The connection is over.
    #[error("connection closed")]
    Closed,
    /// Anything else: `connection reset`.
    #[error("{0}")]
    Failed(String),
    /// The run's budget is spent.
    #[error("limit reached: {0}")]
    Limit(#[from] Limit),
}

/// No root certificate could be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsSetupError {
    /// One of the operator's own roots is no certificate.
    #[error("root certificate {index} cannot be read: {reason}")]
    BadRoot {
        /// Which, counted from 1.
        index: usize,
        /// Why.
        reason: String,
    },
    /// rustls refused the settings; says why.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl Tls {
    /// Reads this machine's trusted roots (the bundled ones of Mozilla when it
    /// has none) and adds the operator's own. Reads files: call it at the start.
    pub fn new(extra_roots: Vec<CertificateDer<'static>>) -> Result<Self, TlsSetupError> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for (index, root) in extra_roots.into_iter().enumerate() {
            roots.add(root).map_err(|error| TlsSetupError::BadRoot {
                index: index + 1,
                reason: error.to_string(),
            })?;
        }
        Self::with_roots(roots)
    }

    fn with_roots(roots: RootCertStore) -> Result<Self, TlsSetupError> {
        let count = roots.len();
        let provider = Arc::new(ring::default_provider());
        let setup = |error: &dyn fmt::Display| TlsSetupError::Setup(error.to_string());
        let verifier = Arc::new(
            Verifier::new(Arc::new(roots), &provider, Verify::Required)
                .map_err(|error| setup(&error))?,
        );
        let permissive = Arc::new(verifier.reporting());
        let config = |verifier: &Arc<Verifier>, alpn: &[&[u8]]| {
            client_config(&provider, verifier, alpn).map_err(|error| setup(&error))
        };
        Ok(Self {
            shared: Arc::new(Shared {
                required: [config(&verifier, &[])?, config(&verifier, &[b"http/1.1"])?],
                reported: [
                    config(&permissive, &[])?,
                    config(&permissive, &[b"http/1.1"])?,
                ],
                verifier,
                roots: count,
            }),
        })
    }

    /// How many roots are trusted.
    pub fn root_count(&self) -> usize {
        self.shared.roots
    }

    /// Shakes hands for `server_name`, a DNS name or an address. The name is what
    /// the certificate is judged by; it needs no grant, the stream has one.
    pub async fn handshake(
        &self,
        stream: CountedStream,
        server_name: &str,
        alpn: &[&str],
        verify: Verify,
        limit: Duration,
    ) -> Result<(TlsStream, Session), TlsError> {
        let name = server_name_of(server_name)?;
        let connector = TlsConnector::from(self.config(verify, alpn)?);
        let started = Instant::now();
        let stream = timeout(limit, connector.connect(name.clone(), stream))
            .await
            .map_err(|_| TlsError::TimedOut(limit))?
            .map_err(|error| TlsError::of_handshake(&error))?;
        let handshake = started.elapsed();
        let session = self.session(&stream, &name, verify, handshake);
        Ok((stream, session))
    }

    fn config(&self, verify: Verify, alpn: &[&str]) -> Result<Arc<ClientConfig>, TlsError> {
        let [plain, http] = match verify {
            Verify::Required => &self.shared.required,
            Verify::Reported => &self.shared.reported,
        };
        match alpn {
            [] => Ok(Arc::clone(plain)),
            ["http/1.1"] => Ok(Arc::clone(http)),
            names => {
                // RFC 7301 section 3.1: one byte of length each, two for the list.
                let is_valid = names.iter().all(|name| matches!(name.len(), 1..=255))
                    && names.iter().map(|name| name.len() + 1).sum::<usize>() <= 65_535;
                if !is_valid {
                    return Err(TlsError::Handshake(
                        "an ALPN name has 1 to 255 bytes".to_owned(),
                    ));
                }
                let mut config = ClientConfig::clone(plain);
                config.alpn_protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
                Ok(Arc::new(config))
            }
        }
    }

    fn session(
        &self,
        stream: &TlsStream,
        name: &ServerName<'_>,
        verify: Verify,
        handshake: Duration,
    ) -> Session {
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates().unwrap_or_default();
        let untrusted = match verify {
            Verify::Required => None,
            Verify::Reported => self.shared.verifier.judge(chain, name),
        };
        Session {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
                other => format!("{other:?}"),
            },
            cipher: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                // rustls keeps the registered names of TLS 1.3 for its own suites.
                .map(|name| name.replacen("TLS13_", "TLS_", 1))
                .unwrap_or_default(),
            alpn: connection
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            chain: chain.iter().map(|der| Certificate::read(der)).collect(),
            untrusted,
            handshake,
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("roots", &self.shared.roots)
            .finish_non_exhaustive()
    }
}

impl TlsError {
    /// Of a read or write on a connection that stands.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        if let Some(limit) = limit_of(error) {
            return Self::Limit(limit);
        }
        match error.kind() {
            // A peer that goes without a close_notify has gone all the same.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Self::Closed,
            io::ErrorKind::ConnectionRefused => Self::Refused,
            _ => Self::Failed(reason::of_io(error)),
        }
    }

    fn of_handshake(error: &io::Error) -> Self {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(inner) = inner else {
            return match Self::of_io(error) {
                Self::Closed => Self::Handshake("connection closed in the handshake".to_owned()),
                other => other,
            };
        };
        Self::Handshake(match inner {
            rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other
                .0
                .downcast_ref::<Untrusted>()
                .map_or_else(|| inner.to_string(), |why| format!("certificate {why}")),
            rustls::Error::InvalidMessage(_) => "the server does not speak TLS".to_owned(),
            rustls::Error::PeerIncompatible(_) => {
                "no TLS version or cipher in common with the server".to_owned()
            }
            rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol) => {
                "no application protocol (ALPN) in common with the server".to_owned()
            }
            rustls::Error::AlertReceived(alert) => {
                format!("the server refused the handshake: {alert:?}")
            }
            other => other.to_string(),
        })
    }
}

impl From<DialError> for TlsError {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Denied(denied) => Self::Denied(denied),
            DialError::Unresolved(why) => Self::Unresolved(why),
            DialError::Refused => Self::Refused,
            DialError::TimedOut(limit) => Self::TimedOut(limit),
            DialError::Reset => Self::Failed(DialError::Reset.to_string()),
            DialError::Failed(why) => Self::Failed(why),
            DialError::Limit(limit) => Self::Limit(limit),
        }
    }
}

fn client_config(
    provider: &Arc<CryptoProvider>,
    verifier: &Arc<Verifier>,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let verifier: Arc<Verifier> = Arc::clone(verifier);
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn server_name_of(text: &str) -> Result<ServerName<'static>, TlsError> {
    let no_name = |error: &dyn fmt::Display| TlsError::Handshake(error.to_string());
    match Host::parse(text).map_err(|error: HostError| no_name(&error))? {
        Host::Address(address) => Ok(ServerName::IpAddress(address.into())),
        Host::Name(name) => ServerName::try_from(name).map_err(|_| {
            no_name(&format!(
                "`{}` is no TLS server name",
                crate::host::shortened(text)
            ))
        }),
    }
}

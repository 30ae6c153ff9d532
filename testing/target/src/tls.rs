//! TLS servers with certificates that are wrong in one way each.
//!
//! After the handshake they speak HTTP and answer `ok` to everything, so that a
//! probe for HTTP can be tried against them as well as one for TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use hyper::StatusCode;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::listening::{Listening, Reply, second_handle, serve_http};
use crate::payload::text;

/// The names that a good certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is right or wrong with a [`TlsTarget`]. Where nothing else is said the
/// certificate is for `localhost`, `127.0.0.1` and `::1`, valid from 2020 to 2099,
/// signed by an intermediate of the [`Authority`], and sent with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsKind {
    /// Nothing is wrong; TLS 1.2 and 1.3.
    Valid,
    /// Nothing is wrong until then: for thresholds on the expiry.
    ValidUntil(SystemTime),
    /// Expired at the end of 2020.
    Expired,
    /// Valid from 2090.
    NotYet,
    /// Signed by itself.
    SelfSigned,
    /// For `other.test` only.
    WrongName,
    /// The intermediate is not sent, so no chain leads to the authority.
    MissingIntermediate,
    /// Nothing is wrong but that TLS 1.2 is the newest version spoken.
    OldTls12Only,
    /// Nothing is wrong but that it chooses no application protocol (ALPN); the
    /// others choose `http/1.1`.
    WithoutAlpn,
    /// Takes the client's hello and never answers it.
    SilentHandshake,
}

/// A certificate authority with one intermediate, made for the occasion.
#[derive(Debug)]
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes fresh keys.
    pub fn new() -> io::Result<Self> {
        let root = CertifiedIssuer::self_signed(issuer("Target Root CA")?, key()?);
        let root = root.map_err(io::Error::other)?;
        let intermediate =
            CertifiedIssuer::signed_by(issuer("Target Intermediate CA")?, key()?, &root);
        Ok(Self {
            intermediate: intermediate.map_err(io::Error::other)?,
            root,
        })
    }

    /// The root certificate, as a client has to trust it.
    pub fn pem(&self) -> String {
        self.root.pem()
    }

    /// As [`Authority::pem`], in DER.
    pub fn der(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// A certificate for a server that is another program.
    pub fn identity(&self, kind: TlsKind) -> io::Result<Identity> {
        let (leaf, key) = signed(kind, self)?;
        let mut chain_pem = leaf.pem();
        if sends_intermediate(kind) {
            chain_pem += &self.intermediate.pem();
        }
        Ok(Identity {
            chain_pem,
            key_pem: key.serialize_pem(),
        })
    }

    /// Takes connections as a TLS server whose certificate is right or wrong as
    /// `kind` says.
    pub fn acceptor(&self, kind: TlsKind) -> io::Result<TlsAcceptor> {
        Ok(TlsAcceptor::from(Arc::new(configure(kind, self)?)))
    }
}

/// What a server of another program shows: files that it can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its certificate and the intermediate's, in PEM.
    pub chain_pem: String,
    /// The key to it, in PEM (PKCS #8).
    pub key_pem: String,
}

/// A TLS server on one port.
#[derive(Debug)]
pub struct TlsTarget {
    listening: Listening,
    authority: Arc<Authority>,
    handshakes: Arc<AtomicU64>,
}

impl TlsTarget {
    /// Listens on `address` (port 0 lets the kernel choose) with an authority of its own.
    pub async fn start(address: SocketAddr, kind: TlsKind) -> io::Result<Self> {
        Self::start_with(address, kind, Arc::new(Authority::new()?)).await
    }

    /// As [`TlsTarget::start`], with an authority that several servers share.
    pub async fn start_with(
        address: SocketAddr,
        kind: TlsKind,
        authority: Arc<Authority>,
    ) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(configure(kind, &authority)?));
        let handshakes = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&handshakes);
        let listening = Listening::open(address, move |stream| {
            serve(stream, kind, acceptor.clone(), Arc::clone(&counter))
        })
        .await?;
        Ok(Self {
            listening,
            authority,
            handshakes,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// The URL of `path`, which begins with a slash, by the name `localhost`.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address().port())
    }

    /// The root certificate that a client has to trust.
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// As [`TlsTarget::ca_pem`], in DER.
    pub fn ca_der(&self) -> CertificateDer<'static> {
        self.authority.der()
    }

    /// Handshakes completed since the start.
    pub fn handshakes(&self) -> u64 {
        self.handshakes.load(Ordering::Relaxed)
    }
}

async fn serve(
    stream: TcpStream,
    kind: TlsKind,
    acceptor: TlsAcceptor,
    handshakes: Arc<AtomicU64>,
) {
    if kind == TlsKind::SilentHandshake {
        // Kept open until the server stops.
        let _open = stream;
        return std::future::pending().await;
    }
    let socket = second_handle(&stream);
    // A client that refuses the certificate ends the handshake here.
    if let Ok(stream) = acceptor.accept(stream).await {
        handshakes.fetch_add(1, Ordering::Relaxed);
        serve_http(stream, socket, |_| async {
            Reply::Answer(text(StatusCode::OK, "ok"))
        })
        .await;
    }
}

pub(crate) fn configure(kind: TlsKind, authority: &Authority) -> io::Result<ServerConfig> {
    let (leaf, leaf_key) = signed(kind, authority)?;
    let mut chain = vec![leaf.der().clone()];
    if sends_intermediate(kind) {
        chain.push(authority.intermediate.der().clone());
    }
    let versions = match kind {
        TlsKind::OldTls12Only => &[&TLS12][..],
        _ => &[&TLS13, &TLS12],
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(leaf_key.serialize_der().into()))
        .map_err(io::Error::other)?;
    if kind != TlsKind::WithoutAlpn {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    Ok(config)
}

fn sends_intermediate(kind: TlsKind) -> bool {
    !matches!(kind, TlsKind::SelfSigned | TlsKind::MissingIntermediate)
}

/// A certificate and the key to it.
fn signed(kind: TlsKind, authority: &Authority) -> io::Result<(Certificate, KeyPair)> {
    let leaf = leaf(kind)?;
    let key = key()?;
    let certificate = match kind {
        TlsKind::SelfSigned => leaf.self_signed(&key),
        _ => leaf.signed_by(&key, &authority.intermediate),
    };
    Ok((certificate.map_err(io::Error::other)?, key))
}

fn leaf(kind: TlsKind) -> io::Result<CertificateParams> {
    let names = match kind {
        TlsKind::WrongName => vec!["other.test".to_owned()],
        _ => NAMES.map(str::to_owned).to_vec(),
    };
    let mut leaf = CertificateParams::new(names).map_err(io::Error::other)?;
    leaf.distinguished_name
        .push(DnType::CommonName, "target-server");
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    (leaf.not_before, leaf.not_after) = match kind {
        TlsKind::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 12, 31)),
        TlsKind::NotYet => (date_time_ymd(2090, 1, 1), date_time_ymd(2099, 12, 31)),
        TlsKind::ValidUntil(end) => {
            let since_1970 = end
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_err(io::Error::other)?;
            (
                date_time_ymd(2020, 1, 1),
                date_time_ymd(1970, 1, 1) + since_1970,
            )
        }
        _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2099, 12, 31)),
    };
    Ok(leaf)
}

fn issuer(name: &str) -> io::Result<CertificateParams> {
    let mut issuer = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    issuer.distinguished_name.push(DnType::CommonName, name);
    issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    issuer.use_authority_key_identifier_extension = true;
    (issuer.not_before, issuer.not_after) =
        (date_time_ymd(2020, 1, 1), date_time_ymd(2099, 12, 31));
    Ok(issuer)
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use rustls::pki_types::ServerName;
    use rustls::{CertificateError, ClientConfig, Error, ProtocolVersion, RootCertStore};
    use tokio_rustls::TlsConnector;

    use super::*;

    const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    /// The protocol version agreed on, or why the client refused.
    async fn handshake(kind: TlsKind) -> Result<ProtocolVersion, Error> {
        let target = TlsTarget::start(ANY, kind).await.unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(target.ca_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(target.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        match TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
        {
            Ok(stream) => Ok(stream.get_ref().1.protocol_version().unwrap()),
            Err(error) => Err(error
                .into_inner()
                .unwrap()
                .downcast_ref::<Error>()
                .unwrap()
                .clone()),
        }
    }

    async fn refusal(kind: TlsKind) -> CertificateError {
        match handshake(kind).await {
            Err(Error::InvalidCertificate(error)) => error,
            other => panic!("{kind:?}: {other:?}"),
        }
    }

    #[tokio::test]
    async fn good_certificates_pass() {
        assert_eq!(
            handshake(TlsKind::Valid).await,
            Ok(ProtocolVersion::TLSv1_3)
        );
        assert_eq!(
            handshake(TlsKind::OldTls12Only).await,
            Ok(ProtocolVersion::TLSv1_2)
        );
        let far = SystemTime::UNIX_EPOCH + Duration::from_hours(1_083_333);
        assert_eq!(
            handshake(TlsKind::ValidUntil(far)).await,
            Ok(ProtocolVersion::TLSv1_3)
        );
    }

    #[tokio::test]
    async fn each_bad_certificate_is_refused_for_its_own_fault() {
        let past = SystemTime::UNIX_EPOCH + Duration::from_hours(472_222);
        for kind in [TlsKind::Expired, TlsKind::ValidUntil(past)] {
            let error = refusal(kind).await;
            assert!(
                matches!(error, CertificateError::ExpiredContext { .. }),
                "{error:?}"
            );
        }
        let error = refusal(TlsKind::NotYet).await;
        assert!(
            matches!(error, CertificateError::NotValidYetContext { .. }),
            "{error:?}"
        );
        let error = refusal(TlsKind::WrongName).await;
        assert!(
            matches!(error, CertificateError::NotValidForNameContext { .. }),
            "{error:?}"
        );
        for kind in [TlsKind::SelfSigned, TlsKind::MissingIntermediate] {
            assert_eq!(refusal(kind).await, CertificateError::UnknownIssuer);
        }
    }
}

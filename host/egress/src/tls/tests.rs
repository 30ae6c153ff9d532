use std::net::SocketAddr;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::gate::tests::{gate_for, gate_with_tls};

const TIMEOUT: Duration = Duration::from_secs(5);

/// A certificate authority of the test's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) root: CertificateDer<'static>,
}

/// A chain and its key.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("Test root")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            root,
        }
    }

    pub(crate) fn identity(&self, names: &[&str]) -> Identity {
        self.identity_of(&leaf_params(names))
    }

    fn identity_of(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], key_der(&key))
    }

    pub(crate) fn trusting(&self) -> Tls {
        Tls::new(vec![self.root.clone()]).unwrap()
    }
}

fn leaf_params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn key_der(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

fn self_signed() -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf_params(&["localhost"]).self_signed(&key).unwrap();
    (vec![certificate.der().clone()], key_der(&key))
}

/// A TLS server that answers each line with itself; `greeting` and one line come
/// before TLS.
pub(crate) async fn echo_server(identity: Identity, greeting: Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor(identity);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Some(greeting) = greeting {
                    stream.write_all(greeting.as_bytes()).await.unwrap();
                    let mut line = [0; 10];
                    stream.read_exact(&mut line).await.unwrap();
                    assert_eq!(&line, b"STARTTLS\r\n");
                    stream.write_all(b"220 go\r\n").await.unwrap();
                }
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut buffer = [0; 1_024];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    stream.write_all(&buffer[..read]).await.unwrap();
                    stream.flush().await.unwrap();
                }
            });
        }
    });
    address
}

pub(crate) fn acceptor((chain, key): Identity) -> TlsAcceptor {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"smtp".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn connect(address: SocketAddr, tls: Tls) -> Connection {
    let gate = gate_with_tls(&[&format!("tls://{address}")], tls);
    Connection::connect(&gate, "127.0.0.1", address.port(), TIMEOUT)
        .await
        .unwrap()
}

/// What both modes make of a server.
async fn verdicts(identity: Identity, tls: &Tls, name: &str) -> (String, Option<String>) {
    let address = echo_server(identity, None).await;
    let required = connect(address, tls.clone())
        .await
        .start_tls(name, &[], Verify::Required, TIMEOUT)
        .await;
    let mut connection = connect(address, tls.clone()).await;
    let reported = connection
        .start_tls(name, &[], Verify::Reported, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(reported.chain.len(), 1);
    connection.write(b"still works", TIMEOUT).await.unwrap();
    assert_eq!(connection.read(64, TIMEOUT).await.unwrap(), b"still works");
    let required = match required {
        Ok(session) => {
            assert_eq!(session.untrusted, None);
            "trusted".to_owned()
        }
        Err(error) => error.to_string(),
    };
    (required, reported.untrusted)
}

#[tokio::test]
async fn chains_are_judged_in_words() {
    let authority = Authority::new();
    let tls = authority.trusting();

    let (required, reported) =
        verdicts(authority.identity(&["localhost"]), &tls, "localhost").await;
    assert_eq!((required.as_str(), reported), ("trusted", None));

    let mut expired = leaf_params(&["localhost"]);
    expired.not_before = rcgen::date_time_ymd(2023, 1, 2);
    expired.not_after = rcgen::date_time_ymd(2024, 1, 2);
    for (identity, name, why) in [
        (
            authority.identity_of(&expired),
            "localhost",
            "expired on 2024-01-02",
        ),
        (self_signed(), "localhost", "is self-signed"),
        (
            authority.identity(&["a.example", "b.example"]),
            "localhost",
            "name does not match: names are a.example, b.example",
        ),
        (
            Authority::named("Other root").identity(&["localhost"]),
            "localhost",
            "issuer is not trusted",
        ),
        (
            authority.identity(&["localhost"]),
            "127.0.0.1",
            "name does not match: names are localhost",
        ),
    ] {
        let (required, reported) = verdicts(identity, &tls, name).await;
        assert_eq!(reported.as_deref(), Some(why));
        assert_eq!(required, format!("certificate {why}"));
    }
    let (required, _) = verdicts(authority.identity(&["127.0.0.1"]), &tls, "127.0.0.1").await;
    assert_eq!(required, "trusted");
}

#[tokio::test]
async fn a_session_says_what_was_agreed_on() {
    let authority = Authority::new();
    let address = echo_server(authority.identity(&["localhost"]), None).await;
    let mut connection = connect(address, authority.trusting()).await;
    let session = connection
        .start_tls("localhost", &["smtp"], Verify::Required, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(session.version, "TLSv1.3");
    assert!(session.cipher.starts_with("TLS_"), "{}", session.cipher);
    assert_eq!(session.alpn.as_deref(), Some("smtp"));
    assert_eq!(session.chain[0].names, ["localhost"]);
    assert_eq!(session.chain[0].issuer, "CN=Test root");
    assert!(session.chain[0].not_after > session.chain[0].not_before);
    let again = connection
        .start_tls("localhost", &[], Verify::Required, TIMEOUT)
        .await;
    assert_eq!(
        again,
        Err(TlsError::Handshake("TLS is on already".to_owned()))
    );
}

#[tokio::test]
async fn starttls() {
    let authority = Authority::new();
    let address = echo_server(authority.identity(&["localhost"]), Some("220 ready\r\n")).await;
    let mut connection = connect(address, authority.trusting()).await;
    assert_eq!(
        connection.read(1_000, TIMEOUT).await.unwrap(),
        b"220 ready\r\n"
    );
    connection.write(b"STARTTLS\r\n", TIMEOUT).await.unwrap();
    assert_eq!(
        connection.read(1_000, TIMEOUT).await.unwrap(),
        b"220 go\r\n"
    );
    connection
        .start_tls("localhost", &[], Verify::Required, TIMEOUT)
        .await
        .unwrap();
    connection.write(b"EHLO", TIMEOUT).await.unwrap();
    assert_eq!(connection.read(2, TIMEOUT).await.unwrap(), b"EH");
    assert_eq!(connection.read(1_000, TIMEOUT).await.unwrap(), b"LO");
}

#[tokio::test]
async fn what_is_no_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = gate_for(&[&format!("tls://{address}")]);
    let mut connection = Connection::connect(&gate, "127.0.0.1", address.port(), TIMEOUT)
        .await
        .unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    stream
        .write_all(b"220 smtp.example ESMTP\r\n")
        .await
        .unwrap();
    let error = connection
        .start_tls("localhost", &[], Verify::Reported, TIMEOUT)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the server does not speak TLS");
    assert_eq!(
        connection.read(1, TIMEOUT).await,
        Err(TlsError::Closed),
        "a failed handshake ends the connection"
    );

    let mut connection = Connection::connect(&gate, "127.0.0.1", address.port(), TIMEOUT)
        .await
        .unwrap();
    drop(listener.accept().await.unwrap());
    let error = connection
        .start_tls("localhost", &[], Verify::Reported, TIMEOUT)
        .await
        .unwrap_err();
    assert!(
        ["connection closed in the handshake", "connection reset"]
            .contains(&error.to_string().as_str()),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_server_is_waited_for_no_longer_than_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = gate_for(&[&format!("tls://{address}")]);
    let limit = Duration::from_millis(50);
    let mut connection = Connection::connect(&gate, "127.0.0.1", address.port(), TIMEOUT)
        .await
        .unwrap();
    assert_eq!(
        connection.read(1, limit).await,
        Err(TlsError::TimedOut(limit))
    );
    let error = connection
        .start_tls("localhost", &[], Verify::Required, limit)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no answer in 50 ms");
}

#[tokio::test]
async fn names_and_protocols_are_checked() {
    let authority = Authority::new();
    let address = echo_server(authority.identity(&["localhost"]), None).await;
    for (name, alpn, why) in [
        ("a b", vec![], "`a b` is no host name"),
        ("localhost", vec![""], "an ALPN name has 1 to 255 bytes"),
        (
            "localhost",
            vec!["h3"],
            "no application protocol (ALPN) in common with the server",
        ),
    ] {
        let error = connect(address, authority.trusting())
            .await
            .start_tls(name, &alpn, Verify::Required, TIMEOUT)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), why);
    }
}

#[test]
fn roots_that_are_none_are_refused() {
    let error = Tls::new(vec![CertificateDer::from(b"nonsense".to_vec())]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("root certificate 1 cannot be read: "),
        "{error}"
    );
    assert!(Tls::new(Vec::new()).unwrap().root_count() > 0);
}

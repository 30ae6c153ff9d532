//! Whether a chain is trusted for a name, and why not, in words.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::reason;
use crate::tls::Verify;
use crate::tls::certificate::Certificate;

/// How many of a certificate's names a reason lists.
const NAMES_TOLD: usize = 8;

/// The real verification, which ends the handshake or is put off until after it.
#[derive(Debug)]
pub(super) struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    verify: Verify,
}

/// Why a chain is not trusted: `expired on 2024-01-02`.
#[derive(Debug)]
pub(super) struct Untrusted(String);

impl Verifier {
    pub(super) fn new(
        roots: Arc<RootCertStore>,
        provider: &Arc<CryptoProvider>,
        verify: Verify,
    ) -> Result<Self, VerifierBuilderError> {
        let inner =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build()?;
        Ok(Self { inner, verify })
    }

    /// The same roots, for handshakes that end well whatever the chain is.
    pub(super) fn reporting(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            verify: Verify::Reported,
        }
    }

    /// Why this chain is not trusted for this name; none: it is. A verifier is
    /// shared by many handshakes at once and cannot remember what it found, so
    /// that this runs after the handshake.
    pub(super) fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Option<String> {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Some("the server sent no certificate".to_owned());
        };
        let Some(now) = DefaultTimeProvider.current_time() else {
            return Some("this machine has no clock".to_owned());
        };
        match self
            .inner
            .verify_server_cert(leaf, intermediates, name, &[], now)
        {
            Ok(_) => None,
            Err(error) => Some(why(&error, leaf)),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verify == Verify::Reported {
            return Ok(ServerCertVerified::assertion());
        }
        self.inner
            .verify_server_cert(leaf, intermediates, name, ocsp_response, now)
            .map_err(|error| {
                let untrusted = Untrusted(why(&error, leaf));
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Untrusted {}

fn why(error: &Error, leaf: &CertificateDer<'_>) -> String {
    let Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    let certificate = Certificate::read(leaf);
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            // An expired intermediate is reported in the same way.
            let not_after = match error {
                CertificateError::ExpiredContext { not_after, .. } => {
                    i64::try_from(not_after.as_secs()).unwrap_or(certificate.not_after)
                }
                _ => certificate.not_after,
            };
            format!("expired on {}", reason::date(not_after))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!(
                "is not valid before {}",
                reason::date(certificate.not_before)
            )
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            wrong_name(&certificate.names)
        }
        // What signs itself is untrusted for that reason, whichever rule of
        // the path it broke first.
        _ if certificate.is_self_issued() => "is self-signed".to_owned(),
        CertificateError::UnknownIssuer => "issuer is not trusted".to_owned(),
        CertificateError::BadEncoding => "cannot be read".to_owned(),
        CertificateError::Revoked => "is revoked".to_owned(),
        CertificateError::BadSignature => "has a bad signature".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not meant for servers".to_owned()
        }
        other => other.to_string(),
    }
}

fn wrong_name(names: &[String]) -> String {
    if names.is_empty() {
        return "name does not match: the certificate has no names".to_owned();
    }
    let told: Vec<&str> = names.iter().take(NAMES_TOLD).map(String::as_str).collect();
    let more = match names.len().saturating_sub(NAMES_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("name does not match: names are {}{more}", told.join(", "))
}

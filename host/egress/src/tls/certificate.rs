//! What a certificate says, read from whatever a stranger sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

/// The longest that a subject or an issuer may be, in characters.
const LONGEST_NAME: usize = 500;

/// One certificate of a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for: `CN=example.com`. Empty if it cannot be read.
    pub subject: String,
    /// Who issued it. Empty if it cannot be read.
    pub issuer: String,
    /// The DNS names and addresses that it is valid for.
    pub names: Vec<String>,
    /// Unix time in seconds; 0 if it cannot be read.
    pub not_before: i64,
    /// Unix time in seconds; 0 if it cannot be read.
    pub not_after: i64,
    /// The certificate itself.
    pub der: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate; one that cannot be read has only its bytes.
    pub fn read(der: &[u8]) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return Self {
                der: der.to_vec(),
                ..Self::default()
            };
        };
        let validity = certificate.validity();
        Self {
            subject: name_text(certificate.subject()),
            issuer: name_text(certificate.issuer()),
            names: names(&certificate),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            der: der.to_vec(),
        }
    }

    /// Whether it names itself as its issuer.
    pub fn is_self_issued(&self) -> bool {
        X509Certificate::from_der(&self.der)
            .is_ok_and(|(_, read)| read.subject().as_raw() == read.issuer().as_raw())
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    // `Err` stands for an extension that is there twice: such a certificate is
    // valid for nothing.
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(printable(name)),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|bytes| Ipv6Addr::from(bytes).into())
}

fn name_text(name: &X509Name<'_>) -> String {
    printable(&name.to_string())
}

/// Without what could rewrite a terminal or a log line.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(LONGEST_NAME)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn sample() -> Vec<u8> {
        let mut params =
            CertificateParams::new(vec!["a.example".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "line\u{7}one\nline two");
        params.not_before = rcgen::date_time_ymd(2024, 1, 2);
        params.not_after = rcgen::date_time_ymd(2034, 1, 2);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn what_it_says() {
        let certificate = Certificate::read(&sample());
        assert_eq!(certificate.names, ["a.example", "10.0.0.1"]);
        assert_eq!(certificate.not_before, 1_704_153_600);
        assert!(
            certificate.subject.ends_with("lineoneline two"),
            "{}",
            certificate.subject
        );
        assert!(certificate.is_self_issued());
    }

    #[test]
    fn bytes_that_are_no_certificate_are_kept() {
        let certificate = Certificate::read(b"nonsense");
        assert_eq!(certificate.der, b"nonsense");
        assert_eq!(certificate.subject, "");
        assert!(!certificate.is_self_issued());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            drop(Certificate::read(&bytes));
        }

        #[test]
        fn no_damage_panics(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12), cut in any::<proptest::sample::Index>()) {
            let mut bytes = sample();
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            let read = Certificate::read(&bytes);
            read.is_self_issued();
            bytes.truncate(cut.index(bytes.len()));
            drop(Certificate::read(&bytes));
        }
    }
}

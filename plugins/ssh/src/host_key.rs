//! Host keys: their kinds, fingerprints, and whether a signature is theirs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use num_bigint::BigUint;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature as EcdsaSignature, VerifyingKey as EcdsaKey};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha512};

use crate::wire::Reader;

/// The longest modulus that is reckoned with, in bytes: 16,384 bits, as OpenSSH.
const LONGEST_MODULUS: usize = 2048;

/// The longest public exponent, in bytes. A longer one would cost the check's whole
/// time; nearly all are 65537.
const LONGEST_EXPONENT: usize = 8;

/// What stands before the digest in a signature with PKCS #1 (RFC 8017 section 9.2
/// note 1): the name of the digest, in DER.
const SHA256_PREFIX: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
const SHA512_PREFIX: &[u8] = &[
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
    0x00, 0x04, 0x40,
];

/// A kind of host key.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Ed25519 (RFC 8709).
    Ed25519,
    /// ECDSA on the curve P-256 (RFC 5656).
    Ecdsa,
    /// RSA, signing with SHA-2 (RFC 8332).
    Rsa,
}

impl KeyKind {
    /// All of them, the ones to ask for first first.
    pub(crate) const ALL: [Self; 3] = [Self::Ed25519, Self::Ecdsa, Self::Rsa];

    /// The algorithms by which a key of this kind signs, the one to ask for first
    /// first.
    pub(crate) fn algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Ed25519 => &["ssh-ed25519"],
            Self::Ecdsa => &["ecdsa-sha2-nistp256"],
            Self::Rsa => &["rsa-sha2-512", "rsa-sha2-256"],
        }
    }

    /// As it stands at the beginning of a key.
    fn format(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => b"ssh-ed25519",
            Self::Ecdsa => b"ecdsa-sha2-nistp256",
            Self::Rsa => b"ssh-rsa",
        }
    }

    /// As operators write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Ecdsa => "ecdsa",
            Self::Rsa => "rsa",
        }
    }
}

/// The fingerprint of a key as `ssh-keygen -l` prints it.
pub(crate) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// Why a signature does not show that the server has the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// The key is none of the kind that was agreed upon.
    Key,
    /// The signature is none of the key over that message.
    Signature,
}

/// Whether `signature` is one over `message`, by `algorithm` and the key.
pub(crate) fn verify(
    algorithm: &str,
    key: &[u8],
    signature: &[u8],
    message: &[u8],
) -> Result<KeyKind, Unproven> {
    let kind = KeyKind::ALL
        .into_iter()
        .find(|kind| kind.algorithms().contains(&algorithm))
        .ok_or(Unproven::Key)?;
    let mut key = Reader::new(key);
    if key.string() != Some(kind.format()) {
        return Err(Unproven::Key);
    }
    let mut parts = Reader::new(signature);
    let blob = match (parts.string(), parts.string()) {
        (Some(name), Some(blob)) if name == algorithm.as_bytes() && parts.is_empty() => blob,
        _ => return Err(Unproven::Signature),
    };
    let is_valid = match kind {
        KeyKind::Ed25519 => ed25519(key, blob, message),
        KeyKind::Ecdsa => ecdsa(key, blob, message),
        KeyKind::Rsa if algorithm == "rsa-sha2-512" => {
            rsa(key, blob, SHA512_PREFIX, &Sha512::digest(message))
        }
        KeyKind::Rsa => rsa(key, blob, SHA256_PREFIX, &Sha256::digest(message)),
    };
    if is_valid.ok_or(Unproven::Key)? {
        Ok(kind)
    } else {
        Err(Unproven::Signature)
    }
}

/// None where the key is none; so below.
fn ed25519(mut key: Reader<'_>, signature: &[u8], message: &[u8]) -> Option<bool> {
    let key = key.string()?.try_into().ok()?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).ok()?;
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
        return Some(false);
    };
    Some(key.verify_strict(message, &signature).is_ok())
}

fn ecdsa(mut key: Reader<'_>, signature: &[u8], message: &[u8]) -> Option<bool> {
    let curve = key.string()?;
    if curve != b"nistp256" {
        return None;
    }
    let key = EcdsaKey::from_sec1_bytes(key.string()?).ok()?;
    let mut parts = Reader::new(signature);
    let mut scalar = || -> Option<[u8; 32]> {
        let digits = parts.mpint()?;
        let mut padded = [0; 32];
        let start = padded.len().checked_sub(digits.len())?;
        padded.get_mut(start..)?.copy_from_slice(digits);
        Some(padded)
    };
    let signature = scalar()
        .zip(scalar())
        .and_then(|(r, s)| EcdsaSignature::from_scalars(r, s).ok());
    Some(signature.is_some_and(|signature| key.verify(message, &signature).is_ok()))
}

/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2). What was signed is built and
/// compared as a whole: nothing of what the server sent is taken apart.
fn rsa(mut key: Reader<'_>, signature: &[u8], prefix: &[u8], digest: &[u8]) -> Option<bool> {
    let (exponent, modulus) = (key.mpint()?, key.mpint()?);
    let length = modulus.len();
    // The least padding is eleven bytes; an even modulus or a key below 1024 bits
    // is none that anybody uses.
    let is_odd = modulus.last().is_some_and(|last| last & 1 == 1);
    if !(128..=LONGEST_MODULUS).contains(&length)
        || !(1..=LONGEST_EXPONENT).contains(&exponent.len())
        || !is_odd
    {
        return None;
    }
    let mut expected = vec![0xff; length];
    let start = length.checked_sub(prefix.len() + digest.len())?;
    *expected.first_mut()? = 0;
    *expected.get_mut(1)? = 1;
    *expected.get_mut(start.checked_sub(1)?)? = 0;
    expected
        .get_mut(start..)?
        .copy_from_slice(&[prefix, digest].concat());

    let modulus = BigUint::from_bytes_be(modulus);
    let signature = BigUint::from_bytes_be(signature);
    if signature >= modulus {
        return Some(false);
    }
    let signed = signature.modpow(&BigUint::from_bytes_be(exponent), &modulus);
    Some(signed == BigUint::from_bytes_be(&expected))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer as _;

    use super::*;
    use crate::peer::{ed25519_key, ed25519_signature, test_key};
    use crate::wire::Write as _;

    #[test]
    fn a_fingerprint_is_what_ssh_keygen_prints() {
        // `ssh-keygen -lf` of the host key of github.com, which its owner publishes.
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        let key = STANDARD_NO_PAD.decode(key).unwrap();
        assert_eq!(
            fingerprint(&key),
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
        );
    }

    #[test]
    fn only_the_keys_own_signature_counts() {
        let (key, signature) = (ed25519_key(), ed25519_signature(b"message"));
        let verify = |algorithm, key: &[u8], signature: &[u8], message| {
            verify(algorithm, key, signature, message)
        };
        let name = "ssh-ed25519";
        assert_eq!(
            verify(name, &key, &signature, b"message"),
            Ok(KeyKind::Ed25519)
        );
        assert_eq!(
            verify(name, &key, &signature, b"another"),
            Err(Unproven::Signature)
        );
        assert_eq!(
            verify("rsa-sha2-512", &key, &signature, b"message"),
            Err(Unproven::Key)
        );
        assert_eq!(
            verify("ssh-dss", &key, &signature, b"message"),
            Err(Unproven::Key)
        );
        let mut misnamed = Vec::new();
        misnamed.put_string(b"rsa-sha2-512");
        misnamed.put_string(&test_key().sign(b"message").to_bytes());
        assert_eq!(
            verify(name, &key, &misnamed, b"message"),
            Err(Unproven::Signature)
        );
        let short = &key[..key.len() - 1];
        assert_eq!(
            verify(name, short, &signature, b"message"),
            Err(Unproven::Key)
        );
    }

    #[test]
    fn keys_that_cannot_be_are_refused() {
        let rsa = |exponent: &[u8], modulus: &[u8]| {
            let mut key = Vec::new();
            key.put_string(b"ssh-rsa");
            key.put_mpint(exponent);
            key.put_mpint(modulus);
            let mut signature = Vec::new();
            signature.put_string(b"rsa-sha2-256");
            signature.put_string(&[1; 256]);
            verify("rsa-sha2-256", &key, &signature, b"message")
        };
        let key = Err(Unproven::Key);
        assert_eq!(rsa(&[3], &[0xff; 256]), Err(Unproven::Signature));
        assert_eq!(rsa(&[3], &[0xfe; 256]), key);
        assert_eq!(rsa(&[3], &[0xff; 16]), key);
        assert_eq!(rsa(&[3], &[0xff; 4096]), key);
        assert_eq!(rsa(&[], &[0xff; 256]), key);
        assert_eq!(rsa(&[3; 9], &[0xff; 256]), key);
    }
}

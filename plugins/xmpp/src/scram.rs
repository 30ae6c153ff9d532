//! SCRAM (RFC 5802, RFC 7677): a login in which the password is not sent, and the
//! server shows that it knew it as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The most rounds that a server may ask for: about a tenth of the processor time
/// that a run has. Servers ask for 4096 to 10000.
const MOST_ROUNDS: u32 = 100_000;

/// The hash of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], data: &str) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac::<Sha1>(key, data.as_bytes()),
            Self::Sha256 => hmac::<Sha256>(key, data.as_bytes()),
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    /// What RFC 5802 calls `Hi`.
    fn stretched(self, password: &str, salt: &[u8], rounds: u32) -> Vec<u8> {
        let password = password.as_bytes();
        match self {
            Self::Sha1 => {
                let mut out = vec![0; 20];
                pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut out);
                out
            }
            Self::Sha256 => {
                let mut out = vec![0; 32];
                pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut out);
                out
            }
        }
    }
}

fn hmac<D: EagerHash>(key: &[u8], data: &[u8]) -> Vec<u8>
where
    Hmac<D>: Mac + KeyInit,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// A login that began.
pub(crate) struct Scram {
    hash: Hash,
    password: String,
    nonce: String,
    bare: String,
}

/// What the server must say in the end.
pub(crate) struct Proven(Vec<u8>);

impl Scram {
    /// `nonce` must be another for every login.
    pub(crate) fn new(hash: Hash, username: &str, password: &str, nonce: String) -> Self {
        let username = prepared(username).replace('=', "=3D").replace(',', "=2C");
        Self {
            hash,
            password: prepared(password),
            bare: format!("n={username},r={nonce}"),
            nonce,
        }
    }

    /// The first message; without channel binding.
    pub(crate) fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The last message, as the answer to the server's.
    pub(crate) fn last(&self, challenge: &str) -> Result<(String, Proven), String> {
        let bad = || "the server's SCRAM challenge is broken".to_owned();
        let part = |name: &str| {
            let mut parts = challenge.split(',');
            parts.find_map(|part| part.strip_prefix(name))
        };
        let nonce = part("r=").ok_or_else(bad)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the server's SCRAM challenge is not for this login".to_owned());
        }
        let salt = STANDARD
            .decode(part("s=").ok_or_else(bad)?)
            .map_err(|_| bad())?;
        let rounds: u32 = part("i=").and_then(|i| i.parse().ok()).ok_or_else(bad)?;
        if !(1..=MOST_ROUNDS).contains(&rounds) {
            return Err(format!(
                "the server asks for {rounds} rounds of hashing; {MOST_ROUNDS} is the most"
            ));
        }
        let salted = self.hash.stretched(&self.password, &salt, rounds);
        let client_key = self.hash.hmac(&salted, "Client Key");
        let stored_key = self.hash.digest(&client_key);
        // `biws` is the header `n,,` in Base64.
        let without_proof = format!("c=biws,r={nonce}");
        let all = format!("{},{challenge},{without_proof}", self.bare);
        let signature = self.hash.hmac(&stored_key, &all);
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = self.hash.hmac(&salted, "Server Key");
        let proven = Proven(self.hash.hmac(&server_key, &all));
        Ok((
            format!("{without_proof},p={}", STANDARD.encode(proof)),
            proven,
        ))
    }
}

impl Proven {
    /// Whether the server's last word shows that it knows the password.
    pub(crate) fn by(&self, last: &str) -> bool {
        let signature = last.split(',').find_map(|part| part.strip_prefix("v="));
        let signature = signature.and_then(|v| STANDARD.decode(v).ok());
        signature.is_some_and(|signature| signature == self.0)
    }
}

/// As both sides must see names and passwords (RFC 4013). What has forbidden
/// characters stays as it is, for the server to judge.
fn prepared(text: &str) -> String {
    stringprep::saslprep(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hash: Hash, nonce: &str, challenge: &str, expected: &str, verdict: &str) {
        let scram = Scram::new(hash, "user", "pencil", nonce.to_owned());
        assert_eq!(scram.first(), format!("n,,n=user,r={nonce}"));
        let (last, proven) = scram.last(challenge).unwrap();
        assert_eq!(last, expected);
        assert!(proven.by(verdict));
        assert!(!proven.by("v=AAAA") && !proven.by("e=other-error") && !proven.by(""));
    }

    #[test]
    fn logins_are_those_of_the_norms() {
        // RFC 5802 section 5.
        check(
            Hash::Sha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        );
        // RFC 7677 section 3.
        check(
            Hash::Sha256,
            "rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        );
    }

    #[test]
    fn a_server_that_cheats_is_found_out() {
        let scram = Scram::new(Hash::Sha256, "a,b=c", "p", "abc".to_owned());
        assert_eq!(scram.first(), "n,,n=a=2Cb=3Dc,r=abc");
        for (challenge, expected) in [
            ("r=abc,s=QSXC,i=1", "is not for this login"),
            ("r=xyz1,s=QSXC,i=1", "is not for this login"),
            ("r=abcd,s=!,i=1", "is broken"),
            ("r=abcd,s=QSXC,i=x", "is broken"),
            ("", "is broken"),
            ("r=abcd,s=QSXC,i=4000000000", "asks for 4000000000 rounds"),
            ("r=abcd,s=QSXC,i=0", "asks for 0 rounds"),
        ] {
            let Err(found) = scram.last(challenge) else {
                panic!("{challenge}");
            };
            assert!(found.contains(expected), "{challenge}: {found}");
        }
    }
}

//! A key exchange up to the server's signature (RFC 4253 sections 7 and 8,
//! RFC 5656, RFC 8731): far enough to know the host key, and that the server has
//! its private half.

use sha2::{Digest as _, Sha256};
use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::{Buffered, Stream};

use crate::host_key::{self, KeyKind, Unproven};
use crate::identification::Identification;
use crate::wire::{Reader, Write as _, pack, unpack};
use crate::wrong;

/// What this side calls itself.
pub(crate) const CLIENT: &str = concat!("SSH-2.0-Watchkeeper_", env!("CARGO_PKG_VERSION"));

/// The numbers of messages (RFC 4250 section 4.1.2, RFC 5656 section 7.1).
const DISCONNECT: u8 = 1;
const IGNORE: u8 = 2;
const UNIMPLEMENTED: u8 = 3;
const DEBUG: u8 = 4;
pub(crate) const KEXINIT: u8 = 20;
pub(crate) const ECDH_INIT: u8 = 30;
pub(crate) const ECDH_REPLY: u8 = 31;

/// The reason for taking leave: it is the application's wish (RFC 4250 section
/// 4.2.2).
const BY_APPLICATION: u32 = 11;

/// How many messages without a meaning may come between those that are awaited.
const MOST_IDLE: usize = 16;

/// Ways to agree on a secret, the one to ask for first first. Both hash with
/// SHA-256.
const EXCHANGES: [&str; 3] = [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
];

/// What would be agreed upon for after the exchange. Nothing of it is ever used: a
/// server goes on only when it knows one of each.
const CIPHERS: &str = "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,\
                       aes256-ctr,aes192-ctr,aes128-ctr,aes256-cbc,aes128-cbc,3des-cbc";
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,\
                    umac-128-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,umac-128@openssh.com,\
                    hmac-sha1-etm@openssh.com,hmac-sha1";
const COMPRESSIONS: &str = "none,zlib@openssh.com,zlib";

/// A host key whose private half the server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostKey {
    pub(crate) kind: KeyKind,
    pub(crate) fingerprint: String,
    /// The other kinds that the server has as well.
    pub(crate) others: Vec<KeyKind>,
}

/// Randomness that is needed: it comes from outside, so that tests know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randomness {
    pub(crate) cookie: [u8; 16],
    pub(crate) secret: [u8; 32],
}

/// Exchanges keys with a server that has identified itself as `server`, asking for
/// host keys of `kinds`, and takes leave.
pub(crate) fn exchange<S: Stream>(
    stream: &mut Buffered<S>,
    server: &Identification,
    kinds: &[KeyKind],
    randomness: Randomness,
) -> Result<HostKey, Error> {
    let ours = offer(kinds, randomness.cookie);
    stream.write(&pack(&ours))?;
    let theirs = message(stream, KEXINIT)?;
    let agreed = Agreement::of(kinds, &theirs)?;
    if agreed.guessed_wrong {
        // What the server sent on its guess is not meant (RFC 4253 section 7.1).
        unpack(stream)?;
    }
    let secret = Secret::new(agreed.exchange, randomness.secret)
        .ok_or_else(|| Error::Host("unfit randomness".to_owned()))?;
    let public = secret.public();
    let mut init = vec![ECDH_INIT];
    init.put_string(&public);
    stream.write(&pack(&init))?;

    let reply = message(stream, ECDH_REPLY)?;
    let mut parts = Reader::new(&reply);
    parts.byte();
    let (Some(key), Some(theirs_public), Some(signature)) =
        (parts.string(), parts.string(), parts.string())
    else {
        return Err(wrong("sends a key exchange that breaks off"));
    };
    let shared = secret
        .agree(theirs_public)
        .ok_or_else(|| wrong("sends a key exchange with an unfit public key"))?;
    let mut hashed = Vec::new();
    for part in [CLIENT.as_bytes(), &server.line, &ours, &theirs, key] {
        hashed.put_string(part);
    }
    hashed.put_string(&public);
    hashed.put_string(theirs_public);
    hashed.put_mpint(&shared);
    let hash = Sha256::digest(&hashed);

    let kind =
        host_key::verify(&agreed.algorithm, key, signature, &hash).map_err(|why| match why {
            Unproven::Key => wrong(format!("sends a key that is no {}", agreed.algorithm)),
            Unproven::Signature => wrong(format!(
                "does not have the private key of {}: its signature is wrong",
                host_key::fingerprint(key)
            )),
        })?;
    take_leave(stream);
    Ok(HostKey {
        kind,
        fingerprint: host_key::fingerprint(key),
        others: agreed.others,
    })
}

/// Ends the connection in order. Whether it is heard says nothing of the server.
pub(crate) fn take_leave<S: Stream>(stream: &Buffered<S>) {
    let mut leave = vec![DISCONNECT];
    leave.extend(BY_APPLICATION.to_be_bytes());
    leave.put_string(b"checked");
    leave.put_string(b"");
    _ = stream.write(&pack(&leave)).is_ok();
}

fn offer(kinds: &[KeyKind], cookie: [u8; 16]) -> Vec<u8> {
    let mut offer = vec![KEXINIT];
    offer.extend(cookie);
    for names in [
        EXCHANGES.join(",").as_str(),
        algorithms(kinds).join(",").as_str(),
        CIPHERS,
        CIPHERS,
        MACS,
        MACS,
        COMPRESSIONS,
        COMPRESSIONS,
        "",
        "",
    ] {
        offer.put_string(names.as_bytes());
    }
    // No guess, and four bytes that are kept for later use.
    offer.extend([0; 5]);
    offer
}

fn algorithms(kinds: &[KeyKind]) -> Vec<&'static str> {
    kinds
        .iter()
        .flat_map(|kind| kind.algorithms())
        .copied()
        .collect()
}

/// The next message with a meaning, which must be of that number.
fn message<S: Stream>(stream: &mut Buffered<S>, number: u8) -> Result<Vec<u8>, Error> {
    for _ in 0..MOST_IDLE {
        let message = unpack(stream)?;
        match message.first() {
            Some(&found) if found == number => return Ok(message),
            Some(&(IGNORE | UNIMPLEMENTED | DEBUG)) => {}
            Some(&DISCONNECT) => return Err(disconnected(&message)),
            found => {
                let found = found.copied().unwrap_or_default();
                let why = format!("sends message {found} where {number} is due");
                return Err(wrong(why));
            }
        }
    }
    let why = format!("sends more than {MOST_IDLE} messages without a meaning");
    Err(wrong(why))
}

fn disconnected(message: &[u8]) -> Error {
    let mut parts = Reader::new(message);
    parts.byte();
    parts.uint32();
    let said = String::from_utf8_lossy(parts.string().unwrap_or_default());
    let said: String = said.chars().take(100).collect();
    wrong(format!("ends the key exchange: {said:?}"))
}

/// What both sides know.
struct Agreement {
    exchange: &'static str,
    algorithm: String,
    guessed_wrong: bool,
    others: Vec<KeyKind>,
}

impl Agreement {
    fn of(kinds: &[KeyKind], theirs: &[u8]) -> Result<Self, Error> {
        let broken = || wrong("sends an offer that breaks off");
        let mut parts = Reader::new(theirs);
        // The number and the cookie.
        parts.bytes(17).ok_or_else(broken)?;
        let exchanges = parts.names().ok_or_else(broken)?;
        let host_keys = parts.names().ok_or_else(broken)?;
        for _ in 0..8 {
            parts.names().ok_or_else(broken)?;
        }
        let has_guessed = parts.byte().ok_or_else(broken)? != 0;

        let exchange = EXCHANGES
            .into_iter()
            .find(|name| exchanges.contains(name))
            .ok_or_else(|| nothing_common("key exchange", &exchanges))?;
        let ours = algorithms(kinds);
        let algorithm = ours
            .iter()
            .find(|name| host_keys.contains(name))
            .ok_or_else(|| nothing_common("host key algorithm", &host_keys))?;
        // The guess is right when both sides like the same best (RFC 4253 section 7).
        let guessed_right =
            exchanges.first() == EXCHANGES.first() && host_keys.first() == ours.first();
        let others = KeyKind::ALL.into_iter().filter(|kind| {
            let names = kind.algorithms();
            !names.contains(algorithm) && names.iter().any(|name| host_keys.contains(name))
        });
        Ok(Self {
            exchange,
            algorithm: (*algorithm).to_owned(),
            guessed_wrong: has_guessed && !guessed_right,
            others: others.collect(),
        })
    }
}

fn nothing_common(what: &str, theirs: &[&str]) -> Error {
    let theirs: String = theirs.join(", ").chars().take(200).collect();
    wrong(format!("no common {what}: the server has {theirs}"))
}

/// This side's half of the exchange.
enum Secret {
    Curve25519(Box<x25519_dalek::StaticSecret>),
    P256(Box<p256::SecretKey>),
}

impl Secret {
    /// None where the bytes are no secret on the curve: four in 2^32 are none.
    fn new(exchange: &str, bytes: [u8; 32]) -> Option<Self> {
        if exchange == "ecdh-sha2-nistp256" {
            let secret = p256::SecretKey::from_slice(&bytes).ok()?;
            return Some(Self::P256(Box::new(secret)));
        }
        Some(Self::Curve25519(Box::new(bytes.into())))
    }

    fn public(&self) -> Vec<u8> {
        match self {
            Self::Curve25519(secret) => {
                x25519_dalek::PublicKey::from(&**secret).as_bytes().to_vec()
            }
            Self::P256(secret) => secret.public_key().to_sec1_bytes().into_vec(),
        }
    }

    /// The common secret; none where their half is no point, or one by which the
    /// secret would be known to all.
    fn agree(&self, theirs: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Curve25519(secret) => {
                let theirs: [u8; 32] = theirs.try_into().ok()?;
                let shared = secret.diffie_hellman(&theirs.into());
                shared
                    .was_contributory()
                    .then(|| shared.as_bytes().to_vec())
            }
            Self::P256(secret) => {
                let theirs = p256::PublicKey::from_sec1_bytes(theirs).ok()?;
                Some(secret.diffie_hellman(&theirs).raw_secret_bytes().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{IDENTIFICATION, Peer, Server, ed25519_key};

    const RANDOMNESS: Randomness = Randomness {
        cookie: [1; 16],
        secret: [2; 32],
    };

    fn meet(server: Server) -> Result<HostKey, String> {
        let identification = Identification {
            line: IDENTIFICATION.to_vec(),
            software: String::new(),
        };
        let mut stream = Buffered::new(Peer::serving(server));
        exchange(&mut stream, &identification, &KeyKind::ALL, RANDOMNESS)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_with_the_private_key_is_known() {
        for exchange in EXCHANGES {
            let found = meet(Server::speaking(exchange)).unwrap();
            assert_eq!(found.kind, KeyKind::Ed25519);
            assert_eq!(found.fingerprint, host_key::fingerprint(&ed25519_key()));
            assert_eq!(found.others, [KeyKind::Rsa]);
        }
    }

    #[test]
    fn one_that_only_shows_the_public_key_is_not() {
        let forged = Server::speaking("curve25519-sha256").forging();
        let why = meet(forged).unwrap_err();
        let fingerprint = host_key::fingerprint(&ed25519_key());
        assert_eq!(
            why,
            format!("does not have the private key of {fingerprint}: its signature is wrong")
        );
    }

    #[test]
    fn a_secret_that_all_know_is_refused() {
        let weak = Server::speaking("curve25519-sha256").with_public(vec![0; 32]);
        assert_eq!(
            meet(weak).unwrap_err(),
            "sends a key exchange with an unfit public key"
        );
        let off_the_curve = Server::speaking("ecdh-sha2-nistp256").with_public(vec![4; 65]);
        assert_eq!(
            meet(off_the_curve).unwrap_err(),
            "sends a key exchange with an unfit public key"
        );
    }

    #[test]
    fn what_a_server_says_besides_is_passed_over() {
        let talkative = Server::speaking("curve25519-sha256").idling(MOST_IDLE - 1);
        assert!(meet(talkative).is_ok());
        let endless = Server::speaking("curve25519-sha256").idling(MOST_IDLE);
        assert_eq!(
            meet(endless).unwrap_err(),
            "sends more than 16 messages without a meaning"
        );
        let guessing = Server::speaking("ecdh-sha2-nistp256").guessing();
        assert!(meet(guessing).is_ok());
    }

    #[test]
    fn what_is_not_common_is_named() {
        assert_eq!(
            meet(Server::speaking("diffie-hellman-group14-sha1")).unwrap_err(),
            "no common key exchange: the server has diffie-hellman-group14-sha1"
        );
        let leaving = Server::speaking("curve25519-sha256").leaving("no more");
        assert_eq!(
            meet(leaving).unwrap_err(),
            r#"ends the key exchange: "no more""#
        );
    }
}

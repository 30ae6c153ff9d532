//! The other side, for tests: bytes that are known beforehand, or a server that
//! really exchanges keys, faultily where asked.

use std::cell::RefCell;

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::Stream;

use crate::exchange::{CLIENT, ECDH_INIT, ECDH_REPLY, KEXINIT};
use crate::wire::{Reader, Write as _, pack};

/// The private half of the host key.
pub(crate) fn test_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The host key as it is sent.
pub(crate) fn ed25519_key() -> Vec<u8> {
    let mut key = Vec::new();
    key.put_string(b"ssh-ed25519");
    key.put_string(test_key().verifying_key().as_bytes());
    key
}

/// A signature as it is sent.
pub(crate) fn ed25519_signature(message: &[u8]) -> Vec<u8> {
    let mut signature = Vec::new();
    signature.put_string(b"ssh-ed25519");
    signature.put_string(&test_key().sign(message).to_bytes());
    signature
}

/// What the server calls itself.
pub(crate) const IDENTIFICATION: &[u8] = b"SSH-2.0-test";

/// A stream with another side.
pub(crate) struct Peer {
    says: RefCell<Vec<u8>>,
    server: Option<RefCell<Server>>,
}

impl Peer {
    pub(crate) fn saying(bytes: &[u8]) -> Self {
        Self {
            says: RefCell::new(bytes.to_vec()),
            server: None,
        }
    }

    pub(crate) fn serving(server: Server) -> Self {
        Self {
            says: RefCell::default(),
            server: Some(RefCell::new(server)),
        }
    }
}

impl Stream for Peer {
    fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
        let mut says = self.says.borrow_mut();
        let count = max.min(says.len());
        Ok(says.drain(..count).collect())
    }

    /// What is written is one packet at a time.
    fn write(&self, packet: &[u8]) -> Result<(), Error> {
        if let Some(server) = &self.server {
            let padding = usize::from(packet[4]);
            let answer = server.borrow_mut().hear(&packet[5..packet.len() - padding]);
            self.says.borrow_mut().extend(answer);
        }
        Ok(())
    }
}

/// A server that has an Ed25519 key, and says that it has an RSA key.
pub(crate) struct Server {
    exchange: &'static str,
    forges: bool,
    guesses: bool,
    idles: usize,
    leaves: Option<&'static str>,
    public: Option<Vec<u8>>,
    offers: (Vec<u8>, Vec<u8>),
}

impl Server {
    pub(crate) fn speaking(exchange: &'static str) -> Self {
        Self {
            exchange,
            forges: false,
            guesses: false,
            idles: 0,
            leaves: None,
            public: None,
            offers: Default::default(),
        }
    }

    /// It signs with another key than it shows.
    pub(crate) fn forging(mut self) -> Self {
        self.forges = true;
        self
    }

    /// It sends a packet on a guess that is wrong.
    pub(crate) fn guessing(mut self) -> Self {
        self.guesses = true;
        self
    }

    /// It sends so many messages to be ignored before its reply.
    pub(crate) fn idling(mut self, times: usize) -> Self {
        self.idles = times;
        self
    }

    /// It ends the exchange in place of a reply.
    pub(crate) fn leaving(mut self, why: &'static str) -> Self {
        self.leaves = Some(why);
        self
    }

    /// Its half of the exchange is this.
    pub(crate) fn with_public(mut self, public: Vec<u8>) -> Self {
        self.public = Some(public);
        self
    }

    fn hear(&mut self, payload: &[u8]) -> Vec<u8> {
        match payload[0] {
            KEXINIT => self.offer(payload),
            ECDH_INIT => self.reply(payload),
            _ => Vec::new(),
        }
    }

    fn offer(&mut self, theirs: &[u8]) -> Vec<u8> {
        let mut ours = vec![KEXINIT];
        ours.extend([9; 16]);
        for names in [self.exchange, "rsa-sha2-512,ssh-ed25519"] {
            ours.put_string(names.as_bytes());
        }
        for _ in 0..8 {
            ours.put_string(b"none");
        }
        ours.push(u8::from(self.guesses));
        ours.extend([0; 4]);
        let mut packets = pack(&ours);
        if self.guesses {
            packets.extend(pack(&[30, 0, 0, 0, 1, 5]));
        }
        self.offers = (theirs.to_vec(), ours);
        packets
    }

    fn reply(&self, init: &[u8]) -> Vec<u8> {
        let mut packets = Vec::new();
        for _ in 0..self.idles {
            packets.extend(pack(&[2, 0, 0, 0, 0]));
        }
        if let Some(why) = self.leaves {
            let mut leave = vec![1, 0, 0, 0, 2];
            leave.put_string(why.as_bytes());
            packets.extend(pack(&leave));
            return packets;
        }
        let theirs = Reader::new(&init[1..]).string().unwrap();
        let (public, shared) = if self.exchange == "ecdh-sha2-nistp256" {
            let secret = p256::SecretKey::from_slice(&[3; 32]).unwrap();
            let theirs = p256::PublicKey::from_sec1_bytes(theirs).unwrap();
            let shared = secret.diffie_hellman(&theirs);
            let public = secret.public_key().to_sec1_bytes().into_vec();
            (public, shared.raw_secret_bytes().to_vec())
        } else {
            let secret = x25519_dalek::StaticSecret::from([3; 32]);
            let theirs: [u8; 32] = theirs.try_into().unwrap();
            let shared = secret.diffie_hellman(&theirs.into());
            let public = x25519_dalek::PublicKey::from(&secret);
            (public.as_bytes().to_vec(), shared.as_bytes().to_vec())
        };
        let public = self.public.clone().unwrap_or(public);
        let mut hashed = Vec::new();
        for part in [
            CLIENT.as_bytes(),
            IDENTIFICATION,
            &self.offers.0,
            &self.offers.1,
            &ed25519_key(),
            theirs,
            &public,
        ] {
            hashed.put_string(part);
        }
        hashed.put_mpint(&shared);
        let mut hash = Sha256::digest(&hashed).to_vec();
        if self.forges {
            hash.reverse();
        }
        let mut reply = vec![ECDH_REPLY];
        reply.put_string(&ed25519_key());
        reply.put_string(&public);
        reply.put_string(&ed25519_signature(&hash));
        packets.extend(pack(&reply));
        packets
    }
}

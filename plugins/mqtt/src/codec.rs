//! The packets of both versions of MQTT in one set of words.

use std::fmt::Debug;

use bytes::Bytes;
use mqtt_proto::{Error, Pid, QoS, QosPid, TopicFilter, TopicName, VarBytes, v3, v5};
use watchkeeper_sdk::config::Secret;

use crate::Version;

/// The largest packet that is taken: others may send what they like to a topic.
const LARGEST: usize = 1024 * 1024;

/// After how many seconds of silence the broker may end the connection: longer
/// than a check lasts.
const KEEP_ALIVE: u16 = 600;

/// Reads and writes packets of one version.
#[derive(Clone, Copy)]
pub(crate) struct Codec(Version);

/// Who connects.
pub(crate) struct Hello {
    pub(crate) client_id: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// What a broker says. Where it may refuse, it does so in its own words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Connack(Result<(), String>),
    Suback(Result<(), String>),
    Publish {
        topic: String,
        payload: Bytes,
        /// To be acknowledged by this.
        acknowledge: Option<Pid>,
    },
    Puback(Pid, Result<(), String>),
    /// The broker ends the connection.
    Disconnect(String),
    Other,
}

/// What the beginning of the bytes received is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The beginning of a packet, or less.
    Incomplete,
    /// A packet, and how many bytes it took.
    Packet(Packet, usize),
    /// No MQTT; says why.
    Garbage(String),
    /// A packet of so many bytes, more than are taken.
    TooLarge(usize),
}

impl Codec {
    pub(crate) fn new(version: Version) -> Self {
        Self(version)
    }

    /// The first packet of a connection: a session of its own, kept for nobody.
    pub(crate) fn connect(self, hello: &Hello) -> VarBytes {
        let client_id = hello.client_id.as_str().into();
        let username = hello.username.as_deref().map(Into::into);
        let password = hello
            .password
            .as_ref()
            .map(|password| Bytes::copy_from_slice(password.expose().as_bytes()));
        match self.0 {
            Version::V311 => {
                let mut connect = v3::Connect::new(client_id, KEEP_ALIVE);
                connect.username = username;
                connect.password = password;
                encoded(v3::Packet::Connect(connect).encode())
            }
            Version::V5 => {
                let mut connect = v5::Connect::new(client_id, KEEP_ALIVE);
                connect.clean_start = true;
                connect.username = username;
                connect.password = password;
                encoded(v5::Packet::Connect(connect).encode())
            }
        }
    }

    pub(crate) fn subscribe(self, pid: Pid, filter: &TopicFilter, qos: QoS) -> VarBytes {
        match self.0 {
            Version::V311 => {
                let subscribe = v3::Subscribe::new(pid, vec![(filter.clone(), qos)]);
                encoded(v3::Packet::Subscribe(subscribe).encode())
            }
            Version::V5 => {
                let options = v5::SubscriptionOptions {
                    // What was kept before is not what this check sends.
                    retain_handling: v5::RetainHandling::DoNotSend,
                    ..v5::SubscriptionOptions::new(qos)
                };
                let subscribe = v5::Subscribe::new(pid, vec![(filter.clone(), options)]);
                encoded(v5::Packet::Subscribe(subscribe).encode())
            }
        }
    }

    pub(crate) fn publish(self, to: QosPid, topic: &TopicName, payload: &Bytes) -> VarBytes {
        let (topic, payload) = (topic.clone(), payload.clone());
        match self.0 {
            Version::V311 => {
                let publish = v3::Publish::new(to, topic, payload);
                encoded(v3::Packet::Publish(publish).encode())
            }
            Version::V5 => {
                let publish = v5::Publish::new(to, topic, payload);
                encoded(v5::Packet::Publish(publish).encode())
            }
        }
    }

    pub(crate) fn puback(self, pid: Pid) -> VarBytes {
        match self.0 {
            Version::V311 => encoded(v3::Packet::Puback(pid).encode()),
            Version::V5 => encoded(v5::Packet::Puback(v5::Puback::new_success(pid)).encode()),
        }
    }

    pub(crate) fn disconnect(self) -> VarBytes {
        match self.0 {
            Version::V311 => encoded(v3::Packet::Disconnect.encode()),
            Version::V5 => {
                let disconnect = v5::Disconnect::new_normal();
                encoded(v5::Packet::Disconnect(disconnect).encode())
            }
        }
    }

    /// What `received` begins with.
    pub(crate) fn begin(self, received: &[u8]) -> Beginning {
        let header = match self.0 {
            Version::V311 => v3::Header::decode(received).map(drop),
            Version::V5 => v5::Header::decode(received).map(drop).map_err(common),
        };
        match header {
            Ok(()) => {}
            Err(error) if error.is_eof() => return Beginning::Incomplete,
            Err(error) => return Beginning::Garbage(error.to_string()),
        }
        // Before it is decoded, as decoding makes room for all that it says it is.
        let Some(length) = length(received) else {
            return Beginning::Incomplete;
        };
        if length > LARGEST {
            return Beginning::TooLarge(length);
        }
        let Some((packet, _)) = received.split_at_checked(length) else {
            return Beginning::Incomplete;
        };
        let decoded = match self.0 {
            Version::V311 => v3::Packet::decode(packet)
                .map(|packet| packet.map(Packet::from))
                .map_err(|error| error.to_string()),
            Version::V5 => v5::Packet::decode(packet)
                .map(|packet| packet.map(Packet::from))
                .map_err(|error| error.to_string()),
        };
        match decoded {
            Ok(Some(packet)) => Beginning::Packet(packet, length),
            Ok(None) => Beginning::Garbage("a packet that is cut short".to_owned()),
            Err(why) => Beginning::Garbage(why),
        }
    }
}

impl From<v3::Packet> for Packet {
    fn from(packet: v3::Packet) -> Self {
        match packet {
            v3::Packet::Connack(connack) => Self::Connack(match connack.code {
                v3::ConnectReturnCode::Accepted => Ok(()),
                code => Err(words(&code, None)),
            }),
            v3::Packet::Suback(suback) => Self::Suback(match suback.topics.first() {
                Some(v3::SubscribeReturnCode::Failure) => Err("failure".to_owned()),
                Some(_) => Ok(()),
                None => Err("no topic".to_owned()),
            }),
            v3::Packet::Publish(publish) => Self::Publish {
                topic: publish.topic_name.to_string(),
                payload: publish.payload,
                acknowledge: publish.qos_pid.pid(),
            },
            v3::Packet::Puback(pid) => Self::Puback(pid, Ok(())),
            _ => Self::Other,
        }
    }
}

impl From<v5::Packet> for Packet {
    fn from(packet: v5::Packet) -> Self {
        match packet {
            v5::Packet::Connack(connack) => Self::Connack(match connack.reason_code {
                v5::ConnectReasonCode::Success => Ok(()),
                code => Err(words(&code, connack.properties.reason_string.as_deref())),
            }),
            v5::Packet::Suback(suback) => Self::Suback(match suback.topics.first() {
                Some(code) if *code as u8 >= 0x80 => {
                    Err(words(code, suback.properties.reason_string.as_deref()))
                }
                Some(_) => Ok(()),
                None => Err("no topic".to_owned()),
            }),
            v5::Packet::Publish(publish) => Self::Publish {
                topic: publish.topic_name.to_string(),
                payload: publish.payload,
                acknowledge: publish.qos_pid.pid(),
            },
            v5::Packet::Puback(puback) => {
                let code = puback.reason_code;
                let outcome = if code as u8 >= 0x80 {
                    Err(words(&code, puback.properties.reason_string.as_deref()))
                } else {
                    Ok(())
                };
                Self::Puback(puback.pid, outcome)
            }
            v5::Packet::Disconnect(disconnect) => Self::Disconnect(words(
                &disconnect.reason_code,
                disconnect.properties.reason_string.as_deref(),
            )),
            _ => Self::Other,
        }
    }
}

/// How long the packet is that `received` begins with: its first byte, its length
/// (section 2.2.3 of version 3.1.1), and what follows. None where the length is
/// not there yet.
fn length(received: &[u8]) -> Option<usize> {
    let mut bytes = received.iter().skip(1);
    let mut length = 0;
    for place in 0..4 {
        let byte = bytes.next()?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(1 + place + 1 + length);
        }
    }
    // No length has more bytes than four.
    Some(usize::MAX)
}

/// The error that both versions know.
fn common(error: v5::ErrorV5) -> Error {
    match error {
        v5::ErrorV5::Common(error) => error,
        _ => Error::InvalidHeader,
    }
}

/// What is written here is as the protocol wants it: names and topics are
/// compared with their limits before.
fn encoded<E: Debug>(packet: Result<VarBytes, E>) -> VarBytes {
    packet.expect("a packet of bounded parts can be written")
}

/// A code in words, with those of the broker where it gives any.
fn words(code: &impl Debug, reason: Option<&str>) -> String {
    let code = format!("{code:?}").replace("QoS", "Qos");
    let mut words = String::with_capacity(code.len() + 8);
    for character in code.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    match reason {
        Some(reason) if !reason.is_empty() => format!("{words}: {reason}"),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(why: &str) -> Result<(), String> {
        Err(why.to_owned())
    }

    #[test]
    fn refusals_read_as_words() {
        let old = Codec::new(Version::V311);
        let new = Codec::new(Version::V5);
        for (codec, bytes, expected) in [
            (old, &b"\x20\x02\0\0"[..], Packet::Connack(Ok(()))),
            (
                old,
                b"\x20\x02\0\x04",
                Packet::Connack(refused("bad user name or password")),
            ),
            (
                new,
                b"\x20\x03\0\x86\0",
                Packet::Connack(refused("bad user name or password")),
            ),
            (
                new,
                b"\x20\x08\0\x88\x05\x1f\0\x02no",
                Packet::Connack(refused("server unavailable: no")),
            ),
            (
                new,
                b"\x20\x03\0\x9b\0",
                Packet::Connack(refused("qos not supported")),
            ),
            (
                old,
                b"\x90\x03\0\x01\x80",
                Packet::Suback(refused("failure")),
            ),
            (old, b"\x90\x03\0\x01\x01", Packet::Suback(Ok(()))),
            (
                new,
                b"\x90\x04\0\x01\0\x87",
                Packet::Suback(refused("not authorized")),
            ),
            (
                new,
                b"\x40\x03\0\x02\x87",
                Packet::Puback(Pid::try_from(2).unwrap(), refused("not authorized")),
            ),
            (
                new,
                b"\xe0\x01\x8b",
                Packet::Disconnect("server shutting down".to_owned()),
            ),
        ] {
            let length = bytes.len();
            assert_eq!(codec.begin(bytes), Beginning::Packet(expected, length));
            for end in 0..length {
                let cut = &bytes[..end];
                assert_eq!(codec.begin(cut), Beginning::Incomplete, "{cut:?}");
            }
        }
    }

    #[test]
    fn what_is_no_mqtt_is_not_taken_for_it() {
        let codec = Codec::new(Version::V311);
        assert!(matches!(
            codec.begin(b"SSH-2.0-OpenSSH"),
            Beginning::Garbage(_)
        ));
        assert_eq!(
            codec.begin(b"\x30\xff\xff\xff\x7f"),
            Beginning::TooLarge(268_435_460)
        );
        // The length says two bytes, the topic in them three.
        assert!(matches!(
            codec.begin(b"\x30\x02\0\x03"),
            Beginning::Garbage(_)
        ));
    }

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let topic = TopicName::try_from("a/b").unwrap();
        let payload = Bytes::from_static(b"hello");
        for version in [Version::V311, Version::V5] {
            let codec = Codec::new(version);
            let pid = Pid::try_from(7).unwrap();
            for (to, acknowledge) in [(QosPid::Level0, None), (QosPid::Level1(pid), Some(pid))] {
                let sent = codec.publish(to, &topic, &payload);
                let expected = Packet::Publish {
                    topic: "a/b".to_owned(),
                    payload: payload.clone(),
                    acknowledge,
                };
                let length = sent.as_ref().len();
                assert_eq!(
                    codec.begin(sent.as_ref()),
                    Beginning::Packet(expected, length)
                );
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_taken_for_more_than_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for version in [Version::V311, Version::V5] {
                if let Beginning::Packet(_, length) = Codec::new(version).begin(&bytes) {
                    prop_assert!(length <= bytes.len());
                }
            }
        }
    }
}

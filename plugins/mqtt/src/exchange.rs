//! One client's part of a conversation with a broker.

use bytes::Bytes;
use mqtt_proto::{Pid, QoS, QosPid, TopicFilter, TopicName};
use watchkeeper_sdk::tls::Connection;
use watchkeeper_sdk::{Error, Stop};

use crate::codec::{Beginning, Codec, Hello, Packet};

/// How much is read at a time.
const CHUNK: u32 = 16 * 1024;

/// A connection as packets.
pub(crate) struct Packets<'a> {
    connection: &'a Connection,
    codec: Codec,
    received: Vec<u8>,
}

/// A message that has to come back.
pub(crate) struct RoundTrip {
    filter: TopicFilter,
    topic: TopicName,
    qos: QoS,
    payload: Bytes,
}

impl RoundTrip {
    /// A message to `topic` that is told from others by the word `unique`.
    pub(crate) fn new(topic: &str, qos: Option<u8>, unique: &str) -> Result<Self, Stop> {
        let unfit = |why| Stop::Misconfigured(format!("config.topic: {topic:?} {why}"));
        // A shared subscription would give the message to somebody else.
        let name = TopicName::try_from(topic).map_err(|_| unfit("holds a wildcard or a NUL"))?;
        let filter = TopicFilter::try_from(topic).map_err(|_| unfit("is no topic"))?;
        if name.is_shared() || name.is_sys() {
            return Err(unfit("is one of the broker's own: begin it without $"));
        }
        Ok(Self {
            filter,
            topic: name,
            qos: match qos {
                Some(1) => QoS::Level1,
                _ => QoS::Level0,
            },
            payload: Bytes::from(format!("watchkeeper {unique}")),
        })
    }

    fn is_this(&self, topic: &str, payload: &[u8]) -> bool {
        *topic == *self.topic && payload == self.payload
    }
}

impl<'a> Packets<'a> {
    pub(crate) fn new(connection: &'a Connection, codec: Codec) -> Self {
        Self {
            connection,
            codec,
            received: Vec::new(),
        }
    }

    /// Connects as `hello` says.
    pub(crate) fn log_in(&mut self, hello: &Hello) -> Result<(), Stop> {
        self.connection.write(self.codec.connect(hello).as_ref())?;
        match self.next()? {
            Packet::Connack(outcome) => {
                outcome.map_err(|why| Stop::Dead(format!("the broker refused the login: {why}")))
            }
            _ => Err(Stop::Dead(
                "the broker does not keep to MQTT: it answered the login with something else"
                    .to_owned(),
            )),
        }
    }

    /// Subscribes to the topic.
    pub(crate) fn subscribe(&mut self, trip: &RoundTrip) -> Result<(), Stop> {
        let pid = Pid::default();
        let subscribe = self.codec.subscribe(pid, &trip.filter, trip.qos);
        self.connection.write(subscribe.as_ref())?;
        loop {
            match self.next()? {
                Packet::Suback(Ok(())) => return Ok(()),
                Packet::Suback(Err(why)) => {
                    let topic = &trip.topic;
                    return Err(Stop::Dead(format!(
                        "the broker refused the subscription to {topic}: {why}"
                    )));
                }
                // What the broker kept of this topic may come before its answer.
                other => self.acknowledge(&other)?,
            }
        }
    }

    /// Sends the message, and waits until it is back and, with quality of service
    /// 1, acknowledged.
    pub(crate) fn send_and_receive(&mut self, trip: &RoundTrip) -> Result<(), Stop> {
        let pid = Pid::default() + 1;
        let to = match trip.qos {
            QoS::Level0 => QosPid::Level0,
            _ => QosPid::Level1(pid),
        };
        let publish = self.codec.publish(to, &trip.topic, &trip.payload);
        self.connection.write(publish.as_ref())?;
        let mut is_back = false;
        let mut is_acknowledged = to.pid().is_none();
        while !(is_back && is_acknowledged) {
            let packet = match self.next() {
                Err(Stop::Dead(why)) if !is_back => {
                    return Err(Stop::Dead(format!(
                        "the message to {} did not come back: {why}",
                        trip.topic
                    )));
                }
                packet => packet?,
            };
            match &packet {
                Packet::Puback(of, Ok(())) => is_acknowledged |= *of == pid,
                Packet::Puback(_, Err(why)) => {
                    let topic = &trip.topic;
                    return Err(Stop::Dead(format!(
                        "the broker refused the message to {topic}: {why}"
                    )));
                }
                Packet::Publish { topic, payload, .. } => {
                    is_back |= trip.is_this(topic, payload);
                    self.acknowledge(&packet)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends the connection in order.
    pub(crate) fn leave(&self) -> Result<(), Stop> {
        self.connection.write(self.codec.disconnect().as_ref())?;
        Ok(())
    }

    fn acknowledge(&self, packet: &Packet) -> Result<(), Error> {
        match packet {
            Packet::Publish {
                acknowledge: Some(pid),
                ..
            } => self.connection.write(self.codec.puback(*pid).as_ref()),
            _ => Ok(()),
        }
    }

    fn next(&mut self) -> Result<Packet, Stop> {
        loop {
            match self.codec.begin(&self.received) {
                Beginning::Packet(Packet::Disconnect(why), _) => {
                    return Err(Stop::Dead(format!(
                        "the broker ended the connection: {why}"
                    )));
                }
                Beginning::Packet(packet, length) => {
                    self.received.drain(..length);
                    return Ok(packet);
                }
                Beginning::Garbage(why) => {
                    return Err(Stop::Dead(format!("the server does not speak MQTT: {why}")));
                }
                Beginning::TooLarge(bytes) => {
                    return Err(Stop::Undecided(format!(
                        "the broker sent a packet of {bytes} bytes: choose a topic that nobody else sends to"
                    )));
                }
                Beginning::Incomplete => {
                    let bytes = self.connection.read(CHUNK)?;
                    if bytes.is_empty() {
                        return Err(Error::Closed.into());
                    }
                    self.received.extend_from_slice(&bytes);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_must_be_one_that_messages_can_be_sent_to() {
        for (topic, fits) in [
            ("watchkeeper/check", true),
            ("/", true),
            ("a/+", false),
            ("a/#", false),
            ("$SYS/broker", false),
            ("$share/group/a", false),
            ("", false),
        ] {
            let trip = RoundTrip::new(topic, None, "1");
            assert_eq!(trip.is_ok(), fits, "{topic}");
            if let Err(stop) = trip {
                let Stop::Misconfigured(why) = stop else {
                    panic!("{stop:?}");
                };
                assert!(why.starts_with("config.topic: "), "{why}");
            }
        }
    }

    #[test]
    fn only_the_message_of_this_check_counts() {
        let trip = RoundTrip::new("a", Some(1), "1").unwrap();
        assert!(trip.is_this("a", b"watchkeeper 1"));
        assert!(!trip.is_this("a", b"watchkeeper 2"));
        assert!(!trip.is_this("b", b"watchkeeper 1"));
    }
}

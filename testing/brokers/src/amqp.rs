//! The least of an AMQP 0-9-1 client: fills queues, and takes messages without
//! acknowledging them.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::PATIENCE;

/// The byte that ends a frame.
const END: u8 = 0xce;

/// A connection with one open channel, as the user `guest`. What it took and did
/// not acknowledge goes back into the queues when it is dropped.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// Messages put into queues so far, which the broker numbers from 1.
    published: u64,
}

/// A method by the numbers of its class and of itself.
type Id = (u16, u16);

const CONNECTION_START: Id = (10, 10);
const CONNECTION_START_OK: Id = (10, 11);
const CONNECTION_TUNE: Id = (10, 30);
const CONNECTION_TUNE_OK: Id = (10, 31);
const CONNECTION_OPEN: Id = (10, 40);
const CONNECTION_OPEN_OK: Id = (10, 41);
const CHANNEL_OPEN: Id = (20, 10);
const CHANNEL_OPEN_OK: Id = (20, 11);
const CONFIRM_SELECT: Id = (85, 10);
const CONFIRM_SELECT_OK: Id = (85, 11);
const BASIC_QOS: Id = (60, 10);
const BASIC_QOS_OK: Id = (60, 11);
const BASIC_CONSUME: Id = (60, 20);
const BASIC_CONSUME_OK: Id = (60, 21);
const BASIC_PUBLISH: Id = (60, 40);
const BASIC_DELIVER: Id = (60, 60);
const BASIC_ACK: Id = (60, 80);

impl Client {
    /// Opens a connection to a virtual host, and a channel.
    ///
    /// # Errors
    ///
    /// When the broker does not keep to what a login looks like.
    pub async fn connect(address: SocketAddr, vhost: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let mut client = Self {
            stream,
            published: 0,
        };
        client.stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
        client.until(CONNECTION_START).await?;
        let mut login = long(b"");
        login.extend(short("PLAIN"));
        login.extend(long(b"\0guest\0guest"));
        login.extend(short("en_US"));
        client.send(0, CONNECTION_START_OK, &login).await?;
        client.until(CONNECTION_TUNE).await?;
        // 16 channels, frames of 128 KiB, no heartbeats.
        let tuned = [0, 16, 0, 2, 0, 0, 0, 0];
        client.send(0, CONNECTION_TUNE_OK, &tuned).await?;
        let mut host = short(vhost);
        host.extend([0, 0]);
        client.send(0, CONNECTION_OPEN, &host).await?;
        client.until(CONNECTION_OPEN_OK).await?;
        client.send(1, CHANNEL_OPEN, &[0]).await?;
        client.until(CHANNEL_OPEN_OK).await?;
        Ok(client)
    }

    /// Puts so many messages into a queue, and waits until the broker has them.
    ///
    /// # Errors
    ///
    /// When the connection ends first.
    pub async fn publish(&mut self, queue: &str, count: u64) -> io::Result<()> {
        self.send(1, CONFIRM_SELECT, &[0]).await?;
        self.until(CONFIRM_SELECT_OK).await?;
        // To the exchange without a name, which knows queues by theirs.
        let mut to = vec![0, 0];
        to.extend(short(""));
        to.extend(short(queue));
        to.push(0);
        for _ in 0..count {
            self.send(1, BASIC_PUBLISH, &to).await?;
            // Class, weight, the length of the body, no properties.
            let mut head = 60_u16.to_be_bytes().to_vec();
            head.extend([0, 0]);
            head.extend(3_u64.to_be_bytes());
            head.extend([0, 0]);
            self.frame(2, 1, &head).await?;
            self.frame(3, 1, b"job").await?;
        }
        self.published += count;
        let mut confirmed = 0;
        while confirmed < self.published {
            let fields = self.until(BASIC_ACK).await?;
            // The number of the last message that is confirmed: the broker may
            // confirm several at once, and does it in order.
            let number = fields.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
            confirmed = number.unwrap_or_default();
        }
        Ok(())
    }

    /// Becomes a consumer that takes `count` messages and acknowledges none;
    /// waits until it has them.
    ///
    /// # Errors
    ///
    /// When the connection ends first.
    pub async fn take(&mut self, queue: &str, count: u16) -> io::Result<()> {
        let mut at_most = vec![0, 0, 0, 0];
        at_most.extend(count.to_be_bytes());
        at_most.push(0);
        self.send(1, BASIC_QOS, &at_most).await?;
        self.until(BASIC_QOS_OK).await?;
        let mut from = vec![0, 0];
        from.extend(short(queue));
        from.extend(short(""));
        from.push(0);
        from.extend(long(b""));
        self.send(1, BASIC_CONSUME, &from).await?;
        self.until(BASIC_CONSUME_OK).await?;
        for _ in 0..count {
            self.until(BASIC_DELIVER).await?;
        }
        Ok(())
    }

    async fn send(&mut self, channel: u16, (class, method): Id, fields: &[u8]) -> io::Result<()> {
        let mut payload = class.to_be_bytes().to_vec();
        payload.extend(method.to_be_bytes());
        payload.extend(fields);
        self.frame(1, channel, &payload).await
    }

    async fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let mut bytes = vec![kind];
        bytes.extend(channel.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(payload);
        bytes.push(END);
        self.stream.write_all(&bytes).await
    }

    /// The fields of the next method of that kind; all before it are passed over,
    /// as are messages themselves.
    async fn until(&mut self, wanted: Id) -> io::Result<Vec<u8>> {
        let reading = async {
            loop {
                let mut head = [0; 7];
                self.stream.read_exact(&mut head).await?;
                let [kind, _, _, a, b, c, d] = head;
                let length = u64::from(u32::from_be_bytes([a, b, c, d]));
                let mut payload = Vec::new();
                let mut rest = (&mut self.stream).take(length + 1);
                rest.read_to_end(&mut payload).await?;
                let Some((END, payload)) = payload.split_last().map(|(end, it)| (*end, it)) else {
                    return Err(io::Error::other("a frame without its end"));
                };
                let Some((&[a, b, c, d], fields)) = payload.split_first_chunk() else {
                    continue;
                };
                let id = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                if kind == 1 && id == wanted {
                    return Ok(fields.to_vec());
                }
                if kind == 1 && matches!(id, (10, 50) | (20, 40)) {
                    let said = String::from_utf8_lossy(fields).into_owned();
                    return Err(io::Error::other(format!("closed by the broker: {said}")));
                }
            }
        };
        timeout(PATIENCE, reading)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn short(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a test's names are short");
    let mut bytes = vec![length];
    bytes.extend(text.as_bytes());
    bytes
}

fn long(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a test's texts are short");
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(content);
    bytes
}

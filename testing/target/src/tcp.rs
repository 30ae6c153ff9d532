//! A TCP server: a line echo with a banner, or one that misbehaves.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::listening::Listening;

/// What a [`TcpTarget`] does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpBehaviour {
    /// Sends the banner and a line end, if there is a banner; then sends back what it receives.
    Echo {
        /// The first line.
        banner: Option<String>,
    },
    /// Closes at once, in order.
    Close,
    /// Reads and never sends a byte.
    Hang,
    /// Ends the connection with a TCP reset.
    Reset,
}

impl TcpBehaviour {
    /// The echo with the banner `target-server ready`.
    pub fn greeting() -> Self {
        Self::Echo {
            banner: Some("target-server ready".into()),
        }
    }
}

/// A TCP server on one port.
#[derive(Debug)]
pub struct TcpTarget {
    address: SocketAddr,
    listening: Option<Listening>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<TcpBehaviour>,
    connections: AtomicU64,
}

impl TcpTarget {
    /// Listens on `address`; port 0 lets the kernel choose.
    pub async fn start(address: SocketAddr, behaviour: TcpBehaviour) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            connections: AtomicU64::new(0),
        });
        let listening = open(address, Arc::clone(&shared)).await?;
        Ok(Self {
            address: listening.address(),
            listening: Some(listening),
            shared,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections accepted since the start.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Changes what the next connection meets.
    pub fn set(&self, behaviour: TcpBehaviour) {
        *self
            .shared
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Closes the port and every connection: from here on connections are refused.
    pub async fn stop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.close().await;
        }
    }

    /// Listens on the same port again.
    pub async fn restart(&mut self) -> io::Result<()> {
        if self.listening.is_none() {
            self.listening = Some(open(self.address, Arc::clone(&self.shared)).await?);
        }
        Ok(())
    }
}

async fn open(address: SocketAddr, shared: Arc<Shared>) -> io::Result<Listening> {
    Listening::open(address, move |stream| {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let behaviour = shared
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        async move {
            // A peer that goes away in the middle is an ordinary end.
            drop(serve(stream, behaviour).await);
        }
    })
    .await
}

async fn serve(mut stream: TcpStream, behaviour: TcpBehaviour) -> io::Result<()> {
    match behaviour {
        TcpBehaviour::Close => {
            stream.shutdown().await?;
            // What a peer had sent and nobody read would make a reset of it.
            read_all(&mut stream).await
        }
        TcpBehaviour::Reset => stream.set_zero_linger(),
        TcpBehaviour::Hang => read_all(&mut stream).await,
        TcpBehaviour::Echo { banner } => {
            if let Some(banner) = banner {
                stream.write_all(format!("{banner}\r\n").as_bytes()).await?;
            }
            let mut buffer = [0; 4096];
            loop {
                let length = stream.read(&mut buffer).await?;
                let Some(received) = buffer.get(..length).filter(|received| !received.is_empty())
                else {
                    return stream.shutdown().await;
                };
                stream.write_all(received).await?;
            }
        }
    }
}

async fn read_all(stream: &mut TcpStream) -> io::Result<()> {
    let mut sink = [0; 4096];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    async fn until_end(address: SocketAddr) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address).await?;
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await?;
        Ok(received)
    }

    #[tokio::test]
    async fn greets_and_echoes() {
        let target = TcpTarget::start(ANY, TcpBehaviour::greeting())
            .await
            .unwrap();
        let mut stream = TcpStream::connect(target.address()).await.unwrap();
        stream.write_all(b"ping\n").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut received = String::new();
        stream.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "target-server ready\r\nping\n");
        assert_eq!(target.connections(), 1);
    }

    #[tokio::test]
    async fn closes_resets_and_refuses() {
        let mut target = TcpTarget::start(ANY, TcpBehaviour::Close).await.unwrap();
        assert_eq!(until_end(target.address()).await.unwrap(), b"");

        target.set(TcpBehaviour::Reset);
        let error = until_end(target.address()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        target.stop().await;
        let error = until_end(target.address()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

        target.set(TcpBehaviour::Close);
        target.restart().await.unwrap();
        assert_eq!(until_end(target.address()).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn stopping_ends_a_hanging_connection() {
        let mut target = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let waiting = tokio::spawn(until_end(target.address()));
        while target.connections() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        target.stop().await;
        // An orderly end or a reset, depending on how far the accept had come; but an end.
        drop(waiting.await.unwrap());
    }
}

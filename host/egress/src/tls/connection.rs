//! A connection that a guest holds by handle: plain first, TLS when it asks.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::gate::{CountedStream, Gate};
use crate::tls::{Session, TlsError, TlsStream, Verify};

/// The most that one read gives, whatever was asked for.
const LONGEST_READ: u32 = 64 << 10;

/// A TCP connection that may be upgraded to TLS once. After an error of the
/// handshake or of a write it is closed, since what the other side has seen is
/// not known.
#[derive(Debug)]
pub struct Connection {
    gate: Arc<Gate>,
    stream: Stream,
}

#[derive(Debug)]
enum Stream {
    Plain(CountedStream),
    Secure(Box<TlsStream>),
    Closed,
}

impl Connection {
    /// Opens TCP to a granted host and port.
    pub async fn connect(
        gate: &Arc<Gate>,
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<Self, TlsError> {
        let dialled = gate.dial(host, port, limit).await?;
        Ok(Self {
            gate: Arc::clone(gate),
            stream: Stream::Plain(dialled.stream),
        })
    }

    /// Upgrades to TLS. What the other side sent in plain text and was not read
    /// is taken as part of the handshake, and so breaks it: nothing that came
    /// before TLS can be mistaken for what came within.
    pub async fn start_tls(
        &mut self,
        server_name: &str,
        alpn: &[&str],
        verify: Verify,
        limit: Duration,
    ) -> Result<Session, TlsError> {
        // Taken out, so that a handshake that fails or is dropped leaves `Closed`.
        match std::mem::replace(&mut self.stream, Stream::Closed) {
            Stream::Plain(stream) => {
                let (stream, session) = self
                    .gate
                    .tls()
                    .handshake(stream, server_name, alpn, verify, limit)
                    .await?;
                self.stream = Stream::Secure(Box::new(stream));
                Ok(session)
            }
            Stream::Secure(stream) => {
                self.stream = Stream::Secure(stream);
                Err(TlsError::Handshake("TLS is on already".to_owned()))
            }
            Stream::Closed => Err(TlsError::Closed),
        }
    }

    /// What has come, at least one byte, at most `max` and 64 KiB; empty at the
    /// end of the stream and for a `max` of 0. A read that timed out may be
    /// tried again.
    pub async fn read(&mut self, max: u32, limit: Duration) -> Result<Vec<u8>, TlsError> {
        let wanted = usize::try_from(max.min(LONGEST_READ)).unwrap_or(0);
        let mut bytes = vec![0; wanted];
        let read = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut bytes).await,
                Stream::Secure(stream) => stream.read(&mut bytes).await,
                Stream::Closed => Err(std::io::ErrorKind::BrokenPipe.into()),
            }
        };
        let count = timeout(limit, read)
            .await
            .map_err(|_| TlsError::TimedOut(limit))?
            .map_err(|error| TlsError::of_io(&error))?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Sends all bytes.
    pub async fn write(&mut self, bytes: &[u8], limit: Duration) -> Result<(), TlsError> {
        let written = {
            let stream = &mut self.stream;
            timeout(limit, async {
                match stream {
                    Stream::Plain(stream) => {
                        stream.write_all(bytes).await?;
                        stream.flush().await
                    }
                    Stream::Secure(stream) => {
                        stream.write_all(bytes).await?;
                        stream.flush().await
                    }
                    Stream::Closed => Err(std::io::ErrorKind::BrokenPipe.into()),
                }
            })
            .await
        };
        let result = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => TlsError::of_io(&error),
            Err(_) => TlsError::TimedOut(limit),
        };
        self.stream = Stream::Closed;
        Err(result)
    }
}

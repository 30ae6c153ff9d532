//! TCP connections. Needs [`Capability::Tcp`](crate::Capability::Tcp).
//! `std::net::TcpStream` works too; this tells more exactly what went wrong and
//! keeps to a deadline.

use std::time::Duration;

use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::network::{ErrorCode, IpAddress};
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::{instance_network, tcp_create_socket};

use crate::Error;
use crate::address::{at_port, failed, resolve};
use crate::wait::Deadline;

/// How much one call to the host carries at most.
const CHUNK: usize = 4096;

/// A TCP connection.
pub struct Connection {
    // The streams are the socket's children and go before it.
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
    deadline: Deadline,
}

impl Connection {
    /// Looks `host` up and connects to the first of its addresses that takes the
    /// connection. All that happens on it must be over after `timeout`.
    pub fn open(host: &str, port: u16, timeout: Duration) -> Result<Self, Error> {
        let deadline = Deadline::after(Some(timeout));
        let mut last = Error::unresolved(host, "");
        for address in resolve(host, deadline)? {
            match connect(address, port, deadline) {
                Ok((socket, input, output)) => {
                    return Ok(Self {
                        input,
                        output,
                        _socket: socket,
                        deadline,
                    });
                }
                Err(error @ Error::TimedOut(_)) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Up to `max` bytes, as soon as there are any; empty at the end.
    pub fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
        loop {
            self.deadline.wait(&self.input.subscribe())?;
            match self.input.read(max as u64) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(bytes),
                Err(StreamError::Closed) => return Ok(Vec::new()),
                Err(StreamError::LastOperationFailed(_)) => return Err(Error::Closed),
            }
        }
    }

    /// Writes all of `bytes`.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        for chunk in bytes.chunks(CHUNK) {
            let mut rest = chunk;
            while !rest.is_empty() {
                self.deadline.wait(&self.output.subscribe())?;
                let room = self.output.check_write().map_err(|_| Error::Closed)?;
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
                let (now, later) = rest.split_at(room);
                self.output.write(now).map_err(|_| Error::Closed)?;
                rest = later;
            }
        }
        self.output.flush().map_err(|_| Error::Closed)?;
        self.deadline.wait(&self.output.subscribe())
    }
}

fn connect(
    address: IpAddress,
    port: u16,
    deadline: Deadline,
) -> Result<(TcpSocket, InputStream, OutputStream), Error> {
    let translate = |code| match code {
        ErrorCode::AccessDenied => Error::Denied(format!("connecting to port {port}")),
        other => failed(other),
    };
    let (family, address) = at_port(address, port);
    let socket = tcp_create_socket::create_tcp_socket(family).map_err(translate)?;
    socket
        .start_connect(&instance_network::instance_network(), address)
        .map_err(translate)?;
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => return Ok((socket, input, output)),
            Err(ErrorCode::WouldBlock) => deadline.wait(&socket.subscribe())?,
            Err(code) => return Err(translate(code)),
        }
    }
}

//! Datagrams to one peer. Needs [`Capability::Udp`](crate::Capability::Udp).

use std::time::Duration;

use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::udp::{
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};
use wasip2::sockets::{instance_network, udp_create_socket};

use crate::Error;
use crate::address::{at_port, failed, resolve};
use crate::wait::Deadline;

/// A socket that sends to one peer and hears of no other.
pub struct Socket {
    // The streams are children of the host's socket and go before it.
    incoming: IncomingDatagramStream,
    outgoing: OutgoingDatagramStream,
    _parent: UdpSocket,
    deadline: Deadline,
}

impl Socket {
    /// Looks `host` up and chooses the first of its addresses that a way leads to;
    /// nothing is sent yet. All that happens on it must be over after `timeout`.
    pub fn open(host: &str, port: u16, timeout: Duration) -> Result<Self, Error> {
        let deadline = Deadline::after(Some(timeout));
        let mut last = Error::unresolved(host, "");
        for address in resolve(host, deadline)? {
            match open(address, port, deadline) {
                Ok((socket, incoming, outgoing)) => {
                    return Ok(Self {
                        incoming,
                        outgoing,
                        _parent: socket,
                        deadline,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends one datagram. [`Error::Invalid`] where it is larger than a datagram
    /// can be.
    pub fn send(&self, datagram: &[u8]) -> Result<(), Error> {
        let translate = |code| match code {
            ErrorCode::DatagramTooLarge => Error::Invalid(format!(
                "{} bytes do not fit into a datagram",
                datagram.len()
            )),
            ErrorCode::AccessDenied => Error::Denied("sending a datagram".to_owned()),
            other => failed(other),
        };
        loop {
            if self.outgoing.check_send().map_err(translate)? == 0 {
                self.deadline.wait(&self.outgoing.subscribe())?;
                continue;
            }
            let outgoing = [OutgoingDatagram {
                data: datagram.to_vec(),
                remote_address: None,
            }];
            if self.outgoing.send(&outgoing).map_err(translate)? > 0 {
                return Ok(());
            }
        }
    }

    /// The next datagram, whole.
    pub fn receive(&self) -> Result<Vec<u8>, Error> {
        loop {
            if let Some(datagram) = self.incoming.receive(1).map_err(failed)?.pop() {
                return Ok(datagram.data);
            }
            self.deadline.wait(&self.incoming.subscribe())?;
        }
    }
}

fn open(
    address: IpAddress,
    port: u16,
    deadline: Deadline,
) -> Result<(UdpSocket, IncomingDatagramStream, OutgoingDatagramStream), Error> {
    let translate = |code| match code {
        ErrorCode::AccessDenied => Error::Denied(format!("sending to port {port}")),
        other => failed(other),
    };
    let (family, address) = at_port(address, port);
    let socket = udp_create_socket::create_udp_socket(family).map_err(translate)?;
    socket
        .start_bind(&instance_network::instance_network(), anywhere(family))
        .map_err(translate)?;
    loop {
        match socket.finish_bind() {
            Ok(()) => break,
            Err(ErrorCode::WouldBlock) => deadline.wait(&socket.subscribe())?,
            Err(code) => return Err(translate(code)),
        }
    }
    let (incoming, outgoing) = socket.stream(Some(address)).map_err(translate)?;
    Ok((socket, incoming, outgoing))
}

/// The address by which the host chooses one.
fn anywhere(family: IpAddressFamily) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => IpSocketAddress::Ipv4(Ipv4SocketAddress {
            port: 0,
            address: (0, 0, 0, 0),
        }),
        IpAddressFamily::Ipv6 => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port: 0,
            flow_info: 0,
            address: (0, 0, 0, 0, 0, 0, 0, 0),
            scope_id: 0,
        }),
    }
}

//! Names to addresses, and what goes wrong with sockets of every kind.

use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::{instance_network, ip_name_lookup};

use crate::Error;
use crate::wait::Deadline;

/// Every address of `host`.
pub(crate) fn resolve(host: &str, deadline: Deadline) -> Result<Vec<IpAddress>, Error> {
    let translate = |code| match code {
        ErrorCode::NameUnresolvable | ErrorCode::PermanentResolverFailure => {
            Error::unresolved(host, "")
        }
        ErrorCode::TemporaryResolverFailure => {
            Error::unresolved(host, "the resolver gave no answer")
        }
        ErrorCode::AccessDenied => Error::Denied(format!("looking up {host}")),
        ErrorCode::InvalidArgument => Error::Invalid(format!("{host} is no host name")),
        other => failed(other),
    };
    let network = instance_network::instance_network();
    let stream = ip_name_lookup::resolve_addresses(&network, host).map_err(translate)?;
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => addresses.push(address),
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => deadline.wait(&stream.subscribe())?,
            Err(code) => return Err(translate(code)),
        }
    }
}

/// The address with its port, and of which family it is.
pub(crate) fn at_port(address: IpAddress, port: u16) -> (IpAddressFamily, IpSocketAddress) {
    match address {
        IpAddress::Ipv4(address) => {
            let address = Ipv4SocketAddress { port, address };
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(address))
        }
        IpAddress::Ipv6(address) => {
            let address = Ipv6SocketAddress {
                port,
                flow_info: 0,
                address,
                scope_id: 0,
            };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
        }
    }
}

/// The error that a socket's code stands for.
pub(crate) fn failed(code: ErrorCode) -> Error {
    match code {
        ErrorCode::ConnectionRefused => Error::Refused,
        ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted => Error::Closed,
        ErrorCode::RemoteUnreachable => Error::Unreachable,
        ErrorCode::Timeout => Error::TimedOut(None),
        ErrorCode::AccessDenied => Error::Denied("opening a socket".to_owned()),
        ErrorCode::OutOfMemory | ErrorCode::NewSocketLimit => {
            Error::Host(format!("the host's sockets: {}", code.message()))
        }
        other => Error::Failed(other.message().to_owned()),
    }
}

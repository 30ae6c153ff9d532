//! A socket for one echo: a datagram socket where the kernel allows it to
//! everyone, a raw one where this process may.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::icmp::packet::Family;

/// A socket that is connected to the one address that it talks to. To the
/// runtime every socket that sends and receives whole packets is a `UdpSocket`.
pub(super) struct EchoSocket {
    socket: UdpSocket,
}

impl EchoSocket {
    /// Opens one. The inner error says what would permit it. Must be called in a
    /// tokio runtime.
    pub(super) fn open(family: Family) -> io::Result<Result<Self, String>> {
        let socket = match permitted(family)? {
            Ok(socket) => socket,
            Err(why) => return Ok(Err(why)),
        };
        socket.set_nonblocking(true)?;
        let socket = std::net::UdpSocket::from(OwnedFd::from(socket));
        Ok(Ok(Self {
            socket: UdpSocket::from_std(socket)?,
        }))
    }

    pub(super) async fn connect(&self, address: IpAddr) -> io::Result<()> {
        self.socket.connect(SocketAddr::new(address, 0)).await
    }

    pub(super) async fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.socket.send(packet).await.map(drop)
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer).await
    }
}

/// A socket of either kind; the inner error says what would permit it.
pub(super) fn permitted(family: Family) -> io::Result<Result<Socket, String>> {
    let (domain, protocol) = match family {
        Family::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Family::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Err(error) if is_forbidden(&error) => {}
        opened => return opened.map(Ok),
    }
    match Socket::new(domain, Type::RAW, Some(protocol)) {
        Err(error) if is_forbidden(&error) => Ok(Err(remedy())),
        opened => opened.map(Ok),
    }
}

/// A group outside the kernel's range is answered by EACCES, a missing
/// capability by EPERM; a sandboxed kernel without datagram ICMP by
/// EPROTONOSUPPORT.
fn is_forbidden(error: &io::Error) -> bool {
    const EPROTONOSUPPORT: i32 = 93;
    error.kind() == io::ErrorKind::PermissionDenied || error.raw_os_error() == Some(EPROTONOSUPPORT)
}

/// What this machine lacks, and the command that would give it.
pub(super) fn remedy() -> String {
    let group = effective_group().map_or_else(
        || "this process's group".to_owned(),
        |group| format!("group {group}"),
    );
    format!(
        "net.ipv4.ping_group_range does not include {group} \
         (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\") and CAP_NET_RAW is missing"
    )
}

/// The second figure of the line `Gid:` is the effective one (proc(5)).
fn effective_group() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Gid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

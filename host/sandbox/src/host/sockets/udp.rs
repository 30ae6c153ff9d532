//! UDP: datagrams are counted, the rest is handed through.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{IpSocketAddress, Network};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    Host, HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, IncomingDatagram,
    IncomingDatagramStream, IpAddressFamily, OutgoingDatagram, OutgoingDatagramStream,
};
use wasmtime_wasi::p2::{DynPollable, SocketError, SocketResult, UdpSocket};

use super::Sockets;
use crate::host::Awaited;

type Socket = Resource<UdpSocket>;
type Incoming = Resource<IncomingDatagramStream>;
type Outgoing = Resource<OutgoingDatagramStream>;

impl Host for Sockets<'_> {}

impl HostIncomingDatagramStream for Sockets<'_> {
    fn receive(
        &mut self,
        stream: Incoming,
        max_results: u64,
    ) -> SocketResult<Vec<IncomingDatagram>> {
        let awaited = Awaited::Datagram(stream.rep());
        let datagrams = self.inner.receive(stream, max_results)?;
        if !datagrams.is_empty() {
            self.shared.settle_socket(awaited);
        }
        let bytes = datagrams.iter().map(|datagram| datagram.data.len()).sum();
        self.count(bytes).map_err(SocketError::trap)?;
        Ok(datagrams)
    }

    fn subscribe(&mut self, stream: Incoming) -> wasmtime::Result<Resource<DynPollable>> {
        self.shared.await_socket(Awaited::Datagram(stream.rep()));
        HostIncomingDatagramStream::subscribe(&mut self.inner, stream)
    }

    fn drop(&mut self, stream: Incoming) -> wasmtime::Result<()> {
        self.shared.settle_socket(Awaited::Datagram(stream.rep()));
        HostIncomingDatagramStream::drop(&mut self.inner, stream)
    }
}

impl HostOutgoingDatagramStream for Sockets<'_> {
    fn check_send(&mut self, stream: Outgoing) -> SocketResult<u64> {
        self.inner.check_send(stream)
    }

    fn send(&mut self, stream: Outgoing, datagrams: Vec<OutgoingDatagram>) -> SocketResult<u64> {
        let bytes = datagrams.iter().map(|datagram| datagram.data.len()).sum();
        self.count(bytes).map_err(SocketError::trap)?;
        self.inner.send(stream, datagrams)
    }

    fn subscribe(&mut self, stream: Outgoing) -> wasmtime::Result<Resource<DynPollable>> {
        HostOutgoingDatagramStream::subscribe(&mut self.inner, stream)
    }

    async fn drop(&mut self, stream: Outgoing) -> wasmtime::Result<()> {
        HostOutgoingDatagramStream::drop(&mut self.inner, stream).await
    }
}

impl HostUdpSocket for Sockets<'_> {
    async fn start_bind(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        HostUdpSocket::start_bind(&mut self.inner, socket, network, local_address).await
    }

    fn finish_bind(&mut self, socket: Socket) -> SocketResult<()> {
        HostUdpSocket::finish_bind(&mut self.inner, socket)
    }

    async fn stream(
        &mut self,
        socket: Socket,
        remote_address: Option<IpSocketAddress>,
    ) -> SocketResult<(Incoming, Outgoing)> {
        self.inner.stream(socket, remote_address).await
    }

    fn local_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        HostUdpSocket::local_address(&mut self.inner, socket)
    }

    fn remote_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        HostUdpSocket::remote_address(&mut self.inner, socket)
    }

    fn address_family(&mut self, socket: Socket) -> wasmtime::Result<IpAddressFamily> {
        HostUdpSocket::address_family(&mut self.inner, socket)
    }

    fn unicast_hop_limit(&mut self, socket: Socket) -> SocketResult<u8> {
        self.inner.unicast_hop_limit(socket)
    }

    fn set_unicast_hop_limit(&mut self, socket: Socket, value: u8) -> SocketResult<()> {
        self.inner.set_unicast_hop_limit(socket, value)
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        HostUdpSocket::receive_buffer_size(&mut self.inner, socket)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        HostUdpSocket::set_receive_buffer_size(&mut self.inner, socket, value)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        HostUdpSocket::send_buffer_size(&mut self.inner, socket)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        HostUdpSocket::set_send_buffer_size(&mut self.inner, socket, value)
    }

    fn subscribe(&mut self, socket: Socket) -> wasmtime::Result<Resource<DynPollable>> {
        HostUdpSocket::subscribe(&mut self.inner, socket)
    }

    fn drop(&mut self, socket: Socket) -> wasmtime::Result<()> {
        HostUdpSocket::drop(&mut self.inner, socket)
    }
}

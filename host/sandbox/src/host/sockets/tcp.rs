//! TCP: the streams of a connection are counted, the rest is handed through.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpSocketAddress, Network};
use wasmtime_wasi::p2::bindings::sockets::tcp::{
    Host, HostTcpSocket, IpAddressFamily, ShutdownType,
};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, InputStream, OutputStream, Pollable,
    SocketResult, StreamError, StreamResult, TcpSocket,
};

use super::{Sockets, count};
use crate::host::{Awaited, Shared};

type Socket = Resource<TcpSocket>;

impl Host for Sockets<'_> {}

impl HostTcpSocket for Sockets<'_> {
    fn start_connect(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        remote_address: IpSocketAddress,
    ) -> SocketResult<()> {
        let awaited = Awaited::Connect(socket.rep());
        self.inner.start_connect(socket, network, remote_address)?;
        self.shared.await_socket(awaited);
        Ok(())
    }

    fn finish_connect(
        &mut self,
        socket: Socket,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let rep = socket.rep();
        let (input, output) = match self.inner.finish_connect(socket) {
            Ok(streams) => streams,
            Err(error) => {
                if !matches!(error.downcast_ref(), Some(ErrorCode::WouldBlock)) {
                    self.shared.settle_socket(Awaited::Connect(rep));
                }
                return Err(error);
            }
        };
        self.shared.settle_socket(Awaited::Connect(rep));
        let parent = Resource::<TcpSocket>::new_borrow(rep);
        let input = self.inner.table.delete(input)?;
        let output = self.inner.table.delete(output)?;
        let shared = self.shared.clone();
        let input: DynInputStream = Box::new(Counted {
            stream: input,
            shared: shared.clone(),
        });
        let output: DynOutputStream = Box::new(Counted {
            stream: output,
            shared,
        });
        let input = self.inner.table.push_child(input, &parent)?;
        let output = self.inner.table.push_child(output, &parent)?;
        Ok((input, output))
    }

    fn drop(&mut self, socket: Socket) -> wasmtime::Result<()> {
        self.shared.settle_socket(Awaited::Connect(socket.rep()));
        HostTcpSocket::drop(&mut self.inner, socket)
    }

    // From here on as wasmtime-wasi has it.

    async fn start_bind(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        HostTcpSocket::start_bind(&mut self.inner, socket, network, local_address).await
    }

    fn finish_bind(&mut self, socket: Socket) -> SocketResult<()> {
        HostTcpSocket::finish_bind(&mut self.inner, socket)
    }

    async fn start_listen(&mut self, socket: Socket) -> SocketResult<()> {
        self.inner.start_listen(socket).await
    }

    fn finish_listen(&mut self, socket: Socket) -> SocketResult<()> {
        self.inner.finish_listen(socket)
    }

    fn accept(
        &mut self,
        socket: Socket,
    ) -> SocketResult<(Socket, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        self.inner.accept(socket)
    }

    fn local_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        HostTcpSocket::local_address(&mut self.inner, socket)
    }

    fn remote_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        HostTcpSocket::remote_address(&mut self.inner, socket)
    }

    fn is_listening(&mut self, socket: Socket) -> wasmtime::Result<bool> {
        self.inner.is_listening(socket)
    }

    fn address_family(&mut self, socket: Socket) -> wasmtime::Result<IpAddressFamily> {
        HostTcpSocket::address_family(&mut self.inner, socket)
    }

    fn set_listen_backlog_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.inner.set_listen_backlog_size(socket, value)
    }

    fn keep_alive_enabled(&mut self, socket: Socket) -> SocketResult<bool> {
        self.inner.keep_alive_enabled(socket)
    }

    fn set_keep_alive_enabled(&mut self, socket: Socket, value: bool) -> SocketResult<()> {
        self.inner.set_keep_alive_enabled(socket, value)
    }

    fn keep_alive_idle_time(&mut self, socket: Socket) -> SocketResult<u64> {
        self.inner.keep_alive_idle_time(socket)
    }

    fn set_keep_alive_idle_time(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.inner.set_keep_alive_idle_time(socket, value)
    }

    fn keep_alive_interval(&mut self, socket: Socket) -> SocketResult<u64> {
        self.inner.keep_alive_interval(socket)
    }

    fn set_keep_alive_interval(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.inner.set_keep_alive_interval(socket, value)
    }

    fn keep_alive_count(&mut self, socket: Socket) -> SocketResult<u32> {
        self.inner.keep_alive_count(socket)
    }

    fn set_keep_alive_count(&mut self, socket: Socket, value: u32) -> SocketResult<()> {
        self.inner.set_keep_alive_count(socket, value)
    }

    fn hop_limit(&mut self, socket: Socket) -> SocketResult<u8> {
        self.inner.hop_limit(socket)
    }

    fn set_hop_limit(&mut self, socket: Socket, value: u8) -> SocketResult<()> {
        self.inner.set_hop_limit(socket, value)
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        HostTcpSocket::receive_buffer_size(&mut self.inner, socket)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        HostTcpSocket::set_receive_buffer_size(&mut self.inner, socket, value)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        HostTcpSocket::send_buffer_size(&mut self.inner, socket)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        HostTcpSocket::set_send_buffer_size(&mut self.inner, socket, value)
    }

    fn subscribe(&mut self, socket: Socket) -> wasmtime::Result<Resource<DynPollable>> {
        HostTcpSocket::subscribe(&mut self.inner, socket)
    }

    fn shutdown(&mut self, socket: Socket, how: ShutdownType) -> SocketResult<()> {
        self.inner.shutdown(socket, how)
    }
}

/// One direction of a connection, its bytes counted.
struct Counted<S> {
    stream: S,
    shared: Arc<Shared>,
}

#[async_trait]
impl Pollable for Counted<DynInputStream> {
    async fn ready(&mut self) {
        let _waiting = self.shared.wait();
        self.stream.ready().await;
    }
}

#[async_trait]
impl InputStream for Counted<DynInputStream> {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.stream.read(size)?;
        count(&self.shared, bytes.len()).map_err(StreamError::Trap)?;
        Ok(bytes)
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[async_trait]
impl Pollable for Counted<DynOutputStream> {
    async fn ready(&mut self) {
        let _waiting = self.shared.wait();
        self.stream.ready().await;
    }
}

#[async_trait]
impl OutputStream for Counted<DynOutputStream> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        count(&self.shared, bytes.len()).map_err(StreamError::Trap)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.stream.check_write()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

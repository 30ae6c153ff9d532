//! `wasi:sockets/tcp` and `udp` with a gate: connecting only, to what the gate
//! permits; bytes counted; waiting known.

mod tcp;
mod udp;

use std::future::{Future, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::SocketError;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, HostNetwork, Network};
use wasmtime_wasi::p2::bindings::sockets::{tcp as tcp_interface, udp as udp_interface};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtxView};

use crate::description::Capability;
use crate::host::{Host, Shared};
use crate::limits::LimitHit;

/// Links the interfaces, over wasmtime-wasi's.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    tcp_interface::add_to_linker::<Host, HasSockets>(linker, view)?;
    udp_interface::add_to_linker::<Host, HasSockets>(linker, view)
}

/// What wasmtime-wasi asks before a socket does anything: whether it may.
pub(super) fn check(
    shared: Arc<Shared>,
) -> impl Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>>
+ Send
+ Sync
+ 'static {
    move |address, what| Box::pin(ready(may(&shared, address, what)))
}

fn may(shared: &Shared, address: SocketAddr, what: SocketAddrUse) -> bool {
    match what {
        // Every connect and every first datagram binds implicitly.
        SocketAddrUse::TcpBind => {
            shared.asked(Capability::Tcp).is_ok() && is_unbound(shared, address)
        }
        SocketAddrUse::UdpBind => {
            shared.asked(Capability::Udp).is_ok()
                && is_unbound(shared, address)
                && shared.gate.count_connection().is_ok()
        }
        SocketAddrUse::TcpConnect => {
            shared.asked(Capability::Tcp).is_ok()
                && is_permitted(shared, address, "tcp")
                && shared.gate.count_connection().is_ok()
        }
        SocketAddrUse::UdpSend => {
            shared.asked(Capability::Udp).is_ok() && is_permitted(shared, address, "udp")
        }
        // A stranger's datagram is no fault of the guest.
        SocketAddrUse::UdpReceive => shared.gate.permits(address).is_ok(),
        SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
            shared.deny("no plugin may listen: it connects, or does not");
            false
        }
    }
}

fn is_unbound(shared: &Shared, address: SocketAddr) -> bool {
    let unbound = address.ip().is_unspecified() && address.port() == 0;
    if !unbound {
        shared.deny(&format!(
            "no plugin may choose its own address, as {address}"
        ));
    }
    unbound
}

fn is_permitted(shared: &Shared, address: SocketAddr, kind: &str) -> bool {
    match shared.gate.permits(address) {
        Ok(()) => true,
        Err(denied) => {
            let why = shared.refused(&denied);
            shared.called(format_args!("{kind} {address}"), Instant::now(), &why);
            false
        }
    }
}

fn view(host: &mut Host) -> Sockets<'_> {
    Sockets {
        shared: &host.shared,
        inner: WasiSocketsCtxView {
            ctx: host.wasi.sockets(),
            table: &mut host.table,
        },
    }
}

struct HasSockets;

impl HasData for HasSockets {
    type Data<'a> = Sockets<'a>;
}

/// wasmtime-wasi's sockets, watched.
struct Sockets<'a> {
    shared: &'a Arc<Shared>,
    inner: WasiSocketsCtxView<'a>,
}

impl network::Host for Sockets<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.inner.network_error_code(error)
    }
}

impl HostNetwork for Sockets<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        HostNetwork::drop(&mut self.inner, network)
    }
}

impl Sockets<'_> {
    /// Counts bytes; the limit, if that was too many.
    fn count(&self, bytes: usize) -> wasmtime::Result<()> {
        count(self.shared, bytes)
    }
}

fn count(shared: &Shared, bytes: usize) -> wasmtime::Result<()> {
    if shared.gate.count_traffic(bytes).is_ok() {
        return Ok(());
    }
    // Ended here rather than by an error that the guest may take for the target's.
    Err(shared
        .limit_hit()
        .unwrap_or(LimitHit::Fixed("sent and received too much"))
        .into())
}

//! `wasi:sockets/ip-name-lookup` with a gate: granted names only, each answer
//! pinned, so that a socket can go nowhere else.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, HostNetwork, IpAddress, Network,
};
use wasmtime_wasi::p2::{DynPollable, Pollable, SocketError, subscribe};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use watchkeeper_egress::gate::DialError;

use crate::description::Capability;
use crate::host::{Host, Shared, Waiting};

/// Links the interface, over wasmtime-wasi's.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    ip_name_lookup::add_to_linker::<Host, HasNames>(linker, |host| Names {
        shared: &host.shared,
        table: &mut host.table,
    })
}

struct HasNames;

impl HasData for HasNames {
    type Data<'a> = Names<'a>;
}

struct Names<'a> {
    shared: &'a Arc<Shared>,
    table: &'a mut ResourceTable,
}

/// A look-up. It stands in the resource table where the interface's type would:
/// that one cannot be made outside wasmtime-wasi, and only functions of this file
/// ever open it.
enum Lookup {
    Asked(
        AbortOnDropJoinHandle<Result<Vec<IpAddr>, ErrorCode>>,
        #[expect(dead_code, reason = "held")] Waiting,
    ),
    Answered(std::vec::IntoIter<IpAddr>),
    Failed(ErrorCode),
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        if let Self::Asked(answer, _) = self {
            *self = match answer.await {
                Ok(addresses) => Self::Answered(addresses.into_iter()),
                Err(code) => Self::Failed(code),
            };
        }
    }
}

fn ours(stream: &Resource<ResolveAddressStream>) -> Resource<Lookup> {
    Resource::new_borrow(stream.rep())
}

impl ip_name_lookup::Host for Names<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        self.table.get(&network)?;
        // Both kinds of socket need names; a plugin that asks for neither is told
        // that it lacks the more usual one.
        if !self.shared.asks.contains(Capability::Udp) {
            self.shared
                .asked(Capability::Tcp)
                .map_err(|_denied| ErrorCode::AccessDenied)?;
        }
        let shared = self.shared.clone();
        let waiting = shared.wait();
        let answer = spawn(async move {
            let began = Instant::now();
            let answer = shared.gate.resolve(&name, shared.timeout).await;
            match &answer {
                Ok(addresses) => {
                    shared.called(
                        format_args!("look up {name}"),
                        began,
                        &format!("{addresses:?}"),
                    );
                }
                Err(error) => {
                    shared.called(format_args!("look up {name}"), began, &error.to_string());
                }
            }
            answer.map_err(|error| match error {
                DialError::Denied(denied) => {
                    shared.refused(&denied);
                    ErrorCode::AccessDenied
                }
                DialError::TimedOut(_) => ErrorCode::TemporaryResolverFailure,
                DialError::Limit(_) => ErrorCode::NewSocketLimit,
                _ => ErrorCode::NameUnresolvable,
            })
        });
        let stream = self.table.push(Lookup::Asked(answer, waiting))?;
        Ok(Resource::new_own(stream.rep()))
    }
}

impl network::Host for Names<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        Ok(error.downcast_ref::<std::io::Error>().map(ErrorCode::from))
    }
}

impl HostNetwork for Names<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl HostResolveAddressStream for Names<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        let lookup = self.table.get_mut(&ours(&stream))?;
        // A guest that asks again and again instead of waiting gets its answer too.
        wasmtime_wasi::runtime::poll_noop(std::pin::pin!(lookup.ready()));
        match lookup {
            Lookup::Asked(..) => Err(ErrorCode::WouldBlock.into()),
            Lookup::Answered(addresses) => Ok(addresses.next().map(Into::into)),
            Lookup::Failed(code) => Err((*code).into()),
        }
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, ours(&stream))
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.table
            .delete(Resource::<Lookup>::new_own(stream.rep()))?;
        Ok(())
    }
}

//! TLS connections that the host holds for a guest.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::Resource;
use watchkeeper_egress::tls::{Session, TlsError};

pub(crate) use watchkeeper_egress::tls::{Connection, Verify};

use crate::description::Capability;
use crate::host::{Host, Shared};

/// Why there is no connection, or why it ended: the contract's words.
#[derive(Debug)]
pub(crate) enum Error {
    Denied(String),
    Unresolved(String),
    Refused(String),
    TimedOut,
    Handshake(String),
    Closed,
    Failed(String),
}

impl Error {
    fn of(shared: &Shared, error: TlsError) -> Self {
        match error {
            TlsError::Denied(denied) => Self::Denied(shared.refused(&denied)),
            TlsError::Unresolved(why) => Self::Unresolved(why),
            TlsError::Refused => Self::Refused(TlsError::Refused.to_string()),
            TlsError::TimedOut(_) => Self::TimedOut,
            TlsError::Handshake(why) => Self::Handshake(why),
            TlsError::Closed => Self::Closed,
            TlsError::Failed(why) => Self::Failed(why),
            TlsError::Limit(limit) => Self::Failed(TlsError::Limit(limit).to_string()),
        }
    }
}

impl Host {
    pub(crate) async fn tls_connect(
        &mut self,
        host: String,
        port: u16,
        timeout: Duration,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        if let Err(denied) = self.asked(Capability::Tls) {
            return Ok(Err(Error::Denied(denied)));
        }
        let shared = self.shared.clone();
        let (began, waiting) = (Instant::now(), shared.wait());
        let timeout = shared.at_most(timeout);
        let opened = Connection::connect(&shared.gate, &host, port, timeout).await;
        drop(waiting);
        let outcome = told(&shared, opened);
        shared.called(
            format_args!("tls connect {host}:{port}"),
            began,
            in_short(&outcome),
        );
        match outcome {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    pub(crate) async fn tls_start(
        &mut self,
        connection: &Resource<Connection>,
        server_name: String,
        alpn: Vec<String>,
        verify: Verify,
        timeout: Duration,
    ) -> wasmtime::Result<Result<Session, Error>> {
        let shared = self.shared.clone();
        let connection = self.table.get_mut(connection)?;
        let (began, waiting) = (Instant::now(), shared.wait());
        let alpn: Vec<&str> = alpn.iter().map(String::as_str).collect();
        let timeout = shared.at_most(timeout);
        let session = connection
            .start_tls(&server_name, &alpn, verify, timeout)
            .await;
        drop(waiting);
        let session = told(&shared, session);
        shared.called(
            format_args!("tls start {server_name}"),
            began,
            in_short(&session),
        );
        Ok(session)
    }

    pub(crate) async fn tls_read(
        &mut self,
        connection: &Resource<Connection>,
        max: u32,
        timeout: Duration,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let shared = self.shared.clone();
        let connection = self.table.get_mut(connection)?;
        let waiting = shared.wait();
        let read = connection.read(max, shared.at_most(timeout)).await;
        drop(waiting);
        Ok(told(&shared, read))
    }

    pub(crate) async fn tls_write(
        &mut self,
        connection: &Resource<Connection>,
        bytes: &[u8],
        timeout: Duration,
    ) -> wasmtime::Result<Result<(), Error>> {
        let shared = self.shared.clone();
        let connection = self.table.get_mut(connection)?;
        let waiting = shared.wait();
        let written = connection.write(bytes, shared.at_most(timeout)).await;
        drop(waiting);
        Ok(told(&shared, written))
    }

    pub(crate) fn tls_close(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn told<T>(shared: &Arc<Shared>, result: Result<T, TlsError>) -> Result<T, Error> {
    result.map_err(|error| Error::of(shared, error))
}

fn in_short<T>(result: &Result<T, Error>) -> &str {
    match result {
        Ok(_) => "done",
        Err(Error::TimedOut) => "timed out",
        Err(Error::Closed) => "closed",
        Err(
            Error::Denied(why)
            | Error::Unresolved(why)
            | Error::Refused(why)
            | Error::Handshake(why)
            | Error::Failed(why),
        ) => why,
    }
}

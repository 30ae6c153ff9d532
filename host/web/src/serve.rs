//! The listener: how many may connect, how long they may take, and how it ends.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

/// What clients may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are open at once. Who comes later waits in the
    /// listener's queue until one closes.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request, and how long a
    /// connection may stay open without one.
    pub header_timeout: Duration,
    /// How long a client may take nothing of an answer.
    pub stall_timeout: Duration,
    /// How long answers under way may go on once the server was asked to stop.
    pub drain: Duration,
}

/// The connection that a request came by.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Who is at its other end: a client, or a proxy.
    pub(crate) peer: SocketAddr,
    /// Cancelled when the server is asked to stop.
    pub(crate) closing: CancellationToken,
}

/// The most that the head of a request may hold, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// How long to wait after the system refused a connection for lack of something,
/// which is a file descriptor most of the time.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

impl Default for Limits {
    /// 4,096 connections, 10 s for a head, 30 s without progress, 5 s to drain.
    fn default() -> Self {
        Self {
            max_connections: 4096,
            header_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}

/// Answers what comes in at `listener` until `shutdown` resolves. Then it takes no
/// more connections, ends live events, lets other answers end within
/// [`Limits::drain`], and returns.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
    limits: Limits,
) {
    let closing = CancellationToken::new();
    let free = Arc::new(Semaphore::new(limits.max_connections));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &free) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else {
            break;
        };
        let connection = Connection {
            peer,
            closing: closing.clone(),
        };
        let answering = answer(stream, router.clone(), connection, limits);
        connections.spawn(async move {
            answering.await;
            drop(permit);
        });
    }
    closing.cancel();
    drop(listener);
    let drained = timeout(limits.drain, async {
        while connections.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "answers were cut off at the end"
        );
        connections.shutdown().await;
    }
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(free).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, permit)),
            // The client left while it waited: that concerns nobody.
            Err(problem) if is_of_the_client(&problem) => {}
            Err(problem) => {
                tracing::warn!(%problem, "a connection could not be accepted");
                sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(problem: &io::Error) -> bool {
    matches!(
        problem.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Answers the requests of one connection.
async fn answer(stream: TcpStream, router: Router, connection: Connection, limits: Limits) {
    // An answer is written at once; waiting for more to send would delay it.
    if let Err(problem) = stream.set_nodelay(true) {
        tracing::debug!(%problem, "a connection closed before it was answered");
        return;
    }
    let closing = connection.closing.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        router.clone().call(request)
    });
    let io = TokioIo::new(Patient {
        stream,
        patience: limits.stall_timeout,
        stalled: None,
    });
    let mut serving = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(MAX_HEAD)
            .serve_connection(io, service)
    );
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = closing.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(problem) = served {
        tracing::debug!(%problem, "a connection broke off");
    }
}

/// A stream whose writes fail when the other end has taken nothing for too long.
struct Patient {
    stream: TcpStream,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// Watches how long a write waits.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(self.patience)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

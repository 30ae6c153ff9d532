//! One listening socket with its connections: opened, and closed as a whole.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::payload::Payload;

/// Connections that one listener serves at a time. Beyond it new ones wait in
/// the kernel's backlog, as they would before an overloaded server.
const MAX_CONNECTIONS: usize = 4096;

/// A bound port and a task for it. Dropping it closes the port and every
/// connection soon after; [`Listening::close`] waits until that is done.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Binds `address` and hands each accepted connection to `serve`.
    pub(crate) async fn open<F, C>(address: SocketAddr, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> C + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        Self::accept_from(listener, serve)
    }

    /// As [`Listening::open`], on a socket that is bound already.
    pub(crate) fn accept_from<F, C>(listener: TcpListener, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> C + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, stopped, serve));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Where it listens, with the port that the kernel chose if 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and every connection, and returns when that is done.
    pub(crate) async fn close(self) {
        drop(self.stop);
        // The task has no way to fail but by a panic, which has been printed.
        drop(self.task.await);
    }
}

async fn accept<F, C>(listener: TcpListener, mut stopped: oneshot::Receiver<()>, serve: F)
where
    F: Fn(TcpStream) -> C,
    C: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream));
                }
                // Out of descriptors, or the peer has gone already: neither ends the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// What an HTTP service does with a request.
pub(crate) enum Reply {
    /// Answers it.
    Answer(Response<Payload>),
    /// Never answers it; the client has to give up.
    Hang,
    /// Ends the connection with a TCP reset.
    Reset,
}

/// Serves HTTP/1.1 on one connection until either side closes it. `socket` is the
/// TCP socket below `stream`; resets go through it.
pub(crate) async fn serve_http<S, F, R>(stream: S, socket: Option<socket2::Socket>, reply: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> R + Send + Sync,
    R: Future<Output = Reply> + Send,
{
    let reset = tokio::sync::Notify::new();
    let service = service_fn(|request| {
        let reply = reply(request);
        let reset = &reset;
        async move {
            match reply.await {
                Reply::Answer(response) => return Ok::<_, io::Error>(response),
                Reply::Hang => {}
                Reply::Reset => reset.notify_one(),
            }
            std::future::pending().await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // What breaks a connection here is the client's doing or the fault that was asked for.
        _ = connection => {}
        () = reset.notified() => {
            if let Some(socket) = socket {
                // Closing with a linger of zero sends RST instead of FIN. Where the option
                // is refused the client still sees the connection end without an answer.
                drop(socket.set_linger(Some(Duration::ZERO)));
            }
        }
    }
}

/// A second handle on the socket of `stream`, which outlives the stream's owner.
pub(crate) fn second_handle(stream: &TcpStream) -> Option<socket2::Socket> {
    SockRef::from(stream).try_clone().ok()
}

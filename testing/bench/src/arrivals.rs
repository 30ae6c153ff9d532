//! A target that notes when each monitor's check arrived: the only witness of when
//! checks really begin.
//!
//! It is on a thread of its own and does as little as it can, so that thousands of
//! connections stay open at a time without a limit of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// Connections that may wait to be taken: a second's worth of the largest fleet.
const BACKLOG: u32 = 4_096;

/// The largest request, in bytes.
const LARGEST_REQUEST: usize = 4 << 10;

/// How long a client may take for its request.
const PATIENCE: Duration = Duration::from_secs(30);

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The number in its path: `/m/17`.
    pub(crate) monitor: usize,
    /// When the request was here.
    pub(crate) at: Instant,
}

/// The target. It ends when it is dropped.
pub(crate) struct Witness {
    address: SocketAddr,
    log: Log,
    _stop: oneshot::Sender<()>,
}

type Log = Arc<Mutex<Vec<Arrival>>>;

impl Witness {
    /// Listens on a port that the kernel chooses and answers after `delay`.
    pub(crate) fn start(delay: Duration) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _within = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        let log = Log::default();
        let (stop, stopped) = oneshot::channel();
        let written = Arc::clone(&log);
        std::thread::Builder::new()
            .name("witness".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, delay, &written) => {}
                        // Dropped with its owner.
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            log,
            _stop: stop,
        })
    }

    /// The address of the target of monitor `number`.
    pub(crate) fn url(&self, number: usize) -> String {
        format!("http://{}/m/{number}", self.address)
    }

    /// What has arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn accept(listener: TcpListener, delay: Duration, log: &Log) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let log = Arc::clone(log);
                // What breaks a connection here is the client's doing.
                tokio::spawn(async move { drop(serve(stream, delay, &log).await) });
            }
            // Out of descriptors: the host sees it as targets that do not answer.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(mut stream: TcpStream, delay: Duration, log: &Log) -> io::Result<()> {
    let mut request = Vec::with_capacity(512);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > LARGEST_REQUEST {
            return Ok(());
        }
        if timeout(PATIENCE, stream.read_buf(&mut request)).await?? == 0 {
            return Ok(());
        }
    }
    let at = Instant::now();
    if let Some(monitor) = number(&request) {
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arrival { monitor, at });
    }
    drop(request);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    stream.write_all(ANSWER).await?;
    stream.shutdown().await
}

/// The monitor in `GET /m/17 HTTP/1.1`.
fn number(request: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(request).ok()?.lines().next()?;
    let path = line.split(' ').nth(1)?;
    path.strip_prefix("/m/")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;

    #[tokio::test]
    async fn notes_who_came() {
        let witness = Witness::start(Duration::ZERO).unwrap();
        for number in [17, 4, 17] {
            assert_eq!(client::get_text(&witness.url(number)).await.unwrap(), "ok");
        }
        let came: Vec<usize> = witness
            .take()
            .iter()
            .map(|arrival| arrival.monitor)
            .collect();
        assert_eq!(came, [17, 4, 17]);
        assert_eq!(witness.take(), []);
    }
}

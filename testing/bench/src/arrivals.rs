//! A target that notes when each monitor's check arrived: the only witness of when
//! checks really begin. It can be told to ail for some of them.
//!
//! It is on a thread of its own and does as little as it can, so that thousands of
//! connections stay open at a time without a limit of its own.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

const AILING: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";

/// What a plugin that was changed for a benchmark sends as its user agent, instead of
/// `Watchkeeper/` and a version.
pub(crate) const MARK: &[u8] = b"Watchkeepe2/";

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The number in its path: `/m/17`.
    pub(crate) monitor: usize,
    /// When the request was here.
    pub(crate) at: Instant,
    /// Whether it ails: the answer was 503.
    pub(crate) ails: bool,
    /// Whether it bears the [`MARK`].
    pub(crate) is_marked: bool,
}

/// The target. It ends when it is dropped.
pub(crate) struct Witness {
    address: SocketAddr,
    log: Log,
    ailing: Ailing,
    _stop: oneshot::Sender<()>,
}

type Log = Arc<Mutex<Vec<Arrival>>>;

/// The numbers of monitors whose target ails.
type Ailing = Arc<Mutex<HashSet<usize>>>;

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
        let ailing = Ailing::default();
        let (written, known) = (Arc::clone(&log), Arc::clone(&ailing));
        std::thread::Builder::new()
            .name("witness".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, delay, &written, &known) => {}
                        // Dropped with its owner.
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            log,
            ailing,
            _stop: stop,
        })
    }

    /// The address of the target of monitor `number`.
    pub(crate) fn url(&self, number: usize) -> String {
        format!("http://{}/m/{number}", self.address)
    }

    /// These ail from now on, and no others.
    pub(crate) fn ail(&self, monitors: impl IntoIterator<Item = usize>) {
        *locked(&self.ailing) = monitors.into_iter().collect();
    }

    /// What has arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *locked(&self.log))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, delay: Duration, log: &Log, ailing: &Ailing) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (log, ailing) = (Arc::clone(log), Arc::clone(ailing));
                // What breaks a connection here is the client's doing.
                tokio::spawn(async move { drop(serve(stream, delay, &log, &ailing).await) });
            }
            // Out of descriptors: the host sees it as targets that do not answer.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    delay: Duration,
    log: &Log,
    ailing: &Ailing,
) -> io::Result<()> {
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
    let mut ails = false;
    if let Some(monitor) = number(&request) {
        ails = locked(ailing).contains(&monitor);
        let is_marked = request.windows(MARK.len()).any(|part| part == MARK);
        locked(log).push(Arrival {
            monitor,
            at,
            ails,
            is_marked,
        });
    }
    drop(request);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    stream.write_all(if ails { AILING } else { ANSWER }).await?;
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

    #[tokio::test]
    async fn ails_for_whom_it_is_told_to() {
        let witness = Witness::start(Duration::ZERO).unwrap();
        witness.ail([4]);
        assert!(client::get_text(&witness.url(4)).await.is_err());
        assert!(client::get_text(&witness.url(5)).await.is_ok());
        witness.ail([]);
        assert!(client::get_text(&witness.url(4)).await.is_ok());
        let ailed: Vec<bool> = witness.take().iter().map(|each| each.ails).collect();
        assert_eq!(ailed, [true, false, false]);
    }
}

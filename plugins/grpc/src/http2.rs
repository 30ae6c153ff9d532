//! One request over HTTP/2. The protocol is h2's; here are the bytes that it wants
//! moved, and the waiting, of which it has none: a guest has one thread, and blocks
//! when nothing is left to do.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Task, Poll, Wake, Waker};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::Stream;

/// The most bytes that are taken of a server. A health's answer has some hundred.
const MOST_BYTES: usize = 256 * 1024;

/// The most bytes of headers, unpacked.
const MOST_HEADERS: u32 = 16 * 1024;

/// The most bytes of an answer's body.
const MOST_BODY: usize = 64 * 1024;

/// How much is read at once.
const PIECE: usize = 8 * 1024;

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Empty where there are none.
    pub(crate) trailers: HeaderMap,
}

/// Sends a request and waits for the whole answer.
pub(crate) fn call<S: Stream>(
    stream: &S,
    request: Request<()>,
    body: Bytes,
) -> Result<Answer, Error> {
    let pipe = Pipe::default();
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(u32::try_from(MOST_BODY).unwrap_or(u32::MAX))
        .max_header_list_size(MOST_HEADERS);
    let wire = Wire(pipe.clone());
    let pump = Pump { stream, pipe };
    let handshake = async {
        let made = builder.handshake::<_, Bytes>(wire).await;
        made.map_err(|error| translate(&error))
    };
    let (client, mut connection) = pump.run(pin!(handshake), &mut Idle)?;
    pump.run(pin!(exchange(client, request, body)), &mut connection)
}

async fn exchange(
    client: SendRequest<Bytes>,
    request: Request<()>,
    body: Bytes,
) -> Result<Answer, Error> {
    let mut client = client.ready().await.map_err(|error| translate(&error))?;
    let (response, mut sender) = client
        .send_request(request, false)
        .map_err(|error| translate(&error))?;
    sender
        .send_data(body, true)
        .map_err(|error| translate(&error))?;
    let response = response.await.map_err(|error| translate(&error))?;
    let (parts, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.map_err(|error| translate(&error))?;
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BODY {
            return Err(wrong(format!("answers with more than {MOST_BODY} bytes")));
        }
        stream
            .flow_control()
            .release_capacity(chunk.len())
            .map_err(|error| translate(&error))?;
    }
    let trailers = stream.trailers().await.map_err(|error| translate(&error))?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body,
        trailers: trailers.unwrap_or_default(),
    })
}

/// A server that says what it should not: dead.
pub(crate) fn wrong(why: impl Into<String>) -> Error {
    Error::Malformed(why.into())
}

fn translate(error: &h2::Error) -> Error {
    let reason = error
        .reason()
        .map(|reason| reason.description().to_owned())
        .unwrap_or_default();
    if error.is_io() {
        return Error::Closed;
    }
    if error.is_remote() && error.is_go_away() {
        return wrong(format!("ends the connection: {reason}"));
    }
    if error.is_remote() && error.is_reset() {
        return wrong(format!("ends the request: {reason}"));
    }
    wrong(format!("does not speak HTTP/2: {error}"))
}

/// What works beside the request: the connection, and nothing before there is one.
trait Beside {
    fn go_on(&mut self, task: &mut Task<'_>) -> Poll<Result<(), h2::Error>>;
}

struct Idle;

impl Beside for Idle {
    fn go_on(&mut self, _: &mut Task<'_>) -> Poll<Result<(), h2::Error>> {
        Poll::Pending
    }
}

impl Beside for h2::client::Connection<Wire, Bytes> {
    fn go_on(&mut self, task: &mut Task<'_>) -> Poll<Result<(), h2::Error>> {
        Pin::new(self).poll(task)
    }
}

/// Moves bytes between the network and a pipe whenever nothing else can go on.
struct Pump<'a, S> {
    stream: &'a S,
    pipe: Pipe,
}

impl<S: Stream> Pump<'_, S> {
    /// Drives `work` to its end, with `beside` beside it.
    fn run<T>(
        &self,
        mut work: Pin<&mut impl Future<Output = Result<T, Error>>>,
        beside: &mut impl Beside,
    ) -> Result<T, Error> {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let mut task = Task::from_waker(&waker);
        loop {
            bell.rings.store(false, Ordering::Relaxed);
            let done = work.as_mut().poll(&mut task);
            let ended = beside.go_on(&mut task);
            self.flush(done.is_ready())?;
            if let Poll::Ready(answer) = done {
                return answer;
            }
            if bell.rings.load(Ordering::Relaxed) {
                continue;
            }
            match ended {
                Poll::Ready(Err(error)) => return Err(translate(&error)),
                Poll::Ready(Ok(())) => return Err(Error::Closed),
                Poll::Pending => self.fill()?,
            }
        }
    }

    fn flush(&self, is_done: bool) -> Result<(), Error> {
        let outgoing = std::mem::take(&mut open(&self.pipe).outgoing);
        if outgoing.is_empty() {
            return Ok(());
        }
        match self.stream.write(&outgoing) {
            // An acknowledgement that nobody waits for any more.
            Err(_) if is_done => Ok(()),
            written => written,
        }
    }

    fn fill(&self) -> Result<(), Error> {
        if open(&self.pipe).is_at_end {
            return Err(Error::Closed);
        }
        let bytes = self.stream.read(PIECE)?;
        let mut pipe = open(&self.pipe);
        pipe.is_at_end = bytes.is_empty();
        pipe.taken += bytes.len();
        if pipe.taken > MOST_BYTES {
            return Err(wrong(format!("sends more than {MOST_BYTES} bytes")));
        }
        pipe.incoming.extend(bytes);
        Ok(())
    }
}

/// Whether somebody asked to be looked at again.
#[derive(Default)]
struct Bell {
    rings: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.store(true, Ordering::Relaxed);
    }
}

type Pipe = Arc<Mutex<Waiting>>;

/// Bytes that came and were not looked at yet, and bytes to be sent.
#[derive(Default)]
struct Waiting {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    is_at_end: bool,
    taken: usize,
}

fn open(pipe: &Pipe) -> MutexGuard<'_, Waiting> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of a pipe that h2 holds.
struct Wire(Pipe);

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = open(&self.0);
        if pipe.incoming.is_empty() {
            return if pipe.is_at_end {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        let count = buffer.remaining().min(pipe.incoming.len());
        let rest = pipe.incoming.split_off(count);
        buffer.put_slice(&std::mem::replace(&mut pipe.incoming, rest));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        open(&self.0).outgoing.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A server that says what it is told to, piece by piece, and does not listen.
    struct Script(RefCell<std::vec::IntoIter<Vec<u8>>>);

    impl Stream for Script {
        fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
            let piece = self.0.borrow_mut().next().unwrap_or_default();
            assert!(piece.len() <= max);
            Ok(piece)
        }

        fn write(&self, _: &[u8]) -> Result<(), Error> {
            Ok(())
        }
    }

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [kind, flags, 0, 0, 0, stream];
        [&length[1..], &head, payload].concat()
    }

    fn settings() -> Vec<u8> {
        frame(4, 0, 0, &[])
    }

    /// `:status: 200` of the static table, and headers written out.
    fn headers(flags: u8, status: &[u8], headers: &[(&str, &str)]) -> Vec<u8> {
        let mut block = status.to_vec();
        for (name, value) in headers {
            block.push(0);
            for text in [name, value] {
                block.push(u8::try_from(text.len()).unwrap());
                block.extend(text.as_bytes());
            }
        }
        frame(1, flags | 4, 1, &block)
    }

    fn meet(pieces: Vec<Vec<u8>>) -> Result<Answer, String> {
        let script = Script(RefCell::new(pieces.into_iter()));
        let request = Request::post("http://a.test/x").body(()).unwrap();
        call(&script, request, Bytes::from_static(b"question")).map_err(|error| error.to_string())
    }

    #[test]
    fn an_answer_comes_whole_however_it_is_cut() {
        let all = [
            settings(),
            frame(6, 0, 0, &[7; 8]),
            headers(0, &[0x88], &[("content-type", "application/grpc")]),
            frame(0, 0, 1, b"he"),
            frame(0, 0, 1, b"llo"),
            headers(1, &[], &[("grpc-status", "0")]),
        ]
        .concat();
        for size in [1, 5, 100] {
            let pieces = all.chunks(size).map(<[u8]>::to_vec).collect();
            let answer = meet(pieces).unwrap();
            assert_eq!(answer.status, 200);
            assert_eq!(answer.headers["content-type"], "application/grpc");
            assert_eq!(answer.body, b"hello");
            assert_eq!(answer.trailers["grpc-status"], "0");
        }
        let bare = meet(vec![settings(), headers(1, &[0x88], &[])]).unwrap();
        assert!(bare.body.is_empty() && bare.trailers.is_empty());
    }

    #[test]
    fn what_ends_before_is_told() {
        let started = || [settings(), headers(0, &[0x88], &[])].concat();
        let closed = "connection closed before the answer was complete";
        let go_away = frame(7, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0x0b]);
        for (pieces, expected) in [
            (vec![], closed),
            (vec![settings()], closed),
            (vec![started()], closed),
            (
                vec![started(), frame(3, 0, 1, &[0, 0, 0, 2])],
                "ends the request: unexpected internal error encountered",
            ),
            (
                vec![settings(), go_away],
                "ends the connection: detected excessive load generating behavior",
            ),
            (
                vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()],
                "does not speak HTTP/2: ",
            ),
            (
                vec![frame(0, 0, 1, b"data before settings")],
                "does not speak HTTP/2: ",
            ),
        ] {
            let why = meet(pieces).unwrap_err();
            assert!(why.starts_with(expected), "{why}");
        }
    }

    #[test]
    fn what_never_ends_is_cut_off() {
        let pings = vec![frame(6, 0, 0, &[0; 8]).repeat(100); 10_000];
        let endless = std::iter::once(settings()).chain(pings).collect();
        let why = meet(endless).unwrap_err();
        assert_eq!(why, "sends more than 262144 bytes");
        let chunk = frame(0, 0, 1, &[0; 8000]);
        let mut big = vec![[settings(), headers(0, &[0x88], &[])].concat()];
        big.extend(vec![chunk; 20]);
        assert_eq!(meet(big).unwrap_err(), "answers with more than 65536 bytes");
    }
}

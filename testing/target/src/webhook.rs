//! A receiver of webhooks: records what arrives, answers what it was told to.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::listening::{Listening, Reply, second_handle, serve_http};
use crate::payload::text;

/// The largest body that is recorded, in bytes. More is answered with 413 and not recorded.
const LARGEST_BODY: usize = 1 << 20;

/// Requests kept at a time; the oldest go first.
const KEPT: usize = 10_000;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its place in the order of arrival, from 0.
    pub number: u64,
    /// When its last byte was here.
    pub at: Instant,
    /// `POST`, as a rule.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Received {
    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
    }

    /// The first value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What the receiver answers to one request. The request is recorded whatever the answer is.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    delay: Duration,
    ending: Ending,
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Response,
    Hang,
    Reset,
}

impl Answer {
    /// 200, `ok`, at once.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// This status. Codes outside 200-599 are answered as 500.
    pub fn status(code: u16) -> Self {
        let status = StatusCode::from_u16(code)
            .ok()
            .filter(|status| (200..600).contains(&status.as_u16()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from_static(status.canonical_reason().unwrap_or("").as_bytes()),
            delay: Duration::ZERO,
            ending: Ending::Response,
        }
    }

    /// No answer, ever.
    pub fn hang() -> Self {
        Self {
            ending: Ending::Hang,
            ..Self::ok()
        }
    }

    /// A TCP reset.
    pub fn reset() -> Self {
        Self {
            ending: Ending::Reset,
            ..Self::ok()
        }
    }

    /// With this header as well, such as `retry-after`.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a test writes valid header values");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Only after this time.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// A server that takes webhooks on every path.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    listening: Option<Listening>,
    book: Arc<Book>,
}

#[derive(Debug)]
struct Book {
    entries: Mutex<Entries>,
    /// How many requests have arrived.
    count: watch::Sender<u64>,
}

#[derive(Debug)]
struct Entries {
    received: VecDeque<Received>,
    arrived: u64,
    answers: VecDeque<Answer>,
    /// By path, without the query.
    routes: BTreeMap<String, Answer>,
    otherwise: Answer,
}

impl Receiver {
    /// Listens on `address`; port 0 lets the kernel choose. Answers 200 until told otherwise.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let entries = Entries {
            received: VecDeque::new(),
            arrived: 0,
            answers: VecDeque::new(),
            routes: BTreeMap::new(),
            otherwise: Answer::ok(),
        };
        let book = Arc::new(Book {
            entries: Mutex::new(entries),
            count: watch::Sender::new(0),
        });
        let listening = open(address, Arc::clone(&book)).await?;
        Ok(Self {
            address: listening.address(),
            listening: Some(listening),
            book,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Queues answers: each serves one request, in order.
    pub fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.book.entries().answers.extend(answers);
    }

    /// Sets the answer to every request for `path`, whatever its query, when none is
    /// queued.
    pub fn at(&self, path: &str, answer: Answer) {
        self.book.entries().routes.insert(path.to_owned(), answer);
    }

    /// Sets the answer for when none is queued and the path has none of its own.
    pub fn otherwise(&self, answer: Answer) {
        self.book.entries().otherwise = answer;
    }

    /// What has arrived, oldest first: at most the last 10,000.
    pub fn received(&self) -> Vec<Received> {
        self.book.entries().received.iter().cloned().collect()
    }

    /// Forgets what has arrived. Numbers go on counting.
    pub fn forget(&self) {
        self.book.entries().received.clear();
    }

    /// Waits until `count` requests have arrived since the start. It has no deadline
    /// of its own: the caller sets one.
    pub async fn arrived(&self, count: u64) {
        let mut counter = self.book.count.subscribe();
        // The sender lives in the book, which `self` holds.
        drop(counter.wait_for(|arrived| *arrived >= count).await);
    }

    /// Waits for the request with this number, or the first one after it that is still kept.
    /// It has no deadline of its own.
    pub async fn nth(&self, number: u64) -> Received {
        let mut counter = self.book.count.subscribe();
        loop {
            let kept = |entries: &Entries| {
                entries
                    .received
                    .iter()
                    .find(|received| received.number >= number)
                    .cloned()
            };
            if let Some(received) = kept(&self.book.entries()) {
                return received;
            }
            if counter.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Closes the port and every connection; what has arrived stays.
    pub async fn stop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.close().await;
        }
    }

    /// Listens on the same port again.
    pub async fn restart(&mut self) -> io::Result<()> {
        if self.listening.is_none() {
            self.listening = Some(open(self.address, Arc::clone(&self.book)).await?);
        }
        Ok(())
    }
}

async fn open(address: SocketAddr, book: Arc<Book>) -> io::Result<Listening> {
    Listening::open(address, move |stream| {
        let book = Arc::clone(&book);
        async move {
            let socket = second_handle(&stream);
            serve_http(stream, socket, move |request| {
                let book = Arc::clone(&book);
                async move { book.take(request).await }
            })
            .await;
        }
    })
    .await
}

impl Book {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return Reply::Answer(text(StatusCode::PAYLOAD_TOO_LARGE, "at most 1 MiB\n"));
        };
        let path = head
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        let method = head.method.as_str().to_owned();
        let answer = self.enter(method, path, head.headers, body.to_bytes());
        tokio::time::sleep(answer.delay).await;
        match answer.ending {
            Ending::Hang => Reply::Hang,
            Ending::Reset => Reply::Reset,
            Ending::Response => {
                let mut response = text(answer.status, answer.body);
                response.headers_mut().extend(answer.headers);
                Reply::Answer(response)
            }
        }
    }

    fn enter(&self, method: String, path: String, headers: HeaderMap, body: Bytes) -> Answer {
        let mut entries = self.entries();
        let number = entries.arrived;
        entries.arrived += 1;
        if entries.received.len() == KEPT {
            entries.received.pop_front();
        }
        let at = Instant::now();
        let route = path.split('?').next().unwrap_or_default();
        let routed = entries.routes.get(route).cloned();
        entries.received.push_back(Received {
            number,
            at,
            method,
            path,
            headers,
            body,
        });
        let answer = entries
            .answers
            .pop_front()
            .or(routed)
            .unwrap_or_else(|| entries.otherwise.clone());
        self.count.send_replace(entries.arrived);
        answer
    }
}

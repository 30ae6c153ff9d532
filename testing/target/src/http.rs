//! An HTTP server with one path for each peculiarity, and a switch for `/`.
//!
//! | path | answer |
//! | --- | --- |
//! | `/` | as the switch says: see [`Fault`] |
//! | `/ok` | 200, `ok` |
//! | `/json` | 200, `{"status":"up","queue":{"depth":N}}` |
//! | `/status/{code}` | that status |
//! | `/slow/{ms}` | 200 after so many milliseconds |
//! | `/body/{bytes}` | a body of that size |
//! | `/drip?bytes=N&ms=M` | one byte every M milliseconds; 100 of each by default |
//! | `/broken` | promises 100 bytes, sends half, and ends the connection |
//! | `/redirect?to=URL&status=CODE` | 302, or the status given |
//! | `/redirect-loop` | 302 to itself |
//! | `/headers` | the request as JSON |
//! | `/basic` | 200 for user `user` with password `pass`, otherwise 401 |
//! | `/bearer` | 200 for the token `token`, otherwise 401 |
//! | `/echo` | the request's body, up to 1 MiB |
//! | `/reset` | a TCP reset |
//! | `/hang` | nothing, ever |

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE,
};
use hyper::{Request, Response, StatusCode};

use crate::listening::{Listening, Reply, second_handle, serve_http};
use crate::payload::{Payload, text, typed};

/// The longest that `/slow` waits: beyond it every client has given up.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// The largest body that `/echo` sends back, in bytes.
const LARGEST_ECHO: usize = 1 << 20;

/// What `/` of an [`HttpTarget`] does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// 200, `ok`.
    #[default]
    Ok,
    /// 200, `ok`, after this time.
    Slow(Duration),
    /// This status. Codes outside 200-599 are answered as 500.
    Status(u16),
    /// 200 with a body that does not contain `ok`.
    WrongBody,
    /// No answer, ever.
    Hang,
    /// A TCP reset.
    Reset,
    /// The port is closed: connections are refused, on every path.
    Refuse,
}

/// An HTTP server on one port. Clones are handles on the same server; it stops
/// when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    address: SocketAddr,
    site: Arc<Site>,
    listening: Arc<tokio::sync::Mutex<Option<Listening>>>,
}

/// What the connections know: not the listener, which owns them.
#[derive(Debug, Default)]
struct Site {
    fault: Mutex<Fault>,
    hits: AtomicU64,
    depth: AtomicU64,
}

impl HttpTarget {
    /// Listens on `address`; port 0 lets the kernel choose.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let site = Arc::new(Site::default());
        let listening = open(address, Arc::clone(&site)).await?;
        Ok(Self {
            address: listening.address(),
            site,
            listening: Arc::new(tokio::sync::Mutex::new(Some(listening))),
        })
    }

    /// Where it listens, or listened before it was told to refuse.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Requests received since the start, on all paths.
    pub fn hits(&self) -> u64 {
        self.site.hits.load(Ordering::Relaxed)
    }

    /// What `/` does now.
    pub fn fault(&self) -> Fault {
        self.site.fault()
    }

    /// Sets what `/` does from the next request on. [`Fault::Refuse`] closes the port
    /// and every connection before this returns; any other opens it again.
    pub async fn set(&self, fault: Fault) -> io::Result<()> {
        *self
            .site
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
        if fault == Fault::Refuse {
            self.stop().await;
            Ok(())
        } else {
            self.restart().await
        }
    }

    /// Sets the `queue.depth` that `/json` reports.
    pub fn set_depth(&self, depth: u64) {
        self.site.depth.store(depth, Ordering::Relaxed);
    }

    /// Closes the port and every connection.
    pub async fn stop(&self) {
        if let Some(listening) = self.listening.lock().await.take() {
            listening.close().await;
        }
    }

    /// Listens on the same port again; nothing to do if it does.
    pub async fn restart(&self) -> io::Result<()> {
        let mut listening = self.listening.lock().await;
        if listening.is_none() {
            *listening = Some(open(self.address, Arc::clone(&self.site)).await?);
        }
        Ok(())
    }
}

async fn open(address: SocketAddr, site: Arc<Site>) -> io::Result<Listening> {
    Listening::open(address, move |stream| {
        let site = Arc::clone(&site);
        async move {
            let socket = second_handle(&stream);
            serve_http(stream, socket, move |request| {
                let site = Arc::clone(&site);
                async move { site.answer(request).await }
            })
            .await;
        }
    })
    .await
}

impl Site {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        self.hits.fetch_add(1, Ordering::Relaxed);
        let uri = request.uri().clone();
        let (name, argument) = match uri.path().trim_start_matches('/').split_once('/') {
            Some((name, argument)) => (name, Some(argument)),
            None => (uri.path().trim_start_matches('/'), None),
        };
        let number = argument.map(str::parse::<u64>);
        Reply::Answer(match (name, number) {
            ("", None) => return act(self.fault()).await,
            ("ok", None) => ok(),
            ("json", None) => self.json(),
            ("status", Some(Ok(code))) => status(u16::try_from(code).unwrap_or(0)),
            ("slow", Some(Ok(wait))) => {
                tokio::time::sleep(Duration::from_millis(wait).min(LONGEST_WAIT)).await;
                ok()
            }
            ("body", Some(Ok(bytes))) => Response::new(Payload::Filler(bytes)),
            ("drip", None) => {
                let gap = Duration::from_millis(query_number(&uri, "ms").unwrap_or(100));
                Response::new(Payload::drip(
                    query_number(&uri, "bytes").unwrap_or(100),
                    gap,
                ))
            }
            ("broken", None) => Response::new(Payload::Broken {
                promised: 100,
                pause: None,
            }),
            ("redirect", None) => redirect(&uri),
            ("redirect-loop", None) => redirect_to("/redirect-loop", StatusCode::FOUND),
            ("headers", None) => described(&request),
            // base64 of "user:pass".
            ("basic", None) => guarded(
                request.headers(),
                "Basic dXNlcjpwYXNz",
                "Basic realm=\"target-server\"",
            ),
            ("bearer", None) => guarded(request.headers(), "Bearer token", "Bearer"),
            ("echo", None) => echo(request).await,
            ("reset", None) => return Reply::Reset,
            ("hang", None) => return Reply::Hang,
            _ => text(StatusCode::NOT_FOUND, "no such path\n"),
        })
    }

    fn json(&self) -> Response<Payload> {
        let depth = self.depth.load(Ordering::Relaxed);
        let body = serde_json::json!({ "status": "up", "queue": { "depth": depth } });
        typed(StatusCode::OK, "application/json", body.to_string())
    }
}

async fn act(fault: Fault) -> Reply {
    Reply::Answer(match fault {
        Fault::Ok => ok(),
        Fault::Slow(wait) => {
            tokio::time::sleep(wait).await;
            ok()
        }
        Fault::Status(code) => status(code),
        Fault::WrongBody => text(StatusCode::OK, "closed for renovation\n"),
        Fault::Hang => return Reply::Hang,
        // A request that was read before the port closed ends like its connection.
        Fault::Reset | Fault::Refuse => return Reply::Reset,
    })
}

fn ok() -> Response<Payload> {
    text(StatusCode::OK, "ok")
}

/// Informational codes are no final answer, so they count as out of range too.
fn status(code: u16) -> Response<Payload> {
    let status = StatusCode::from_u16(code)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    text(
        status,
        status
            .canonical_reason()
            .unwrap_or("no name for this status"),
    )
}

fn redirect(uri: &hyper::Uri) -> Response<Payload> {
    let status = query_number(uri, "status")
        .and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok())
        .filter(StatusCode::is_redirection)
        .unwrap_or(StatusCode::FOUND);
    match query(uri, "to") {
        Some(to) => redirect_to(&to, status),
        None => text(StatusCode::BAD_REQUEST, "say where to: /redirect?to=URL\n"),
    }
}

fn redirect_to(to: &str, status: StatusCode) -> Response<Payload> {
    let Ok(location) = HeaderValue::from_str(to) else {
        return text(StatusCode::BAD_REQUEST, "not a value for a header\n");
    };
    let mut response = text(status, "");
    response.headers_mut().insert(LOCATION, location);
    response
}

fn described(request: &Request<Incoming>) -> Response<Payload> {
    let values = |name: &HeaderName| {
        let values = request.headers().get_all(name).iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let headers: serde_json::Map<_, _> = request
        .headers()
        .keys()
        .map(|name| (name.to_string(), values(name).into()))
        .collect();
    let body = serde_json::json!({
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "query": request.uri().query(),
        "headers": headers,
    });
    typed(StatusCode::OK, "application/json", body.to_string())
}

fn guarded(headers: &HeaderMap, expected: &str, challenge: &'static str) -> Response<Payload> {
    if headers
        .get(AUTHORIZATION)
        .is_some_and(|given| given.as_bytes() == expected.as_bytes())
    {
        return ok();
    }
    let mut response = text(StatusCode::UNAUTHORIZED, "who are you?\n");
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

async fn echo(request: Request<Incoming>) -> Response<Payload> {
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let Ok(body) = Limited::new(request.into_body(), LARGEST_ECHO)
        .collect()
        .await
    else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "at most 1 MiB\n");
    };
    let mut response = Response::new(Payload::Whole(body.to_bytes()));
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

fn query(uri: &hyper::Uri, key: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find_map(|(name, value)| (name == key).then(|| value.into_owned()))
}

fn query_number(uri: &hyper::Uri, key: &str) -> Option<u64> {
    query(uri, key)?.parse().ok()
}

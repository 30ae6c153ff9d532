//! HTTP/1.1 requests: one connection each, every phase timed.
//!
//! A monitor wants to know whether a target can be connected to, so that no
//! connection is kept for another request. Redirects are the guest's to follow:
//! each request passes the gate anew. Proxies of the environment are not used:
//! they would see every request and resolve its name themselves.

mod asked;
mod body;
mod error;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{CONNECTION, HOST, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use crate::gate::Gate;
use crate::host::Host;
use crate::tls::{Session, Verify};

use asked::AskedStream;
pub use body::Body;
pub use error::{HttpError, Phase};

/// How long each phase may take, and what to make of an untrusted chain.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    /// Name look-up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the request's first byte to the response's head.
    pub first_byte_timeout: Duration,
    /// Between two pieces of the body.
    pub between_bytes_timeout: Duration,
    /// When all of it must be over, the body included.
    pub deadline: Option<Instant>,
    /// Whether an untrusted chain ends the exchange.
    pub verify: Verify,
}

/// One exchange as the host saw it. A phase that was not reached is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Name look-up; none for an address.
    pub resolve: Option<Duration>,
    /// TCP.
    pub connect: Option<Duration>,
    /// The TLS handshake; none without TLS.
    pub tls: Option<Duration>,
    /// From the request's first byte to the response's head.
    pub first_byte: Option<Duration>,
    /// From the response's head to the end of its body; none while it runs, and
    /// when nobody read to the end.
    pub transfer: Option<Duration>,
    /// What was connected to.
    pub address: Option<SocketAddr>,
    /// What the TLS handshake found.
    pub session: Option<Arc<Session>>,
}

impl Default for HttpOptions {
    /// 10 s a phase, trust required.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(10),
            between_bytes_timeout: Duration::from_secs(10),
            deadline: None,
            verify: Verify::Required,
        }
    }
}

/// Sends one request and gives the response as soon as its head is there.
///
/// The URI must be absolute, `http` or `https`. A `Host` header is made from it
/// unless the request has one: checking one backend of many under the name of
/// all is a monitor's job. The body is limited by the gate's budget as it is
/// read; it must be polled for the exchange to go on.
pub async fn send<B>(
    gate: &Arc<Gate>,
    request: Request<B>,
    options: HttpOptions,
) -> Result<Response<Body>, HttpError>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let destination = Destination::of(request.uri())?;
    let request = prepared(request, &destination)?;
    let exchange = gate.begin_exchange();

    let started = Instant::now();
    let limit = options.within_deadline(options.connect_timeout);
    let dialled = gate
        .dial_parsed(&destination.host, destination.port, limit, |resolve| {
            if matches!(destination.host, Host::Name(_)) {
                gate.record_exchange(exchange, |record| record.resolve = Some(resolve));
            }
        })
        .await
        .map_err(|error| HttpError::from_dial(error, limit))?;
    gate.record_exchange(exchange, |record| {
        record.connect = Some(dialled.connect);
        record.address = Some(dialled.address);
    });
    if !destination.tls {
        return exchanged(gate, exchange, dialled.stream, request, options).await;
    }
    let limit = options.within_deadline(options.connect_timeout.saturating_sub(started.elapsed()));
    let (stream, session) = gate
        .tls()
        .handshake(
            dialled.stream,
            &destination.host.to_string(),
            &["http/1.1"],
            options.verify,
            limit,
        )
        .await
        .map_err(|error| HttpError::from_tls(error, options.connect_timeout))?;
    gate.record_exchange(exchange, |record| {
        record.tls = Some(session.handshake);
        record.session = Some(Arc::new(session));
    });
    exchanged(gate, exchange, stream, request, options).await
}

impl HttpOptions {
    fn within_deadline(&self, limit: Duration) -> Duration {
        match self.deadline {
            Some(deadline) => limit.min(deadline.saturating_duration_since(Instant::now())),
            None => limit,
        }
    }
}

struct Destination {
    host: Host,
    port: u16,
    tls: bool,
    /// `host` or `host:port`, the scheme's own port left out.
    header: String,
}

impl Destination {
    fn of(uri: &Uri) -> Result<Self, HttpError> {
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) => {
                return Err(HttpError::BadRequest(format!(
                    "`{scheme}` is neither http nor https"
                )));
            }
            None => return Err(HttpError::BadRequest("the URL has no scheme".to_owned())),
        };
        let text = uri
            .host()
            .ok_or_else(|| HttpError::BadRequest("the URL has no host".to_owned()))?;
        let host = Host::parse(text).map_err(|error| HttpError::BadRequest(error.to_string()))?;
        let default_port = if tls { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let header = if port == default_port {
            host.to_string()
        } else {
            host.with_port(port)
        };
        Ok(Self {
            host,
            port,
            tls,
            header,
        })
    }
}

fn prepared<B>(
    mut request: Request<B>,
    destination: &Destination,
) -> Result<Request<B>, HttpError> {
    // RFC 9112 section 3.2.1: origin form, which hyper writes as it is given.
    let path = request
        .uri()
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    if !headers.contains_key(HOST) {
        let value = HeaderValue::try_from(&destination.header)
            .map_err(|error| HttpError::BadRequest(error.to_string()))?;
        headers.insert(HOST, value);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// One request and its response over an open stream. The connection's driver is
/// polled here and by the body rather than in a task of its own: a check is then
/// one task, and dropping it drops everything.
async fn exchanged<S, B>(
    gate: &Arc<Gate>,
    exchange: Option<usize>,
    stream: S,
    request: Request<B>,
    options: HttpOptions,
) -> Result<Response<Body>, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(AskedStream::new(stream)))
        .await
        .map_err(|error| HttpError::from_hyper(&error, gate))?;
    let mut driver: Option<body::Driver> = Some(Box::pin(connection));
    let sent = Instant::now();
    let mut response = Box::pin(sender.send_request(request));
    // Why the connection ended, which says more than that the request was given up.
    let mut broken = None;
    let head = std::future::poll_fn(|context| {
        if let Some(running) = &mut driver
            && let Poll::Ready(result) = running.as_mut().poll(context)
        {
            driver = None;
            broken = result.err();
        }
        match (Pin::new(&mut response).poll(context), broken.take()) {
            (Poll::Ready(Err(_)), Some(error)) => Poll::Ready(Err(error)),
            (Poll::Ready(head), _) => Poll::Ready(head),
            // The driver wakes the response before it ends.
            (Poll::Pending, kept) => {
                broken = kept;
                Poll::Pending
            }
        }
    });
    let limit = options.within_deadline(options.first_byte_timeout);
    let head = timeout(limit, head)
        .await
        .map_err(|_| HttpError::NoAnswer {
            phase: Phase::FirstByte,
            after: limit,
        })?
        .map_err(|error| HttpError::from_hyper(&error, gate))?;
    let arrived = Instant::now();
    gate.record_exchange(exchange, |record| {
        record.first_byte = Some(arrived.duration_since(sent));
    });
    Ok(head.map(|incoming| {
        Body::new(
            Arc::clone(gate),
            exchange,
            incoming,
            driver,
            arrived,
            options,
        )
    }))
}

//! Outgoing HTTP: `wasi:http`'s hook, through egress.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::{self, HeaderName};
use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::Instant;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks,
};
use watchkeeper_egress::gate::DialError;
use watchkeeper_egress::http::{HttpError, HttpOptions, Phase};
use watchkeeper_egress::tls::{TlsError, Verify};

use crate::description::Capability;
use crate::host::{Shared, Waiting};
use crate::limits::fixed;

/// wasmtime-wasi-http's way to us.
pub(super) struct Hooks {
    pub(super) shared: Arc<Shared>,
    /// What exchanges that begin now make of an untrusted chain.
    pub(super) verify: Verify,
}

type Finished = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        // A monitor may check one backend under the name of all: `Host` is judged
        // when the request is sent.
        *name != header::HOST && DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Finished,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Finished), Error>> + Send> {
        let shared = self.shared.clone();
        let waiting = shared.wait();
        let options = options.unwrap_or_default();
        let timeouts = HttpOptions {
            connect_timeout: shared.or_all(options.connect_timeout),
            first_byte_timeout: shared.or_all(options.first_byte_timeout),
            between_bytes_timeout: shared.or_all(options.between_bytes_timeout),
            deadline: None,
            verify: self.verify,
        };
        Box::new(async move {
            let response = send(&shared, request, timeouts).await;
            drop(waiting);
            response.map(|response| (response, Box::new(std::future::ready(Ok(()))) as Finished))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        fixed::BODY_CHUNKS
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        fixed::BODY_CHUNK_BYTES
    }
}

async fn send(
    shared: &Arc<Shared>,
    request: Request<WasiBody>,
    options: HttpOptions,
) -> Result<Response<WasiBody>, Error> {
    shared
        .asked(Capability::Http)
        .map_err(|_denied| Error::HttpRequestDenied)?;
    check_host_header(shared, &request)?;
    let began = Instant::now();
    let what = format!("http {} {}", request.method(), request.uri());
    let sending = watchkeeper_egress::http::send(&shared.gate, request, options);
    match shared.meter.background(sending).await {
        Ok(response) => {
            shared.called(format_args!("{what}"), began, response.status().as_str());
            let shared = shared.clone();
            Ok(response.map(|body| {
                Received {
                    body,
                    shared,
                    waiting: None,
                }
                .boxed_unsync()
            }))
        }
        Err(error) => {
            let error = told(shared, error);
            shared.called(format_args!("{what}"), began, &error.to_string());
            Err(error)
        }
    }
}

/// A `Host` header names a second host: it must be granted as the first is, or a
/// server that answers for many would be a way around the grants.
fn check_host_header(shared: &Shared, request: &Request<WasiBody>) -> Result<(), Error> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let Some(value) = named.next() else {
        return Ok(());
    };
    if named.next().is_some() {
        return Err(Error::InternalError(Some(
            "a request has one `Host` header".to_owned(),
        )));
    }
    let authority = value
        .to_str()
        .ok()
        .and_then(|text| text.parse::<::http::uri::Authority>().ok())
        .ok_or_else(|| Error::InternalError(Some("`Host` is no host".to_owned())))?;
    // The port of the connection when the header has none.
    let own = request.uri().port_u16().unwrap_or_else(|| {
        if request.uri().scheme() == Some(&::http::uri::Scheme::HTTP) {
            80
        } else {
            443
        }
    });
    let port = authority.port_u16().unwrap_or(own);
    shared
        .gate
        .grants()
        .allows(authority.host(), port)
        .map_err(|denied| {
            shared.refused(&denied);
            Error::HttpRequestDenied
        })
}

/// What the guest is told. wasi:http's codes have no words, so that what a person
/// needs to read goes into the one that has.
fn told(shared: &Shared, error: HttpError) -> Error {
    match error {
        HttpError::Dial(DialError::Denied(denied)) | HttpError::Tls(TlsError::Denied(denied)) => {
            shared.refused(&denied);
            Error::HttpRequestDenied
        }
        HttpError::Dial(DialError::Unresolved(why)) | HttpError::Tls(TlsError::Unresolved(why)) => {
            Error::DnsError {
                rcode: Some(why),
                info_code: None,
            }
        }
        HttpError::Dial(DialError::Refused) | HttpError::Tls(TlsError::Refused) => {
            Error::ConnectionRefused
        }
        HttpError::Dial(DialError::TimedOut(_)) | HttpError::Tls(TlsError::TimedOut(_)) => {
            Error::ConnectionTimeout
        }
        HttpError::Dial(DialError::Reset) | HttpError::Tls(TlsError::Closed) => {
            Error::ConnectionTerminated
        }
        HttpError::NoAnswer {
            phase: Phase::Connect,
            ..
        } => Error::ConnectionTimeout,
        HttpError::NoAnswer {
            phase: Phase::FirstByte | Phase::Body,
            ..
        } => Error::HttpResponseTimeout,
        HttpError::Limit(_) => Error::ConnectionLimitReached,
        error @ (HttpError::Dial(_)
        | HttpError::Tls(_)
        | HttpError::Broken(_)
        | HttpError::NotHttp(_)
        | HttpError::BadRequest(_)) => Error::InternalError(Some(error.to_string())),
    }
}

/// A response's body; who reads it and has to wait waits on the network.
struct Received {
    body: watchkeeper_egress::http::Body,
    shared: Arc<Shared>,
    waiting: Option<Waiting>,
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        let Self {
            body,
            shared,
            waiting,
        } = &mut *self;
        let polled = Pin::new(body).poll_frame(context);
        if polled.is_ready() {
            *waiting = None;
        } else if waiting.is_none() {
            *waiting = Some(shared.wait());
        }
        polled.map_err(|error| told(shared, error))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

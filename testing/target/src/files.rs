//! A server of files: what is put under a path is what it answers, over HTTP or
//! TLS, with redirects, demands for credentials and answers that are cut off.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio_rustls::TlsAcceptor;

use crate::listening::{Listening, Reply, second_handle, serve_http};
use crate::payload::{Payload, text};
use crate::tls::{Authority, TlsKind, configure};

/// What lies under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// From 200 to 599; anything else is answered as 500.
    pub status: u16,
    /// Names and values; what is no header is left out.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub content: Content,
    /// The header `Authorization` that it is given to; others get 401 and this
    /// value of `WWW-Authenticate`.
    pub guard: Option<(String, String)>,
}

/// What an answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Whole(Vec<u8>),
    /// So many bytes, made up while they are sent.
    Filler(u64),
    /// So many bytes promised, and half of them sent.
    Cut(u64),
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// With its query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
}

/// A server on one port. It stops when it is dropped.
#[derive(Debug)]
pub struct FileTarget {
    listening: Listening,
    tls: bool,
    site: Arc<Site>,
}

#[derive(Debug, Default)]
struct Site {
    files: Mutex<HashMap<String, Served>>,
    asked: Mutex<Vec<Asked>>,
}

impl Served {
    /// 200 and these bytes.
    pub fn bytes(content: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Whole(content.into()),
            guard: None,
        }
    }

    /// 302 to another place.
    pub fn redirect(to: &str) -> Self {
        Self {
            status: 302,
            headers: vec![("location".to_owned(), to.to_owned())],
            ..Self::bytes("")
        }
    }

    /// The same, for those only who send this `Authorization`; others are told
    /// `challenge`.
    #[must_use]
    pub fn guarded(mut self, authorization: &str, challenge: &str) -> Self {
        self.guard = Some((authorization.to_owned(), challenge.to_owned()));
        self
    }
}

impl FileTarget {
    /// Serves HTTP on `address`; port 0 lets the kernel choose.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let site = Arc::new(Site::default());
        let serving = Arc::clone(&site);
        let listening = Listening::open(address, move |stream| {
            let site = Arc::clone(&serving);
            async move {
                let socket = second_handle(&stream);
                serve_http(stream, socket, |request| {
                    let reply = site.answer(&request);
                    async move { Reply::Answer(reply) }
                })
                .await;
            }
        })
        .await?;
        Ok(Self {
            listening,
            tls: false,
            site,
        })
    }

    /// As [`FileTarget::start`], over TLS with a certificate of `authority` for
    /// `localhost` and the loopback addresses.
    pub async fn start_tls(address: SocketAddr, authority: &Authority) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(configure(TlsKind::Valid, authority)?));
        let site = Arc::new(Site::default());
        let serving = Arc::clone(&site);
        let listening = Listening::open(address, move |stream| {
            let (site, acceptor) = (Arc::clone(&serving), acceptor.clone());
            async move {
                let socket = second_handle(&stream);
                // A client that refuses the certificate ends the handshake here.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve_http(stream, socket, |request| {
                        let reply = site.answer(&request);
                        async move { Reply::Answer(reply) }
                    })
                    .await;
                }
            }
        })
        .await?;
        Ok(Self {
            listening,
            tls: true,
            site,
        })
    }

    /// `localhost` and its port.
    pub fn authority(&self) -> String {
        format!("localhost:{}", self.listening.address().port())
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority())
    }

    /// Puts something under a path, its query included.
    pub fn put(&self, path: &str, served: Served) {
        self.site
            .files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned(), served);
    }

    /// What was asked for so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.site
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Site {
    fn answer(&self, request: &Request<Incoming>) -> Response<Payload> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", hyper::http::uri::PathAndQuery::as_str);
        let authorization = request.headers().get(AUTHORIZATION);
        let authorization =
            authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Asked {
                path: path.to_owned(),
                authorization: authorization.clone(),
            });
        let served = self
            .files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .cloned();
        let Some(served) = served else {
            return text(StatusCode::NOT_FOUND, "no such file\n");
        };
        if let Some((wanted, challenge)) = &served.guard
            && authorization.as_ref() != Some(wanted)
        {
            let mut response = text(StatusCode::UNAUTHORIZED, "who are you?\n");
            if let Ok(challenge) = HeaderValue::from_str(challenge) {
                let headers = response.headers_mut();
                headers.insert(hyper::header::WWW_AUTHENTICATE, challenge);
            }
            return response;
        }
        served.response()
    }
}

impl Served {
    fn response(&self) -> Response<Payload> {
        let payload = match &self.content {
            Content::Whole(bytes) => Payload::Whole(Bytes::from(bytes.clone())),
            Content::Filler(bytes) => Payload::Filler(*bytes),
            Content::Cut(promised) => Payload::Broken {
                promised: *promised,
                pause: None,
            },
        };
        let mut response = Response::new(payload);
        *response.status_mut() = StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| (200..600).contains(&status.as_u16()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

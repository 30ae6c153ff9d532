//! The switch of an [`HttpTarget`] as a web page, on a port of its own: it stays
//! reachable while the target refuses connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};

use crate::http::{Fault, HttpTarget};
use crate::listening::{Listening, Reply, serve_http};
use crate::payload::{Payload, text, typed};

/// The positions of the switch: the last part of the path, what the button says, the fault.
const POSITIONS: [(&str, &str, Fault); 7] = [
    ("healthy", "Healthy: 200, ok", Fault::Ok),
    (
        "slow",
        "Slow: ok after 3 s",
        Fault::Slow(Duration::from_secs(3)),
    ),
    ("error", "Error: 500", Fault::Status(500)),
    (
        "wrong-body",
        "Wrong body: 200, but not ok",
        Fault::WrongBody,
    ),
    ("hang", "Hang: accepts and never answers", Fault::Hang),
    ("reset", "Reset: TCP reset", Fault::Reset),
    ("refuse", "Refuse: the port is closed", Fault::Refuse),
];

/// Set by browsers on every request, and by nothing else.
static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Serves `GET /control`, a plain page with a button for each position, and
/// `POST /control/POSITION`, which switches: `healthy`, `slow`, `error`,
/// `wrong-body`, `hang`, `reset` or `refuse`.
#[derive(Debug)]
pub struct ControlPage {
    listening: Listening,
}

impl ControlPage {
    /// Listens on `address`; port 0 lets the kernel choose.
    pub async fn start(address: SocketAddr, target: HttpTarget) -> io::Result<Self> {
        let listening = Listening::open(address, move |stream| {
            let target = target.clone();
            serve_http(stream, None, move |request| {
                let target = target.clone();
                async move { Reply::Answer(answer(&target, &request).await) }
            })
        })
        .await?;
        Ok(Self { listening })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }
}

async fn answer<B>(target: &HttpTarget, request: &Request<B>) -> Response<Payload> {
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET, "/") => see("/control"),
        (&Method::GET, "/control") => {
            typed(StatusCode::OK, "text/html; charset=utf-8", page(target))
        }
        (&Method::POST, _) => {
            // Any page in the same browser could post here.
            if request
                .headers()
                .get(&SEC_FETCH_SITE)
                .is_some_and(|site| site == "cross-site")
            {
                return text(StatusCode::FORBIDDEN, "not from another site\n");
            }
            let position = path
                .strip_prefix("/control/")
                .and_then(|name| POSITIONS.iter().find(|position| position.0 == name));
            let Some((_, _, fault)) = position else {
                return text(StatusCode::NOT_FOUND, "no such position\n");
            };
            match target.set(*fault).await {
                Ok(()) => see("/control"),
                Err(error) => text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    format!("cannot listen on {}: {error}\n", target.address()),
                ),
            }
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "GET /control, POST /control/POSITION\n",
        ),
    }
}

fn see(location: &'static str) -> Response<Payload> {
    let mut response = text(StatusCode::SEE_OTHER, "");
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static(location));
    response
}

fn page(target: &HttpTarget) -> String {
    let now = target.fault();
    let buttons = POSITIONS.map(|(name, label, fault)| {
        let mark = if fault == now {
            " aria-pressed=\"true\""
        } else {
            ""
        };
        format!(
            "<form method=\"post\" action=\"/control/{name}\"><button{mark}>{label}</button></form>"
        )
    });
    let buttons = buttons.join("\n");
    let address = target.address();
    let hits = target.hits();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Target server</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}}\
         form{{margin:.5rem 0}}button{{font:inherit;width:100%;padding:.5rem 1rem;text-align:left}}\
         [aria-pressed]{{font-weight:bold}}[aria-pressed]::before{{content:\"▸ \"}}</style></head>\n\
         <body><main><h1>Target server</h1>\n\
         <p>What <code>http://{address}/</code> answers. {hits} requests so far.</p>\n\
         {buttons}\n</main></body></html>\n"
    )
}

//! Asking the API of a running server.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Exit, Global, complain, read_config};

/// How long an answer may take: longer than the server takes to give up.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest answer that is read, in bytes.
const MOST: usize = 64 << 20;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// `host:port`, an IPv6 address in brackets.
    authority: String,
    /// What comes before the API's paths; without a slash at its end.
    base: String,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Null where it was no JSON.
    pub(crate) body: Value,
    /// As it came.
    pub(crate) text: String,
}

impl Server {
    /// Reads `http://host:port`; the error says what is wrong with it.
    pub(crate) fn parse(address: &str) -> Result<Self, String> {
        let wrong = || format!("`{address}` is no address such as http://127.0.0.1:8080");
        let uri: hyper::Uri = address.parse().map_err(|_| wrong())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err("the command speaks plain HTTP, to a server on this machine or in a private network; with TLS use curl".to_owned());
            }
            _ => return Err(wrong()),
        }
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        let host = match host {
            // Where a server listens everywhere, it also listens here.
            "0.0.0.0" => "127.0.0.1",
            "[::]" => "[::1]",
            host => host,
        };
        Ok(Self {
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl Answer {
    /// Why it did not do what was asked.
    pub(crate) fn why(&self) -> String {
        match self.body["detail"].as_str() {
            Some(detail) => format!(
                "{} ({})",
                super::check::printable(detail),
                self.status.as_u16()
            ),
            None => self.status.to_string(),
        }
    }
}

/// Asks with `method`; `body` where there is one.
pub(crate) async fn ask(
    server: &Server,
    method: Method,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> anyhow::Result<Answer> {
    timeout(PATIENCE, answer(server, method, path, token, body))
        .await
        .context("no answer in 15 s")?
}

async fn answer(
    server: &Server,
    method: Method,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> anyhow::Result<Answer> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
        .context("the token has characters that no token has")?;
    bearer.set_sensitive(true);
    let stream = TcpStream::connect(&server.authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let text = body.map(ToString::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", server.base))
        .header(HOST, &server.authority)
        .header(AUTHORIZATION, bearer)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(text)))?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let read = Limited::new(response.into_body(), MOST).collect().await;
    connection.abort();
    let bytes = read
        .map_err(|problem| anyhow::anyhow!("the answer broke off: {problem}"))?
        .to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status, body, text })
}

/// Where the server is and who asks.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The server's address; by default the `listen` of the configuration
    #[arg(long)]
    server: Option<String>,
    /// A token, as `watchkeeper token create` makes one
    #[arg(
        long,
        env = "WATCHKEEPER_TOKEN",
        hide_env_values = true,
        hide_default_value = true
    )]
    token: String,
}

impl Connection {
    /// Asks the server, and says what went wrong where it does not do what was
    /// asked.
    pub(crate) async fn ask(
        &self,
        global: &Global,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Exit> {
        let answer = self.fetch(global, method, path, body).await?;
        Ok(answer.body)
    }

    /// As [`Self::ask`], with the answer as it came.
    pub(crate) async fn fetch(
        &self,
        global: &Global,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Exit> {
        let address = if let Some(address) = &self.server {
            address.clone()
        } else {
            let loaded = read_config(&global.config)?;
            format!("http://{}", loaded.config.server.listen)
        };
        let server = Server::parse(&address).map_err(|problem| {
            complain(&problem);
            Exit::Usage
        })?;
        match ask(&server, method, path, &self.token, body).await {
            Ok(answer) if answer.status.is_success() => Ok(answer),
            Ok(answer) => {
                complain(&format!("{address}: {}", answer.why()));
                Err(Exit::Usage)
            }
            Err(problem) => {
                complain(&format!("{address} cannot be asked: {problem:#}"));
                Err(Exit::Internal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_addresses() {
        let of = |address: &str| {
            Server::parse(address).map(|it| format!("{} {}", it.authority, it.base))
        };
        assert_eq!(of("http://127.0.0.1:8080").unwrap(), "127.0.0.1:8080 ");
        assert_eq!(of("http://0.0.0.0:8080").unwrap(), "127.0.0.1:8080 ");
        assert_eq!(of("http://[::]:8080").unwrap(), "[::1]:8080 ");
        assert_eq!(
            of("http://a.example/status/").unwrap(),
            "a.example:80 /status"
        );
        for bad in ["", "a", "127.0.0.1:8080", "ftp://a", "https://a.example"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}

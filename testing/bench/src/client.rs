//! A native HTTP client, as small as can be: what a check is compared with, and how
//! the page is asked for.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::header::{ACCEPT_ENCODING, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// GETs `url`, which names an address and a port, on a new connection, and returns
/// the status and the body. `encoding` is what to accept.
pub(crate) async fn get(url: &Uri, encoding: Option<&str>) -> anyhow::Result<(u16, Bytes)> {
    let authority = url.authority().context("the URL names a host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(url.path()).header(HOST, authority);
    if let Some(encoding) = encoding {
        request = request.header(ACCEPT_ENCODING, encoding);
    }
    let answer = sender
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok((status, body))
}

/// As [`get`], as text; anything but 200 is an error.
pub(crate) async fn get_text(url: &str) -> anyhow::Result<String> {
    let (status, body) = get(&url.parse()?, None).await?;
    ensure!(status == 200, "{url} answers {status}");
    Ok(String::from_utf8_lossy(&body).into_owned())
}

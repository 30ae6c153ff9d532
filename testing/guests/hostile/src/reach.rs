//! Ways to reach for the outside.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, IncomingBody, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

use watchkeeper_sdk::bindings::{dns as contract_dns, icmp, tls as contract_tls};

/// Ten seconds in the contract's nanoseconds.
const TEN_SECONDS: u64 = 10_000_000_000;

/// What the contract or WASI says in codes, in words.
#[derive(Debug)]
pub(crate) struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn said(code: &impl fmt::Debug) -> Said {
    Said(format!("{code:?}"))
}

/// The status and the length of the body.
pub(crate) fn http(url: &str, host: Option<&str>) -> Result<(u16, usize), Said> {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let headers = Fields::new();
    if let Some(host) = host {
        headers
            .append("host", host.as_bytes())
            .map_err(|error| said(&error))?;
    }
    let request = OutgoingRequest::new(headers);
    let scheme = if scheme == "http" {
        Scheme::Http
    } else {
        Scheme::Https
    };
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request
        .set_authority(Some(authority))
        .expect("an authority");
    request
        .set_path_with_query(Some(&format!("/{path}")))
        .expect("a path");
    let answer = handle(request, None).map_err(|error| said(&error))?;
    answer.subscribe().block();
    let response = answer
        .get()
        .expect("it is ready")
        .expect("it is asked once")
        .map_err(|error| said(&error))?;
    let body = response.consume().expect("it is asked once");
    let length = read_to_end(&body)?;
    Ok((response.status(), length))
}

fn read_to_end(body: &IncomingBody) -> Result<usize, Said> {
    let stream = body.stream().expect("it is asked once");
    let mut length = 0;
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(bytes) => length += bytes.len(),
            Err(StreamError::Closed) => return Ok(length),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(Said(error.to_debug_string()));
            }
        }
    }
}

pub(crate) fn tcp(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"ping")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Connects and waits for bytes that do not come.
pub(crate) fn tcp_hanging(address: &str) -> std::io::Result<usize> {
    TcpStream::connect(address)?.read(&mut [0; 1])
}

/// Opens one after the other until it is refused.
pub(crate) fn connections(address: &str) -> std::io::Result<usize> {
    let mut kept = Vec::new();
    for _ in 0..10_000 {
        kept.push(TcpStream::connect(address)?);
    }
    Ok(kept.len())
}

/// The status of the last answer.
pub(crate) fn http_following(url: &str) -> Result<u16, watchkeeper_sdk::Error> {
    let request = watchkeeper_sdk::http::Request::get(url).redirects(5);
    Ok(request.send()?.status())
}

pub(crate) fn udp(address: &str) -> std::io::Result<usize> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.send_to(b"ping", address)?;
    let mut answer = [0; 100];
    socket.recv(&mut answer)
}

pub(crate) fn look_up(name: &str) -> std::io::Result<Vec<String>> {
    Ok((name, 1)
        .to_socket_addrs()?
        .map(|address| address.ip().to_string())
        .collect())
}

pub(crate) fn tls(address: &str) -> Result<String, Said> {
    let (host, port) = address.rsplit_once(':').expect("host:port");
    let port = port.parse().expect("a port");
    let connection =
        contract_tls::Connection::connect(host, port, TEN_SECONDS).map_err(|error| said(&error))?;
    connection
        .write(b"ping", TEN_SECONDS)
        .map_err(|error| said(&error))?;
    let answer = connection
        .read(100, TEN_SECONDS)
        .map_err(|error| said(&error))?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

pub(crate) fn ping(host: &str) -> Result<usize, Said> {
    let timeout = u64::try_from(Duration::from_secs(1).as_nanos()).expect("it is small");
    let answered = |echo: &icmp::Echo| matches!(echo.outcome, icmp::Outcome::Answered(_));
    icmp::ping(host, timeout)
        .map(|echoes| echoes.iter().filter(|echo| answered(echo)).count())
        .map_err(|error| said(&error))
}

pub(crate) fn dns(name: &str) -> Result<String, Said> {
    contract_dns::query(name, "A", None, TEN_SECONDS)
        .map(|answer| answer.code)
        .map_err(|error| said(&error))
}

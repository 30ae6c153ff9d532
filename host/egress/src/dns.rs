//! DNS questions of any kind, to a server of the operator's choice.
//!
//! To a server that is granted any question may be put: the server is what is
//! reached, the question is data, as a path is to an HTTP server. To this
//! machine's own resolver only questions about granted names may be put, for it
//! carries them on to anyone's servers.

mod message;
mod presentation;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use crate::gate::{CountedStream, DialError, Gate, Limit, limit_of};
use crate::grants::{Denied, parse_port};
use crate::host::{Host, shortened, split_port};
use crate::reason;

use message::{Question, Reply};

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `NOERROR`, `NXDOMAIN`, …: the mnemonics of the IANA registry.
    pub code: String,
    /// The answer section, aliases included.
    pub records: Vec<Record>,
    /// Whether the server says that it validated the answer (RFC 6840).
    pub authenticated: bool,
    /// From the question to the whole answer, TCP included.
    pub took: Duration,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The owner, without the root's dot.
    pub name: String,
    /// `A`, `AAAA`, `MX`, …; `TYPE65280` where there is no name (RFC 3597).
    pub kind: String,
    /// Seconds for which it may be kept.
    pub ttl_seconds: u32,
    /// The data in presentation format (RFC 1035 section 5).
    pub data: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The run may not ask this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No answer within this time.
    #[error("no answer in {}", reason::duration(*.0))]
    TimedOut(Duration),
    /// A name, record type or server that nobody can be asked for; says why.
    #[error("{0}")]
    Invalid(String),
    /// Anything else; says what.
    #[error("{0}")]
    Failed(String),
    /// The run's budget is spent.
    #[error("limit reached: {0}")]
    Limit(#[from] Limit),
}

/// Asks for the records of a kind (`A`, `MX`, `TYPE65`) at a name, over UDP, and
/// over TCP when the answer was cut. `server` is `host`, at port 53, or
/// `host:port`; none: this machine's own resolver.
pub async fn query(
    gate: &Gate,
    name: &str,
    kind: &str,
    server: Option<&str>,
    limit: Duration,
) -> Result<Answer, DnsError> {
    let started = Instant::now();
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|error| DnsError::Failed(error.to_string()))?;
    let question = Question::new(u16::from_be_bytes(id), name, kind)?;
    let asked = async {
        let servers = if let Some(server) = server {
            granted_server(gate, server, limit).await?
        } else {
            gate.grants().allows_name(name)?;
            gate.resolver().servers().to_vec()
        };
        ask_each(gate, &servers, &question, limit, started).await
    };
    let reply = timeout(limit, asked)
        .await
        .map_err(|_| DnsError::TimedOut(limit))??;
    Ok(reply.into_answer(started.elapsed()))
}

async fn granted_server(
    gate: &Gate,
    server: &str,
    limit: Duration,
) -> Result<Vec<SocketAddr>, DnsError> {
    let (text, port) = split_port(server);
    let port = match port {
        None => 53,
        Some(port) => parse_port(port).ok_or_else(|| {
            DnsError::Invalid(format!("`{}` has no valid port", shortened(server)))
        })?,
    };
    gate.grants().allows(text, port)?;
    let host = Host::parse(text).map_err(|error| DnsError::Invalid(error.to_string()))?;
    let addresses = gate.resolve(&host.to_string(), limit).await?;
    let reachable = gate.reachable(&host, &addresses, Some(port))?;
    Ok(reachable
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

/// Asks one server after another, each for its share of the time.
async fn ask_each(
    gate: &Gate,
    servers: &[SocketAddr],
    question: &Question,
    limit: Duration,
    started: Instant,
) -> Result<Reply, DnsError> {
    let mut last = DnsError::Failed("this machine has no DNS server".to_owned());
    for (index, server) in servers.iter().enumerate() {
        let left = limit.saturating_sub(started.elapsed());
        let shares = u32::try_from(servers.len() - index).unwrap_or(u32::MAX);
        last = match timeout(left / shares, ask(gate, *server, question)).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error @ (DnsError::Limit(_) | DnsError::Denied(_)))) => return Err(error),
            Ok(Err(error)) => error,
            Err(_) => DnsError::TimedOut(limit),
        };
    }
    Err(last)
}

async fn ask(gate: &Gate, server: SocketAddr, question: &Question) -> Result<Reply, DnsError> {
    let reply = ask_datagram(gate, server, question).await?;
    if reply.is_cut() {
        return ask_stream(gate, server, question).await;
    }
    Ok(reply)
}

async fn ask_datagram(
    gate: &Gate,
    server: SocketAddr,
    question: &Question,
) -> Result<Reply, DnsError> {
    gate.count_connection()?;
    let unspecified: IpAddr = match server.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // The kernel chooses a random port, and a connected socket takes answers
    // from the server's address only.
    let socket = UdpSocket::bind((unspecified, 0)).await?;
    socket.connect(server).await?;
    gate.count_traffic(question.bytes().len())?;
    socket.send(question.bytes()).await?;
    let mut buffer = vec![0; 65_535];
    loop {
        let length = socket.recv(&mut buffer).await?;
        gate.count_traffic(length)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        // A datagram that answers something else is a stray or a forgery.
        if let Some(reply) = question.reply(bytes) {
            return Ok(reply);
        }
    }
}

async fn ask_stream(
    gate: &Gate,
    server: SocketAddr,
    question: &Question,
) -> Result<Reply, DnsError> {
    gate.count_connection()?;
    let stream = TcpStream::connect(server).await?;
    let mut stream = CountedStream::new(stream, std::sync::Arc::clone(gate.meter()));
    let length = u16::try_from(question.bytes().len())
        .map_err(|_| DnsError::Failed("the question is too long".to_owned()))?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend(question.bytes());
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await?;
    question
        .reply(&bytes)
        .ok_or_else(|| DnsError::Failed("the server answered another question".to_owned()))
}

impl From<io::Error> for DnsError {
    fn from(error: io::Error) -> Self {
        match limit_of(&error) {
            Some(limit) => Self::Limit(limit),
            None => Self::Failed(reason::of_io(&error)),
        }
    }
}

impl From<DialError> for DnsError {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Denied(denied) => Self::Denied(denied),
            DialError::Limit(limit) => Self::Limit(limit),
            DialError::TimedOut(limit) => Self::TimedOut(limit),
            error @ (DialError::Unresolved(_)
            | DialError::Refused
            | DialError::Reset
            | DialError::Failed(_)) => Self::Failed(error.to_string()),
        }
    }
}

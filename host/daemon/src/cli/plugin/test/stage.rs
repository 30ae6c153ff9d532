//! The servers of one test, and where they are.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use super::table::{Case, Words};
use super::{http, tcp};

/// Any free port of this machine.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What the servers have seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) requests: Vec<Request>,
    /// What no answer was written for.
    pub(super) unexpected: Vec<String>,
    /// What the TCP server received.
    pub(super) received: String,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// What connections share.
pub(super) type Record = Arc<Mutex<Seen>>;

/// The servers of a test. They end when it is dropped.
pub(super) struct Stage {
    /// Bound, so that nobody else gets the port, and not listened on.
    _closed: TcpSocket,
    record: Record,
    serving: Vec<JoinHandle<()>>,
}

impl Stage {
    /// Starts the servers; returns the test with their addresses filled in.
    pub(super) async fn set(case: &Case) -> std::io::Result<(Self, Case)> {
        let (web, lines) = (TcpListener::bind(ANY).await?, TcpListener::bind(ANY).await?);
        let closed = TcpSocket::new_v4()?;
        closed.bind(ANY)?;
        let addresses = Addresses {
            http: web.local_addr()?.to_string(),
            tcp: lines.local_addr()?.to_string(),
            closed: closed.local_addr()?.to_string(),
        };
        let case = addresses.fill(case);
        let record = Record::default();
        let answers = Arc::new(http::Answers::new(case.http.clone()));
        let steps: Arc<[_]> = case.tcp.clone().into();
        let (of_http, of_tcp) = (Arc::clone(&record), Arc::clone(&record));
        let stage = Self {
            _closed: closed,
            record,
            serving: vec![
                tokio::spawn(accept(web, move |stream| {
                    http::serve(stream, Arc::clone(&answers), Arc::clone(&of_http))
                })),
                tokio::spawn(accept(lines, move |stream| {
                    tcp::serve(stream, Arc::clone(&steps), Arc::clone(&of_tcp))
                })),
            ],
        };
        Ok((stage, case))
    }

    /// Ends the servers, and says what they have seen.
    pub(super) async fn end(mut self) -> Seen {
        for serving in std::mem::take(&mut self.serving) {
            serving.abort();
            // It ended because it was told to.
            _ = serving.await;
        }
        self.record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Where the servers are: address and port.
struct Addresses {
    http: String,
    tcp: String,
    closed: String,
}

impl Addresses {
    /// The test with the addresses in all its texts.
    fn fill(&self, case: &Case) -> Case {
        let mut case = case.clone();
        let fill = |text: &mut String| {
            if text.contains('{') {
                *text = text
                    .replace("{http}", &self.http)
                    .replace("{tcp}", &self.tcp)
                    .replace("{closed}", &self.closed);
            }
        };
        case.target.iter_mut().for_each(fill);
        case.allow.iter_mut().for_each(fill);
        for (_, value) in &mut case.config {
            fill_value(value, &fill);
        }
        for answer in &mut case.http {
            answer.headers.values_mut().for_each(fill);
            answer.body.iter_mut().for_each(fill);
            if let Some(json) = &mut answer.json {
                fill_value(json, &fill);
            }
        }
        for step in &mut case.tcp {
            step.send.iter_mut().for_each(fill);
        }
        let expect = &mut case.expect;
        match &mut expect.reason {
            Some(Words::Whole(text)) => fill(text),
            Some(Words::Part(part)) => fill(&mut part.contains),
            None => {}
        }
        for texts in [&mut expect.calls, &mut expect.log, &mut expect.received] {
            texts.iter_mut().for_each(fill);
        }
        for request in expect.requests.iter_mut().flatten() {
            request.path.iter_mut().for_each(fill);
            request.body.iter_mut().for_each(fill);
            request.headers.values_mut().for_each(fill);
        }
        case
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for serving in &self.serving {
            serving.abort();
        }
    }
}

/// Serves each connection until the task ends, and the connections with it.
async fn accept<C>(listener: TcpListener, serve: impl Fn(TcpStream) -> C)
where
    C: Future<Output = ()> + Send + 'static,
{
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream));
                }
                // The other side is gone already.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

fn fill_value(value: &mut toml::Value, fill: &impl Fn(&mut String)) {
    match value {
        toml::Value::String(text) => fill(text),
        toml::Value::Array(values) => values.iter_mut().for_each(|each| fill_value(each, fill)),
        toml::Value::Table(table) => {
            for (_, each) in table.iter_mut() {
                fill_value(each, fill);
            }
        }
        _ => {}
    }
}

//! A name server over UDP and TCP, answering from a table.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

use crate::listening::Listening;

mod zone;

pub use zone::{Data, Entry, Zone};
use zone::{encode, key};

/// How long answers may be cached, in seconds; what rebinds may not be cached at all.
const TIME_TO_LIVE: u32 = 30;

/// How often a port is looked for that is free for both UDP and TCP.
const PORT_TRIES: usize = 16;

/// How many aliases are followed within the table.
const LONGEST_ALIAS_CHAIN: usize = 8;

/// A name server on one port, UDP and TCP.
#[derive(Debug)]
pub struct DnsTarget {
    tcp: Listening,
    udp: JoinHandle<()>,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug)]
struct Book {
    zone: Zone,
    /// How often each name was asked for, by type.
    asked: HashMap<(String, RecordType), u64>,
    queries: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

impl DnsTarget {
    /// Listens on `address`; port 0 lets the kernel choose one for both transports.
    pub async fn start(address: SocketAddr, zone: Zone) -> io::Result<Self> {
        let (listener, socket) = bind(address).await?;
        let book = Arc::new(Mutex::new(Book {
            zone,
            asked: HashMap::new(),
            queries: 0,
        }));
        let for_tcp = Arc::clone(&book);
        let tcp = Listening::accept_from(listener, move |stream| {
            let book = Arc::clone(&for_tcp);
            async move {
                // A peer that goes away in the middle is an ordinary end.
                drop(serve_tcp(stream, &book).await);
            }
        })?;
        let udp = tokio::spawn(serve_udp(socket, Arc::clone(&book)));
        Ok(Self { tcp, udp, book })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.tcp.address()
    }

    /// Queries received since the start, over both transports.
    pub fn queries(&self) -> u64 {
        open(&self.book).queries
    }

    /// Changes one name, or adds it.
    pub fn set(&self, name: &str, entry: Entry) {
        open(&self.book).zone.entries.insert(key(name), entry);
    }
}

impl Drop for DnsTarget {
    fn drop(&mut self) {
        self.udp.abort();
    }
}

fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kernel chooses a port for TCP only; whether UDP has it free is a matter of luck.
async fn bind(address: SocketAddr) -> io::Result<(TcpListener, UdpSocket)> {
    let mut tries = 1;
    loop {
        let listener = TcpListener::bind(address).await?;
        match UdpSocket::bind(listener.local_addr()?).await {
            Ok(socket) => return Ok((listener, socket)),
            Err(error) if address.port() != 0 || tries == PORT_TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

async fn serve_udp(socket: UdpSocket, book: Arc<Mutex<Book>>) {
    let mut buffer = [0; 4096];
    loop {
        // An error here tells of an earlier answer that nobody took; the socket goes on.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let query = buffer.get(..length).unwrap_or_default();
        if let Some(answer) = answer(&book, query, Transport::Udp) {
            drop(socket.send_to(&answer, peer).await);
        }
    }
}

async fn serve_tcp(mut stream: TcpStream, book: &Mutex<Book>) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; length.into()];
        stream.read_exact(&mut query).await?;
        if let Some(answer) = answer(book, &query, Transport::Tcp) {
            let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
            stream.write_u16(length).await?;
            stream.write_all(&answer).await?;
        }
    }
}

/// The answer's bytes; `None` where the server keeps silent.
fn answer(book: &Mutex<Book>, query: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let request = Message::from_vec(query).ok()?;
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata.recursion_desired = request.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    response.metadata.authoritative = true;
    response.add_queries(request.queries.iter().cloned());
    if request.edns.is_some() {
        response.set_edns(Edns::new());
    }
    let [question] = request.queries.as_slice() else {
        response.metadata.response_code = ResponseCode::FormErr;
        return response.to_vec().ok();
    };
    if request.metadata.op_code != OpCode::Query {
        response.metadata.response_code = ResponseCode::NotImp;
        return response.to_vec().ok();
    }
    let code = open(book).fill(
        &mut response,
        question.name(),
        question.query_type(),
        transport,
    )?;
    response.metadata.response_code = code;
    let nothing = response.answers.is_empty() && !response.metadata.truncation;
    if nothing && matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        response.add_authority(start_of_authority(question.name()));
    }
    let bytes = response.to_vec().ok()?;
    if transport == Transport::Udp && bytes.len() > usize::from(request.max_payload()) {
        return response.truncate().to_vec().ok();
    }
    Some(bytes)
}

impl Book {
    /// The code of the answer whose records are put into `response`; `None` where the
    /// server keeps silent.
    fn fill(
        &mut self,
        response: &mut Message,
        name: &Name,
        asked: RecordType,
        transport: Transport,
    ) -> Option<ResponseCode> {
        self.queries += 1;
        let mut owner = name.clone();
        for _ in 0..LONGEST_ALIAS_CHAIN {
            let name = key(&owner.to_ascii());
            let times = self.asked.entry((name.clone(), asked)).or_default();
            *times += 1;
            let mut time_to_live = TIME_TO_LIVE;
            let records = match self.zone.entries.get(&name) {
                None | Some(Entry::NxDomain) => return Some(ResponseCode::NXDomain),
                Some(Entry::ServFail) => return Some(ResponseCode::ServFail),
                Some(Entry::Refused) => return Some(ResponseCode::Refused),
                Some(Entry::Silent) => return None,
                Some(Entry::Truncated(_)) if transport == Transport::Udp => {
                    response.metadata.truncation = true;
                    return Some(ResponseCode::NoError);
                }
                Some(Entry::Records(records) | Entry::Truncated(records)) => records,
                Some(Entry::Rebinding { first, then }) => {
                    time_to_live = 0;
                    if *times == 1 { first } else { then }
                }
            };
            let mut alias = None;
            for data in records {
                // A table that holds a name which is none answers as a broken server does.
                let Some(data) = encode(data) else {
                    return Some(ResponseCode::ServFail);
                };
                if let RData::CNAME(CNAME(target)) = &data {
                    alias = Some(target.clone());
                }
                if data.record_type() == asked || data.record_type() == RecordType::CNAME {
                    response.add_answer(Record::from_rdata(owner.clone(), time_to_live, data));
                }
            }
            match alias {
                Some(target) if asked != RecordType::CNAME => owner = target,
                _ => return Some(ResponseCode::NoError),
            }
        }
        Some(ResponseCode::ServFail)
    }
}

/// What a resolver needs to know how long it may remember that there is nothing.
fn start_of_authority(name: &Name) -> Record {
    let zone = name.base_name();
    let data = SOA::new(zone.clone(), zone.clone(), 1, 3600, 600, 86_400, 0);
    Record::from_rdata(zone, 0, RData::SOA(data))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use hickory_proto::op::Query;

    use super::*;

    async fn start() -> DnsTarget {
        DnsTarget::start((Ipv4Addr::LOCALHOST, 0).into(), Zone::demo())
            .await
            .unwrap()
    }

    fn query(name: &str, asked: RecordType) -> Vec<u8> {
        let mut message = Message::query();
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), asked));
        message.to_vec().unwrap()
    }

    async fn over_udp(target: &DnsTarget, name: &str, asked: RecordType) -> Option<Message> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket
            .send_to(&query(name, asked), target.address())
            .await
            .unwrap();
        let mut buffer = [0; 4096];
        let received = socket.recv(&mut buffer);
        let length = tokio::time::timeout(Duration::from_millis(300), received)
            .await
            .ok()?
            .unwrap();
        Some(Message::from_vec(&buffer[..length]).unwrap())
    }

    async fn over_tcp(target: &DnsTarget, name: &str, asked: RecordType) -> Message {
        let mut stream = TcpStream::connect(target.address()).await.unwrap();
        let query = query(name, asked);
        stream
            .write_u16(query.len().try_into().unwrap())
            .await
            .unwrap();
        stream.write_all(&query).await.unwrap();
        let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut answer).await.unwrap();
        Message::from_vec(&answer).unwrap()
    }

    fn text(message: &Message) -> Vec<String> {
        message
            .answers
            .iter()
            .map(|record| record.data.to_string())
            .collect()
    }

    #[tokio::test]
    async fn answers_by_type_and_follows_aliases() {
        let target = start().await;
        let check = async |name: &str, asked, expected: &[&str]| {
            let answer = over_udp(&target, name, asked).await.unwrap();
            assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
            assert_eq!(text(&answer), expected, "{name} {asked}");
        };
        check("ok.demo.test.", RecordType::A, &["127.0.0.1"]).await;
        check("OK.demo.test.", RecordType::AAAA, &["::1"]).await;
        check("ok.demo.test.", RecordType::MX, &["10 mail.demo.test."]).await;
        check("ok.demo.test.", RecordType::TXT, &["v=spf1 -all"]).await;
        check("ok.demo.test.", RecordType::NS, &[]).await;
        check(
            "alias.demo.test.",
            RecordType::A,
            &["ok.demo.test.", "127.0.0.1"],
        )
        .await;
        check("alias.demo.test.", RecordType::CNAME, &["ok.demo.test."]).await;
        assert_eq!(target.queries(), 7);
    }

    #[tokio::test]
    async fn fails_as_told() {
        let target = start().await;
        let code = async |name: &str| {
            let answer = over_udp(&target, name, RecordType::A).await?;
            Some(answer.metadata.response_code)
        };
        assert_eq!(code("gone.demo.test.").await, Some(ResponseCode::NXDomain));
        assert_eq!(
            code("not.in.the.table.").await,
            Some(ResponseCode::NXDomain)
        );
        assert_eq!(
            code("broken.demo.test.").await,
            Some(ResponseCode::ServFail)
        );
        assert_eq!(
            code("refused.demo.test.").await,
            Some(ResponseCode::Refused)
        );
        assert_eq!(code("silent.demo.test.").await, None);

        target.set(
            "gone.demo.test",
            Entry::Records(vec![Data::A(Ipv4Addr::LOCALHOST)]),
        );
        assert_eq!(code("gone.demo.test.").await, Some(ResponseCode::NoError));
        target.set(
            "loop.test",
            Entry::Records(vec![Data::Cname("loop.test".into())]),
        );
        assert_eq!(code("loop.test.").await, Some(ResponseCode::ServFail));
    }

    #[tokio::test]
    async fn long_answers_come_over_tcp() {
        let target = start().await;
        let short = over_udp(&target, "long.demo.test.", RecordType::TXT)
            .await
            .unwrap();
        assert!(short.metadata.truncation);
        assert_eq!(text(&short), [""; 0]);
        let long = over_tcp(&target, "long.demo.test.", RecordType::TXT).await;
        assert!(!long.metadata.truncation);
        assert_eq!(text(&long), ["x".repeat(2000)]);

        // Too long for UDP without having been declared so.
        target.set(
            "ok.demo.test",
            Entry::Records(vec![Data::Txt("y".repeat(2000))]),
        );
        let short = over_udp(&target, "ok.demo.test.", RecordType::TXT)
            .await
            .unwrap();
        assert!(short.metadata.truncation);
    }

    #[tokio::test]
    async fn rebinds_after_the_first_query_of_a_type() {
        let target = start().await;
        let address = async || {
            text(
                &over_udp(&target, "rebind.demo.test.", RecordType::A)
                    .await
                    .unwrap(),
            )
            .join(" ")
        };
        over_udp(&target, "rebind.demo.test.", RecordType::AAAA)
            .await
            .unwrap();
        assert_eq!(address().await, "127.0.0.1");
        assert_eq!(address().await, "169.254.169.254");
        assert_eq!(address().await, "169.254.169.254");
    }
}

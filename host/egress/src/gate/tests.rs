use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use hickory_proto::serialize::binary::BinEncodable;

use super::*;
use crate::resolver::ResolverOptions;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Reading the roots takes longer than most tests.
static TLS: LazyLock<Tls> = LazyLock::new(|| Tls::new(Vec::new()).unwrap());

pub(crate) fn gate_for(targets: &[&str]) -> Arc<Gate> {
    gate_with(targets, Budget::default())
}

pub(crate) fn gate_with(targets: &[&str], budget: Budget) -> Arc<Gate> {
    gate_made(targets, budget, TLS.clone(), Vec::new(), Vec::new())
}

pub(crate) fn gate_with_tls(targets: &[&str], tls: Tls) -> Arc<Gate> {
    gate_made(targets, Budget::default(), tls, Vec::new(), Vec::new())
}

pub(crate) fn gate_asking(targets: &[&str], server: SocketAddr) -> Arc<Gate> {
    gate_made(
        targets,
        Budget::default(),
        TLS.clone(),
        vec![server],
        Vec::new(),
    )
}

fn gate_made(
    targets: &[&str],
    budget: Budget,
    tls: Tls,
    servers: Vec<SocketAddr>,
    own_listeners: Vec<SocketAddr>,
) -> Arc<Gate> {
    let mut grants = Grants::new();
    for target in targets {
        grants.grant_url(target).unwrap();
    }
    let options = ResolverOptions {
        servers,
        timeout: Duration::from_secs(2),
    };
    Gate::new(GateOptions {
        grants: Arc::new(grants),
        policy: Arc::new(AddressPolicy::for_config_targets(own_listeners)),
        resolver: Resolver::new(options).unwrap(),
        tls,
        budget,
    })
}

/// A DNS server that gives an `A` record for each question, the nth answer to
/// the nth question and the last for ever; nothing for other kinds.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl NameServer {
    pub(crate) async fn start(answers: Vec<Vec<Ipv4Addr>>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            loop {
                let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let query = question.queries[0].clone();
                let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
                answer.add_query(query.clone());
                if query.query_type == RecordType::A {
                    let nth = count.fetch_add(1, Ordering::SeqCst);
                    let chosen = answers.get(nth).or_else(|| answers.last()).unwrap();
                    if chosen.is_empty() {
                        answer.metadata.response_code = ResponseCode::NXDomain;
                    }
                    for address in chosen {
                        answer.add_answer(Record::from_rdata(
                            query.name.clone(),
                            0,
                            RData::A(A(*address)),
                        ));
                    }
                }
                socket
                    .send_to(&answer.to_bytes().unwrap(), client)
                    .await
                    .unwrap();
            }
        });
        Self { address, asked }
    }
}

/// A listener that counts who comes.
struct Counting {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Counting {
    async fn start(address: impl tokio::net::ToSocketAddrs) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut buffer = [0; 1_024];
                    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                        if stream.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, accepted }
    }

    /// How many came so far. Accepting goes in order: once one more visitor has
    /// been served, those before it have been counted.
    async fn accepted(&self) -> usize {
        let mut visitor = TcpStream::connect(self.address).await.unwrap();
        visitor.write_all(b"?").await.unwrap();
        visitor.read_u8().await.unwrap();
        // The visitor itself does not count, now or later.
        self.accepted.fetch_sub(1, Ordering::SeqCst) - 1
    }
}

#[tokio::test]
async fn of_twenty_listeners_only_the_granted_one_is_reached() {
    let mut listeners = Vec::new();
    for last in 2..=21 {
        listeners.push(Counting::start((Ipv4Addr::new(127, 0, 0, last), 0)).await);
    }
    let granted = &listeners[7];
    let gate = gate_for(&[&format!("tcp://{}", granted.address)]);
    for listener in &listeners {
        let ip = listener.address.ip();
        let port = listener.address.port();
        let is_granted = listener.address == granted.address;
        assert_eq!(gate.permits(listener.address).is_ok(), is_granted);
        for spelling in [
            ip.to_string(),
            format!("[::ffff:{ip}]"),
            match ip {
                IpAddr::V4(address) => address.to_bits().to_string(),
                IpAddr::V6(_) => unreachable!("the test listens on IPv4"),
            },
        ] {
            let dialled = gate.dial(&spelling, port, TIMEOUT).await;
            match dialled {
                Ok(dialled) => {
                    assert!(is_granted, "{spelling}");
                    assert_eq!(dialled.address, listener.address);
                }
                Err(DialError::Denied(_)) => assert!(!is_granted, "{spelling}"),
                Err(error) => panic!("{spelling}: {error}"),
            }
        }
        if !is_granted {
            assert!(gate.resolve(&ip.to_string(), TIMEOUT).await.is_err());
            assert!(
                crate::dns::query(
                    &gate,
                    "a.example",
                    "A",
                    Some(&listener.address.to_string()),
                    TIMEOUT
                )
                .await
                .is_err()
            );
        }
        // Another port of the granted address is as foreign as another address.
        assert!(
            gate.dial(&granted.address.ip().to_string(), port ^ 1, TIMEOUT)
                .await
                .is_err()
        );
    }
    for listener in &listeners {
        let expected = if listener.address == granted.address {
            3
        } else {
            0
        };
        assert_eq!(listener.accepted().await, expected, "{}", listener.address);
    }
}

#[tokio::test]
async fn a_name_cannot_be_rebound_within_a_run() {
    let listener = Counting::start("127.0.0.1:0").await;
    let port = listener.address.port();
    let names = NameServer::start(vec![
        vec![Ipv4Addr::LOCALHOST],
        vec![Ipv4Addr::new(169, 254, 169, 254)],
    ])
    .await;
    let target = format!("http://rebind.example:{port}");

    let gate = gate_asking(&[&target], names.address);
    for _ in 0..3 {
        let dialled = gate.dial("rebind.example", port, TIMEOUT).await.unwrap();
        assert_eq!(dialled.address, listener.address);
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 1, "the name is pinned");
    assert!(gate.permits(listener.address).is_ok());
    assert!(gate.permits(([169, 254, 169, 254], port).into()).is_err());
    assert!(
        gate.permits(([127, 0, 0, 1], port ^ 1).into()).is_err(),
        "a pinned address at another port"
    );

    // The next run is given the other answer, and refuses it.
    let next = gate_asking(&[&target], names.address);
    let error = next
        .dial("rebind.example", port, TIMEOUT)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("not granted: rebind.example:{port} (169.254.169.254 is a cloud metadata address)")
    );
    assert_eq!(listener.accepted().await, 3);
}

#[tokio::test]
async fn of_several_addresses_the_forbidden_are_left_out() {
    let listener = Counting::start("127.0.0.1:0").await;
    let names = NameServer::start(vec![vec![
        Ipv4Addr::new(169, 254, 169, 254),
        Ipv4Addr::LOCALHOST,
    ]])
    .await;
    let port = listener.address.port();
    let gate = gate_asking(&[&format!("http://mixed.example:{port}")], names.address);
    assert_eq!(
        gate.resolve("mixed.example", TIMEOUT).await.unwrap(),
        [IpAddr::from(Ipv4Addr::LOCALHOST)]
    );
    assert!(gate.dial("mixed.example", port, TIMEOUT).await.is_ok());
}

#[tokio::test]
async fn names_not_granted_are_not_even_asked_for() {
    let names = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let gate = gate_asking(&["http://granted.example"], names.address);
    for name in [
        "other.example",
        "a.granted.example",
        "granted.example.evil.example",
    ] {
        assert!(gate.resolve(name, TIMEOUT).await.is_err(), "{name}");
        assert!(gate.dial(name, 80, TIMEOUT).await.is_err(), "{name}");
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn own_listeners_are_reached_by_name_only_when_meant() {
    let listener = Counting::start("127.0.0.1:0").await;
    let port = listener.address.port();
    let names = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let gate = |target: String| {
        gate_made(
            &[&target],
            Budget::default(),
            TLS.clone(),
            vec![names.address],
            vec![listener.address],
        )
    };
    let error = gate(format!("http://rebound.example:{port}"))
        .dial("rebound.example", port, TIMEOUT)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is this monitor's own listener)"),
        "{error}"
    );
    assert_eq!(listener.accepted().await, 0);
    gate(format!("http://localhost:{port}"))
        .dial("localhost", port, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(listener.accepted().await, 1);
}

#[tokio::test]
async fn failures_are_told_in_the_words_people_expect() {
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let gate = gate_for(&[&format!("tcp://{address}")]);
    let error = gate
        .dial("127.0.0.1", address.port(), TIMEOUT)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "connection refused");

    let names = NameServer::start(vec![vec![]]).await;
    let gate = gate_asking(&["http://nowhere.example"], names.address);
    let error = gate.dial("nowhere.example", 80, TIMEOUT).await.unwrap_err();
    assert_eq!(error, DialError::Unresolved("no such host".to_owned()));

    // A server that takes questions and never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let gate = gate_asking(&["http://slow.example"], silent.local_addr().unwrap());
    let error = gate
        .dial("slow.example", 80, Duration::from_millis(200))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no answer from DNS in 200 ms");
    assert_eq!(
        DialError::TimedOut(Duration::from_secs(10)).to_string(),
        "no answer in 10 s"
    );
}

#[tokio::test]
async fn localhost_is_loopback_whatever_dns_says() {
    let names = NameServer::start(vec![vec![Ipv4Addr::new(9, 9, 9, 9)]]).await;
    let gate = gate_asking(&["http://localhost", "http://a.localhost"], names.address);
    for name in ["localhost", "LOCALHOST.", "a.localhost"] {
        let addresses = gate.resolve(name, TIMEOUT).await.unwrap();
        assert!(addresses.iter().all(IpAddr::is_loopback), "{name}");
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn connections_are_counted() {
    let listener = Counting::start("127.0.0.1:0").await;
    let gate = gate_with(
        &[&format!("tcp://{}", listener.address)],
        Budget {
            connections: 2,
            ..Budget::default()
        },
    );
    let port = listener.address.port();
    for _ in 0..2 {
        gate.dial("127.0.0.1", port, TIMEOUT).await.unwrap();
    }
    assert_eq!(gate.limit_hit(), None);
    let error = gate.dial("127.0.0.1", port, TIMEOUT).await.unwrap_err();
    assert_eq!(error.to_string(), "limit reached: 2 connections");
    assert_eq!(gate.limit_hit(), Some(Limit::Connections(2)));
}

#[tokio::test]
async fn traffic_is_counted_both_ways() {
    let listener = Counting::start("127.0.0.1:0").await;
    let gate = gate_with(
        &[&format!("tcp://{}", listener.address)],
        Budget {
            traffic: 3_000,
            ..Budget::default()
        },
    );
    let mut stream = gate
        .dial("127.0.0.1", listener.address.port(), TIMEOUT)
        .await
        .unwrap()
        .stream;
    let mut echoed = [0; 1_000];
    stream.write_all(&[1; 1_000]).await.unwrap();
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(gate.traffic(), 2_000);
    stream.write_all(&[1; 1_000]).await.unwrap();
    let error = stream.read_exact(&mut echoed).await.unwrap_err();
    assert_eq!(limit_of(&error), Some(Limit::Traffic(3_000)));
    assert_eq!(gate.limit_hit(), Some(Limit::Traffic(3_000)));
}

#[tokio::test]
async fn names_are_counted() {
    let names = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let mut grants = Grants::new();
    grants.grant("*.example:80".parse().unwrap());
    let gate = Gate::new(GateOptions {
        grants: Arc::new(grants),
        policy: Arc::new(AddressPolicy::for_config_targets(Vec::new())),
        resolver: Resolver::new(ResolverOptions {
            servers: vec![names.address],
            ..ResolverOptions::default()
        })
        .unwrap(),
        tls: TLS.clone(),
        budget: Budget {
            names: 2,
            ..Budget::default()
        },
    });
    for name in ["a.example", "b.example", "a.example"] {
        gate.resolve(name, TIMEOUT).await.unwrap();
    }
    let error = gate.resolve("c.example", TIMEOUT).await.unwrap_err();
    assert_eq!(error.to_string(), "limit reached: 2 names");
}

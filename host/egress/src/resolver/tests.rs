use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{RData, Record, RecordType};
use hickory_proto::serialize::binary::BinEncodable;
use tokio::net::UdpSocket;

use super::*;

/// Answers names that begin with `good`, both kinds; is silent about `hung`, has
/// failed on `broken`, and knows no others.
async fn server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        loop {
            let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let query = question.queries[0].clone();
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            let name = query.name.to_ascii();
            answer.add_query(query.clone());
            if name.starts_with("hung") {
                continue;
            }
            if name.starts_with("good") {
                let data = match query.query_type {
                    RecordType::A => RData::A(A(Ipv4Addr::new(192, 0, 2, 1))),
                    _ => RData::AAAA(AAAA("2001:db8::1".parse().unwrap())),
                };
                answer.add_answer(Record::from_rdata(query.name, 60, data));
            } else if name.starts_with("broken") {
                answer.metadata.response_code = ResponseCode::ServFail;
            } else if !name.starts_with("empty") {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            let bytes = answer.to_bytes().unwrap();
            socket.send_to(&bytes, client).await.unwrap();
        }
    });
    address
}

fn asking(server: SocketAddr, timeout: Duration) -> Resolver {
    Resolver::new(ResolverOptions {
        servers: vec![server],
        timeout,
    })
    .unwrap()
}

#[tokio::test]
async fn ipv4_comes_before_ipv6() {
    let resolver = asking(server().await, Duration::from_secs(5));
    assert_eq!(
        resolver
            .lookup("good.example", Duration::from_secs(5))
            .await
            .unwrap(),
        [
            IpAddr::from([192, 0, 2, 1]),
            "2001:db8::1".parse::<IpAddr>().unwrap()
        ]
    );
}

#[tokio::test]
async fn failures_are_told_apart() {
    let resolver = asking(server().await, Duration::from_secs(5));
    for (name, error) in [
        ("missing.example", ResolveError::NoSuchHost),
        ("empty.example", ResolveError::NoAddress),
        (
            "broken.example",
            ResolveError::Failed("server failure".to_owned()),
        ),
    ] {
        let found = resolver.lookup(name, Duration::from_secs(5)).await;
        assert_eq!(found, Err(error), "{name}");
    }
}

/// A server that is silent about some names must not hold up the others, as it
/// would if the look-ups shared a queue.
#[tokio::test]
async fn hanging_names_do_not_hold_up_others() {
    let resolver = asking(server().await, Duration::from_secs(20));
    let mut hanging = tokio::task::JoinSet::new();
    for index in 0..300 {
        let resolver = resolver.clone();
        hanging.spawn(async move {
            let name = format!("hung{index}.example");
            resolver.lookup(&name, Duration::from_secs(20)).await
        });
    }
    tokio::task::yield_now().await;
    let mut good = tokio::task::JoinSet::new();
    for index in 0..300 {
        let resolver = resolver.clone();
        good.spawn(async move {
            let name = format!("good{index}.example");
            resolver.lookup(&name, Duration::from_secs(10)).await
        });
    }
    while let Some(found) = good.join_next().await {
        found.unwrap().unwrap();
    }
    assert_eq!(hanging.len(), 300, "the others still wait");
}

#[tokio::test]
async fn servers_are_those_configured() {
    let address = server().await;
    let resolver = asking(address, Duration::from_secs(5));
    assert_eq!(*resolver.servers(), [address]);
    assert!(
        !Resolver::new(ResolverOptions::default())
            .unwrap()
            .servers()
            .is_empty()
    );
}

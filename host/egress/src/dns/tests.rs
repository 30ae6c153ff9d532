use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{RData, Record as WireRecord};
use hickory_proto::serialize::binary::BinEncodable;
use tokio::net::TcpListener;

use super::*;
use crate::gate::Budget;
use crate::gate::tests::{gate_asking, gate_for, gate_with};

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Plain,
    /// Cuts datagrams.
    Cut,
    /// Sends two forgeries first: another id, another question.
    Forged,
    Silent,
}

fn answer_to(bytes: &[u8]) -> Message {
    let question = Message::from_vec(bytes).unwrap();
    let query = question.queries[0].clone();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.authentic_data = question.metadata.authentic_data;
    answer.add_query(query.clone());
    let data = match query.query_type.to_string().as_str() {
        "A" => Some(RData::A(A(Ipv4Addr::new(192, 0, 2, 7)))),
        "TXT" => Some(RData::TXT(TXT::new(vec!["v=1 \"x\"".to_owned()]))),
        _ => None,
    };
    match data {
        Some(data) => {
            answer.add_answer(WireRecord::from_rdata(query.name, 300, data));
        }
        None => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer
}

async fn server(manner: Manner) -> SocketAddr {
    // Both at one port: the datagram socket follows what the listener was given.
    let (listener, socket) = loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            break (listener, socket);
        }
    };
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        loop {
            let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
            let mut answer = answer_to(&buffer[..length]);
            match manner {
                Manner::Silent => continue,
                Manner::Plain => {}
                Manner::Cut => {
                    answer.metadata.truncation = true;
                    answer.answers.clear();
                }
                Manner::Forged => {
                    let mut other_id = answer.clone();
                    other_id.metadata.id ^= 1;
                    other_id.answers.clear();
                    let mut other_name = answer.clone();
                    other_name.queries[0].name = "evil.example.".parse().unwrap();
                    other_name.answers.clear();
                    for forgery in [other_id, other_name] {
                        let bytes = forgery.to_bytes().unwrap();
                        socket.send_to(&bytes, client).await.unwrap();
                    }
                    socket.send_to(b"nonsense", client).await.unwrap();
                }
            }
            let bytes = answer.to_bytes().unwrap();
            socket.send_to(&bytes, client).await.unwrap();
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut bytes = vec![0; usize::from(length)];
            stream.read_exact(&mut bytes).await.unwrap();
            let answer = answer_to(&bytes).to_bytes().unwrap();
            stream
                .write_u16(u16::try_from(answer.len()).unwrap())
                .await
                .unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    address
}

async fn ask_granted(manner: Manner, kind: &str) -> Result<Answer, DnsError> {
    let server = server(manner).await.to_string();
    let gate = gate_for(&[&format!("dns://{server}")]);
    query(&gate, "Www.Example.com", kind, Some(&server), TIMEOUT).await
}

#[tokio::test]
async fn answers_are_read() {
    for manner in [Manner::Plain, Manner::Cut, Manner::Forged] {
        let answer = ask_granted(manner, "A").await.unwrap();
        assert_eq!(answer.code, "NOERROR");
        assert!(answer.authenticated);
        assert_eq!(
            answer.records,
            [Record {
                name: "www.example.com".to_owned(),
                kind: "A".to_owned(),
                ttl_seconds: 300,
                data: "192.0.2.7".to_owned(),
            }]
        );
    }
    let answer = ask_granted(Manner::Plain, "txt").await.unwrap();
    assert_eq!(answer.records[0].data, "\"v=1 \\\"x\\\"\"");
    let answer = ask_granted(Manner::Plain, "TYPE65280").await.unwrap();
    assert_eq!(answer.code, "NXDOMAIN");
    assert_eq!(answer.records, []);
}

#[tokio::test]
async fn what_cannot_be_asked_says_why() {
    for (kind, why) in [
        ("NONSENSE", "`NONSENSE` is no DNS record type"),
        ("TYPE99999", "`TYPE99999` is no DNS record type"),
        ("AXFR", "zone transfers are not supported"),
    ] {
        assert_eq!(
            ask_granted(Manner::Plain, kind)
                .await
                .unwrap_err()
                .to_string(),
            why
        );
    }
    let gate = gate_for(&["dns://127.0.0.1"]);
    let error = query(&gate, "a..b", "A", Some("127.0.0.1"), TIMEOUT)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "`a..b` is no DNS name");
}

#[tokio::test]
async fn the_server_must_be_granted() {
    let server = server(Manner::Plain).await.to_string();
    for targets in [
        &["https://www.example.com"][..],
        &["dns://127.0.0.1"],
        &["icmp://127.0.0.1"],
    ] {
        let gate = gate_for(targets);
        let error = query(&gate, "www.example.com", "A", Some(&server), TIMEOUT)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), format!("not granted: {server}"));
    }
}

#[tokio::test]
async fn this_machines_resolver_is_asked_about_granted_names_only() {
    let server = server(Manner::Plain).await;
    let gate = gate_asking(&["https://www.example.com"], server);
    for name in ["www.example.com", "_dmarc.www.example.com"] {
        let answer = query(&gate, name, "A", None, TIMEOUT).await.unwrap();
        assert_eq!(answer.records.len(), 1, "{name}");
    }
    let error = query(&gate, "secret.www.example.com", "A", None, TIMEOUT)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "not granted: secret.www.example.com");
}

#[tokio::test]
async fn silence_and_limits_are_told() {
    let silent = server(Manner::Silent).await.to_string();
    let gate = gate_for(&[&format!("dns://{silent}")]);
    let limit = Duration::from_millis(50);
    let error = query(&gate, "a.example", "A", Some(&silent), limit)
        .await
        .unwrap_err();
    assert_eq!(error, DnsError::TimedOut(limit));

    let cut = server(Manner::Cut).await.to_string();
    let gate = gate_with(
        &[&format!("dns://{cut}")],
        Budget {
            connections: 1,
            ..Budget::default()
        },
    );
    let error = query(&gate, "a.example", "A", Some(&cut), TIMEOUT)
        .await
        .unwrap_err();
    assert_eq!(error, DnsError::Limit(Limit::Connections(1)));
}

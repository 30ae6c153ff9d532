//! Where a guest gets, and where it does not: real servers, and a count of who
//! came.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_sandbox::{CheckOutcome, Fault, Sandbox, Verdict};

use crate::fixture::{guest, load, settings_with, trial};

/// A listener that answers as HTTP and as anything else, and counts.
pub(crate) struct Server {
    address: String,
    pub(crate) port: u16,
    came: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start(ip: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let came = Arc::<AtomicUsize>::default();
        let count = came.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut asked = [0; 1024];
                    drop(stream.read(&mut asked).await);
                    let http = asked.starts_with(b"GET");
                    let answer: &[u8] = if http {
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
                    } else {
                        b"pong"
                    };
                    drop(stream.write_all(answer).await);
                });
            }
        });
        Self {
            address: address.to_string(),
            port: address.port(),
            came,
        }
    }

    pub(crate) fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

/// A listener that takes connections and says nothing.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

#[tokio::test]
pub(crate) async fn what_is_granted_is_reached() {
    let plugin = load("hostile").await;
    let server = Server::start(Ipv4Addr::LOCALHOST).await;
    let granted = [server.address.as_str()];
    let url = format!("http://{}/path", server.address);
    for (deed, with, got) in [
        ("http", &url, "got (200, 2)"),
        ("tcp", &server.address, "got \"pong\""),
        ("tls", &server.address, "got \"pong\""),
    ] {
        assert_eq!(
            trial(deed, with).granted(&granted).got(&plugin).await,
            got,
            "{deed}"
        );
    }
    assert_eq!(server.came(), 3);
    let by_name = format!("localhost:{}", server.port);
    for deed in ["tcp", "tls"] {
        let got = trial(deed, &by_name)
            .granted(&[&by_name])
            .got(&plugin)
            .await;
        assert_eq!(got, "got \"pong\"", "{deed}");
    }
    let got = trial("look up", "localhost")
        .granted(&["localhost:1"])
        .got(&plugin)
        .await;
    assert!(got.contains("127.0.0.1"), "{got}");
}

#[tokio::test]
pub(crate) async fn a_granted_datagram_is_answered() {
    let plugin = load("hostile").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut asked = [0; 100];
        let (length, peer) = socket.recv_from(&mut asked).await.unwrap();
        socket.send_to(&asked[..length], peer).await.unwrap();
    });
    assert_eq!(
        trial("udp", &address)
            .granted(&[&address])
            .got(&plugin)
            .await,
        "got 4"
    );
}

#[tokio::test]
pub(crate) async fn twenty_other_addresses_are_not_reached() {
    let plugin = load("hostile").await;
    let target = Server::start(Ipv4Addr::LOCALHOST).await;
    let granted = [target.address.as_str()];
    for last in 2..22 {
        let ip = Ipv4Addr::new(127, 0, 0, last);
        let other = Server::start(ip).await;
        let datagrams = UdpSocket::bind((ip, 0)).await.unwrap();
        let udp_address = datagrams.local_addr().unwrap().to_string();
        let url = format!("http://{}/", other.address);
        for (deed, with, named) in [
            ("http", &url, &other.address),
            ("http, ignoring the answer", &url, &other.address),
            ("tcp", &other.address, &other.address),
            ("tls", &other.address, &other.address),
            ("udp", &udp_address, &udp_address),
        ] {
            let run = trial(deed, with).granted(&granted).run(&plugin).await;
            let sentence =
                format!("not granted: {named}; add allow = [\"{named}\"] under [plugins.hostile]");
            assert!(
                run.log.iter().any(|line| line.text == sentence),
                "{deed}: {:?}",
                run.log
            );
            match run.outcome {
                CheckOutcome::Fault(fault) => assert_eq!(fault, Fault::Denied(sentence), "{deed}"),
                // Healthy without it: it was told all the same.
                CheckOutcome::Reading(reading) => {
                    assert_eq!(reading.verdict, Verdict::Healthy, "{deed}");
                    assert_eq!(deed, "http, ignoring the answer");
                }
                CheckOutcome::NoAnswer { .. } => panic!("{deed} waited"),
            }
        }
        assert_eq!(other.came(), 0, "{ip}");
        let mut nothing = [0; 1];
        assert!(datagrams.try_recv(&mut nothing).is_err(), "{ip}");
    }
    assert_eq!(target.came(), 0);
}

#[tokio::test]
pub(crate) async fn other_ports_and_names_are_not_reached() {
    let plugin = load("hostile").await;
    let server = Server::start(Ipv4Addr::LOCALHOST).await;
    let other_port = "127.0.0.1:1";
    let fault = trial("tcp", &server.address)
        .granted(&[other_port])
        .fault(&plugin)
        .await;
    assert!(matches!(fault, Fault::Denied(_)), "{fault:?}");
    let fault = trial("look up", "localhost")
        .granted(&["example.com:1"])
        .fault(&plugin)
        .await;
    assert_eq!(
        fault.to_string(),
        "not granted: localhost; add allow = [\"localhost:*\"] under [plugins.hostile]"
    );
    let fault = trial("dns", "localhost")
        .granted(&["example.com:1"])
        .fault(&plugin)
        .await;
    assert!(matches!(fault, Fault::Denied(_)), "{fault:?}");
    let fault = trial("ping", "localhost")
        .granted(&["example.com:1"])
        .fault(&plugin)
        .await;
    assert!(matches!(fault, Fault::Denied(_)), "{fault:?}");
    assert_eq!(server.came(), 0);
}

#[tokio::test]
pub(crate) async fn an_address_is_reached_by_its_name_only_after_a_look_up() {
    let plugin = load("hostile").await;
    let server = Server::start(Ipv4Addr::LOCALHOST).await;
    let by_name = format!("localhost:{}", server.port);
    // The name is granted and was not looked up in this run: its address is not.
    let fault = trial("tcp", &server.address)
        .granted(&[&by_name])
        .fault(&plugin)
        .await;
    assert!(matches!(fault, Fault::Denied(_)), "{fault:?}");
    assert_eq!(server.came(), 0);
}

#[tokio::test]
pub(crate) async fn nobody_listens() {
    let plugin = load("hostile").await;
    for address in ["127.0.0.1:0", "0.0.0.0:0", "127.0.0.1:8080"] {
        let fault = trial("listen", address)
            .granted(&["127.0.0.1:*"])
            .fault(&plugin)
            .await;
        assert!(
            matches!(&fault, Fault::Denied(why) if why.starts_with("no plugin may")),
            "{fault:?}"
        );
    }
}

#[tokio::test]
pub(crate) async fn a_host_header_names_a_granted_host() {
    let plugin = load("hostile").await;
    let server = Server::start(Ipv4Addr::LOCALHOST).await;
    let with = format!("http://{}/ virtual.example", server.address);
    let granted = [server.address.as_str()];
    let fault = trial("http as", &with)
        .granted(&granted)
        .fault(&plugin)
        .await;
    let port = server.port;
    assert_eq!(
        fault.to_string(),
        format!(
            "not granted: virtual.example:{port}; add allow = [\"virtual.example:{port}\"] under \
             [plugins.hostile]"
        )
    );
    assert_eq!(server.came(), 0);
    let granted = [server.address.as_str(), "virtual.example:*"];
    let got = trial("http as", &with).granted(&granted).got(&plugin).await;
    assert_eq!(got, "got (200, 2)");
}

#[tokio::test]
pub(crate) async fn a_target_that_does_not_answer_is_told_from_a_plugin_that_sleeps() {
    let plugin = load("hostile").await;
    let address = silent().await;
    let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let udp_address = datagrams.local_addr().unwrap().to_string();
    let url = format!("http://{address}/");
    let after = Duration::from_millis(300);
    for (deed, with, granted) in [
        ("http", &url, &address),
        ("tcp, hanging", &address, &address),
        ("tls", &address, &address),
        ("udp", &udp_address, &udp_address),
    ] {
        let run = trial(deed, with)
            .granted(&[granted])
            .within(after)
            .run(&plugin)
            .await;
        assert_eq!(
            run.outcome,
            CheckOutcome::NoAnswer { after },
            "{deed}: {:?}",
            run.log
        );
    }
}

#[tokio::test]
pub(crate) async fn a_resolver_that_does_not_answer_is_no_answer() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let options = ResolverOptions {
        servers: vec![socket.local_addr().unwrap()],
        timeout: Duration::from_mins(1),
    };
    let sandbox = Sandbox::new(settings_with(Resolver::new(options).unwrap())).unwrap();
    let plugin = sandbox.load(guest("hostile")).await.unwrap();
    let after = Duration::from_millis(300);
    let run = trial("look up", "silent.example")
        .granted(&["silent.example:1"])
        .within(after)
        .run(&plugin)
        .await;
    assert_eq!(run.outcome, CheckOutcome::NoAnswer { after });
}

#[tokio::test]
pub(crate) async fn a_refused_connection_is_the_targets() {
    let plugin = load("hostile").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{address}/");
    for (deed, with, reason) in [
        ("http", &url, "ErrorCode::ConnectionRefused"),
        ("tcp", &address, "Connection refused (os error 14)"),
        ("tls", &address, "Error::Refused(\"connection refused\")"),
    ] {
        let reading = trial(deed, with)
            .granted(&[&address])
            .reading(&plugin)
            .await;
        assert_eq!(reading.verdict, Verdict::Dead, "{deed}");
        assert_eq!(reading.reason.as_deref(), Some(reason), "{deed}");
    }
}

#[tokio::test]
pub(crate) async fn an_error_says_nothing_of_the_host() {
    let plugin = load("hostile").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ncut";
            drop(stream.write_all(cut).await);
        }
    });
    let url = format!("http://{address}/");
    let reading = trial("http", &url)
        .granted(&[&address])
        .reading(&plugin)
        .await;
    // One line; with RUST_BACKTRACE set it would be a hundred.
    assert_eq!(
        reading.reason.as_deref(),
        Some("internal error: connection closed by the other side")
    );
}

#[tokio::test]
pub(crate) async fn exchanges_and_calls_are_remembered() {
    let plugin = load("hostile").await;
    let server = Server::start(Ipv4Addr::LOCALHOST).await;
    let url = format!("http://{}/path", server.address);
    let run = trial("http", &url)
        .granted(&[&server.address])
        .run(&plugin)
        .await;
    assert_eq!(run.exchanges.len(), 1);
    assert_eq!(
        run.exchanges[0].address.unwrap().to_string(),
        server.address
    );
    assert!(run.exchanges[0].first_byte.is_some());
    assert_eq!(run.calls.len(), 1);
    assert_eq!(run.calls[0].what, format!("http GET {url}"));
    assert_eq!(run.calls[0].outcome, "200");
}

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Empty, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::gate::tests::{gate_for, gate_with, gate_with_tls};
use crate::gate::{Budget, DialError, Limit};
use crate::tls::tests::{Authority, acceptor};

type Plain = tokio::net::TcpStream;

/// A server that reads each request's head and then does what it is told.
async fn server<F, R>(answer: F) -> SocketAddr
where
    F: Fn(String, Plain) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await;
            tokio::spawn(answer(head, stream));
        }
    });
    address
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A server that says the same to everyone and goes.
async fn saying(answer: &'static str) -> SocketAddr {
    server(move |_, mut stream| async move {
        drop(stream.write_all(answer.as_bytes()).await);
    })
    .await
}

fn get(url: &str) -> Request<Empty<Bytes>> {
    Request::get(url).body(Empty::new()).unwrap()
}

async fn read_all(response: Response<Body>) -> Result<Bytes, HttpError> {
    response
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
}

fn short() -> HttpOptions {
    HttpOptions {
        first_byte_timeout: Duration::from_millis(100),
        between_bytes_timeout: Duration::from_millis(100),
        ..HttpOptions::default()
    }
}

#[tokio::test]
async fn a_request_is_sent_as_asked_and_every_phase_is_timed() {
    let address = server(|head, mut stream| async move {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}",
            head.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let port = address.port();
    let url = format!("http://localhost:{port}");
    let gate = gate_for(&[&url]);
    let response = send(&gate, get(&format!("{url}/a?b=c")), HttpOptions::default())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        gate.exchanges()[0].transfer,
        None,
        "the body is not read yet"
    );
    let head = read_all(response).await.unwrap();
    let head = String::from_utf8(head.to_vec()).unwrap();
    assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("host: localhost:{port}\r\n")),
        "{head}"
    );
    assert!(head.contains("connection: close\r\n"), "{head}");
    let exchanges = gate.exchanges();
    let [exchange] = exchanges.as_slice() else {
        panic!("{exchanges:?}");
    };
    assert!(exchange.resolve.is_some());
    assert!(exchange.connect.is_some());
    assert_eq!(exchange.tls, None);
    assert!(exchange.first_byte.is_some());
    assert!(exchange.transfer.is_some());
    assert_eq!(exchange.address, Some(address));
}

#[tokio::test]
async fn a_body_is_sent_and_the_host_header_may_be_chosen() {
    let address = server(|head, mut stream| async move {
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"hello");
        assert!(head.contains("host: other.example\r\n"), "{head}");
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let url = format!("http://{address}/");
    let gate = gate_for(&[&url]);
    let request = Request::post(&url)
        .header("host", "other.example")
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let response = send(&gate, request, HttpOptions::default()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let exchange = &gate.exchanges()[0];
    assert_eq!(exchange.resolve, None, "an address needs no look-up");
    assert!(exchange.transfer.is_some(), "there is no body to wait for");
}

#[tokio::test]
async fn bodies_of_every_framing_are_read() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nhello",
    ] {
        let url = format!("http://{}/", saying(answer).await);
        let gate = gate_for(&[&url]);
        let response = send(&gate, get(&url), HttpOptions::default())
            .await
            .unwrap();
        assert_eq!(read_all(response).await.unwrap(), "hello", "{answer}");
        assert!(gate.exchanges()[0].transfer.is_some());
    }
}

#[tokio::test]
async fn each_request_passes_the_gate() {
    let allowed = saying("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2/\r\n\r\n").await;
    let url = format!("http://{allowed}/");
    let gate = gate_for(&[&url]);
    let response = send(&gate, get(&url), HttpOptions::default())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    for (hop, why) in [
        ("http://127.0.0.2/", "not granted: 127.0.0.2:80"),
        (
            "http://169.254.169.254/latest",
            "not granted: 169.254.169.254:80",
        ),
        ("http://2852039166/", "not granted: 169.254.169.254:80"),
        ("https://127.0.0.1/", "not granted: 127.0.0.1:443"),
        ("ftp://127.0.0.1/", "`ftp` is neither http nor https"),
        ("/relative", "the URL has no scheme"),
    ] {
        let error = send(&gate, get(hop), HttpOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), why, "{hop}");
    }
}

#[tokio::test]
async fn failures_are_told_in_the_words_people_expect() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let gate = gate_for(&[&url]);
    let error = send(&gate, get(&url), HttpOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error, HttpError::Dial(DialError::Refused));
    assert_eq!(error.to_string(), "connection refused");

    let reset = server(|_, stream| async move {
        // Closing with a zero linger sends a reset.
        stream.set_zero_linger().unwrap();
    })
    .await;
    let closed = saying("").await;
    let nonsense = saying("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let cut = saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    for (address, why) in [
        (reset, "connection reset"),
        (closed, "connection closed by the other side"),
        (cut, "connection closed by the other side"),
    ] {
        let url = format!("http://{address}/");
        let result = async {
            let gate = gate_for(&[&url]);
            read_all(send(&gate, get(&url), HttpOptions::default()).await?).await
        };
        assert_eq!(result.await.unwrap_err().to_string(), why);
    }
    let url = format!("http://{nonsense}/");
    let error = send(&gate_for(&[&url]), get(&url), HttpOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::NotHttp(_)), "{error:?}");
}

/// A server that speaks as soon as someone connects, and goes at once when `goes`.
async fn speaking_first(words: &'static str, goes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(stream.write_all(words.as_bytes()).await);
            if !goes {
                tokio::spawn(async move { while stream.read_u8().await.is_ok() {} });
            }
        }
    });
    address
}

#[tokio::test]
async fn whoever_speaks_first_is_heard_the_same_early_or_late() {
    for goes in [false, true] {
        let address = speaking_first("SSH-2.0-OpenSSH_9.9\r\n", goes).await;
        let url = format!("http://{address}/");
        for round in 0..50 {
            let error = send(&gate_for(&[&url]), get(&url), HttpOptions::default())
                .await
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                "not an HTTP response: invalid HTTP version parsed",
                "goes: {goes}, round {round}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_counts_though_the_request_was_not_heard_to_its_end() {
    let address = speaking_first(
        "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig",
        true,
    )
    .await;
    let url = format!("http://{address}/");
    for round in 0..20 {
        let body = Full::new(Bytes::from(vec![b'x'; 4 << 20]));
        let request = Request::post(&url).body(body).unwrap();
        let response = send(&gate_for(&[&url]), request, HttpOptions::default())
            .await
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn silence_is_waited_for_no_longer_than_said() {
    let silent = server(|_, mut stream| async move {
        drop(stream.read_u8().await);
    })
    .await;
    let url = format!("http://{silent}/");
    let error = send(&gate_for(&[&url]), get(&url), short())
        .await
        .unwrap_err();
    assert_eq!(
        error,
        HttpError::NoAnswer {
            phase: Phase::FirstByte,
            after: Duration::from_millis(100)
        }
    );
    assert_eq!(error.to_string(), "no answer in 100 ms");

    let stalls = server(|_, mut stream| async move {
        drop(
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
                .await,
        );
        drop(stream.read_u8().await);
    })
    .await;
    let url = format!("http://{stalls}/");
    let gate = gate_for(&[&url]);
    let response = send(&gate, get(&url), short()).await.unwrap();
    let error = read_all(response).await.unwrap_err();
    assert!(
        matches!(
            error,
            HttpError::NoAnswer {
                phase: Phase::Body,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(gate.exchanges()[0].transfer, None);

    // A deadline is for all phases together.
    let options = HttpOptions {
        deadline: Some(Instant::now() + Duration::from_millis(50)),
        ..HttpOptions::default()
    };
    let started = Instant::now();
    let url = format!("http://{silent}/");
    let error = send(&gate_for(&[&url]), get(&url), options)
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::NoAnswer { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn bodies_are_limited_declared_or_not() {
    let budget = Budget {
        body: 1_000,
        ..Budget::default()
    };
    let declared = saying("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n").await;
    let endless = server(|_, mut stream| async move {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
        while stream.write_all(&[b'x'; 512]).await.is_ok() {}
    })
    .await;
    for address in [declared, endless] {
        let url = format!("http://{address}/");
        let gate = gate_with(&[&url], budget);
        let response = send(&gate, get(&url), HttpOptions::default())
            .await
            .unwrap();
        assert_eq!(gate.limit_hit(), None, "the status alone is free");
        let error = read_all(response).await.unwrap_err();
        assert_eq!(error, HttpError::Limit(Limit::Body(1_000)));
        assert_eq!(gate.limit_hit(), Some(Limit::Body(1_000)));
    }
    // What a HEAD declares never comes.
    let url = format!("http://{declared}/");
    let gate = gate_with(&[&url], budget);
    let request = Request::head(&url).body(Empty::<Bytes>::new()).unwrap();
    let response = send(&gate, request, HttpOptions::default()).await.unwrap();
    assert_eq!(read_all(response).await.unwrap(), "");
    assert_eq!(gate.limit_hit(), None);
}

#[tokio::test]
async fn traffic_is_limited() {
    let endless = server(|_, mut stream| async move {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
        while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
    })
    .await;
    let url = format!("http://{endless}/");
    let gate = gate_with(
        &[&url],
        Budget {
            traffic: 100_000,
            ..Budget::default()
        },
    );
    let response = send(&gate, get(&url), HttpOptions::default())
        .await
        .unwrap();
    let error = read_all(response).await.unwrap_err();
    assert_eq!(error, HttpError::Limit(Limit::Traffic(100_000)));
    assert_eq!(gate.limit_hit(), Some(Limit::Traffic(100_000)));
}

#[tokio::test]
async fn https_is_verified_and_reported() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor(authority.identity(&["localhost"]));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            read_head(&mut stream).await;
            drop(
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .await,
            );
            drop(stream.shutdown().await);
        }
    });
    let named = format!("https://localhost:{}/", address.port());
    let trusting = gate_with_tls(&[&named], authority.trusting());
    let response = send(&trusting, get(&named), HttpOptions::default())
        .await
        .unwrap();
    assert_eq!(read_all(response).await.unwrap(), "ok");
    let exchange = trusting.exchanges().remove(0);
    assert!(exchange.tls.is_some());
    let session = exchange.session.unwrap();
    assert_eq!(session.alpn.as_deref(), Some("http/1.1"));
    assert_eq!(session.untrusted, None);

    let strange = gate_for(&[&named]);
    let error = send(&strange, get(&named), HttpOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "certificate issuer is not trusted");
    let reported = HttpOptions {
        verify: Verify::Reported,
        ..HttpOptions::default()
    };
    let response = send(&strange, get(&named), reported).await.unwrap();
    assert_eq!(read_all(response).await.unwrap(), "ok");
    let session = strange.exchanges().remove(1).session.unwrap();
    assert_eq!(session.untrusted.as_deref(), Some("issuer is not trusted"));
}

#[tokio::test]
async fn an_unread_response_lets_go_of_its_connection() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let address = server(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            drop(
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
                    .await,
            );
            let end = stream.read_u8().await.is_err();
            sender.send(end).await.unwrap();
        }
    })
    .await;
    let url = format!("http://{address}/");
    let response = send(&gate_for(&[&url]), get(&url), HttpOptions::default())
        .await
        .unwrap();
    drop(response);
    assert_eq!(receiver.recv().await, Some(true));
}

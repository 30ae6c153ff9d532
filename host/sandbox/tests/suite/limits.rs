//! Each limit ends its run, and the run says which.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use watchkeeper_sandbox::{Fault, LimitHit};

use crate::fixture::{Trial, load, trial};

async fn check(trial: Trial, said: &str) {
    let plugin = load("hostile").await;
    let fault = trial.fault(&plugin).await;
    assert!(matches!(fault, Fault::Limit(_)), "{fault:?}");
    assert_eq!(fault.to_string(), said);
}

#[tokio::test]
pub(crate) async fn processor_time() {
    check(
        trial("loop", "").limited(|limits| limits.cpu = Duration::from_millis(100)),
        "the plugin used more than 100 ms of processor time (limit `cpu`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn processor_time_is_not_wall_time() {
    let plugin = load("hostile").await;
    // Thirty waits of a tick and a half each: were each to cost the guest a tick,
    // it would have had none left after five.
    let run = trial("nap", "30")
        .limited(|limits| limits.cpu = Duration::from_millis(50))
        .got(&plugin)
        .await;
    assert_eq!(run, "");
}

#[tokio::test]
pub(crate) async fn wall_time_of_a_sleeper() {
    check(
        trial("sleep", "").within(Duration::from_millis(200)),
        "the plugin still ran after 200 ms (limit `timeout`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn wall_time_of_one_that_computes() {
    check(
        trial("loop", "")
            .within(Duration::from_millis(200))
            .limited(|limits| {
                limits.cpu = Duration::from_hours(1);
            }),
        "the plugin still ran after 200 ms (limit `timeout`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn memory() {
    check(
        trial("memory", ""),
        "the plugin used more than 32 MiB of memory (limit `memory`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn memory_that_the_component_begins_with() {
    check(
        trial("nothing", "").limited(|limits| limits.memory = 64 << 10),
        "the plugin used more than 64 KiB of memory (limit `memory`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn tables() {
    check(
        trial("nothing", "").limited(|limits| limits.table_elements = 1),
        "the plugin used more than 1 table elements (limit `table_elements`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn the_call_stack() {
    let plugin = load("hostile").await;
    let fault = trial("recursion", "").fault(&plugin).await;
    assert!(matches!(fault, Fault::Trap(_)), "{fault:?}");
}

#[tokio::test]
pub(crate) async fn host_resources() {
    check(
        trial("resources", ""),
        "the plugin held more than 512 resources of the host",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn header_bytes() {
    check(
        trial("headers", ""),
        "the plugin set HTTP headers of more than 64 KiB",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn randomness() {
    check(
        trial("randomness", "1073741824"),
        "the plugin asked for more than 64 KiB of randomness in one call",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn bytes_of_one_call() {
    check(
        trial("reason", "5000000"),
        "the plugin passed more than 4 MiB to the host in one call",
    )
    .await;
    check(
        trial("reason", "100000000"),
        "the plugin used more than 32 MiB of memory (limit `memory`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn lines_of_log_are_left_out_and_end_nothing() {
    let plugin = load("hostile").await;
    for deed in ["log", "output"] {
        let run = trial(deed, "10000").run(&plugin).await;
        assert_eq!(run.log.len(), 101, "{deed}");
        assert!(run.log.iter().all(|line| line.text.len() <= 1024), "{deed}");
        let last = &run.log.last().unwrap().text;
        assert!(
            last.ends_with(" more lines were left out (limit `log_lines`)"),
            "{last}"
        );
    }
}

#[tokio::test]
pub(crate) async fn connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    check(
        trial("connections", &address).granted(&[&address]),
        "the plugin opened more than 16 connections (limit `connections`)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn traffic() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} });
        }
    });
    check(
        trial("tcp", &address)
            .granted(&[&address])
            .limited(|limits| limits.traffic = 1 << 20),
        "the plugin sent and received more than 1 MiB (limit `traffic`)",
    )
    .await;
    // Its own unbounded buffer, not the network's limit, when there is none.
    let plugin = load("hostile").await;
    let unlimited = trial("tcp", &address)
        .granted(&[&address])
        .limited(|limits| limits.traffic = u64::MAX);
    let fault = unlimited.fault(&plugin).await;
    assert!(
        matches!(fault, Fault::Limit(LimitHit::Memory(_))),
        "{fault:?}"
    );
}

#[tokio::test]
pub(crate) async fn bodies() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
                if stream.write_all(head).await.is_ok() {
                    while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                }
            });
        }
    });
    let url = format!("http://{address}/");
    let said = "the plugin received a body of more than 1 MiB (limit `body`)";
    for deed in ["http", "http, ignoring the answer"] {
        let trial = trial(deed, &url).granted(&[&address]);
        check(trial.limited(|limits| limits.body = 1 << 20), said).await;
    }
}

#[tokio::test]
pub(crate) async fn a_run_beyond_its_limit_leaves_the_next_one_be() {
    let plugin = load("hostile").await;
    for deed in [
        "memory",
        "recursion",
        "resources",
        "headers",
        "exit",
        "panic",
    ] {
        trial(deed, "").fault(&plugin).await;
        assert_eq!(trial("nothing", "").got(&plugin).await, "", "after {deed}");
    }
}

//! The program `target-server` as a user starts and stops it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_target-server"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

const ANY_PORTS: [&str; 10] = [
    "--http",
    "127.0.0.1:0",
    "--control",
    "127.0.0.1:0",
    "--tcp",
    "127.0.0.1:0",
    "--webhook",
    "127.0.0.1:0",
    "--dns",
    "127.0.0.1:0",
];

#[test]
fn says_where_it_listens_and_ends_on_a_signal() {
    let mut child = start(&ANY_PORTS);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for name in ["http", "switch", "tcp", "webhooks", "dns"] {
        let line = lines.next().unwrap().unwrap();
        assert!(
            line.starts_with(&format!("target-server: {name}")),
            "{line}"
        );
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("sh")
            .args(["-c", "kill -TERM $0", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(lines.next().unwrap().unwrap(), "target-server: stopped");
    assert!(child.wait().unwrap().success());
}

#[test]
fn ends_with_its_parent_when_asked_to() {
    let mut child = start(&[&ANY_PORTS[..], &["--with-parent"]].concat());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_wrong_command_line_gets_the_usage() {
    for arguments in [&["--htp"][..], &["--http"], &["--http", "8081"]] {
        let output = start(arguments).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(64));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("usage: target-server")
        );
    }
}

#[test]
fn a_busy_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut arguments = ANY_PORTS;
    arguments[5] = &address;
    let output = start(&arguments).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains(&format!("cannot listen on {address} (tcp)")),
        "{message}"
    );
}

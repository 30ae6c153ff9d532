//! The ssh probe, against OpenSSH.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use plugin_tests::{ANY, Program, Trial, Workplace, check, find, is_root, run, skip};
use target_server::{TcpBehaviour, TcpTarget};

use crate::http::SHORT;
use crate::measured::names;

/// sshd with a key of each of these types (of `ssh-keygen -t`).
pub(crate) async fn sshd(types: &[&str], more: &str) -> Option<Program> {
    let Some(program) = find("sshd") else {
        skip("ssh: sshd (Debian's openssh-server) is missing");
        return None;
    };
    let keygen = find("ssh-keygen").expect("openssh-server depends on openssh-client");
    let command = |port, place: &Workplace| {
        let mut lines = vec![
            format!("Port {port}"),
            "ListenAddress 127.0.0.1".to_owned(),
            "PidFile none".to_owned(),
            "UsePAM no".to_owned(),
        ];
        for kind in types {
            let key = place.path().join(kind);
            let made = Command::new(&keygen)
                .args(["-q", "-N", "", "-t", kind, "-f"])
                .arg(&key)
                .status();
            assert!(made.expect("ssh-keygen starts").success());
            give_to_nobody(&key);
            lines.push(format!("HostKey {}", key.display()));
        }
        lines.push(more.to_owned());
        let file = place.write("sshd_config", &lines.join("\n"));
        let mut command = Command::new(&program);
        command.arg("-D").arg("-e").arg("-f").arg(file);
        command
    };
    Some(Program::start(command, Program::takes_connections).await)
}

/// The server runs as nobody where the tests run as root, and takes no key that
/// others may read.
fn give_to_nobody(key: &Path) {
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("it is ours");
    if is_root() {
        chown(key, Some(65_534), Some(65_534)).expect("root may do it");
    }
}

/// As `ssh-keygen -l` prints it.
fn fingerprint(server: &Program, kind: &str) -> String {
    let printed = Command::new(find("ssh-keygen").expect("it made the key"))
        .arg("-lf")
        .arg(server.workplace().path().join(format!("{kind}.pub")))
        .output()
        .expect("ssh-keygen starts");
    let line = String::from_utf8(printed.stdout).expect("it prints text");
    line.split(' ').nth(1).expect("the second word").to_owned()
}

fn target(server: &Program) -> String {
    format!("ssh://{}", server.address())
}

#[test]
fn a_server_with_the_right_key_is_healthy() {
    run(async {
        let Some(server) = sshd(&["ed25519", "ecdsa", "rsa"], "").await else {
            return;
        };
        let target = target(&server);
        for (kind, type_of) in [("ed25519", "ed25519"), ("ecdsa", "ecdsa"), ("rsa", "rsa")] {
            let right = fingerprint(&server, type_of);
            let config = format!(r#"{{"key": "{kind}", "fingerprints": ["{right}"]}}"#);
            assert_eq!(check("ssh", &target, &config).await, "healthy", "{kind}");
        }
        let (first, other) = (fingerprint(&server, "ed25519"), fingerprint(&server, "rsa"));
        for (config, expected) in [
            ("{}".to_owned(), "healthy".to_owned()),
            (format!(r#"{{"fingerprints": ["{other}", "{first}"]}}"#), "healthy".to_owned()),
            (
                format!(r#"{{"fingerprints": ["{other}"]}}"#),
                format!("dead: host key is {first} (ed25519), expected {other}; it has keys for ecdsa and rsa too"),
            ),
            (r#"{"software": "^OpenSSH_[0-9.p]+"}"#.to_owned(), "healthy".to_owned()),
            (
                r#"{"software": "dropbear"}"#.to_owned(),
                "sick: expected software that matches dropbear, got \"OpenSSH_".to_owned(),
            ),
            (r#"{"exchange": false}"#.to_owned(), "healthy".to_owned()),
            (
                r#"{"exchange": false, "key": "rsa"}"#.to_owned(),
                "misconfigured: config.exchange: without a key exchange there is no host key to compare".to_owned(),
            ),
            (
                r#"{"fingerprints": ["16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"]}"#.to_owned(),
                "refused: config.fingerprints".to_owned(),
            ),
        ] {
            let said = check("ssh", &target, &config).await;
            assert!(said.starts_with(&expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let run = Trial::new("ssh", "{}").check(&target).await.unwrap();
        assert_eq!(
            names(&run),
            [
                "connect seconds",
                "identification seconds",
                "key-exchange seconds"
            ]
        );
        let log = server.said();
        assert!(log.contains("checked"), "it takes leave: {log}");
    });
}

#[test]
fn every_way_that_is_known_leads_to_the_key() {
    run(async {
        for (key, more) in [
            ("ed25519", "KexAlgorithms curve25519-sha256\n"),
            ("ed25519", "KexAlgorithms curve25519-sha256@libssh.org\n"),
            ("ecdsa", "KexAlgorithms ecdh-sha2-nistp256\n"),
            (
                "rsa",
                "HostKeyAlgorithms rsa-sha2-256\nCiphers aes256-ctr\nMACs hmac-sha2-512\n",
            ),
        ] {
            let Some(server) = sshd(&[key], more).await else {
                return;
            };
            let right = fingerprint(&server, key);
            let config = format!(r#"{{"fingerprints": ["{right}"]}}"#);
            let said = check("ssh", &target(&server), &config).await;
            assert_eq!(said, "healthy", "{more}");
        }
        let Some(strange) = sshd(
            &["ed25519"],
            "KexAlgorithms diffie-hellman-group16-sha512\n",
        )
        .await
        else {
            return;
        };
        let said = check("ssh", &target(&strange), "{}").await;
        assert!(
            said.starts_with(
                "dead: no common key exchange: the server has diffie-hellman-group16-sha512"
            ),
            "{said}"
        );
        let said = check("ssh", &target(&strange), r#"{"exchange": false}"#).await;
        assert_eq!(said, "healthy");
        let Some(other) = sshd(&["ed25519"], "").await else {
            return;
        };
        assert_eq!(
            check("ssh", &target(&other), r#"{"key": "rsa"}"#).await,
            "dead: no common host key algorithm: the server has ssh-ed25519"
        );
    });
}

#[test]
fn what_is_no_ssh_server_is_dead() {
    run(async {
        let mut server = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let target = format!("ssh://{}", server.address());
        let silent = Trial::new("ssh", "{}").within(SHORT);
        assert_eq!(
            silent.check_in_words(&target).await,
            "dead: waited 1 s for the identification"
        );
        let says = |line: &str| TcpBehaviour::Echo {
            banner: Some(line.to_owned()),
        };
        server.set(says("SSH-1.5-old"));
        assert_eq!(
            check("ssh", &target, "{}").await,
            r#"dead: speaks another SSH than 2: "SSH-1.5-old""#
        );
        // What comes back is what was sent: no packet.
        server.set(says("SSH-2.0-echo"));
        let said = check("ssh", &target, "{}").await;
        assert_eq!(said, "dead: sends a packet of 1397966893 bytes");
        server.set(TcpBehaviour::Close);
        assert_eq!(
            check("ssh", &target, "{}").await,
            "dead: connection closed before the identification"
        );
        // It may come before the connection is noticed.
        server.set(TcpBehaviour::Reset);
        let said = check("ssh", &target, "{}").await;
        assert!(
            said.starts_with("dead: connection closed before the "),
            "{said}"
        );
        server.stop().await;
        assert_eq!(
            check("ssh", &target, "{}").await,
            "dead: connection refused"
        );
        assert_eq!(
            check("ssh", "ssh://gone.test", "{}").await,
            "dead: no such host: gone.test"
        );
    });
}

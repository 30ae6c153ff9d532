//! Redis.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;

use plugin_tests::skip;
use target_server::Identity;

use crate::databases::{Home, Running, find, free_port};

/// The password of the user `watch` and of the default user.
pub(crate) const PASSWORD: &str = "let-me-in-42";

/// A server with the users `watch` (who may only look) and `default`, both with
/// the password.
pub(crate) struct Redis {
    pub(crate) home: Home,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    running: Running,
}

impl Redis {
    /// One with a certificate; none, and said so, where it is not installed.
    pub(crate) fn start(issued: &Identity) -> Option<Self> {
        Self::start_with(issued, "")
    }

    /// A second one that follows this one.
    pub(crate) fn follower(&self, issued: &Identity) -> Self {
        let settings = format!("replicaof 127.0.0.1 {}\nmasterauth {PASSWORD}\n", self.port);
        Self::start_with(issued, &settings).expect("the first was found")
    }

    fn start_with(issued: &Identity, settings: &str) -> Option<Self> {
        let Some(program) = find("redis-server", &[PathBuf::from("/usr/bin")]) else {
            skip("redis: redis-server (Debian's redis-server) is missing");
            return None;
        };
        let home = Home::new();
        let (chain, key) = home.write_certificate(issued);
        let (port, tls_port) = (free_port(), free_port());
        let (chain, key) = (chain.display(), key.display());
        let config = format!(
            "bind 127.0.0.1\nport {port}\ntls-port {tls_port}\ntls-cert-file {chain}\n\
             tls-key-file {key}\ntls-ca-cert-file {chain}\ntls-auth-clients no\nsave \"\"\n\
             maxmemory 64mb\nrepl-diskless-sync-delay 0\nrequirepass {PASSWORD}\n\
             user watch on >{PASSWORD} ~* &* -@all +@read +@connection +info\n{settings}"
        );
        let file = home.write("redis.conf", &config);
        let running = Running::start(home.command(&program).arg(file));
        Some(Self {
            home,
            port,
            tls_port,
            running,
        })
    }

    /// `redis://user@localhost:port`.
    pub(crate) fn target(&self, user: &str) -> String {
        format!("redis://{user}@localhost:{}", self.port)
    }

    /// `rediss://user@localhost:port`.
    pub(crate) fn tls_target(&self, user: &str) -> String {
        format!("rediss://{user}@localhost:{}", self.tls_port)
    }

    /// Has the server do these, each a line.
    pub(crate) fn tell(&self, commands: &[&str]) {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        let mut answers = BufReader::new(stream);
        let log_in = format!("AUTH {PASSWORD}");
        for command in [&[log_in.as_str()], commands].concat() {
            let line = format!("{command}\r\n");
            answers
                .get_mut()
                .write_all(line.as_bytes())
                .expect("it reads");
            let mut answer = String::new();
            answers.read_line(&mut answer).expect("it answers");
            assert!(answer.starts_with(['+', ':']), "{command}: {answer}");
        }
    }

    pub(crate) fn stop(&mut self) {
        self.running.kill();
    }
}

//! PostgreSQL.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use plugin_tests::skip;
use target_server::Identity;

use crate::databases::{Home, Running, find, free_port};

/// The password of every user that has one.
pub(crate) const PASSWORD: &str = "let-me-in-42";

/// Who may come in how: each user by another way.
const HBA: &str = "\
host all,replication postgres 127.0.0.1/32 trust
host all watch 127.0.0.1/32 scram-sha-256
host all old 127.0.0.1/32 md5
host all plain 127.0.0.1/32 password
host all trusted 127.0.0.1/32 trust
hostssl all secure 127.0.0.1/32 scram-sha-256
host all kerberos 127.0.0.1/32 gss
";

const ROLES: &str = "\
CREATE ROLE watch LOGIN PASSWORD 'let-me-in-42' IN ROLE pg_monitor;
CREATE ROLE plain LOGIN PASSWORD 'let-me-in-42';
CREATE ROLE secure LOGIN PASSWORD 'let-me-in-42';
CREATE ROLE trusted LOGIN;
CREATE ROLE kerberos LOGIN;
SET password_encryption = 'md5';
CREATE ROLE old LOGIN PASSWORD 'let-me-in-42';
CREATE DATABASE app;
";

const TABLES: &str = "\
CREATE TABLE jobs (id integer, state text, cost numeric, done boolean);
INSERT INTO jobs VALUES (1, 'ready', 0.5, false), (2, 'ready', 1.5, false), (3, 'done', NULL, true);
GRANT SELECT ON jobs TO PUBLIC;
";

/// A server with the users `watch` (SCRAM), `old` (MD5), `plain` (the password
/// itself), `trusted` (no password), `secure` (over TLS only), `kerberos`, and the
/// database `app` with a table `jobs`.
pub(crate) struct PostgreSql {
    pub(crate) home: Home,
    pub(crate) port: u16,
    programs: PathBuf,
    data: PathBuf,
    running: Running,
}

impl PostgreSql {
    /// One with a certificate; none, and said so, where it is not installed.
    pub(crate) fn start(issued: &Identity) -> Option<Self> {
        let Some(programs) = programs() else {
            skip("postgres: initdb (Debian's postgresql) is missing");
            return None;
        };
        let home = Home::new();
        home.write_certificate(issued);
        let data = home.path("data");
        let mut initdb = home.command(&programs.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--locale=C",
        ]);
        home.run(initdb.args(["--encoding=UTF8", "--pgdata"]).arg(&data));
        fs::write(data.join("pg_hba.conf"), HBA).expect("it can be written");
        for (database, statements) in [("postgres", ROLES), ("app", TABLES)] {
            let mut single = home.command(&programs.join("postgres"));
            single.args(["--single", "-D"]).arg(&data).arg(database);
            let mut child = single
                .stdin(Stdio::piped())
                .spawn()
                .expect("it can be started");
            let mut stdin = child.stdin.take().expect("it was asked for");
            stdin.write_all(statements.as_bytes()).expect("it reads");
            drop(stdin);
            let status = child.wait().expect("it is a child of this process");
            assert!(status.success(), "{}", home.logs());
        }
        let port = free_port();
        let running = serve(&home, &programs, &data, port, "on");
        Some(Self {
            home,
            port,
            programs,
            data,
            running,
        })
    }

    /// Serves again with another certificate, or without TLS.
    pub(crate) fn restart(&mut self, issued: Option<&Identity>) {
        self.stop();
        if let Some(issued) = issued {
            self.home.write_certificate(issued);
        }
        let ssl = if issued.is_some() { "on" } else { "off" };
        self.running = serve(&self.home, &self.programs, &self.data, self.port, ssl);
    }

    /// A second server that follows this one.
    pub(crate) fn follower(&self) -> Self {
        let home = Home::new();
        let data = home.path("data");
        let mut backup = home.command(&self.programs.join("pg_basebackup"));
        let source = format!("host=127.0.0.1 port={} user=postgres", self.port);
        backup.args([
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
            "--dbname",
        ]);
        home.run(backup.arg(source).arg("--pgdata").arg(&data));
        let port = free_port();
        let running = serve(&home, &self.programs, &data, port, "off");
        let programs = self.programs.clone();
        Self {
            home,
            port,
            programs,
            data,
            running,
        }
    }

    /// `postgres://user@localhost:port/app`.
    pub(crate) fn target(&self, user: &str) -> String {
        format!("postgres://{user}@localhost:{}/app", self.port)
    }

    /// Ends it without a checkpoint, as a crash would, but with its memory tidied up.
    pub(crate) fn stop(&mut self) {
        let mut stop = self.home.command(&self.programs.join("pg_ctl"));
        stop.args(["stop", "--mode=immediate", "--pgdata"])
            .arg(&self.data);
        // It may not have come as far as to have a process to stop.
        if stop.status().is_ok_and(|status| status.success()) {
            self.running.wait();
        }
        self.running.kill();
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where `initdb` and its kin are.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    let initdb = fs::canonicalize(find("initdb", &folders)?).ok()?;
    Some(initdb.parent()?.to_owned())
}

fn serve(home: &Home, programs: &Path, data: &Path, port: u16, ssl: &str) -> Running {
    let mut postgres = home.command(&programs.join("postgres"));
    postgres.arg("-D").arg(data).arg("-p").arg(port.to_string());
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "fsync=off".to_owned(),
        format!("ssl={ssl}"),
        format!("ssl_cert_file={}", home.path("chain.pem").display()),
        format!("ssl_key_file={}", home.path("key.pem").display()),
    ] {
        postgres.arg("-c").arg(setting);
    }
    Running::start(&mut postgres)
}

//! MariaDB.

use std::path::PathBuf;
use std::process::Command;

use plugin_tests::skip;
use target_server::Identity;

use crate::databases::{Home, Running, find, free_port};

/// The password of every user that has one.
pub(crate) const PASSWORD: &str = "let-me-in-42";

/// One statement a line, run at every start.
const SETUP: &str = "\
CREATE DATABASE IF NOT EXISTS app;
CREATE TABLE IF NOT EXISTS app.jobs (id INT PRIMARY KEY, state VARCHAR(20), cost DECIMAL(5,2));
REPLACE INTO app.jobs VALUES (1, 'ready', 0.5), (2, 'ready', 1.5), (3, 'done', NULL);
CREATE OR REPLACE USER watch IDENTIFIED BY 'let-me-in-42';
GRANT SELECT, PROCESS, SLAVE MONITOR ON *.* TO watch;
CREATE OR REPLACE USER open IDENTIFIED BY '';
CREATE OR REPLACE USER secure IDENTIFIED BY 'let-me-in-42' REQUIRE SSL;
INSTALL PLUGIN IF NOT EXISTS ed25519 SONAME 'auth_ed25519';
CREATE OR REPLACE USER curve IDENTIFIED VIA ed25519 USING PASSWORD('let-me-in-42');
GRANT SELECT ON app.* TO open, secure, curve;
";

/// A server with the users `watch` (by `mysql_native_password`), `open` (no
/// password), `secure` (over TLS only), `curve` (by `ed25519`), and the database
/// `app` with a table `jobs`.
pub(crate) struct MariaDb {
    pub(crate) home: Home,
    pub(crate) port: u16,
    program: PathBuf,
    running: Running,
}

impl MariaDb {
    /// One with a certificate; none, and said so, where it is not installed.
    pub(crate) fn start(issued: &Identity) -> Option<Self> {
        let folders = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")];
        let found = (
            find("mariadbd", &folders),
            find("mariadb-install-db", &folders),
        );
        let (Some(program), Some(install)) = found else {
            skip("mysql: mariadbd (Debian's mariadb-server) is missing");
            return None;
        };
        let home = Home::new();
        home.write("setup.sql", SETUP);
        let mut install = home.command(&install);
        install.args(["--no-defaults", "--skip-test-db"]);
        install.arg("--auth-root-authentication-method=normal");
        home.run(install.arg(format!("--datadir={}", home.path("data").display())));
        let port = free_port();
        let running = Running::start(&mut serving(&home, &program, port, Some(issued)));
        Some(Self {
            home,
            port,
            program,
            running,
        })
    }

    /// Serves again with another certificate, or without TLS.
    pub(crate) fn restart(&mut self, issued: Option<&Identity>) {
        self.stop();
        let mut command = serving(&self.home, &self.program, self.port, issued);
        self.running = Running::start(&mut command);
    }

    /// `mysql://user@localhost:port/app`.
    pub(crate) fn target(&self, user: &str) -> String {
        format!("mysql://{user}@localhost:{}/app", self.port)
    }

    /// Ends it as a crash would.
    pub(crate) fn stop(&mut self) {
        self.running.kill();
    }
}

fn serving(
    home: &Home,
    program: &std::path::Path,
    port: u16,
    issued: Option<&Identity>,
) -> Command {
    let mut command = home.command(program);
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", home.path("data").display()))
        .arg(format!("--socket={}", home.path("socket").display()))
        .arg(format!("--pid-file={}", home.path("pid").display()))
        .arg(format!("--init-file={}", home.path("setup.sql").display()))
        .arg(format!("--port={port}"))
        .args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
        ])
        .args([
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=16M",
        ]);
    if let Some(issued) = issued {
        let (chain, key) = home.write_certificate(issued);
        command.arg(format!("--ssl-cert={}", chain.display()));
        command.arg(format!("--ssl-key={}", key.display()));
    }
    command
}

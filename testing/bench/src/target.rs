//! `target-server` as a process of its own, so that its work is not counted to ours.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::places::Places;

/// The running server; it ends when this is dropped.
pub(crate) struct TargetServer {
    child: Child,
    base: String,
}

impl TargetServer {
    /// Starts it on ports that the kernel chooses.
    pub(crate) fn start(places: &Places) -> anyhow::Result<Self> {
        const ANY: &str = "127.0.0.1:0";
        let mut command = Command::new(&places.target_server);
        for option in ["--http", "--control", "--tcp", "--webhook", "--dns"] {
            command.args([option, ANY]);
        }
        let mut child = command
            // It ends with its input, and so with us, should we be killed.
            .arg("--with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the target server")?;
        let output = child.stdout.take().context("its output was asked for")?;
        let mut server = Self {
            child,
            base: String::new(),
        };
        let mut line = String::new();
        let mut output = BufReader::new(output);
        output.read_line(&mut line)?;
        let Some(base) = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
        else {
            bail!("the target server does not say where it listens, but {line:?}");
        };
        base.trim_end_matches('/').clone_into(&mut server.base);
        // Read on: a full pipe would hold it up.
        std::thread::spawn(move || drop(std::io::copy(&mut output, &mut std::io::sink())));
        Ok(server)
    }

    /// The URL of `path`, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl Drop for TargetServer {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

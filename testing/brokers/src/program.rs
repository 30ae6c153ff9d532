//! A program that runs until whoever started it is gone.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How many bytes of a log a failure tells.
const EXCERPT: usize = 2000;

/// A child process, killed when it is dropped, and by the kernel when the thread
/// that started it ends in any other way, as by a signal.
#[derive(Debug)]
pub(crate) struct Program(Child);

impl Program {
    /// Starts `program`, which writes what it says to `log`. `set_up` adds to the
    /// command what it needs.
    pub(crate) fn start(
        program: &str,
        log: &Path,
        set_up: impl FnOnce(&mut Command),
    ) -> io::Result<Self> {
        let log = File::create(log)?;
        // Of util-linux, without which no Debian is.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--", program])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        set_up(&mut command);
        command.spawn().map(Self)
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // One that is gone already is what was wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports of this machine that nobody listens on. Another program may take one
/// before it is used: whoever starts a server on them has to try again.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// The end of a log, for a failure's words.
pub(crate) fn end_of(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let start = bytes.len().saturating_sub(EXCERPT);
    String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
}

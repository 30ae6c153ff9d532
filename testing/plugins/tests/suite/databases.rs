//! Database servers of this machine's own, each in a folder of its own and on a
//! port of its own, gone when the test is over.

pub(crate) mod mariadb;
pub(crate) mod postgresql;
pub(crate) mod redis;
pub(crate) mod scripted;
pub(crate) mod sha2;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plugin_tests::{Trial, of_check};
use target_server::Identity;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use watchkeeper_sandbox::{CheckOutcome, Run};

/// How long something may take that a server was told and does in its own time.
/// Generous: it ends tests that would never end, and decides nothing.
const PATIENCE: Duration = Duration::from_mins(2);

/// `nobody`: some servers refuse to run as root.
const NOBODY: u32 = 65_534;

/// The first of `folders` and those of the PATH that has `program`.
pub(crate) fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = folders.iter().cloned().chain(std::env::split_paths(&path));
    places.find_map(|folder| {
        let file = folder.join(program);
        file.is_file().then_some(file)
    })
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// A folder that a server may do with as it likes, and who it runs as there.
pub(crate) struct Home {
    folder: TempDir,
    is_root: bool,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let is_root = fs::metadata(folder.path()).expect("it is there").uid() == 0;
        let home = Self { folder, is_root };
        home.hand_over(home.folder.path());
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that the server can read.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("it can be written");
        self.hand_over(&path);
        path
    }

    /// Chain and key of a certificate, as files that nobody else may read.
    pub(crate) fn write_certificate(&self, issued: &Identity) -> (PathBuf, PathBuf) {
        let chain = self.write("chain.pem", &issued.chain_pem);
        let key = self.write("key.pem", &issued.key_pem);
        let only_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&key, only_owner).expect("it is ours");
        (chain, key)
    }

    /// `program` with nothing of this process's environment but the path, as whom
    /// the folder belongs to, its output in `name.log`.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let log = program.file_name().unwrap_or_default().to_string_lossy();
        let log = self.path(&format!("{log}.log"));
        let open = || fs::File::options().create(true).append(true).open(&log);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(open().expect("a log can be written"))
            .stderr(open().expect("a log can be written"));
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs `command` to its end.
    pub(crate) fn run(&self, command: &mut Command) {
        let status = command.status().expect("it can be started");
        assert!(status.success(), "{command:?}: {status}\n{}", self.logs());
    }

    /// What the programs in this folder wrote.
    pub(crate) fn logs(&self) -> String {
        let files = fs::read_dir(self.folder.path()).into_iter().flatten();
        let files = files.filter_map(|entry| Some(entry.ok()?.path()));
        let logs = files.filter(|path| path.extension().is_some_and(|it| it == "log"));
        logs.filter_map(|path| fs::read_to_string(path).ok())
            .collect()
    }

    fn hand_over(&self, path: &Path) {
        if self.is_root {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
    }
}

/// A server that is running, until this is dropped.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().expect("it can be started")))
    }

    /// Ends it at once and waits until it has.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended by itself.
            drop(child.kill());
            child.wait().expect("it is a child of this process");
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.wait().expect("it is a child of this process");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Checks again and again until the outcome is `expected`.
///
/// # Panics
///
/// If it never is; says what it was last, and what the server wrote.
pub(crate) async fn until(
    trial: &Trial,
    target: &str,
    expected: &str,
    home: &Home,
) -> Run<CheckOutcome> {
    let mut last = String::new();
    let looking = async {
        loop {
            let run = trial.check(target).await.expect("the configuration fits");
            last = of_check(&run.outcome);
            if last == expected {
                return run;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let found = timeout(PATIENCE, looking).await.ok();
    found.unwrap_or_else(|| panic!("never {expected}; last: {last}\n{}", home.logs()))
}

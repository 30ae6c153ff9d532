//! Starts the binary as a user would, and asks it what a user would.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::cache;

/// How long anything that a test waits for may take. Generous: it ends tests
/// that would never end, and decides nothing.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a configuration, and the host that runs on it.
pub(crate) struct Rig {
    folder: TempDir,
    running: Option<Running>,
}

struct Running {
    child: Child,
    page: String,
    /// Every line of the log so far.
    log: Arc<Mutex<Vec<Value>>>,
}

impl Rig {
    /// A folder with this `watchkeeper.toml`, after a `[server]` table of its own.
    pub(crate) fn new(config: &str) -> Self {
        let rig = Self::cold(config);
        rig.share_cache();
        rig
    }

    /// As [`Rig::new`], but nothing was ever compiled.
    pub(crate) fn cold(config: &str) -> Self {
        let rig = Self {
            folder: tempfile::tempdir().unwrap(),
            running: None,
        };
        std::fs::create_dir(rig.plugins()).unwrap();
        rig.configure(config);
        rig
    }

    /// Lets the host and the commands share compiled plugins with those of other
    /// tests. Again, for a data folder that was removed.
    pub(crate) fn share_cache(&self) {
        std::fs::create_dir_all(self.data()).unwrap();
        let folders = [
            self.data().join("cache"),
            self.folder.path().join("watchkeeper"),
        ];
        for own in folders.iter().filter(|own| !own.exists()) {
            std::os::unix::fs::symlink(cache::warm(), own).unwrap();
        }
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, config: &str) {
        let whole = format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{config}");
        std::fs::write(self.config(), whole).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("watchkeeper.toml")
    }

    /// The data folder, which the host makes.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the configuration, in which commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The lock beside the configuration.
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.path().join("plugins.lock")
    }

    /// The plugins folder.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// Starts the host and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        let mut child = self
            .command(&["--json", "serve"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (found, page) = mpsc::channel();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let keeping = Arc::clone(&kept);
        // The log is read to its end, so that the host never waits for a reader.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if let Ok(entry) = serde_json::from_str::<Value>(&line) {
                    if entry["fields"]["message"] == "watchkeeper is up" {
                        let address = entry["fields"]["address"].as_str().unwrap_or_default();
                        _ = found.send(format!("http://{address}"));
                    }
                    keeping.lock().unwrap().push(entry);
                }
                eprintln!("  {line}");
            }
        });
        let page = page.recv_timeout(PATIENCE).expect("the host comes up");
        self.running = Some(Running {
            child,
            page,
            log: kept,
        });
        self.until("ready", async || {
            self.try_get("/readyz")
                .await
                .is_some_and(|(code, _)| code == 200)
        })
        .await;
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// SIGTERM; returns how it ended.
    pub(crate) async fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        let mut running = self.running.take().expect("it runs");
        tokio::task::spawn_blocking(move || running.child.wait().unwrap().code())
            .await
            .unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self
            .running
            .as_ref()
            .expect("it runs")
            .child
            .id()
            .to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Runs another command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts another command; its standard output can be read. Ended when dropped.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Ended {
        Ended(
            self.command(arguments)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// Runs another command on a terminal of its own, on which somebody types
    /// `input`; none where util-linux's `script` is missing, and that is said.
    pub(crate) fn on_a_terminal(&self, arguments: &[&str], input: &str) -> Option<Output> {
        use std::io::Write as _;

        let whole = self.command(arguments);
        let words = std::iter::once(whole.get_program()).chain(whole.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        let mut script = Command::new("script");
        script
            .args([
                "--quiet",
                "--return",
                "--command",
                &words.join(" "),
                "/dev/null",
            ])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in whole.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let Ok(mut child) = script.spawn() else {
            println!("SKIPPED: terminal: script (Debian's bsdutils) is missing");
            return None;
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        Some(child.wait_with_output().unwrap())
    }

    /// The body of a page.
    pub(crate) async fn get(&self, path: &str) -> String {
        let (code, body) = self.try_get(path).await.expect("the host answers");
        assert_eq!(code, 200, "{path}: {body}");
        body
    }

    /// The page's address.
    pub(crate) fn page(&self) -> &str {
        &self.running.as_ref().expect("it runs").page
    }

    async fn try_get(&self, path: &str) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("{}{path}", self.page())).await.ok()?;
        let code = answer.status().as_u16();
        Some((code, answer.text().await.ok()?))
    }

    /// The health of the only target of a monitor, by labels, as
    /// `/status/report` has it.
    pub(crate) async fn health(&self, service: &str, monitor: &str) -> String {
        let report: Value = serde_json::from_str(&self.get("/status/report").await).unwrap();
        let named = |list: &Value, name: &str| {
            list.as_array()
                .into_iter()
                .flatten()
                .find(|each| each["name"] == name)
                .cloned()
        };
        let node =
            named(&report["probes"], service).and_then(|probe| named(&probe["nodes"], monitor));
        node.and_then(|node| Some(node["status"].as_str()?.to_owned()))
            .unwrap_or_default()
    }

    /// Waits until the monitor has this health.
    pub(crate) async fn until_health(&self, service: &str, monitor: &str, health: &str) {
        let what = format!("{service}/{monitor} {health}");
        self.until(&what, async || {
            self.health(service, monitor).await == health
        })
        .await;
    }

    /// The page's line for a target with this name, as text.
    pub(crate) async fn target(&self, name: &str) -> String {
        let page = self.get("/").await;
        let chip = page
            .split("<li class=\"chip")
            .find(|chip| chip.contains(&format!("<b>{name}</b>")));
        let chip = chip
            .unwrap_or_default()
            .split("</li>")
            .next()
            .unwrap_or_default();
        let mut text = String::new();
        let mut is_tag = false;
        for each in chip.split_once('>').map_or("", |(_, rest)| rest).chars() {
            match each {
                '<' => (is_tag, text) = (true, text + " "),
                '>' => is_tag = false,
                _ if is_tag => {}
                _ => text.push(each),
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until the page's line for a target has these words.
    pub(crate) async fn until_target(&self, name: &str, words: &str) {
        self.until(&format!("{name}: {words}"), async || {
            self.target(name).await.contains(words)
        })
        .await;
    }

    /// Waits until the metrics have a line that begins so.
    pub(crate) async fn until_metric(&self, line: &str) {
        self.until(line, async || {
            self.get("/metrics")
                .await
                .lines()
                .any(|each| each.starts_with(line))
        })
        .await;
    }

    /// Waits until the log has a line of this message whose field has this in it.
    pub(crate) async fn until_log(&self, message: &str, field: &str, part: &str) {
        let log = Arc::clone(&self.running.as_ref().expect("it runs").log);
        self.until(message, async || {
            log.lock().unwrap().iter().any(|entry| {
                entry["fields"]["message"] == message
                    && entry["fields"][field]
                        .as_str()
                        .is_some_and(|text| text.contains(part))
            })
        })
        .await;
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let running = self.running.as_ref().expect("it runs");
        running.log.lock().unwrap().clone()
    }

    /// Asks again and again until the answer is yes.
    pub(crate) async fn until(&self, what: &str, mut yes: impl AsyncFnMut() -> bool) {
        let waiting = async {
            while !yes().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
            "never: {what}"
        );
    }

    /// What the first line of the log that has this field says in it.
    pub(crate) async fn logged(&self, field: &str) -> String {
        let log = Arc::clone(&self.running.as_ref().expect("it runs").log);
        let find = || {
            let log = log.lock().unwrap();
            let mut found = log
                .iter()
                .filter_map(|entry| entry["fields"][field].as_str());
            found.next().map(str::to_owned)
        };
        self.until(field, async || find().is_some()).await;
        find().expect("it was there")
    }

    /// Changes what the running host keeps.
    pub(crate) fn change_state(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.data().join("state.db")).unwrap();
        database.execute_batch(sql).unwrap();
    }

    /// Another command, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchkeeper"));
        // As a user does it: from the folder, by a relative path.
        command
            .current_dir(self.folder.path())
            .args(["--config", "watchkeeper.toml"])
            .args(arguments);
        command
            .env_remove("WATCHKEEPER_CONFIG")
            .env_remove("WATCHKEEPER_LOG")
            .env_remove("WATCHKEEPER_TOKEN");
        command
            .env("XDG_CACHE_HOME", self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("DOCKER_CONFIG")
            .stdin(Stdio::null())
            .env("HOOK_SECRET", "correct-horse-battery")
            .env("BROKER_PASSWORD", "staple-of-the-queue")
            .env("REPORTER_TOKEN", "battery:staple");
        command
    }
}

/// A command that is ended when it is dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            _ = running.child.kill();
            _ = running.child.wait();
        }
    }
}

/// A bundled plugin as the build left it: `target/plugins/NAME.wasm`.
pub(crate) fn built(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins");
    let file = folder.join(format!("{name}.wasm"));
    assert!(
        file.exists(),
        "{} is missing: run `cargo xtask plugins`",
        file.display()
    );
    file
}

/// A guest of `testing/guests` as the build left it: `target/guests/NAME.wasm`.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let file = folder.join(format!("{name}.wasm"));
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask test`", file.display()))
}

/// What a command wrote.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

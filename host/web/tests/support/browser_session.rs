//! A headless browser of its own for a test, gone when the test is.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::ChromeCapabilities;
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How a visitor looks at the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The width of the window, in pixels.
    pub(crate) width: u32,
    /// Whether the visitor's system is dark.
    pub(crate) dark: bool,
    /// Whether scripts run.
    pub(crate) scripts: bool,
}

/// A browser and the driver it listens to.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    look: Look,
    address: String,
    /// The driver; the browser that it started is of its process group.
    process: Child,
    _profile: TempDir,
}

impl Drop for Browser {
    /// A test that fails must not leave anything behind.
    fn drop(&mut self) {
        // Else the session would be ended by asking a driver that is no more. It is
        // an error if the session was ended.
        let _ended = self.driver.clone().leak();
        // There is no identifier once the process was seen to have ended.
        if let Some(id) = self.process.id() {
            let group = format!("-{id}");
            let killed = std::process::Command::new("kill")
                .args(["-KILL", "--", &group])
                .status();
            assert!(
                killed.is_ok() || std::thread::panicking(),
                "kill is part of every system"
            );
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 1280,
            dark: false,
            scripts: true,
        }
    }
}

impl Browser {
    /// Starts one; `None`, with a loud word, where there is none to start.
    pub(crate) async fn start(look: Look) -> Option<Self> {
        let profile = TempDir::new().unwrap();
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let Ok(mut process) = started else {
            skip("chromedriver is not installed");
            return None;
        };
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();

        let port = timeout(Duration::from_mins(1), async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, port)) = line.split_once("successfully on port ") {
                    return port.trim_end_matches('.').parse::<u16>().unwrap();
                }
            }
            panic!("chromedriver ended");
        });
        let port = port.await.expect("chromedriver starts within a minute");
        // It must not stop for want of a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });

        let address = format!("http://127.0.0.1:{port}");
        let driver = match WebDriver::new(&address, capabilities(look, &profile)).await {
            Ok(driver) => driver,
            Err(problem) if problem.to_string().contains("cannot find Chrome binary") => {
                skip("Chromium is not installed");
                return None;
            }
            Err(problem) => panic!("the browser did not start: {problem}"),
        };
        Some(Self {
            driver,
            look,
            address,
            process,
            _profile: profile,
        })
    }

    /// What `script`, which may `return`, comes to.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.driver
            .execute(script, Vec::new())
            .await
            .unwrap()
            .json()
            .clone()
    }

    /// What the browser's console holds that is worse than a remark.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let session = self.driver.session_id();
        let answer: Value = reqwest::Client::new()
            .post(format!("{}/session/{session}/se/log", self.address))
            .json(&json!({ "type": "browser" }))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let entries = answer["value"]
            .as_array()
            .unwrap_or_else(|| panic!("no log in {answer}"));
        entries
            .iter()
            .filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG")
            .map(ToString::to_string)
            .collect()
    }

    /// What the script of axe-core finds fault with: the rule and the places.
    pub(crate) async fn axe(&self, script: &str) -> Value {
        self.run(script).await;
        let found = self
            .driver
            .execute_async(
                "const done = arguments[arguments.length - 1];
                 axe.run().then((found) => done(found.violations.map((violation) =>
                   [violation.id, violation.nodes.map((node) => node.html)])));",
                Vec::new(),
            )
            .await
            .unwrap();
        found.json().clone()
    }

    /// Keeps a picture of the whole page in the folder that
    /// `WATCHKEEPER_SCREENSHOTS` names; nothing without it.
    pub(crate) async fn save_screenshot(&self, name: &str) {
        let Some(folder) = std::env::var_os("WATCHKEEPER_SCREENSHOTS") else {
            return;
        };
        let height = if self.look.scripts {
            self.run("return document.documentElement.scrollHeight")
                .await
                .as_u64()
                .unwrap()
        } else {
            3000
        };
        let height = u32::try_from(height.clamp(600, 12_000)).unwrap();
        self.driver
            .set_window_rect(0, 0, self.look.width, height)
            .await
            .unwrap();
        let folder = std::path::PathBuf::from(folder);
        self.driver
            .screenshot(&folder.join(format!("{name}.png")))
            .await
            .unwrap();
    }

    /// Ends the session. A test that failed before ends it by dropping this.
    pub(crate) async fn close(self) {
        self.driver.clone().quit().await.unwrap();
    }
}

/// Says loudly that something was not tested; in continuous integration that is a
/// failure.
#[expect(clippy::print_stdout, reason = "what was not tested has to be said")]
pub(crate) fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    println!("SKIPPED: {why}");
}

fn capabilities(look: Look, profile: &TempDir) -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", profile.path().display());
    let window = format!("--window-size={},900", look.width);
    for argument in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--lang=en-US",
        &profile,
        &window,
    ] {
        capabilities.add_arg(argument).unwrap();
    }
    if look.dark {
        capabilities
            .add_arg("--blink-settings=preferredColorScheme=0")
            .unwrap();
    }
    if !look.scripts {
        let preferences = json!({ "profile.managed_default_content_settings.javascript": 2 });
        capabilities
            .add_experimental_option("prefs", preferences)
            .unwrap();
    }
    capabilities
        .set("goog:loggingPrefs", json!({ "browser": "ALL" }))
        .unwrap();
    capabilities
}

//! `watchkeeper export`, `import` and `backup`: what was made through the API, and the
//! databases as they are.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use hyper::Method;
use serde_json::Value;
use watchkeeper_config::items::{ItemKey, ItemKind, ItemText, to_toml};

use super::api::Connection;
use super::{Exit, Global, complain, print};

/// The largest file that is imported, in bytes: as much as a server takes.
const MOST: u64 = 32 << 20;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Write it as a configuration file that says the same
    #[arg(long)]
    toml: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Export {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let asked = self
            .connection
            .ask(global, Method::GET, "/api/v1/export", None)
            .await;
        let exported = match asked {
            Ok(exported) => exported,
            Err(exit) => return Ok(exit),
        };
        if !self.toml {
            print(&serde_json::to_string_pretty(&exported)?)?;
            return Ok(Exit::Fine);
        }
        let items = exported["items"].as_array().into_iter().flatten();
        let items: Vec<_> = items.filter_map(item).collect();
        let (text, left_out) = to_toml(&items);
        print(text.trim_end())?;
        for item in left_out {
            complain(&format!(
                "{} is left out: its service stands in the configuration file; write it there",
                item.key
            ));
        }
        Ok(Exit::Fine)
    }
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// What `watchkeeper export` printed; `-` for standard input
    file: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

impl Import {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let shown = self.file.display();
        let text = match self.read() {
            Ok(text) => text,
            Err(problem) => {
                complain(&format!("{shown} cannot be read: {problem}"));
                return Ok(Exit::Usage);
            }
        };
        let sent: Value = match serde_json::from_str(&text) {
            Ok(sent) => sent,
            Err(problem) => {
                complain(&format!("{shown} is no export: {problem}"));
                return Ok(Exit::Usage);
            }
        };
        let asked = self
            .connection
            .ask(global, Method::POST, "/api/v1/import", Some(&sent))
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(exit) => return Ok(exit),
        };
        if global.json {
            print(&answer.to_string())?;
            return Ok(Exit::Fine);
        }
        let changes = answer["changes"].as_array().into_iter().flatten();
        let word = |change: &Value, key: &str| change[key].as_str().unwrap_or_default().to_owned();
        let lines: Vec<_> = changes
            .map(|it| {
                format!(
                    "{} {} {}",
                    word(it, "what"),
                    word(it, "kind"),
                    word(it, "id")
                )
            })
            .collect();
        if lines.is_empty() {
            print("nothing has changed")?;
        } else {
            print(&lines.join("\n"))?;
        }
        Ok(Exit::Fine)
    }

    fn read(&self) -> std::io::Result<String> {
        let mut text = String::new();
        if self.file.as_os_str() == "-" {
            std::io::stdin().take(MOST).read_to_string(&mut text)?;
        } else {
            File::open(&self.file)?
                .take(MOST)
                .read_to_string(&mut text)?;
        }
        Ok(text)
    }
}

fn item(exported: &Value) -> Option<ItemText> {
    let kind = ItemKind::from_word(exported["kind"].as_str()?)?;
    let json = exported["config"].clone();
    let key = ItemKey::of(kind, &json).ok()?;
    Some(ItemText { key, json })
}

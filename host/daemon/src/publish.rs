//! The page as files: written to a folder after each change, so that it can be
//! served, or copied elsewhere, without this host.
//!
//! What is written is what visitors are answered: the first page, and whatever it
//! links to on this host. A file takes the place of the one before at once, and is
//! left alone while it is the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, error};
use watchkeeper_web::{View, Web};

use crate::intake::Keys;

/// Where to begin.
const STARTS: [&str; 8] = [
    "/",
    "/status/text",
    "/status/report",
    "/history",
    "/history.json",
    "/sla",
    "/favicon.svg",
    "/robots.txt",
];

/// How many addresses are written at most: links beyond lead nowhere.
const MOST: usize = 2_000;

/// How many months of the history are written before the present one: each links to
/// the one before it, for ever.
const MONTHS: usize = 12;

/// What a link to a month begins with.
const MONTH: &str = "/history?month=";

/// What an address may consist of to become a file.
const PLAIN: &str = "-._~/";

/// See the module.
pub(crate) struct Publish {
    pub(crate) web: Web,
    pub(crate) views: watch::Receiver<View>,
    /// The present configuration.
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
}

impl Publish {
    /// Writes until dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let settings = self.keys.borrow_and_update().config.publish.clone();
            let Some(settings) = settings else {
                if self.keys.changed().await.is_err() {
                    return;
                }
                continue;
            };
            self.views.mark_unchanged();
            let pages = self.pages().await;
            let folder = settings.folder.clone();
            let written = tokio::task::spawn_blocking(move || write_all(&folder, &pages)).await;
            match written {
                Ok(Ok(files)) => debug!(files, folder = %settings.folder.display(), "published"),
                Ok(Err(problem)) => error!("the page cannot be published: {problem:#}"),
                Err(_) => error!("publishing broke down"),
            }
            sleep(settings.every).await;
            tokio::select! {
                changed = self.views.changed() => if changed.is_err() { return },
                changed = self.keys.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Every page that can be reached, by the path of its file.
    async fn pages(&self) -> BTreeMap<String, Vec<u8>> {
        let mut seen: BTreeSet<String> = STARTS.iter().map(|start| (*start).to_owned()).collect();
        let mut waiting: VecDeque<String> = seen.iter().cloned().collect();
        let mut pages = BTreeMap::new();
        while let Some(address) = waiting.pop_front() {
            let Some((kind, body)) = self.web.answer(&address).await else {
                continue;
            };
            let Some(file) = file_of(&address) else {
                continue;
            };
            if !kind.starts_with("text/html") {
                pages.insert(file, body);
                continue;
            }
            let text = String::from_utf8_lossy(&body).into_owned();
            for link in links(&text) {
                let months = || seen.iter().filter(|it| it.starts_with(MONTH)).count();
                if seen.len() >= MOST || file_of(&link).is_none() {
                    continue;
                }
                if link.starts_with(MONTH) && months() >= MONTHS {
                    continue;
                }
                if seen.insert(link.clone()) {
                    waiting.push_back(link);
                }
            }
            pages.insert(file, as_file(&text).into_bytes());
        }
        pages
    }
}

/// The addresses on this host that a page links to, without what stands behind `#`.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for mark in ["href=\"", "src=\""] {
        for part in page.split(mark).skip(1) {
            let Some((link, _)) = part.split_once('"') else {
                continue;
            };
            let link = link.split('#').next().unwrap_or_default();
            let link = link.replace("&amp;", "&").replace("&#38;", "&");
            if link.starts_with('/') && !link.starts_with("//") {
                found.push(link);
            }
        }
    }
    found
}

/// The page with its links to months led to their files: a file has no query.
fn as_file(page: &str) -> String {
    page.replace(&format!("\"{MONTH}"), "\"/history/")
}

/// The file of an address, as a relative path; `None` for what cannot be one.
fn file_of(address: &str) -> Option<String> {
    let path = match address.split_once('?') {
        None => address.to_owned(),
        Some(("/history", query)) => format!("/history/{}", query.strip_prefix("month=")?),
        Some(_) => return None,
    };
    let path = path.strip_prefix('/')?;
    let is_plain = path
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || PLAIN.contains(it));
    let is_inside = path.is_empty()
        || path
            .trim_end_matches('/')
            .split('/')
            .all(|step| !step.is_empty() && !step.starts_with('.'));
    if !is_plain || !is_inside {
        return None;
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_file = last.contains('.') || path.starts_with("status/");
    Some(if path.is_empty() {
        "index.html".to_owned()
    } else if is_file {
        path.to_owned()
    } else {
        format!("{}/index.html", path.trim_end_matches('/'))
    })
}

/// Writes what differs; returns how many files that were.
fn write_all(folder: &Path, pages: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<usize> {
    let mut written = 0;
    for (name, body) in pages {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|known| known == *body) {
            continue;
        }
        replace(&path, body).with_context(|| format!("cannot write {}", path.display()))?;
        written += 1;
    }
    Ok(written)
}

/// Puts a whole file in the place of another.
fn replace(path: &Path, body: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside: PathBuf = folder.join(format!(".{name}.new"));
    let mut file = fs::File::create(&beside)?;
    file.write_all(body)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_files() {
        for (address, file) in [
            ("/", Some("index.html")),
            ("/history", Some("history/index.html")),
            ("/history?month=2026-10", Some("history/2026-10/index.html")),
            ("/history?month=../x", None),
            ("/history?from=1", None),
            ("/incidents/7", Some("incidents/7/index.html")),
            ("/incidents/7.json", Some("incidents/7.json")),
            ("/status/report", Some("status/report")),
            ("/assets/a-1f.css", Some("assets/a-1f.css")),
            ("/../etc/passwd", None),
            ("/.git/config", None),
            ("/a//b", None),
            ("/a b", None),
            ("//other.example/x", None),
        ] {
            assert_eq!(file_of(address).as_deref(), file, "{address}");
        }
    }

    #[test]
    fn links_are_those_to_this_host() {
        let page = "<a href=\"/a#b\"><a href=\"https://x/\"><a href=\"//y/\"><a href=\"#z\"><script src=\"/s.js\">";
        assert_eq!(links(page), ["/a", "/s.js"]);
    }

    #[test]
    fn a_file_is_replaced_only_where_it_differs() {
        let folder = tempfile::tempdir().unwrap();
        let pages = |text: &str| BTreeMap::from([("a/index.html".to_owned(), text.into())]);
        assert_eq!(write_all(folder.path(), &pages("1")).unwrap(), 1);
        assert_eq!(write_all(folder.path(), &pages("1")).unwrap(), 0);
        assert_eq!(write_all(folder.path(), &pages("2")).unwrap(), 1);
        let names = fs::read_dir(folder.path().join("a")).unwrap().count();
        assert_eq!(names, 1);
    }
}

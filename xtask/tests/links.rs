//! Links in the project's own documents lead somewhere: to a file that is there,
//! and to a heading that is in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Documents that have to be there.
const REQUIRED: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"];

/// Where documents lie; folders below these are searched too.
const FOLDERS: [&str; 7] = [
    "docs", "host", "plugins", "sdk", "examples", "testing", "wit",
];

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace");
    let mut documents: Vec<PathBuf> = REQUIRED.iter().map(|name| root.join(name)).collect();
    for folder in FOLDERS {
        find(&root.join(folder), &mut documents);
    }
    let mut broken = Vec::new();
    for document in documents {
        let text = match fs::read_to_string(&document) {
            Ok(text) => text,
            Err(error) => {
                broken.push(format!("{}: {error}", document.display()));
                continue;
            }
        };
        for link in links(&text) {
            if let Err(problem) = follow(&document, &text, &link) {
                broken.push(format!("{}: {link}: {problem}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn finds_links_and_headings() {
    let text = "# A `b` & C!\n[x](a.md#c), ![y](b.png \"title\") `[no](code)`\n\
                ```\n[no](fence)\n# no heading\n```\n[ref]: c.md\n[z](<d e.md>)\n## A b  C\n";
    assert_eq!(links(text), ["a.md#c", "b.png", "c.md", "d e.md"]);
    assert_eq!(
        anchors(text),
        BTreeSet::from(["a-b--c".into(), "a-b--c-1".into()])
    );
}

fn find(folder: &Path, documents: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != "node_modules" {
            find(&path, documents);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
}

fn follow(document: &Path, text: &str, link: &str) -> Result<(), String> {
    let elsewhere = ["http://", "https://", "mailto:"];
    if elsewhere.iter().any(|scheme| link.starts_with(scheme)) {
        return Ok(());
    }
    let (path, anchor) = link
        .split_once('#')
        .map_or((link, None), |(path, at)| (path, Some(at)));
    let (place, other);
    let text = if path.is_empty() {
        text
    } else {
        let folder = document.parent().ok_or("a document lies in a folder")?;
        place = folder.join(path);
        if !place.exists() {
            return Err("no such file".into());
        }
        if anchor.is_none() || place.extension().is_none_or(|extension| extension != "md") {
            return Ok(());
        }
        other = fs::read_to_string(&place).map_err(|error| error.to_string())?;
        &other
    };
    match anchor {
        Some(anchor) if !anchors(text).contains(anchor) => Err("no such heading".into()),
        _ => Ok(()),
    }
}

/// The targets of all links outside of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        let line = without_code(line);
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        {
            links.push(target.trim().to_owned());
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = match rest.strip_prefix('<') {
                Some(rest) => rest.split('>').next(),
                None => rest.split([')', ' ']).next(),
            };
            links.extend(target.map(str::to_owned));
        }
    }
    links
}

/// The names that headings get as targets, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text) {
        let hashes = line
            .chars()
            .take_while(|character| *character == '#')
            .count();
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ') else {
            continue;
        };
        if hashes == 0 || hashes > 6 {
            continue;
        }
        let name: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|character| character.is_alphanumeric() || " -_".contains(*character))
            .map(|character| if character == ' ' { '-' } else { character })
            .collect();
        let free = (0..).map(|number| match number {
            0 => name.clone(),
            number => format!("{name}-{number}"),
        });
        anchors.extend(free.into_iter().find(|name| !anchors.contains(name)));
    }
    anchors
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The line without what stands between backticks, unless the backticks stand in a link's text.
fn without_code(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let closed = pieces.len() % 2 == 1;
    let kept = pieces
        .iter()
        .enumerate()
        .filter(|(place, _)| !closed || place % 2 == 0);
    kept.map(|(_, piece)| *piece).collect()
}

//! `cargo xtask contract`: `docs/plugins/contract.md` out of `wit/plugin.wit`.
//!
//! The page is the file in the order in which people ask: what a plugin exports
//! first, then what it may import. Its words are the file's own comments, so that
//! there is one place to write them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::say;

const HEAD: &str = "\
# The contract

<!-- Made from wit/plugin.wit by `cargo xtask contract`; change that file. -->

What passes between the host and its plugins, as [`wit/plugin.wit`](../../wit/plugin.wit) says it. [Versions](versioning.md) says how it may change.
";

/// An item of the file or of an interface: its comment and its text.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    comment: Vec<String>,
    /// Without the comment, indented as if it stood alone.
    text: Vec<String>,
}

/// Writes the page.
pub(crate) fn write(project: &Project) -> Result<()> {
    let path = page_path(project);
    fs::write(&path, page(&source(project)?)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    say("docs/plugins/contract.md is written");
    Ok(())
}

fn page_path(project: &Project) -> PathBuf {
    project.root.join("docs/plugins/contract.md")
}

fn source(project: &Project) -> Result<String> {
    let path = project.root.join("wit/plugin.wit");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The page that says what `wit` says.
fn page(wit: &str) -> Result<String> {
    let mut page = HEAD.to_owned();
    let lines: Vec<&str> = wit.lines().collect();
    let mut items = items(&lines)?.into_iter();
    let package = items.next().context("the file is empty")?;
    writeln!(page, "\n{}\n", prose(&package.comment))?;
    writeln!(page, "```wit\n{}\n```", package.text.join("\n"))?;
    let (mut exports, mut imports, mut worlds) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item.kind_and_name() {
            Some(("world", _)) => worlds.push(item),
            Some(("interface", "types" | "probe" | "notifier")) => exports.push(item),
            Some(("interface", _)) => imports.push(item),
            other => bail!("the file has {other:?}, which this page has no place for"),
        }
    }
    for (heading, interfaces) in [
        ("What a plugin exports", exports),
        ("What a plugin may import", imports),
    ] {
        writeln!(page, "\n## {heading}")?;
        for interface in interfaces {
            interface_in_words(&mut page, &interface)?;
        }
    }
    writeln!(page, "\n## Worlds")?;
    for world in worlds {
        let (_, name) = world.kind_and_name().context("a world has a name")?;
        writeln!(page, "\n### World `{name}`\n\n{}\n", prose(&world.comment))?;
        writeln!(page, "```wit\n{}\n```", world.text.join("\n"))?;
    }
    Ok(page)
}

fn interface_in_words(page: &mut String, interface: &Item) -> Result<()> {
    let (_, name) = interface
        .kind_and_name()
        .context("an interface has a name")?;
    writeln!(page, "\n### `{name}`\n\n{}", prose(&interface.comment))?;
    let inside: Vec<&str> = interface.inside();
    for item in items(&inside)? {
        let Some((kind, name)) = item.kind_and_name() else {
            continue;
        };
        if kind == "use" {
            continue;
        }
        writeln!(page, "\n#### `{name}`\n")?;
        if !item.comment.is_empty() {
            writeln!(page, "{}\n", prose(&item.comment))?;
        }
        writeln!(page, "```wit\n{}\n```", item.text.join("\n"))?;
    }
    Ok(())
}

/// The items that stand side by side in `lines`.
fn items(lines: &[&str]) -> Result<Vec<Item>> {
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut items = Vec::new();
    let mut comment = Vec::new();
    let mut text: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for line in lines {
        let trimmed = line.trim();
        if text.is_empty() {
            if let Some(words) = trimmed.strip_prefix("///") {
                comment.push(words.trim().to_owned());
                continue;
            }
            if trimmed.is_empty() || trimmed.starts_with('@') {
                continue;
            }
        }
        let shown = line.get(indent..).unwrap_or(trimmed);
        text.push(shown.trim_end().to_owned());
        let code = trimmed.split("//").next().unwrap_or_default();
        for character in code.chars() {
            match character {
                '{' | '(' => depth += 1,
                '}' | ')' => depth = depth.checked_sub(1).context("a bracket too many")?,
                _ => {}
            }
        }
        if depth == 0 && (code.ends_with(';') || code.ends_with('}')) {
            items.push(Item {
                comment: std::mem::take(&mut comment),
                text: std::mem::take(&mut text),
            });
        }
    }
    if !text.is_empty() || depth > 0 {
        bail!("the last item does not end: {}", text.join(" "));
    }
    Ok(items)
}

impl Item {
    /// `("record", "reading")`, `("func", "check")`.
    fn kind_and_name(&self) -> Option<(&str, &str)> {
        let first = self.text.first()?;
        let mut words = first
            .split([' ', '{', ';', '='])
            .filter(|word| !word.is_empty());
        let kind = words.next()?;
        // A function is `name: func(…)`.
        Some(match kind.strip_suffix(':') {
            Some(name) => ("func", name.trim_start_matches('%')),
            None => (
                kind,
                words.next().unwrap_or_default().trim_start_matches('%'),
            ),
        })
    }

    /// The lines between its braces.
    fn inside(&self) -> Vec<&str> {
        let lines = self.text.iter().map(String::as_str).skip(1);
        let mut lines: Vec<&str> = lines.collect();
        lines.pop();
        lines
    }
}

/// Comment lines as paragraphs.
fn prose(comment: &[String]) -> String {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in comment {
        match paragraphs.last_mut() {
            _ if line.is_empty() => goes_on = false,
            Some(paragraph) if goes_on => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            _ => {
                paragraphs.push(line.clone());
                goes_on = true;
            }
        }
    }
    paragraphs.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_the_contract_says() {
        let project = Project::find().unwrap();
        let written = fs::read_to_string(page_path(&project)).unwrap_or_default();
        assert!(
            written == page(&source(&project).unwrap()).unwrap(),
            "docs/plugins/contract.md is out of date: run `cargo xtask contract`"
        );
    }

    #[test]
    fn items_are_told_apart() {
        let wit = "/// A package.\npackage a:b@0.1.0;\n\n/// Words\n/// of two lines.\n///\n/// And more.\n@since(version = 0.1.0)\ninterface types {\n    use x.{y};\n    /// Time.\n    type duration = u64;\n\n    record %record {\n        /// A name {.\n        name: string,\n    }\n    check: func(\n        a: u8,\n    ) -> u8;\n    enum level { debug, info }\n}\n/// W.\nworld w {\n    export types;\n}\n";
        let page = page(wit).unwrap();
        for part in [
            "\nA package.\n\n```wit\npackage a:b@0.1.0;\n```\n",
            "### `types`\n\nWords of two lines.\n\nAnd more.\n",
            "#### `duration`\n\nTime.\n\n```wit\ntype duration = u64;\n```\n",
            "#### `record`\n\n```wit\nrecord %record {\n    /// A name {.\n    name: string,\n}\n```\n",
            "#### `check`\n\n```wit\ncheck: func(\n    a: u8,\n) -> u8;\n```\n",
            "#### `level`\n",
            "### World `w`\n\nW.\n\n```wit\nworld w {\n    export types;\n}\n```\n",
        ] {
            assert!(page.contains(part), "{part}\n--\n{page}");
        }
        assert!(!page.contains("use x"), "{page}");
        assert!(items(&["record x {"]).is_err());
    }
}

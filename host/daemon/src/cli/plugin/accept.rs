//! What an operator is shown before a component file is accepted, and the
//! question whether it is.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use watchkeeper_config::config::MinisignKey;
use watchkeeper_sandbox::Plugin;

use crate::cli::check::printable;
use crate::cli::{complain, print};
use crate::trust::lock::Locked;

/// The lock's entry for a plugin.
pub(super) fn entry(
    plugin: &Plugin,
    file: &str,
    source: &str,
    signer: Option<&MinisignKey>,
) -> Locked {
    let description = plugin.description();
    Locked {
        name: description.name.to_string(),
        version: description.version.to_string(),
        file: file.to_owned(),
        sha256: plugin.sha256_hex(),
        source: source.to_owned(),
        asks: description.asks.iter().map(ToString::to_string).collect(),
        hosts: description.hosts.iter().map(ToString::to_string).collect(),
        signer: signer.map(ToString::to_string),
    }
}

/// Prints what is about to be accepted; against what it replaces, if anything.
pub(super) fn show(new: &Locked, old: Option<&Locked>) -> anyhow::Result<()> {
    let changed = |now: &str, before: Option<&str>| match before {
        Some(before) if before != now => format!("{before} -> {now}"),
        _ => now.to_owned(),
    };
    let version = changed(&new.version, old.map(|old| old.version.as_str()));
    let signer = |entry: &Locked| entry.signer.clone().unwrap_or_else(|| "nobody".to_owned());
    let before = old.map(signer);
    let lines = [
        ("plugin", format!("{} {version}", new.name)),
        (
            "from",
            changed(&new.source, old.map(|old| old.source.as_str())),
        ),
        (
            "sha256",
            match old {
                Some(old) if old.sha256 != new.sha256 => {
                    format!("{} -> {}", old.sha256, new.sha256)
                }
                _ => new.sha256.clone(),
            },
        ),
        (
            "asks for",
            difference(&new.asks, old.map(|old| old.asks.as_slice())),
        ),
        (
            "hosts",
            difference(&new.hosts, old.map(|old| old.hosts.as_slice())),
        ),
        ("signed by", changed(&signer(new), before.as_deref())),
    ];
    for (name, value) in lines {
        print(&format!("{name:<12} {}", printable(&value)))?;
    }
    Ok(())
}

/// Asks a yes-or-no question; `None` after saying why there is nobody to ask.
pub(super) fn confirm(question: &str, yes: bool) -> anyhow::Result<Option<bool>> {
    if yes {
        return Ok(Some(true));
    }
    if !std::io::stdin().is_terminal() {
        complain(&format!(
            "nothing was changed: there is no terminal to ask \"{question}\"; accept it with `--yes`"
        ));
        return Ok(None);
    }
    let mut output = std::io::stdout().lock();
    write!(output, "{question} [y/N] ")?;
    output.flush()?;
    drop(output);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    )))
}

/// What is asked for now, and what of it is new or gone.
fn difference(now: &[String], before: Option<&[String]>) -> String {
    let mut words = if now.is_empty() {
        "nothing".to_owned()
    } else {
        now.join(", ")
    };
    let before = before.unwrap_or(now);
    let without = |these: &[String], those: &[String]| {
        let left = these.iter().filter(|name| !those.contains(name));
        left.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    for (names, what) in [
        (without(now, before), "NEW"),
        (without(before, now), "no longer"),
    ] {
        if !names.is_empty() {
            words.extend([" (", what, ": ", &names, ")"]);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_said() {
        let list = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let check = |now: &[&str], before: Option<&[&str]>, expected: &str| {
            let before = before.map(list);
            assert_eq!(difference(&list(now), before.as_deref()), expected);
        };
        check(&[], None, "nothing");
        check(&["http", "dns"], None, "http, dns");
        check(&["http"], Some(&["http"]), "http");
        check(
            &["http", "tcp"],
            Some(&["http", "dns"]),
            "http, tcp (NEW: tcp) (no longer: dns)",
        );
        check(&[], Some(&["a:1"]), "nothing (no longer: a:1)");
    }
}

//! The commands that there are: no other is run.

mod awk;
mod clock;
mod columns;
mod curl;
mod dns;
mod files;
mod flow;
mod grep;
mod json;
mod lines;
mod names;
mod options;
mod output;
mod printf;
mod read;
mod sed;
mod settings;
mod state;
mod talk;
mod test;
mod transform;

use crate::shell::{Interrupt, Outcome, Shell};

pub(crate) use names::{declare, declares};

/// A command: the status that it ends with.
pub(crate) type Builtin = fn(&mut Shell<'_>, &[String]) -> Outcome;

/// Every command by its name, sorted.
const ALL: &[(&str, Builtin)] = &[
    (".", flow::source),
    (":", flow::succeed),
    ("[", test::bracket),
    ("awk", awk::awk),
    ("base64", transform::base64),
    ("basename", transform::basename),
    ("break", flow::leave),
    ("builtin", flow::builtin),
    ("cat", lines::cat),
    ("command", flow::command),
    ("continue", flow::go_on),
    ("curl", curl::curl),
    ("cut", columns::cut),
    ("date", clock::date),
    ("declare", flow::succeed),
    ("dig", dns::dig),
    ("dirname", transform::dirname),
    ("dns", dns::dns),
    ("echo", output::echo),
    ("egrep", grep::egrep),
    ("eval", flow::eval),
    ("exec", flow::exec),
    ("exit", flow::exit),
    ("export", flow::succeed),
    ("false", flow::fail),
    ("fgrep", grep::fgrep),
    ("grep", grep::grep),
    ("head", lines::head),
    ("host", dns::host),
    ("http", curl::http),
    ("jq", json::jq),
    ("json", json::json),
    ("let", settings::calculate),
    ("local", flow::succeed),
    ("mapfile", read::mapfile),
    ("measure", state::measure),
    ("mktemp", files::mktemp),
    ("nc", talk::nc),
    ("ping", talk::ping),
    ("printf", printf::printf),
    ("read", read::read),
    ("readarray", read::mapfile),
    ("readonly", flow::succeed),
    ("return", flow::give_back),
    ("rev", columns::rev),
    ("rm", files::rm),
    ("sed", sed::sed),
    ("seq", transform::seq),
    ("set", settings::set),
    ("sha256", transform::sha256),
    ("sha256sum", transform::sha256sum),
    ("shift", settings::shift),
    ("shopt", settings::shopt),
    ("sleep", clock::sleep),
    ("sort", lines::sort),
    ("source", flow::source),
    ("state", state::state),
    ("tac", lines::tac),
    ("tail", lines::tail),
    ("tcp", talk::tcp),
    ("tee", files::tee),
    ("test", test::test),
    ("touch", files::touch),
    ("tr", columns::tr),
    ("trap", flow::trap),
    ("true", flow::succeed),
    ("type", flow::type_of),
    ("typeset", flow::succeed),
    ("uniq", lines::uniq),
    ("unset", settings::unset),
    ("wait", flow::wait),
    ("wc", lines::wc),
    ("xargs", flow::xargs),
];

/// The command of this name.
pub(crate) fn find(name: &str) -> Option<Builtin> {
    let at = ALL.binary_search_by_key(&name, |(known, _)| known).ok()?;
    ALL.get(at).map(|(_, builtin)| *builtin)
}

/// The names of all commands, for people.
pub(crate) fn names() -> String {
    let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    names.join(" ")
}

/// Says what is wrong with how a command was called.
fn misused(shell: &mut Shell<'_>, name: &str, what: &str) -> Outcome {
    failed(shell, name, what, 2)
}

/// Says why a command fails, with its status.
fn failed(shell: &mut Shell<'_>, name: &str, what: &str, status: u8) -> Outcome {
    shell.complain(&format!("{name}: {what}"))?;
    Ok(status)
}

/// What a command reads: the files that are named, or standard input. Of files
/// that are not there it is said.
fn inputs(
    shell: &mut Shell<'_>,
    name: &str,
    files: &[String],
) -> Result<Option<Vec<(String, String)>>, Interrupt> {
    let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    if files.is_empty() {
        return Ok(Some(vec![("-".to_owned(), text(shell.read_input()))]));
    }
    let mut inputs = Vec::with_capacity(files.len());
    for file in files {
        match shell.read_file(file) {
            Ok(bytes) => inputs.push((file.clone(), text(bytes))),
            Err(what) => {
                failed(shell, name, &what, 1)?;
                return Ok(None);
            }
        }
    }
    Ok(Some(inputs))
}

/// All that a command reads, as one text.
fn input(shell: &mut Shell<'_>, name: &str, files: &[String]) -> Result<Option<String>, Interrupt> {
    let inputs = inputs(shell, name, files)?;
    Ok(inputs.map(|mut inputs| match inputs.len() {
        1 => inputs.remove(0).1,
        _ => inputs.into_iter().map(|(_, text)| text).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted_to_be_found() {
        assert!(ALL.is_sorted_by_key(|(name, _)| *name));
        assert!(ALL.iter().all(|(name, _)| find(name).is_some()));
        assert!(find("ls").is_none());
    }
}

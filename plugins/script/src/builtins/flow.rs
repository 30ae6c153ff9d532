//! What steers a script: `exit`, `return`, `trap`, `eval` and the like.

use super::options::Takes;
use super::{failed, find, misused};
use crate::shell::{Interrupt, Outcome, Shell, Stream};

#[expect(clippy::unnecessary_wraps, reason = "the form of every command")]
pub(super) fn succeed(_: &mut Shell<'_>, _: &[String]) -> Outcome {
    Ok(0)
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every command")]
pub(super) fn fail(_: &mut Shell<'_>, _: &[String]) -> Outcome {
    Ok(1)
}

pub(super) fn exit(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let status = status(shell, "exit", words)?;
    Err(Interrupt::Exit(status))
}

pub(super) fn give_back(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let status = status(shell, "return", words)?;
    if shell.calls.is_empty() {
        return failed(shell, "return", "can only be used in a function", 2);
    }
    Err(Interrupt::Return(status))
}

/// The status that is named, or the last one.
fn status(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Outcome {
    let Some(word) = words.first() else {
        return Ok(shell.status);
    };
    match word.trim().parse::<i64>() {
        Ok(number) => Ok(number.to_le_bytes().first().copied().unwrap_or_default()),
        Err(_) => failed(
            shell,
            name,
            &format!("{word}: numeric argument required"),
            2,
        ),
    }
}

pub(super) fn leave(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    match levels(shell, "break", words)? {
        Ok(levels) => Err(Interrupt::Break(levels)),
        Err(status) => Ok(status),
    }
}

pub(super) fn go_on(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    match levels(shell, "continue", words)? {
        Ok(levels) => Err(Interrupt::Continue(levels)),
        Err(status) => Ok(status),
    }
}

/// How many loops are meant, at most as many as there are; or the status where
/// there are none.
fn levels(
    shell: &mut Shell<'_>,
    name: &str,
    words: &[String],
) -> Result<Result<usize, u8>, Interrupt> {
    if shell.loops() == 0 {
        shell.complain(&format!("{name}: only meaningful in a loop"))?;
        return Ok(Err(0));
    }
    let wanted = match words.first() {
        None => 1,
        Some(word) => match word.parse() {
            Ok(number) if number > 0 => number,
            _ => {
                shell.complain(&format!("{name}: {word}: loop count out of range"))?;
                return Ok(Ok(shell.loops()));
            }
        },
    };
    Ok(Ok(wanted.min(shell.loops())))
}

pub(super) fn eval(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let text = words.join(" ");
    if text.trim().is_empty() {
        return Ok(0);
    }
    shell.evaluate(&text)
}

pub(super) fn exec(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some((name, rest)) = words.split_first() else {
        return Ok(0);
    };
    let status = shell.call_builtin(name, rest)?;
    Err(Interrupt::Exit(status))
}

/// Runs a file that the script wrote.
pub(super) fn source(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(file) = words.first() else {
        return misused(shell, "source", "a file is missing");
    };
    match shell.read_file(file) {
        Ok(bytes) => shell.evaluate(&String::from_utf8_lossy(&bytes)),
        Err(what) => failed(shell, "source", &what, 1),
    }
}

pub(super) fn builtin(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    match words.split_first() {
        Some((name, rest)) => shell.call_builtin(name, rest),
        None => Ok(0),
    }
}

pub(super) fn command(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    match words {
        [option, names @ ..] if option == "-v" || option == "-V" => {
            let mut status = u8::from(names.is_empty());
            for name in names {
                if kind(shell, name).is_some() {
                    shell.out(&format!("{name}\n"))?;
                } else {
                    status = 1;
                }
            }
            Ok(status)
        }
        [option, rest @ ..] if option == "-p" => command(shell, rest),
        [name, rest @ ..] => shell.call_builtin(name, rest),
        [] => Ok(0),
    }
}

pub(super) fn type_of(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("tpaf", "").leading();
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "type", &what),
    };
    let mut status = 0;
    for name in &given.rest {
        match (kind(shell, name), given.has('t')) {
            // Nothing is a file.
            (Some(_), _) if given.has('p') => {}
            (Some(kind), true) => shell.out(&format!("{kind}\n"))?,
            (Some("builtin"), false) => shell.out(&format!("{name} is a shell builtin\n"))?,
            (Some("keyword"), false) => shell.out(&format!("{name} is a shell keyword\n"))?,
            (Some(kind), false) => shell.out(&format!("{name} is a {kind}\n"))?,
            (None, short) => {
                if !short {
                    shell.complain(&format!("type: {name}: not found"))?;
                }
                status = 1;
            }
        }
    }
    Ok(status)
}

fn kind(shell: &Shell<'_>, name: &str) -> Option<&'static str> {
    const KEYWORDS: [&str; 19] = [
        "!", "[[", "]]", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function",
        "if", "in", "then", "until", "while", "{", "}",
    ];
    if shell.functions.contains_key(name) {
        Some("function")
    } else if KEYWORDS.contains(&name) {
        Some("keyword")
    } else {
        find(name).map(|_| "builtin")
    }
}

/// `trap`: of all signals only those can come that a script itself causes.
pub(super) fn trap(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let words = match words {
        [first, rest @ ..] if first == "--" => rest,
        words => words,
    };
    let Some((action, signals)) = words.split_first() else {
        return Ok(0);
    };
    if action == "-p" || action == "-l" {
        return misused(shell, "trap", &format!("{action} is not known here"));
    }
    let (action, signals) = if signals.is_empty() {
        ("-", words)
    } else {
        (action.as_str(), signals)
    };
    let mut status = 0;
    for signal in signals {
        let action = (action != "-").then(|| action.into());
        match signal.trim_start_matches("SIG") {
            "EXIT" | "0" => shell.traps.exit = action,
            "ERR" => shell.traps.error = action,
            "HUP" | "INT" | "QUIT" | "TERM" | "PIPE" | "ALRM" | "USR1" | "USR2" | "1" | "2"
            | "3" | "13" | "14" | "15" => {}
            other => {
                let what = format!("{other}: only EXIT, ERR and signals can be trapped here");
                status = failed(shell, "trap", &what, 1)?;
            }
        }
    }
    Ok(status)
}

pub(super) fn wait(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let mut status = 0;
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        let number = word.trim_start_matches('%').parse::<usize>().ok();
        let job = number
            .and_then(|number| number.checked_sub(1))
            .and_then(|at| shell.jobs.get(at).copied());
        status = match job {
            Some(status) => status,
            None => failed(shell, "wait", &format!("{word}: no such job"), 127)?,
        };
    }
    Ok(status)
}

/// Runs a command with words from standard input.
pub(super) fn xargs(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("rt0", "nIdLP").leading();
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "xargs", &what),
    };
    let most = match (given.number('n'), given.number('L')) {
        (Ok(n), Ok(lines)) => n.or(lines).map(|most| most.max(1)),
        (Err(what), _) | (_, Err(what)) => return misused(shell, "xargs", &what),
    };
    let bytes = shell.read_input();
    let text = String::from_utf8_lossy(&bytes);
    let replaced = given.value('I').map(str::to_owned);
    let items: Vec<String> = match (&replaced, given.has('0'), given.value('d')) {
        (_, true, _) => split(&text, '\0'),
        (_, _, Some(delimiter)) => split(&text, delimiter_of(delimiter)),
        (Some(_), ..) => text.lines().map(|line| line.trim().to_owned()).collect(),
        (None, ..) => text.split_whitespace().map(str::to_owned).collect(),
    };
    let echo = ["echo".to_owned()];
    let command: &[String] = if given.rest.is_empty() {
        &echo
    } else {
        &given.rest
    };
    if items.is_empty() && (given.has('r') || replaced.is_some()) {
        return Ok(0);
    }
    let size = match replaced {
        Some(_) => 1,
        None => most.unwrap_or(usize::MAX),
    };
    let mut batches: Vec<&[String]> = items.chunks(size).collect();
    if batches.is_empty() {
        batches.push(&[]);
    }
    let mut status = 0;
    let streams = shell.streams.with(0, Stream::Null);
    for batch in batches {
        let words: Vec<String> = match (&replaced, batch) {
            (Some(mark), [item]) => command
                .iter()
                .map(|word| word.replace(mark.as_str(), item))
                .collect(),
            _ => command.iter().chain(batch).cloned().collect(),
        };
        let Some((name, rest)) = words.split_first() else {
            continue;
        };
        let ended = shell.with_streams(streams.clone(), |shell| shell.call_builtin(name, rest))?;
        match ended {
            0 => {}
            127 => return Ok(127),
            _ => status = 123,
        }
    }
    Ok(status)
}

fn delimiter_of(text: &str) -> char {
    match text {
        "\\n" => '\n',
        "\\t" => '\t',
        "\\0" => '\0',
        text => text.chars().next().unwrap_or('\n'),
    }
}

fn split(text: &str, delimiter: char) -> Vec<String> {
    let text = text.strip_suffix(delimiter).unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(delimiter).map(str::to_owned).collect()
}

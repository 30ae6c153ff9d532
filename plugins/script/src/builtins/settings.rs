//! `set`, `shopt`, `shift`, `unset`, `let`.

use std::rc::Rc;

use super::{failed, misused};
use crate::shell::{Interrupt, Key, Options, Outcome, Shell};

pub(super) fn set(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    if words.is_empty() {
        for name in shell.variables.names("") {
            let value = shell.variables.text(&name).unwrap_or_default().to_owned();
            shell.out(&format!("{name}={value}\n"))?;
        }
        return Ok(0);
    }
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if word == "--" {
            shell.arguments = Rc::new(after.to_vec());
            return Ok(0);
        }
        if word == "-" {
            shell.arguments = Rc::new(after.to_vec());
            return Ok(0);
        }
        let (on, letters) = match (word.strip_prefix('-'), word.strip_prefix('+')) {
            (Some(letters), _) if !letters.is_empty() => (true, letters),
            (_, Some(letters)) if !letters.is_empty() => (false, letters),
            _ => {
                shell.arguments = Rc::new(rest.to_vec());
                return Ok(0);
            }
        };
        rest = after;
        for letter in letters.chars() {
            let name = if letter == 'o' {
                let Some((name, after)) = rest.split_first() else {
                    return misused(shell, "set", "-o needs a name");
                };
                rest = after;
                name.as_str()
            } else {
                match letter {
                    'e' => "errexit",
                    'E' => "errtrace",
                    'u' => "nounset",
                    'x' => "xtrace",
                    // There are no files and no jobs that these could concern.
                    'f' => "noglob",
                    'C' => "noclobber",
                    'b' | 'm' | 'h' | 'B' | 'T' | 'a' => continue,
                    other => {
                        let what = format!("-{other} is not known here");
                        return misused(shell, "set", &what);
                    }
                }
            };
            let Some(option) = option(&mut shell.options, name) else {
                if matches!(name, "noglob" | "noclobber" | "posix") {
                    continue;
                }
                let what = format!("-o {name} is not known here");
                return misused(shell, "set", &what);
            };
            *option = on;
        }
    }
    Ok(0)
}

fn option<'o>(options: &'o mut Options, name: &str) -> Option<&'o mut bool> {
    Some(match name {
        "errexit" => &mut options.exit_on_error,
        "errtrace" => &mut options.errors_trapped_inside,
        "nounset" => &mut options.unset_is_an_error,
        "xtrace" => &mut options.trace,
        "pipefail" => &mut options.pipe_fails,
        _ => return None,
    })
}

pub(super) fn shopt(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some((action, names)) = words.split_first() else {
        return Ok(0);
    };
    let on = match action.as_str() {
        "-s" => true,
        "-u" => false,
        other => return misused(shell, "shopt", &format!("{other}: write -s or -u")),
    };
    for name in names {
        match name.as_str() {
            "nocasematch" => shell.options.ignore_case = on,
            "inherit_errexit" => shell.options.exit_on_error_inside = on,
            // Always on, or about files, of which there are none.
            "extglob" | "expand_aliases" | "globstar" | "dotglob" | "nocaseglob" => {}
            other => {
                let what = format!("{other}: not known here");
                return failed(shell, "shopt", &what, 1);
            }
        }
    }
    Ok(0)
}

pub(super) fn shift(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let count = match words.first().map(|word| word.parse::<usize>()) {
        None => 1,
        Some(Ok(count)) => count,
        Some(Err(_)) => return failed(shell, "shift", "numeric argument required", 1),
    };
    match shell.arguments.get(count..) {
        Some(rest) => {
            shell.arguments = Rc::new(rest.to_vec());
            Ok(0)
        }
        None => Ok(1),
    }
}

pub(super) fn unset(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let (functions, words) = match words {
        [option, rest @ ..] if option == "-f" => (true, rest),
        [option, rest @ ..] if option == "-v" => (false, rest),
        words => (false, words),
    };
    let mut status = 0;
    for word in words {
        if functions {
            Rc::make_mut(&mut shell.functions).remove(word.as_str());
            continue;
        }
        let element = word
            .split_once('[')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?)));
        if let Some((name, index)) = element {
            let key = element_key(shell, name, index)?;
            shell.variables.unset_element(name, &key);
        } else if shell.variables.get(word).is_none() && shell.functions.contains_key(word.as_str())
        {
            Rc::make_mut(&mut shell.functions).remove(word.as_str());
        } else if !shell.variables.unset(word) {
            let what = format!("{word}: cannot unset: readonly variable");
            status = failed(shell, "unset", &what, 1)?;
        }
    }
    Ok(status)
}

fn element_key(shell: &mut Shell<'_>, name: &str, index: &str) -> Result<Key, Interrupt> {
    let index = index.trim_matches(|c| matches!(c, '"' | '\''));
    if shell.variables.is_map(name) {
        return Ok(Key::Text(index.to_owned()));
    }
    Ok(Key::Number(shell.calculate_text(index)?))
}

/// `let`
pub(super) fn calculate(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let mut value = 0;
    for word in words {
        value = match shell.calculate_text(word) {
            Ok(value) => value,
            // What is wrong with it was said.
            Err(Interrupt::Exit(status)) => return Ok(status),
            Err(other) => return Err(other),
        };
    }
    Ok(u8::from(value == 0))
}

//! `grep`.

use regex_lite::Regex;

use super::options::Takes;
use super::{inputs, misused};
use crate::regex::{Syntax, compile, escaped};
use crate::shell::{Outcome, Shell};

pub(super) fn grep(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    search(shell, words, Syntax::Basic, false)
}

pub(super) fn egrep(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    search(shell, words, Syntax::Extended, false)
}

pub(super) fn fgrep(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    search(shell, words, Syntax::Basic, true)
}

fn search(shell: &mut Shell<'_>, words: &[String], syntax: Syntax, fixed: bool) -> Outcome {
    let takes = Takes::new("qvicEFGonwxhHslP", "emABC").long(&[
        ("quiet", 'q'),
        ("silent", 'q'),
        ("invert-match", 'v'),
        ("ignore-case", 'i'),
        ("count", 'c'),
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("only-matching", 'o'),
        ("line-number", 'n'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("max-count", 'm'),
        ("regexp", 'e'),
        ("files-with-matches", 'l'),
    ]);
    let mut given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "grep", &what),
    };
    if given.has('P') {
        return misused(shell, "grep", "-P is not known here: use -E");
    }
    let mut patterns: Vec<String> = given
        .values('e')
        .flat_map(|pattern| pattern.split('\n'))
        .map(str::to_owned)
        .collect();
    if patterns.is_empty() {
        if given.rest.is_empty() {
            return misused(shell, "grep", "a pattern is missing");
        }
        patterns = given
            .rest
            .remove(0)
            .split('\n')
            .map(str::to_owned)
            .collect();
    }
    let fixed = fixed || given.has('F');
    let syntax = if given.has('E') {
        Syntax::Extended
    } else {
        syntax
    };
    let regexes: Result<Vec<Regex>, String> = patterns
        .iter()
        .map(|pattern| {
            let (pattern, syntax) = if fixed {
                (escaped(pattern), Syntax::Extended)
            } else {
                (pattern.clone(), syntax)
            };
            let (open, close) = match syntax {
                Syntax::Basic => ("\\(", "\\)"),
                Syntax::Extended => ("(", ")"),
            };
            let pattern = if given.has('x') {
                format!("^{open}{pattern}{close}$")
            } else if given.has('w') {
                format!("\\<{open}{pattern}{close}\\>")
            } else {
                pattern
            };
            compile(&pattern, syntax, given.has('i'))
        })
        .collect();
    let regexes = match regexes {
        Ok(regexes) => regexes,
        Err(what) => return misused(shell, "grep", &what),
    };
    let (most, after, before) = match (
        given.number('m'),
        given.number('A'),
        given.number('B'),
        given.number('C'),
    ) {
        (Ok(most), Ok(after), Ok(before), Ok(around)) => (
            most.unwrap_or(usize::MAX),
            after.or(around).unwrap_or(0),
            before.or(around).unwrap_or(0),
        ),
        (Err(what), ..) | (_, Err(what), ..) | (_, _, Err(what), _) | (.., Err(what)) => {
            return misused(shell, "grep", &what);
        }
    };
    let Some(inputs) = inputs(shell, "grep", &given.rest)? else {
        return Ok(2);
    };
    let named = (inputs.len() > 1 || given.has('H')) && !given.has('h');
    let mut found = false;
    let mut result = String::new();
    for (file, text) in &inputs {
        let prefix = if named {
            format!("{file}:")
        } else {
            String::new()
        };
        let lines: Vec<&str> = text.lines().collect();
        let matching: Vec<usize> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| regexes.iter().any(|regex| regex.is_match(line)) != given.has('v'))
            .map(|(at, _)| at)
            .take(most)
            .collect();
        found |= !matching.is_empty();
        if given.has('q') {
            continue;
        }
        if given.has('l') {
            if !matching.is_empty() {
                result.push_str(file);
                result.push('\n');
            }
            continue;
        }
        if given.has('c') {
            result.push_str(&prefix);
            result.push_str(&matching.len().to_string());
            result.push('\n');
            continue;
        }
        let mut shown_to = 0;
        for at in matching {
            let first = at.saturating_sub(before).max(shown_to);
            if (before > 0 || after > 0) && shown_to > 0 && first > shown_to {
                result.push_str("--\n");
            }
            let last = at.saturating_add(after).min(lines.len().saturating_sub(1));
            for shown in first..=last {
                let line = lines.get(shown).copied().unwrap_or_default();
                let mark = if shown == at || !context_only(&regexes, line, given.has('v')) {
                    ':'
                } else {
                    '-'
                };
                let number = if given.has('n') {
                    format!("{}{mark}", shown + 1)
                } else {
                    String::new()
                };
                if given.has('o') && !given.has('v') {
                    for regex in &regexes {
                        for part in regex.find_iter(line).filter(|part| !part.is_empty()) {
                            result.extend([&prefix, number.as_str(), part.as_str(), "\n"]);
                        }
                    }
                } else {
                    result.extend([&prefix, number.as_str(), line, "\n"]);
                }
            }
            shown_to = last + 1;
        }
    }
    shell.out(&result)?;
    Ok(u8::from(!found))
}

/// Whether a line is only shown because it stands near one that matches.
fn context_only(regexes: &[Regex], line: &str, inverted: bool) -> bool {
    regexes.iter().any(|regex| regex.is_match(line)) == inverted
}

//! `cut`, `tr`, `rev`: parts of lines.

use super::options::Takes;
use super::{input, misused};
use crate::escape;
use crate::shell::{Outcome, Shell};

pub(super) fn cut(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("sn", "dfcb").long(&[
        ("delimiter", 'd'),
        ("fields", 'f'),
        ("characters", 'c'),
        ("only-delimited", 's'),
    ]);
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "cut", &what),
    };
    let by_field = given.value('f');
    let list = match by_field.or(given.value('c')).or(given.value('b')) {
        Some(list) => match ranges(list) {
            Some(list) => list,
            None => return misused(shell, "cut", &format!("{list}: no list of numbers")),
        },
        None => return misused(shell, "cut", "-f or -c is missing"),
    };
    let delimiter = given
        .value('d')
        .unwrap_or("\t")
        .chars()
        .next()
        .unwrap_or('\t');
    let by_field = by_field.is_some();
    let Some(text) = input(shell, "cut", &given.rest)? else {
        return Ok(1);
    };
    let chosen = |number: usize| {
        list.iter()
            .any(|(from, to)| (*from..=*to).contains(&number))
    };
    let mut result = String::with_capacity(text.len());
    for line in text.lines() {
        if by_field {
            if !line.contains(delimiter) {
                if !given.has('s') {
                    result.push_str(line);
                    result.push('\n');
                }
                continue;
            }
            let fields = (1..).zip(line.split(delimiter));
            let fields: Vec<&str> = fields
                .filter(|(number, _)| chosen(*number))
                .map(|(_, field)| field)
                .collect();
            result.push_str(&fields.join(&delimiter.to_string()));
        } else {
            let characters = (1..).zip(line.chars());
            result.extend(
                characters
                    .filter(|(number, _)| chosen(*number))
                    .map(|(_, c)| c),
            );
        }
        result.push('\n');
    }
    shell.out(&result)?;
    Ok(0)
}

/// `1,3-5,7-`
fn ranges(list: &str) -> Option<Vec<(usize, usize)>> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number > 0);
    list.split(',')
        .map(|part| match part.split_once('-') {
            None => number(part).map(|number| (number, number)),
            Some(("", "")) => None,
            Some((from, "")) => Some((number(from)?, usize::MAX)),
            Some(("", to)) => Some((1, number(to)?)),
            Some((from, to)) => Some((number(from)?, number(to)?)),
        })
        .collect()
}

pub(super) fn rev(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(text) = input(shell, "rev", words)? else {
        return Ok(1);
    };
    for line in text.lines() {
        let line: String = line.chars().rev().collect();
        shell.out(&format!("{line}\n"))?;
    }
    Ok(0)
}

pub(super) fn tr(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("dscC", "").leading().read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "tr", &what),
    };
    let (delete, squeeze) = (given.has('d'), given.has('s'));
    let mut sets = given.rest.iter().map(|text| set(text));
    let (Some(first), second) = (sets.next(), sets.next()) else {
        return misused(shell, "tr", "a set of characters is missing");
    };
    if second.is_none() && !delete && !squeeze {
        return misused(shell, "tr", "two sets of characters are needed");
    }
    let complement = given.has('c') || given.has('C');
    let place = |c: char| {
        let found = first.iter().position(|known| *known == c);
        match (complement, found) {
            (false, found) => found,
            // All others become the last of the second set.
            (true, None) => Some(usize::MAX),
            (true, Some(_)) => None,
        }
    };
    let bytes = shell.read_input();
    let text = String::from_utf8_lossy(&bytes);
    let mut result = String::with_capacity(text.len());
    let mut last = None;
    for c in text.chars() {
        let found = place(c);
        let c = match (found, &second) {
            (Some(_), _) if delete => continue,
            (Some(at), Some(second)) => second.get(at).or(second.last()).copied().unwrap_or(c),
            _ => c,
        };
        let squeezed = squeeze
            && match &second {
                Some(second) => second.contains(&c),
                None => found.is_some(),
            };
        if squeezed && last == Some(c) {
            continue;
        }
        last = Some(c);
        result.push(c);
    }
    shell.out(&result)?;
    Ok(0)
}

/// The characters of `a-z`, `[:digit:]`, `\n`.
fn set(text: &str) -> Vec<char> {
    let (bytes, _) = escape::echo(text);
    let text: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
    let mut set = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at).copied() {
        if c == '['
            && text.get(at + 1) == Some(&':')
            && let Some(length) = text
                .get(at + 2..)
                .and_then(|rest| rest.windows(2).position(|pair| pair == [':', ']']))
        {
            let name: String = text.iter().skip(at + 2).take(length).collect();
            set.extend((0..128).map(char::from).filter(|c| in_class(*c, &name)));
            at += length + 4;
            continue;
        }
        if text.get(at + 1) == Some(&'-')
            && let Some(last) = text.get(at + 2)
        {
            set.extend(c..=*last);
            at += 3;
            continue;
        }
        set.push(c);
        at += 1;
    }
    set
}

fn in_class(c: char, name: &str) -> bool {
    match name {
        "alnum" => c.is_ascii_alphanumeric(),
        "alpha" => c.is_ascii_alphabetic(),
        "blank" => matches!(c, ' ' | '\t'),
        "cntrl" => c.is_ascii_control(),
        "digit" => c.is_ascii_digit(),
        "graph" => c.is_ascii_graphic(),
        "lower" => c.is_ascii_lowercase(),
        "print" => c.is_ascii_graphic() || c == ' ',
        "punct" => c.is_ascii_punctuation(),
        "space" => c.is_ascii_whitespace() || c == '\x0b',
        "upper" => c.is_ascii_uppercase(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

//! `cat`, `head`, `tail`, `sort`, `uniq`, `tac`, `wc`: lines as they are.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::options::{Given, Takes};
use super::{input, inputs, misused};
use crate::shell::{Outcome, Shell};

pub(super) fn cat(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("nu", "").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "cat", &what),
    };
    let Some(text) = input(shell, "cat", &given.rest)? else {
        return Ok(1);
    };
    if !given.has('n') {
        shell.out(&text)?;
        return Ok(0);
    }
    let mut numbered = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        // Writing to a string cannot fail.
        _ = write!(numbered, "{number:>6}\t{line}");
    }
    shell.out(&numbered)?;
    Ok(0)
}

pub(super) fn head(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let (given, words) = match counted(words) {
        Ok(found) => found,
        Err(what) => return misused(shell, "head", &what),
    };
    let Some(text) = input(shell, "head", &words)? else {
        return Ok(1);
    };
    let part: String = match given {
        Count::Bytes(count) => {
            String::from_utf8_lossy(text.as_bytes().get(..count).unwrap_or(text.as_bytes()))
                .into_owned()
        }
        Count::Lines(Sign::Minus, count) => {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let kept = lines.len().saturating_sub(count);
            lines.into_iter().take(kept).collect()
        }
        Count::Lines(_, count) => text.split_inclusive('\n').take(count).collect(),
    };
    shell.out(&part)?;
    Ok(0)
}

pub(super) fn tail(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let (given, words) = match counted(words) {
        Ok(found) => found,
        Err(what) => return misused(shell, "tail", &what),
    };
    let Some(text) = input(shell, "tail", &words)? else {
        return Ok(1);
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let part: String = match given {
        Count::Bytes(count) => {
            let start = text.len().saturating_sub(count);
            String::from_utf8_lossy(text.as_bytes().get(start..).unwrap_or_default()).into_owned()
        }
        Count::Lines(Sign::Plus, first) => lines.into_iter().skip(first.max(1) - 1).collect(),
        Count::Lines(_, count) => {
            let skipped = lines.len().saturating_sub(count);
            lines.into_iter().skip(skipped).collect()
        }
    };
    shell.out(&part)?;
    Ok(0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    None,
    Plus,
    Minus,
}

enum Count {
    Lines(Sign, usize),
    Bytes(usize),
}

/// `-n 3`, `-3`, `-c 10`, and the files.
fn counted(words: &[String]) -> Result<(Count, Vec<String>), String> {
    let mut words = words.to_vec();
    // `head -3`, which only the first word can be.
    if let Some(first) = words.first_mut()
        && let Some(digits) = first.strip_prefix('-')
        && digits.parse::<usize>().is_ok()
    {
        *first = format!("-n{digits}");
    }
    let given = Takes::new("q", "nc")
        .long(&[("lines", 'n'), ("bytes", 'c')])
        .read(&words)?;
    let number = |text: &str| {
        let (sign, digits) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(digits), _) => (Sign::Plus, digits),
            (_, Some(digits)) => (Sign::Minus, digits),
            _ => (Sign::None, text),
        };
        match digits.parse() {
            Ok(number) => Ok((sign, number)),
            Err(_) => Err(format!("{text}: no number of lines")),
        }
    };
    let count = match (given.value('n'), given.value('c')) {
        (_, Some(bytes)) => {
            let (_, count) = number(bytes)?;
            Count::Bytes(count)
        }
        (Some(lines), None) => {
            let (sign, count) = number(lines)?;
            Count::Lines(sign, count)
        }
        (None, None) => Count::Lines(Sign::None, 10),
    };
    Ok((count, given.rest))
}

pub(super) fn tac(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(text) = input(shell, "tac", words)? else {
        return Ok(1);
    };
    let lines: Vec<&str> = text.lines().rev().collect();
    write_lines(shell, &lines)
}

pub(super) fn sort(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("nrufbVh", "kt").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "sort", &what),
    };
    if given.has('V') || given.has('h') {
        return misused(shell, "sort", "-V and -h are not known here");
    }
    let keys: Result<Vec<SortKey>, String> = given
        .values('k')
        .map(|text| SortKey::parse(text, &given))
        .collect();
    let mut keys = match keys {
        Ok(keys) => keys,
        Err(what) => return misused(shell, "sort", &what),
    };
    if keys.is_empty() {
        keys.push(SortKey {
            from: 0,
            to: None,
            numeric: given.has('n'),
            reverse: given.has('r'),
            fold: given.has('f'),
        });
    }
    let Some(text) = input(shell, "sort", &given.rest)? else {
        return Ok(1);
    };
    let separator = given.value('t').and_then(|text| text.chars().next());
    let mut lines: Vec<&str> = text.lines().collect();
    let order = |left: &&str, right: &&str| {
        keys.iter()
            .map(|key| key.compare(left, right, separator))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    if given.has('u') {
        lines.sort_by(order);
        lines.dedup_by(|left, right| order(left, right).is_eq());
    } else {
        let last = |left: &&str, right: &&str| {
            if given.has('r') {
                right.cmp(left)
            } else {
                left.cmp(right)
            }
        };
        lines.sort_by(|left, right| order(left, right).then_with(|| last(left, right)));
    }
    write_lines(shell, &lines)
}

/// `-k 2,3n`
struct SortKey {
    from: usize,
    to: Option<usize>,
    numeric: bool,
    reverse: bool,
    fold: bool,
}

impl SortKey {
    fn parse(text: &str, given: &Given) -> Result<Self, String> {
        let wrong = || format!("-k {text}: no key");
        let mut letters = String::new();
        let mut field = |part: &str| {
            let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            letters.push_str(part.strip_prefix(digits).unwrap_or_default());
            // Characters within fields are not told apart.
            digits.parse::<usize>().ok().filter(|field| *field > 0)
        };
        let (from, to) = match text.split_once(',') {
            Some((from, to)) => (field(from), Some(field(to).ok_or_else(wrong)?)),
            None => (field(text), None),
        };
        let own = !letters.is_empty();
        let set = |letter: char| letters.contains(letter) || (!own && given.has(letter));
        Ok(Self {
            from: from.ok_or_else(wrong)? - 1,
            to,
            numeric: set('n'),
            reverse: set('r'),
            fold: set('f'),
        })
    }

    fn of(&self, line: &str, separator: Option<char>) -> String {
        if self.from == 0 && self.to.is_none() {
            return line.to_owned();
        }
        let fields: Vec<&str> = match separator {
            Some(separator) => line.split(separator).collect(),
            None => line.split_whitespace().collect(),
        };
        let to = self.to.unwrap_or(fields.len()).min(fields.len());
        let joiner = separator.map_or(" ".to_owned(), String::from);
        fields
            .get(self.from.min(to)..to)
            .unwrap_or_default()
            .join(&joiner)
    }

    fn compare(&self, left: &str, right: &str, separator: Option<char>) -> Ordering {
        let (left, right) = (self.of(left, separator), self.of(right, separator));
        let order = if self.numeric {
            number_at_start(&left).total_cmp(&number_at_start(&right))
        } else if self.fold {
            left.to_uppercase().cmp(&right.to_uppercase())
        } else {
            left.cmp(&right)
        };
        if self.reverse { order.reverse() } else { order }
    }
}

/// The number that a text begins with, or 0.
pub(super) fn number_at_start(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    let mut dot = false;
    for (at, c) in text.char_indices() {
        let part = match c {
            '-' | '+' => at == 0,
            '.' => !std::mem::replace(&mut dot, true),
            c => c.is_ascii_digit(),
        };
        if !part {
            break;
        }
        end = at + c.len_utf8();
    }
    text.get(..end)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0.0)
}

pub(super) fn uniq(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("cdui", "").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "uniq", &what),
    };
    let Some(text) = input(shell, "uniq", &given.rest)? else {
        return Ok(1);
    };
    let mut groups: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        match groups.last_mut() {
            Some((count, last))
                if *last == line
                    || (given.has('i') && last.to_lowercase() == line.to_lowercase()) =>
            {
                *count += 1;
            }
            _ => groups.push((1, line)),
        }
    }
    let mut result = String::with_capacity(text.len());
    for (count, line) in groups {
        if (given.has('d') && count < 2) || (given.has('u') && count > 1) {
            continue;
        }
        if given.has('c') {
            // Writing to a string cannot fail.
            _ = write!(result, "{count:>7} ");
        }
        result.push_str(line);
        result.push('\n');
    }
    shell.out(&result)?;
    Ok(0)
}

pub(super) fn wc(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("lwcm", "").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "wc", &what),
    };
    let Some(inputs) = inputs(shell, "wc", &given.rest)? else {
        return Ok(1);
    };
    let letters: Vec<char> = "lwcm".chars().filter(|letter| given.has(*letter)).collect();
    let letters = if letters.is_empty() {
        vec!['l', 'w', 'c']
    } else {
        letters
    };
    let from_input = given.rest.is_empty();
    // As wide as GNU's, which knows no size of a pipe beforehand.
    let width = if letters.len() > 1 && from_input {
        7
    } else {
        0
    };
    for (name, text) in inputs {
        let counts = letters.iter().map(|letter| match letter {
            'l' => text.matches('\n').count(),
            'w' => text.split_whitespace().count(),
            'm' => text.chars().count(),
            _ => text.len(),
        });
        let counts: Vec<String> = counts.map(|count| format!("{count:>width$}")).collect();
        let name = if from_input {
            String::new()
        } else {
            format!(" {name}")
        };
        shell.out(&format!("{}{name}\n", counts.join(" ")))?;
    }
    Ok(0)
}

fn write_lines(shell: &mut Shell<'_>, lines: &[&str]) -> Outcome {
    let mut result = String::new();
    for line in lines {
        result.push_str(line);
        result.push('\n');
    }
    shell.out(&result)?;
    Ok(0)
}

//! `read` and `mapfile`.

use super::misused;
use super::options::Takes;
use crate::shell::{Interrupt, Key, Outcome, Reader, Shell, Stream, split_line};

pub(super) fn read(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("rs", "adnNptu").leading();
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "read", &what),
    };
    let raw = given.has('r');
    let end = given
        .value('d')
        .map_or(b'\n', |end| end.bytes().next().unwrap_or(0));
    let (count, exact) = match (given.number('n'), given.number('N')) {
        (Ok(count), Ok(exact)) => (exact.or(count), exact.is_some()),
        (Err(what), _) | (_, Err(what)) => return misused(shell, "read", &what),
    };
    let descriptor = match given.number('u') {
        Ok(descriptor) => descriptor.unwrap_or(0),
        Err(what) => return misused(shell, "read", &what),
    };
    let taken = match shell.streams.get(descriptor) {
        Some(Stream::Input(reader)) => {
            let reader = std::rc::Rc::clone(reader);
            line(&mut reader.borrow_mut(), end, count, exact, raw)
        }
        _ => None,
    };
    let ended = taken.as_ref().is_none_or(|(_, ended)| *ended);
    let text = taken.map(|(text, _)| text).unwrap_or_default();
    let separators = shell.separators();
    if let Some(name) = given.value('a') {
        let fields = split_line(&text, &separators, usize::MAX);
        shell.variables.set_list(name, fields);
    } else if given.rest.is_empty() {
        shell.set_element("REPLY", &Key::Whole, text, false)?;
    } else if exact {
        assign(shell, &given.rest, vec![text])?;
    } else {
        let fields = split_line(&text, &separators, given.rest.len());
        assign(shell, &given.rest, fields)?;
    }
    Ok(u8::from(ended))
}

fn assign(shell: &mut Shell<'_>, names: &[String], fields: Vec<String>) -> Result<(), Interrupt> {
    let mut fields = fields.into_iter();
    for name in names {
        let value = fields.next().unwrap_or_default();
        shell.set_element(name, &Key::Whole, value, false)?;
    }
    Ok(())
}

/// A line without its end, and whether the input ended before that; none at the
/// end of the input.
fn line(
    reader: &mut Reader,
    end: u8,
    count: Option<usize>,
    exact: bool,
    raw: bool,
) -> Option<(String, bool)> {
    if let Some(count) = count
        && exact
    {
        let bytes = reader.characters(count);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let ended = text.chars().count() < count;
        return (!text.is_empty()).then_some((text, ended));
    }
    let mut text = String::new();
    let mut any = false;
    loop {
        let Some(bytes) = reader.until(end) else {
            return any.then_some((text, true));
        };
        any = true;
        let (part, complete) = match bytes.split_last() {
            Some((last, part)) if *last == end => (part, true),
            _ => (bytes.as_slice(), false),
        };
        let part = String::from_utf8_lossy(part);
        if raw {
            text.push_str(&part);
        } else {
            let mut rest = part.chars();
            let mut goes_on = false;
            while let Some(c) = rest.next() {
                match c {
                    '\\' => match rest.next() {
                        Some(c) => text.push(c),
                        None => goes_on = complete,
                    },
                    c => text.push(c),
                }
            }
            if goes_on {
                continue;
            }
        }
        if let Some(count) = count {
            text = text.chars().take(count).collect();
        }
        return Some((text, !complete));
    }
}

pub(super) fn mapfile(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("t", "dnsO").leading();
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "mapfile", &what),
    };
    let (most, skip) = match (given.number('n'), given.number('s')) {
        (Ok(most), Ok(skip)) => (most.filter(|most| *most > 0), skip.unwrap_or(0)),
        (Err(what), _) | (_, Err(what)) => return misused(shell, "mapfile", &what),
    };
    let end = given
        .value('d')
        .map_or(b'\n', |end| end.bytes().next().unwrap_or(0));
    let name = given.rest.first().map_or("MAPFILE", String::as_str);
    let mut reader = Reader::new(shell.read_input());
    let mut lines = Vec::new();
    while let Some(mut line) = reader.until(end) {
        if given.has('t') && line.last() == Some(&end) {
            line.pop();
        }
        lines.push(String::from_utf8_lossy(&line).into_owned());
    }
    let lines = lines.into_iter().skip(skip);
    shell
        .variables
        .set_list(name, lines.take(most.unwrap_or(usize::MAX)));
    Ok(0)
}

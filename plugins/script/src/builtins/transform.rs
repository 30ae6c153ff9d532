//! `base64`, `sha256sum`, `seq`, `basename`, `dirname`.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::options::Takes;
use super::{failed, misused};
use crate::shell::{Interrupt, Outcome, Shell};

/// How many numbers `seq` counts at most: it has to end somewhere.
const MAX_NUMBERS: usize = 100_000;

/// The most digits after the point that `seq` writes: more than its numbers have.
const MAX_DECIMALS: usize = 30;

fn bytes(
    shell: &mut Shell<'_>,
    name: &str,
    files: &[String],
) -> Result<Option<Vec<u8>>, Interrupt> {
    let Some(file) = files.first() else {
        return Ok(Some(shell.read_input()));
    };
    match shell.read_file(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(what) => {
            failed(shell, name, &what, 1)?;
            Ok(None)
        }
    }
}

pub(super) fn base64(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("dDi", "w").long(&[("decode", 'd'), ("wrap", 'w')]);
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "base64", &what),
    };
    let wrap = match given.number('w') {
        Ok(wrap) => wrap.unwrap_or(76),
        Err(what) => return misused(shell, "base64", &what),
    };
    let Some(bytes) = bytes(shell, "base64", &given.rest)? else {
        return Ok(1);
    };
    if given.has('d') || given.has('D') {
        let digits: Vec<u8> = bytes
            .into_iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        return match STANDARD.decode(&digits) {
            Ok(decoded) => {
                shell.out_bytes(&decoded)?;
                Ok(0)
            }
            Err(_) => failed(shell, "base64", "invalid input", 1),
        };
    }
    let encoded = STANDARD.encode(&bytes);
    if wrap == 0 {
        shell.out(&encoded)?;
        return Ok(0);
    }
    for line in encoded.as_bytes().chunks(wrap) {
        shell.out_bytes(line)?;
        shell.out("\n")?;
    }
    Ok(0)
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}

/// As `sha256sum`, the digest alone.
pub(super) fn sha256(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(bytes) = bytes(shell, "sha256", words)? else {
        return Ok(1);
    };
    shell.out(&format!("{}\n", digest(&bytes)))?;
    Ok(0)
}

pub(super) fn sha256sum(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(bytes) = bytes(shell, "sha256sum", words)? else {
        return Ok(1);
    };
    let name = words.first().map_or("-", String::as_str);
    shell.out(&format!("{}  {name}\n", digest(&bytes)))?;
    Ok(0)
}

pub(super) fn seq(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let (separator, padded, words) = match words {
        [option, separator, rest @ ..] if option == "-s" => (separator.as_str(), false, rest),
        [option, rest @ ..] if option == "-w" => ("\n", true, rest),
        [option, rest @ ..] if option.starts_with("-s") => {
            (option.strip_prefix("-s").unwrap_or_default(), false, rest)
        }
        words => ("\n", false, words),
    };
    let numbers: Result<Vec<f64>, _> = words.iter().map(|word| word.parse()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Ok([last]) => (1.0, 1.0, *last),
        Ok([first, last]) => (*first, 1.0, *last),
        Ok([first, step, last]) => (*first, *step, *last),
        Ok(_) | Err(_) => return misused(shell, "seq", "one to three numbers are needed"),
    };
    if step == 0.0 || !step.is_finite() || !first.is_finite() || !last.is_finite() {
        return misused(shell, "seq", "the step must not be 0");
    }
    let decimals = words
        .iter()
        .map(|word| word.split_once('.').map_or(0, |(_, digits)| digits.len()))
        .max()
        .unwrap_or(0)
        .min(MAX_DECIMALS);
    let mut numbers = Vec::new();
    let mut value = first;
    let mut count = 0_u32;
    while (step > 0.0 && value <= last + step.abs() * 1e-9)
        || (step < 0.0 && value >= last - step.abs() * 1e-9)
    {
        if numbers.len() >= MAX_NUMBERS {
            let what = format!("more than {MAX_NUMBERS} numbers");
            return failed(shell, "seq", &what, 1);
        }
        numbers.push(format!("{value:.decimals$}"));
        count += 1;
        value = first + step * f64::from(count);
    }
    if padded {
        let width = numbers.iter().map(String::len).max().unwrap_or(0);
        for number in &mut numbers {
            *number = format!("{number:0>width$}");
        }
    }
    if !numbers.is_empty() {
        shell.out(&(numbers.join(separator) + "\n"))?;
    }
    Ok(0)
}

pub(super) fn basename(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(path) = words.first() else {
        return misused(shell, "basename", "a path is missing");
    };
    let trimmed = path.trim_end_matches('/');
    let name = match trimmed.rsplit_once('/') {
        Some((_, name)) => name,
        None if trimmed.is_empty() && !path.is_empty() => "/",
        None => trimmed,
    };
    let name = match words.get(1) {
        Some(ending) if name != ending => name.strip_suffix(ending.as_str()).unwrap_or(name),
        _ => name,
    };
    shell.out(&format!("{name}\n"))?;
    Ok(0)
}

pub(super) fn dirname(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let Some(path) = words.first() else {
        return misused(shell, "dirname", "a path is missing");
    };
    let trimmed = path.trim_end_matches('/');
    let folder = match trimmed.rsplit_once('/') {
        Some((folder, _)) => match folder.trim_end_matches('/') {
            "" => "/",
            folder => folder,
        },
        None if trimmed.is_empty() && !path.is_empty() => "/",
        None => ".",
    };
    shell.out(&format!("{folder}\n"))?;
    Ok(0)
}

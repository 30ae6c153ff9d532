//! `mktemp`, `rm`, `tee`, `touch`: files that are memory.

use super::options::Takes;
use super::{failed, misused};
use crate::shell::{Outcome, Shell};

pub(super) fn mktemp(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("qu", "pt").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "mktemp", &what),
    };
    let template = given.rest.first().map_or("/tmp/tmp.XXXXXX", String::as_str);
    let stem = template.trim_end_matches('X');
    let name = format!("{stem}{:06}", shell.unique());
    match shell.open_file(&name, false) {
        Ok(_) => {
            shell.out(&format!("{name}\n"))?;
            Ok(0)
        }
        Err(what) => failed(shell, "mktemp", &what, 1),
    }
}

pub(super) fn rm(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("frRv", "").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "rm", &what),
    };
    let mut status = 0;
    for name in &given.rest {
        let gone = shell.shared.files.borrow_mut().remove(name).is_some();
        if !gone && !given.has('f') {
            status = failed(shell, "rm", &format!("{name}: No such file"), 1)?;
        }
    }
    Ok(status)
}

pub(super) fn touch(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let mut status = 0;
    for name in words.iter().filter(|word| !word.starts_with('-')) {
        if let Err(what) = shell.open_file(name, true) {
            status = failed(shell, "touch", &what, 1)?;
        }
    }
    Ok(status)
}

pub(super) fn tee(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("ai", "").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "tee", &what),
    };
    let bytes = shell.read_input();
    shell.out_bytes(&bytes)?;
    let mut status = 0;
    for name in &given.rest {
        match shell.open_file(name, given.has('a')) {
            Ok(stream) => shell.write_to(&stream, &bytes)?,
            Err(what) => status = failed(shell, "tee", &what, 1)?,
        }
    }
    Ok(status)
}

//! `echo`.

use crate::escape;
use crate::shell::{Outcome, Shell};

pub(super) fn echo(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let (mut line_break, mut escapes) = (true, false);
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let Some(letters) = first.strip_prefix('-') else {
            break;
        };
        if letters.is_empty() || !letters.chars().all(|c| "neE".contains(c)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => line_break = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = after;
    }
    let text = rest.join(" ");
    let mut bytes = if escapes {
        let (bytes, ended) = escape::echo(&text);
        line_break &= !ended;
        bytes
    } else {
        text.into_bytes()
    };
    if line_break {
        bytes.push(b'\n');
    }
    shell.out_bytes(&bytes)?;
    Ok(0)
}

//! TOML as text.

use std::fmt::Write as _;

use toml::Value as Toml;

use crate::draft::{Keys, Term};

/// Adds lines as a comment.
pub(super) fn comment(text: &mut String, table: &str) {
    for line in table.lines() {
        text.push_str("# ");
        text.push_str(line);
        text.push('\n');
    }
}

/// Adds the `config` of a table: on one line where it fits.
pub(super) fn config(text: &mut String, table: &str, config: &Keys) {
    if config.is_empty() {
        return;
    }
    let mut inline = String::new();
    line(&mut inline, "config", &config.clone().into(), true);
    if inline.len() <= 100 && !inline.trim_end().contains('\n') {
        text.push_str(&inline);
    } else {
        text.extend(["\n[", table, ".config]\n"]);
        lines(text, config, true);
    }
}

/// Adds the keys of a table.
pub(super) fn lines(text: &mut String, keys: &Keys, in_config: bool) {
    for (key, term) in &keys.0 {
        line(text, key, term, in_config);
    }
}

/// Adds one key. Within `config` tables `${` is escaped.
pub(super) fn line(text: &mut String, key: &str, term: &Term, in_config: bool) {
    text.push_str(&name(key));
    text.push_str(" = ");
    value(text, term, in_config);
    text.push('\n');
}

/// A key: bare where it may be.
fn name(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        basic(key)
    }
}

fn value(text: &mut String, term: &Term, in_config: bool) {
    match term {
        Term::Bool(value) => text.push_str(&value.to_string()),
        Term::Integer(value) => text.push_str(&value.to_string()),
        Term::Float(value) => text.push_str(&Toml::Float(*value).to_string()),
        Term::Text(value) if in_config => text.push_str(&string(&value.replace("${", "$${"))),
        Term::Text(value) | Term::Referring(value) => text.push_str(&string(value)),
        Term::Time(time) => text.push_str(time),
        Term::Variable(name) => {
            text.extend(["{ env = ", &string(name), " }"]);
        }
        Term::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                value(text, item, in_config);
            }
            text.push(']');
        }
        Term::Table(keys) if keys.is_empty() => text.push_str("{}"),
        Term::Table(keys) => {
            text.push_str("{ ");
            for (index, (key, term)) in keys.0.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                text.push_str(&name(key));
                text.push_str(" = ");
                value(text, term, in_config);
            }
            text.push_str(" }");
        }
    }
}

/// A string: over several lines and as it is where that reads better.
fn string(text: &str) -> String {
    let plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
    if text.trim_end().contains('\n')
        && text.chars().all(plain)
        && !text.contains("'''")
        && !text.ends_with('\'')
    {
        return format!("'''\n{text}'''");
    }
    basic(text)
}

/// A string on one line.
pub(super) fn basic(text: &str) -> String {
    let mut written = String::from('"');
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            c if c.is_control() => {
                let code = u32::from(c);
                write!(written, "\\u{code:04X}").expect("a string takes everything");
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::{name, string};

    #[test]
    fn strings_mean_what_they_were() {
        for text in [
            "",
            "a\"b\\c",
            "\u{0}\u{7f}\u{85}\u{2028}",
            "two\nlines\n",
            "with '''\nthree",
            "ends\n in '",
            "\r\n",
            "\nfirst is empty",
            "x\r\ny",
        ] {
            let written = format!("a = {}", string(text));
            let read: toml::Table =
                toml::from_str(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(read["a"].as_str(), Some(text), "{written}");
            let written = format!("{} = 1", name(text));
            assert!(toml::from_str::<toml::Table>(&written).is_ok(), "{written}");
        }
    }
}

//! `declare`, `local`, `export`, `readonly`: what is said of variables.

use std::collections::BTreeMap;

use super::{failed, misused};
use crate::escape;
use crate::shell::{Interrupt, Key, Outcome, Shell, Value, Variable};
use crate::syntax::{Argument, Assignment};

/// Whether a command takes assignments.
pub(crate) fn declares(name: &str) -> bool {
    matches!(
        name,
        "declare" | "export" | "local" | "readonly" | "typeset"
    )
}

/// What is said of each name.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    list: bool,
    map: bool,
    exported: Option<bool>,
    read_only: bool,
    integer: Option<bool>,
    upper: Option<bool>,
    global: bool,
    print: bool,
    functions: bool,
}

/// `words` are those that are no assignments; these stand in `arguments`.
pub(crate) fn declare(
    shell: &mut Shell<'_>,
    name: &str,
    words: &[String],
    arguments: &[Argument],
) -> Outcome {
    let mut attributes = Attributes {
        exported: (name == "export").then_some(true),
        read_only: name == "readonly",
        ..Attributes::default()
    };
    let local = name == "local" || matches!(name, "declare" | "typeset");
    if name == "local" && shell.calls.is_empty() {
        return failed(shell, name, "can only be used in a function", 1);
    }
    let mut names = Vec::new();
    for word in words {
        match (word.strip_prefix('-'), word.strip_prefix('+')) {
            (Some(letters), _) if !letters.is_empty() => {
                if let Err(what) = read_letters(letters, true, &mut attributes) {
                    return misused(shell, name, &what);
                }
            }
            (_, Some(letters)) if !letters.is_empty() => {
                if let Err(what) = read_letters(letters, false, &mut attributes) {
                    return misused(shell, name, &what);
                }
            }
            _ => names.push(word.as_str()),
        }
    }
    if attributes.functions {
        let known = names.iter().all(|name| shell.functions.contains_key(*name));
        return Ok(u8::from(!known));
    }
    if attributes.print {
        return print(shell, name, &names);
    }
    let local = local && !attributes.global;
    for word in names {
        // An assignment that an expansion made: `declare "$name=$value"`.
        let (target, value) = match word.split_once('=') {
            Some((target, value)) => (target, Some(value)),
            None => (word, None),
        };
        if !is_name(target) {
            return failed(shell, name, &format!("{word}: not a valid identifier"), 1);
        }
        prepare(shell, target, &attributes, local);
        if let Some(value) = value {
            shell.set_element(target, &Key::Whole, value.to_owned(), false)?;
        }
        if attributes.read_only {
            shell.variables.entry(target).read_only = true;
        }
    }
    let mut status = 0;
    for assignment in Shell::assignments_in(arguments) {
        status = assign(shell, assignment, &attributes, local)?.unwrap_or(status);
    }
    Ok(status)
}

fn assign(
    shell: &mut Shell<'_>,
    assignment: &Assignment,
    attributes: &Attributes,
    local: bool,
) -> Result<Option<u8>, Interrupt> {
    let name = &assignment.name;
    if local
        && !shell.calls.is_empty()
        && matches!(shell.variables.get(name), Some(known) if known.read_only)
    {
        return Ok(Some(failed(
            shell,
            "local",
            &format!("{name}: readonly variable"),
            1,
        )?));
    }
    // `local x=$x` reads the one outside.
    let before = shell.variables.get(name).cloned();
    let value = match &assignment.value {
        crate::syntax::Assigned::Scalar(word) => Some(shell.text_of(word)?),
        crate::syntax::Assigned::Array(_) => None,
    };
    prepare(shell, name, attributes, local);
    if let Some(value) = value {
        let key = match &assignment.index {
            Some(index) => shell.key(name, index)?,
            None => Key::Whole,
        };
        shell.set_element(name, &key, value, assignment.append)?;
    } else {
        if local
            && let Some(Variable {
                value: Some(value), ..
            }) = before
            && assignment.append
        {
            shell.variables.entry(name).value = Some(value);
        }
        shell.assign_word(assignment)?;
    }
    if attributes.read_only {
        shell.variables.entry(name).read_only = true;
    }
    Ok(None)
}

fn prepare(shell: &mut Shell<'_>, name: &str, attributes: &Attributes, local: bool) {
    if local {
        shell.variables.make_local(name);
    }
    let variable = shell.variables.entry(name);
    if attributes.map && !matches!(variable.value, Some(Value::Map(_))) {
        variable.value = Some(Value::Map(BTreeMap::new()));
    }
    if attributes.list && !matches!(variable.value, Some(Value::List(_) | Value::Map(_))) {
        let list = match variable.value.take() {
            Some(Value::Text(text)) => BTreeMap::from([(0, text)]),
            _ => BTreeMap::new(),
        };
        variable.value = Some(Value::List(list));
    }
    variable.exported = attributes.exported.unwrap_or(variable.exported);
    variable.integer = attributes.integer.unwrap_or(variable.integer);
    variable.upper = attributes.upper.or(variable.upper);
}

fn read_letters(letters: &str, set: bool, attributes: &mut Attributes) -> Result<(), String> {
    for letter in letters.chars() {
        match letter {
            'a' => attributes.list = set,
            'A' => attributes.map = set,
            'x' => attributes.exported = Some(set),
            'n' if attributes.exported == Some(true) => attributes.exported = Some(false),
            'r' => attributes.read_only = set,
            'i' => attributes.integer = Some(set),
            'u' => attributes.upper = Some(true),
            'l' => attributes.upper = Some(false),
            'g' => attributes.global = set,
            'p' => attributes.print = set,
            'f' | 'F' => attributes.functions = set,
            other => return Err(format!("-{other} is not known here")),
        }
    }
    Ok(())
}

fn print(shell: &mut Shell<'_>, command: &str, names: &[&str]) -> Outcome {
    let all;
    let names = if names.is_empty() {
        all = shell.variables.names("");
        all.iter().map(String::as_str).collect()
    } else {
        names.to_vec()
    };
    let mut status = 0;
    for name in names {
        match shell.variables.get(name) {
            Some(variable) => {
                let line = declaration(name, variable);
                shell.out(&line)?;
            }
            None => status = failed(shell, command, &format!("{name}: not found"), 1)?,
        }
    }
    Ok(status)
}

fn declaration(name: &str, variable: &Variable) -> String {
    let double = |text: &str| {
        if text.chars().any(char::is_control) {
            return escape::quoted(text);
        }
        let mut quoted = "\"".to_owned();
        for c in text.chars() {
            if matches!(c, '"' | '\\' | '$' | '`') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        quoted + "\""
    };
    let mut letters = String::new();
    let value = match &variable.value {
        None => String::new(),
        Some(Value::Text(text)) => format!("={}", double(text)),
        Some(Value::List(list)) => {
            letters.push('a');
            let elements = list
                .iter()
                .map(|(key, value)| format!("[{key}]={}", double(value)));
            format!("=({})", elements.collect::<Vec<_>>().join(" "))
        }
        Some(Value::Map(map)) => {
            letters.push('A');
            let elements = map
                .iter()
                .map(|(key, value)| format!("[{}]={} ", escape::backslashed(key), double(value)));
            format!("=({})", elements.collect::<String>())
        }
    };
    for (set, letter) in [
        (variable.integer, 'i'),
        (variable.read_only, 'r'),
        (variable.exported, 'x'),
    ] {
        letters.extend(set.then_some(letter));
    }
    if letters.is_empty() {
        letters.push('-');
    }
    format!("declare -{letters} {name}{value}\n")
}

/// Whether a text can name a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

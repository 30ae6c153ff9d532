//! Parameters: what they hold, and what is made of that.

use super::expand::put;
use super::fields::{Fields, Mode};
use super::variables::Refusal;
use super::{Interrupt, Key, Shell, Value};
use crate::escape;
use crate::pattern::Pattern;
use crate::syntax::{Arithmetic, End, Expansion, Operation, Parameter, Which, Word};

/// What a parameter holds.
#[derive(Clone, Debug)]
enum Found {
    One(Option<String>),
    /// With `joined`, one text where it is quoted.
    Many {
        values: Vec<String>,
        joined: bool,
    },
}

impl Found {
    fn is_set(&self) -> bool {
        match self {
            Self::One(value) => value.is_some(),
            Self::Many { values, .. } => !values.is_empty(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::One(value) => value.as_deref().unwrap_or_default().is_empty(),
            Self::Many { values, .. } => values.iter().all(String::is_empty) && values.len() < 2,
        }
    }

    /// Each value changed by `change`.
    fn map(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::One(value) => Self::One(value.map(|value| change(&value))),
            Self::Many { values, joined } => Self::Many {
                values: values.iter().map(|value| change(value)).collect(),
                joined,
            },
        }
    }
}

impl Shell<'_> {
    pub(super) fn parameter(
        &mut self,
        expansion: &Expansion,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Interrupt> {
        if let (Parameter::Named(name), false, Operation::Plain) = (
            &expansion.parameter,
            expansion.indirect,
            &expansion.operation,
        ) && let Some(text) = self.variables.text(name)
        {
            // What most expansions are.
            put(text, quoted, fields);
            return Ok(());
        }
        let found = match &expansion.operation {
            Operation::Keys { joined } => self.keys(&expansion.parameter, *joined),
            Operation::Names { joined } => {
                let prefix = name_of(&expansion.parameter);
                let values = self.variables.names(&prefix);
                let joined = *joined;
                Found::Many { values, joined }
            }
            Operation::Length => {
                let found = self.find(&expansion.parameter)?;
                self.require_set(&expansion.parameter, &found)?;
                let length = match (&found, &expansion.parameter) {
                    (Found::Many { values, .. }, _) => values.len(),
                    (Found::One(value), _) => value.as_deref().unwrap_or_default().chars().count(),
                };
                Found::One(Some(length.to_string()))
            }
            _ => {
                let mut parameter = &expansion.parameter;
                let indirect;
                if expansion.indirect {
                    indirect = self.indirect(parameter)?;
                    parameter = &indirect;
                }
                let found = self.find(parameter)?;
                return self.operate(&expansion.operation, parameter, found, quoted, fields);
            }
        };
        self.emit(found, quoted, fields);
        Ok(())
    }

    fn operate(
        &mut self,
        operation: &Operation,
        parameter: &Parameter,
        found: Found,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Interrupt> {
        let lacks = |empty: bool| !found.is_set() || (empty && found.is_empty());
        let found = match operation {
            Operation::Default { empty, word } => {
                if lacks(*empty) {
                    if quoted {
                        fields.quoted("");
                    }
                    return self.pieces(word, quoted, fields);
                }
                found
            }
            Operation::Alternative { empty, word } => {
                if quoted {
                    fields.quoted("");
                }
                if lacks(*empty) {
                    return Ok(());
                }
                return self.pieces(word, quoted, fields);
            }
            Operation::Assign { empty, word } => {
                if !lacks(*empty) {
                    return self.shown(found, quoted, fields);
                }
                let value = self.text_of(word)?;
                match parameter {
                    Parameter::Named(name) => {
                        self.set_element(name, &Key::Whole, value.clone(), false)?;
                    }
                    Parameter::Element(name, index) => {
                        let key = self.key(name, index)?;
                        self.set_element(name, &key, value.clone(), false)?;
                    }
                    other => {
                        let what = format!("${}: cannot assign in this way", name_of(other));
                        self.complain(&what)?;
                        return Err(Interrupt::Exit(1));
                    }
                }
                Found::One(Some(value))
            }
            Operation::Require { empty, word } => {
                if !lacks(*empty) {
                    return self.shown(found, quoted, fields);
                }
                let what = match word {
                    Some(word) => self.text_of(word)?,
                    None if *empty => "parameter null or not set".to_owned(),
                    None => "parameter not set".to_owned(),
                };
                let name = name_of(parameter);
                self.complain(&format!("{name}: {what}"))?;
                return Err(Interrupt::Exit(1));
            }
            other => {
                self.require_set(parameter, &found)?;
                self.changed(other, parameter, found)?
            }
        };
        self.shown(found, quoted, fields)
    }

    #[expect(clippy::unnecessary_wraps, reason = "ends what can fail")]
    fn shown(&mut self, found: Found, quoted: bool, fields: &mut Fields) -> Result<(), Interrupt> {
        self.emit(found, quoted, fields);
        Ok(())
    }

    /// What operators make of each value.
    fn changed(
        &mut self,
        operation: &Operation,
        parameter: &Parameter,
        found: Found,
    ) -> Result<Found, Interrupt> {
        Ok(match operation {
            Operation::Remove {
                end,
                longest,
                pattern,
            } => {
                let pattern = self.pattern_of(pattern)?;
                found.map(|value| removed(value, &pattern, *end, *longest))
            }
            Operation::Replace {
                which,
                pattern,
                replacement,
            } => {
                let pattern = self.pattern_of(pattern)?;
                let replacement = self.text_of(replacement)?;
                found.map(|value| replaced(value, &pattern, &replacement, *which))
            }
            Operation::Case {
                upper,
                all,
                pattern,
            } => {
                let pattern = match pattern {
                    Some(pattern) => Some(self.pattern_of(pattern)?),
                    None => None,
                };
                found.map(|value| cased(value, *upper, *all, pattern.as_ref()))
            }
            Operation::Transform(op) => match op {
                'U' => found.map(str::to_uppercase),
                'L' => found.map(str::to_lowercase),
                'u' => found.map(|value| cased(value, true, false, None)),
                'E' => found.map(escape::ansi_c),
                _ => found.map(escape::quoted),
            },
            Operation::Substring { offset, length } => {
                self.substring(parameter, found, offset, length.as_ref())?
            }
            _ => found,
        })
    }

    fn substring(
        &mut self,
        parameter: &Parameter,
        found: Found,
        offset: &Arithmetic,
        length: Option<&Arithmetic>,
    ) -> Result<Found, Interrupt> {
        let offset = self.calculate(offset)?;
        let length = match length {
            Some(length) => Some(self.calculate(length)?),
            None => None,
        };
        match found {
            Found::One(None) => Ok(Found::One(None)),
            Found::One(Some(text)) => {
                let characters: Vec<char> = text.chars().collect();
                let Some((start, end)) = range(characters.len(), offset, length) else {
                    if length.is_some_and(|length| length < 0) {
                        self.complain("substring expression < 0")?;
                        return Err(Interrupt::Exit(1));
                    }
                    return Ok(Found::One(Some(String::new())));
                };
                let part = characters.get(start..end).unwrap_or_default();
                Ok(Found::One(Some(part.iter().collect())))
            }
            Found::Many { mut values, joined } => {
                if matches!(parameter, Parameter::Special(_)) {
                    // `$0` is the first of the positional parameters here.
                    values.insert(0, "script".to_owned());
                }
                if length.is_some_and(|length| length < 0) {
                    self.complain("substring expression < 0")?;
                    return Err(Interrupt::Exit(1));
                }
                let values = match range(values.len(), offset, length) {
                    Some((start, end)) => values.get(start..end).unwrap_or_default().to_vec(),
                    None => Vec::new(),
                };
                Ok(Found::Many { values, joined })
            }
        }
    }

    fn emit(&mut self, found: Found, quoted: bool, fields: &mut Fields) {
        match found {
            Found::One(Some(text)) => put(&text, quoted, fields),
            Found::One(None) => {
                if quoted {
                    fields.quoted("");
                }
            }
            Found::Many {
                values,
                joined: true,
            } if quoted || fields.mode != Mode::Fields => {
                put(&values.join(&self.joiner()), quoted, fields);
            }
            Found::Many { values, .. } => {
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        fields.boundary();
                    }
                    put(value, quoted, fields);
                }
            }
        }
    }

    /// `set -u`
    fn require_set(&mut self, parameter: &Parameter, found: &Found) -> Result<(), Interrupt> {
        if self.options.unset_is_an_error && matches!(found, Found::One(None)) {
            let name = name_of(parameter);
            self.complain(&format!("{name}: unbound variable"))?;
            return Err(Interrupt::Exit(1));
        }
        Ok(())
    }

    fn find(&mut self, parameter: &Parameter) -> Result<Found, Interrupt> {
        Ok(match parameter {
            Parameter::Positional(number) => Found::One(
                number
                    .checked_sub(1)
                    .and_then(|at| self.arguments.get(at).cloned()),
            ),
            Parameter::Special(special) => match special {
                '@' | '*' => Found::Many {
                    values: self.arguments.to_vec(),
                    joined: *special == '*',
                },
                '#' => Found::One(Some(self.arguments.len().to_string())),
                '?' => Found::One(Some(self.status.to_string())),
                '-' => Found::One(Some(self.letters())),
                '!' => Found::One((!self.jobs.is_empty()).then(|| self.jobs.len().to_string())),
                '0' => Found::One(Some("script".to_owned())),
                _ => Found::One(Some("1".to_owned())),
            },
            Parameter::Named(name) => Found::One(match self.dynamic(name) {
                Some(Value::Text(text)) => Some(text),
                Some(Value::List(list)) => list.into_values().next(),
                Some(Value::Map(_)) => None,
                None => self.variables.text(name).map(str::to_owned),
            }),
            Parameter::Element(name, index) => {
                let key = self.key(name, index)?;
                if let Some(Value::List(list)) = self.dynamic(name) {
                    let number = match key {
                        Key::Number(number) => number,
                        Key::Whole | Key::Text(_) => 0,
                    };
                    return Ok(Found::One(list.get(&number).cloned()));
                }
                Found::One(self.variables.element(name, &key).map(str::to_owned))
            }
            Parameter::All { name, joined } => {
                let value = self
                    .dynamic(name)
                    .or_else(|| self.variables.value(name).cloned());
                let values = match value {
                    None => Vec::new(),
                    Some(Value::Text(text)) => vec![text],
                    Some(Value::List(list)) => list.into_values().collect(),
                    Some(Value::Map(map)) => map.into_values().collect(),
                };
                let joined = *joined;
                Found::Many { values, joined }
            }
        })
    }

    fn keys(&self, parameter: &Parameter, joined: bool) -> Found {
        let values = match self.variables.value(&name_of(parameter)) {
            None => Vec::new(),
            Some(Value::Text(_)) => vec!["0".to_owned()],
            Some(Value::List(list)) => list.keys().map(ToString::to_string).collect(),
            Some(Value::Map(map)) => map.keys().cloned().collect(),
        };
        Found::Many { values, joined }
    }

    /// The parameter whose name `parameter` holds.
    fn indirect(&mut self, parameter: &Parameter) -> Result<Parameter, Interrupt> {
        let found = self.find(parameter)?;
        let name = match found {
            Found::One(Some(name)) if !name.is_empty() => name,
            _ => {
                self.complain(&format!(
                    "{}: invalid indirect expansion",
                    name_of(parameter)
                ))?;
                return Err(Interrupt::Exit(1));
            }
        };
        if let Ok(number) = name.parse() {
            return Ok(Parameter::Positional(number));
        }
        let element = name
            .split_once('[')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?)));
        Ok(match element {
            Some((name, index @ ("@" | "*"))) => Parameter::All {
                name: name.into(),
                joined: index == "*",
            },
            Some((name, index)) => Parameter::Element(
                name.into(),
                vec![crate::syntax::Piece::Quoted(index.to_owned())],
            ),
            None => Parameter::Named(name.into()),
        })
    }

    /// Which element `index` means, which depends on the kind of the array.
    pub(crate) fn key(&mut self, name: &str, index: &Word) -> Result<Key, Interrupt> {
        let text = self.text_of(index)?;
        if self.variables.is_map(name) {
            return Ok(Key::Text(text));
        }
        Ok(Key::Number(self.calculate_text(&text)?))
    }

    /// Variables that the shell itself makes up when they are read.
    pub(super) fn dynamic(&self, name: &str) -> Option<Value> {
        let seconds = |nanos: u64| (nanos / 1_000_000_000).to_string();
        Some(Value::Text(match name {
            "RANDOM" => self.random().to_string(),
            "SECONDS" => seconds(self.world.now().saturating_sub(self.started)),
            "EPOCHSECONDS" => seconds(self.world.now()),
            "EPOCHREALTIME" => {
                let now = self.world.now();
                format!("{}.{:06}", seconds(now), now / 1000 % 1_000_000)
            }
            "LINENO" => self.line.to_string(),
            "PIPESTATUS" => {
                let statuses = self.pipe_status.iter().map(ToString::to_string);
                return Some(Value::List((0..).zip(statuses).collect()));
            }
            "FUNCNAME" if !self.calls.is_empty() => {
                let names = self.calls.iter().rev().map(ToString::to_string);
                return Some(Value::List((0..).zip(names).collect()));
            }
            _ => return None,
        }))
    }

    /// Assigns, with what was declared of the variable.
    pub(crate) fn set_element(
        &mut self,
        name: &str,
        key: &Key,
        value: String,
        append: bool,
    ) -> Result<(), Interrupt> {
        let value = match self.variables.get(name) {
            Some(variable) if variable.integer => {
                let old = if append {
                    self.variables.element(name, key).unwrap_or("0").to_owned()
                } else {
                    "0".to_owned()
                };
                let sum = format!("({old})+({value})");
                let number =
                    self.calculate_text(if value.trim().is_empty() { "0" } else { &sum })?;
                return self.assign(name, key, number.to_string(), false);
            }
            Some(_) | None => value,
        };
        self.assign(name, key, value, append)
    }

    fn assign(
        &mut self,
        name: &str,
        key: &Key,
        value: String,
        append: bool,
    ) -> Result<(), Interrupt> {
        match self.variables.assign(name, key, value, append) {
            Ok(()) => Ok(()),
            Err(Refusal::ReadOnly) => {
                self.complain(&format!("{name}: readonly variable"))?;
                Err(Interrupt::Exit(1))
            }
            Err(Refusal::BadIndex) => {
                self.complain(&format!("{name}: bad array subscript"))?;
                Err(Interrupt::Exit(1))
            }
        }
    }

    fn letters(&self) -> String {
        let options = &self.options;
        let letters = [
            ('e', options.exit_on_error),
            ('h', true),
            ('u', options.unset_is_an_error),
            ('x', options.trace),
            ('B', true),
            ('E', options.errors_trapped_inside),
        ];
        let set = letters.iter().filter(|(_, set)| *set);
        set.map(|(letter, _)| *letter).collect()
    }
}

fn name_of(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Positional(number) => number.to_string(),
        Parameter::Special(special) => special.to_string(),
        Parameter::Named(name) | Parameter::Element(name, _) | Parameter::All { name, .. } => {
            name.to_string()
        }
    }
}

/// Where a part of `count` things begins and ends; none if there is no such part.
fn range(count: usize, offset: i64, length: Option<i64>) -> Option<(usize, usize)> {
    let whole = i64::try_from(count).ok()?;
    let start = if offset < 0 { whole + offset } else { offset };
    if start < 0 || start > whole {
        return None;
    }
    let end = match length {
        None => whole,
        Some(length) if length < 0 => whole + length,
        Some(length) => start.saturating_add(length).min(whole),
    };
    if end < start {
        return None;
    }
    Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

fn removed(value: &str, pattern: &Pattern, end: End, longest: bool) -> String {
    let text: Vec<char> = value.chars().collect();
    let kept = match end {
        End::Start => pattern
            .prefix(&text, longest)
            .and_then(|length| text.get(length..)),
        End::End => pattern
            .suffix(&text, longest)
            .and_then(|start| text.get(..start)),
    };
    match kept {
        Some(kept) => kept.iter().collect(),
        None => value.to_owned(),
    }
}

fn replaced(value: &str, pattern: &Pattern, replacement: &str, which: Which) -> String {
    if let Some(literal) = pattern.literal() {
        if literal.is_empty() {
            return match which {
                Which::AtStart => format!("{replacement}{value}"),
                Which::AtEnd => format!("{value}{replacement}"),
                Which::First | Which::All => value.to_owned(),
            };
        }
        match which {
            Which::First => return value.replacen(&literal, replacement, 1),
            Which::All => return value.replace(&literal, replacement),
            Which::AtStart | Which::AtEnd => {}
        }
    }
    let text: Vec<char> = value.chars().collect();
    match which {
        Which::AtStart => match pattern.prefix(&text, true) {
            Some(length) => {
                let rest: String = text.iter().skip(length).collect();
                format!("{replacement}{rest}")
            }
            None => value.to_owned(),
        },
        Which::AtEnd => match pattern.suffix(&text, true) {
            Some(start) => {
                let kept: String = text.iter().take(start).collect();
                format!("{kept}{replacement}")
            }
            None => value.to_owned(),
        },
        Which::First | Which::All => {
            let mut result = String::with_capacity(value.len());
            let mut at = 0;
            while at < text.len() {
                let rest = text.get(at..).unwrap_or_default();
                if let Some(length) = pattern.prefix(rest, true).filter(|length| *length > 0) {
                    result.push_str(replacement);
                    at += length;
                    if which == Which::First {
                        break;
                    }
                } else {
                    result.extend(rest.first());
                    at += 1;
                }
            }
            result.extend(text.iter().skip(at));
            result
        }
    }
}

fn cased(value: &str, upper: bool, all: bool, pattern: Option<&Pattern>) -> String {
    let mut result = String::with_capacity(value.len());
    for (at, c) in value.chars().enumerate() {
        let meant = (all || at == 0) && pattern.is_none_or(|pattern| pattern.matches_chars(&[c]));
        match (meant, upper) {
            (true, true) => result.extend(c.to_uppercase()),
            (true, false) => result.extend(c.to_lowercase()),
            (false, _) => result.push(c),
        }
    }
    result
}

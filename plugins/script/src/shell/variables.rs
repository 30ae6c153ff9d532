//! Variables: texts, arrays by number, arrays by key.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    List(BTreeMap<i64, String>),
    Map(BTreeMap<String, String>),
}

/// A variable with what was declared of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variable {
    /// None: declared, not set.
    pub(crate) value: Option<Value>,
    pub(crate) exported: bool,
    pub(crate) read_only: bool,
    /// What is assigned is calculated.
    pub(crate) integer: bool,
    /// What is assigned is made upper (`true`) or lower case.
    pub(crate) upper: Option<bool>,
}

/// Which element of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The whole, or the element 0 of an array.
    Whole,
    Number(i64),
    Text(String),
}

/// All variables of a shell. Those of a function hide others of their name until
/// it returns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    all: HashMap<Rc<str>, Variable>,
    /// What the variables of each function hide, the innermost last.
    hidden: Vec<Vec<(Rc<str>, Option<Variable>)>>,
}

/// Why an assignment is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    ReadOnly,
    BadIndex,
}

impl Variables {
    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.all.get(name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.all.get(name)?.value.as_ref()
    }

    /// The text of a variable, of an array its element 0.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            Value::List(list) => list.get(&0).map(String::as_str),
            Value::Map(map) => map.get("0").map(String::as_str),
        }
    }

    /// One element.
    pub(crate) fn element(&self, name: &str, key: &Key) -> Option<&str> {
        match (self.value(name)?, key) {
            (Value::Text(text), Key::Whole | Key::Number(0 | -1)) => Some(text),
            (Value::List(list), Key::Number(number)) => {
                let number = from_end(list, *number)?;
                list.get(&number).map(String::as_str)
            }
            (Value::List(list), Key::Whole) => list.get(&0).map(String::as_str),
            (Value::Map(map), Key::Text(key)) => map.get(key).map(String::as_str),
            (Value::Map(map), Key::Whole) => map.get("0").map(String::as_str),
            _ => None,
        }
    }

    pub(crate) fn is_map(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Map(_)))
    }

    /// A variable to change, made where there is none.
    pub(crate) fn entry(&mut self, name: &str) -> &mut Variable {
        if !self.all.contains_key(name) {
            self.all.insert(name.into(), Variable::default());
        }
        self.all.get_mut(name).expect("was made above")
    }

    /// Sets a text, whatever was declared.
    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.entry(name).value = Some(Value::Text(value));
    }

    /// Sets a list, whatever was declared.
    pub(crate) fn set_list(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        self.entry(name).value = Some(Value::List((0..).zip(values).collect()));
    }

    /// Assigns one element, or with `append` adds to it.
    pub(crate) fn assign(
        &mut self,
        name: &str,
        key: &Key,
        value: String,
        append: bool,
    ) -> Result<(), Refusal> {
        let variable = self.entry(name);
        if variable.read_only {
            return Err(Refusal::ReadOnly);
        }
        let value = match variable.upper {
            Some(true) => value.to_uppercase(),
            Some(false) => value.to_lowercase(),
            None => value,
        };
        if let Key::Number(_) = key
            && let Some(Value::Text(text)) = &variable.value
        {
            variable.value = Some(Value::List(BTreeMap::from([(0, text.clone())])));
        }
        let add = |old: Option<&String>| match old {
            Some(old) if append => format!("{old}{value}"),
            Some(_) | None => value.clone(),
        };
        match (&mut variable.value, key) {
            (Some(Value::List(list)), key) => {
                let number = match key {
                    Key::Number(number) => from_end(list, *number).ok_or(Refusal::BadIndex)?,
                    Key::Whole => 0,
                    Key::Text(_) => return Err(Refusal::BadIndex),
                };
                let value = add(list.get(&number));
                list.insert(number, value);
            }
            (Some(Value::Map(map)), key) => {
                let key = match key {
                    Key::Text(key) => key.clone(),
                    Key::Whole => "0".to_owned(),
                    Key::Number(number) => number.to_string(),
                };
                let value = add(map.get(&key));
                map.insert(key, value);
            }
            (value_now, Key::Number(number)) => {
                if *number < 0 {
                    return Err(Refusal::BadIndex);
                }
                *value_now = Some(Value::List(BTreeMap::from([(*number, value)])));
            }
            (value_now, Key::Whole | Key::Text(_)) => {
                let old = match value_now {
                    Some(Value::Text(text)) => Some(&*text),
                    _ => None,
                };
                *value_now = Some(Value::Text(add(old)));
            }
        }
        Ok(())
    }

    /// Removes a variable; false if it is read-only.
    pub(crate) fn unset(&mut self, name: &str) -> bool {
        match self.all.get(name) {
            Some(variable) if variable.read_only => false,
            Some(_) => {
                self.all.remove(name);
                true
            }
            None => true,
        }
    }

    /// Removes an element.
    pub(crate) fn unset_element(&mut self, name: &str, key: &Key) {
        match (
            self.all
                .get_mut(name)
                .and_then(|variable| variable.value.as_mut()),
            key,
        ) {
            (Some(Value::List(list)), Key::Number(number)) => {
                if let Some(number) = from_end(list, *number) {
                    list.remove(&number);
                }
            }
            (Some(Value::Map(map)), Key::Text(key)) => {
                map.remove(key);
            }
            _ => {}
        }
    }

    /// The names that begin with `prefix`, sorted.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .all
            .iter()
            .filter(|(name, variable)| name.starts_with(prefix) && variable.value.is_some())
            .map(|(name, _)| name.to_string())
            .collect();
        names.sort();
        names
    }

    /// Begins a function.
    pub(crate) fn enter(&mut self) {
        self.hidden.push(Vec::new());
    }

    /// Ends a function: what it hid is there again.
    pub(crate) fn leave(&mut self) {
        for (name, variable) in self.hidden.pop().unwrap_or_default().into_iter().rev() {
            match variable {
                Some(variable) => {
                    self.all.insert(name, variable);
                }
                None => {
                    self.all.remove(&name);
                }
            }
        }
    }

    /// Makes `name` a variable of the function that runs; false outside of any.
    pub(crate) fn make_local(&mut self, name: &str) -> bool {
        let Some(hidden) = self.hidden.last_mut() else {
            return false;
        };
        if hidden.iter().any(|(known, _)| &**known == name) {
            return true;
        }
        let name: Rc<str> = name.into();
        hidden.push((Rc::clone(&name), self.all.remove(&name)));
        true
    }
}

/// An index that counts from the end where it is negative.
fn from_end(list: &BTreeMap<i64, String>, number: i64) -> Option<i64> {
    if number >= 0 {
        return Some(number);
    }
    let end = list
        .last_key_value()
        .map_or(0, |(last, _)| last.saturating_add(1));
    end.checked_add(number).filter(|number| *number >= 0)
}

//! Programs at work.

use std::collections::{BTreeMap, HashMap};

use regex_lite::Regex;

use super::program::{Binary, Expr, Pattern, Place, Program, Statement};
use super::value::{Value, shown};
use crate::builtins::printf;
use crate::regex::{Syntax, compile};

/// The functions that there are.
pub(super) const FUNCTIONS: [&str; 16] = [
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "tolower", "toupper",
    "int", "sqrt", "exp", "log", "sin", "cos",
];

/// The most bytes that a program writes.
const MAX_OUTPUT: usize = 1 << 20;

/// Why a statement ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Next,
    Break,
    Continue,
    Exit,
    /// The program cannot go on.
    Wrong(String),
    Limit(String),
}

type Done = Result<(), End>;

/// One run of a program.
pub(super) struct Run<'p> {
    program: &'p Program,
    variables: HashMap<String, Value>,
    arrays: HashMap<String, BTreeMap<String, Value>>,
    line: String,
    fields: Vec<String>,
    /// The ranges that are open, by the number of their rule.
    open: Vec<usize>,
    output: String,
    status: u8,
    number: f64,
}

impl<'p> Run<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let text = |text: &str| Value::Text(text.to_owned());
        let variables = [
            ("FS", text(" ")),
            ("OFS", text(" ")),
            ("ORS", text("\n")),
            ("RS", text("\n")),
            ("SUBSEP", text("\x1c")),
            ("NR", Value::Number(0.0)),
        ];
        Self {
            program,
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            arrays: HashMap::new(),
            line: String::new(),
            fields: Vec::new(),
            open: Vec::new(),
            output: String::new(),
            status: 0,
            number: 0.0,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    pub(super) fn take_output(&mut self) -> String {
        std::mem::take(&mut self.output)
    }

    pub(super) fn status(&self) -> u8 {
        self.status
    }

    /// Runs the whole program on texts, each with its name.
    pub(super) fn all<'t>(&mut self, texts: impl Iterator<Item = (&'t str, &'t str)>) -> Done {
        let program = self.program;
        match self.before_end(texts) {
            // `exit` still runs what is to be done at the end.
            Ok(()) | Err(End::Exit) => {}
            other => return other,
        }
        for block in &program.end {
            self.block(block)?;
        }
        Ok(())
    }

    fn before_end<'t>(&mut self, texts: impl Iterator<Item = (&'t str, &'t str)>) -> Done {
        let program = self.program;
        for block in &program.begin {
            self.block(block)?;
        }
        for (name, text) in texts {
            self.set("FILENAME", Value::Text(name.to_owned()));
            let separator = self.text_of("RS");
            let records: Vec<&str> = match separator.as_str() {
                "" => text
                    .split("\n\n")
                    .map(|record| record.trim_matches('\n'))
                    .filter(|record| !record.is_empty())
                    .collect(),
                separator => text.split_terminator(separator).collect(),
            };
            for (number, record) in (1_u32..).zip(records) {
                self.number += 1.0;
                let number = Value::Number(f64::from(number));
                self.set("FNR", number);
                let whole = Value::Number(self.number);
                self.set("NR", whole);
                self.read(record);
                match self.rules() {
                    Ok(()) | Err(End::Next) => {}
                    other => return other,
                }
            }
        }
        Ok(())
    }

    fn rules(&mut self) -> Done {
        let program = self.program;
        for (number, rule) in program.rules.iter().enumerate() {
            let applies = match &rule.pattern {
                Pattern::Always => true,
                Pattern::If(condition) => self.value(condition)?.holds(),
                Pattern::Range(from, to) => {
                    let is_open = self.open.contains(&number);
                    let begins = is_open || self.value(from)?.holds();
                    if begins {
                        let ends = self.value(to)?.holds();
                        self.open.retain(|open| *open != number);
                        if !ends {
                            self.open.push(number);
                        }
                    }
                    begins
                }
            };
            if !applies {
                continue;
            }
            if let Some(action) = &rule.action {
                self.block(action)?;
            } else {
                let line = self.line.clone();
                self.write(&format!("{line}{}", self.text_of("ORS")))?;
            }
        }
        Ok(())
    }

    fn read(&mut self, record: &str) {
        record.clone_into(&mut self.line);
        let separator = self.text_of("FS");
        self.fields = split(record, &separator);
        self.count_fields();
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a line has not that many fields"
    )]
    fn count_fields(&mut self) {
        let count = Value::Number(self.fields.len() as f64);
        self.set("NF", count);
    }

    fn write(&mut self, text: &str) -> Done {
        if self.output.len() + text.len() > MAX_OUTPUT {
            return Err(End::Limit("awk writes more than 1024 KiB".to_owned()));
        }
        self.output.push_str(text);
        Ok(())
    }

    fn text_of(&self, name: &str) -> String {
        self.variables
            .get(name)
            .map(Value::text)
            .unwrap_or_default()
    }

    fn block(&mut self, statements: &[Statement]) -> Done {
        for statement in statements {
            self.statement(statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Done {
        match statement {
            Statement::Expr(expr) => {
                self.value(expr)?;
            }
            Statement::Print(arguments) => {
                let mut line = if arguments.is_empty() {
                    self.line.clone()
                } else {
                    self.texts(arguments)?.join(&self.text_of("OFS"))
                };
                line.push_str(&self.text_of("ORS"));
                self.write(&line)?;
            }
            Statement::Printf(arguments) => {
                let text = self.formatted(arguments)?;
                self.write(&text)?;
            }
            Statement::If(condition, then, otherwise) => {
                let branch = if self.value(condition)?.holds() {
                    then
                } else {
                    otherwise
                };
                self.block(branch)?;
            }
            Statement::While(condition, body) => {
                while self.value(condition)?.holds() {
                    if self.turn(body)? {
                        break;
                    }
                }
            }
            Statement::Do(body, condition) => loop {
                if self.turn(body)? || !self.value(condition)?.holds() {
                    break;
                }
            },
            Statement::For(start, condition, step, body) => {
                if let Some(start) = start {
                    self.statement(start)?;
                }
                loop {
                    if let Some(condition) = condition
                        && !self.value(condition)?.holds()
                    {
                        break;
                    }
                    if self.turn(body)? {
                        break;
                    }
                    if let Some(step) = step {
                        self.statement(step)?;
                    }
                }
            }
            Statement::ForIn(name, array, body) => {
                let keys: Vec<String> = match self.arrays.get(array) {
                    Some(array) => array.keys().cloned().collect(),
                    None => Vec::new(),
                };
                for key in keys {
                    self.set(name, Value::Input(key));
                    if self.turn(body)? {
                        break;
                    }
                }
            }
            Statement::Delete(name, None) => {
                self.arrays.remove(name);
            }
            Statement::Delete(name, Some(index)) => {
                let key = self.key(index)?;
                if let Some(array) = self.arrays.get_mut(name) {
                    array.remove(&key);
                }
            }
            Statement::Next => return Err(End::Next),
            Statement::Break => return Err(End::Break),
            Statement::Continue => return Err(End::Continue),
            Statement::Exit(status) => {
                if let Some(status) = status {
                    let number = whole(self.value(status)?.number());
                    self.status = number.to_le_bytes().first().copied().unwrap_or_default();
                }
                return Err(End::Exit);
            }
        }
        Ok(())
    }

    /// One turn of a loop; true if it was the last.
    fn turn(&mut self, body: &[Statement]) -> Result<bool, End> {
        match self.block(body) {
            Ok(()) | Err(End::Continue) => Ok(false),
            Err(End::Break) => Ok(true),
            Err(other) => Err(other),
        }
    }

    fn texts(&mut self, exprs: &[Expr]) -> Result<Vec<String>, End> {
        let mut texts = Vec::with_capacity(exprs.len());
        for expr in exprs {
            texts.push(self.value(expr)?.text());
        }
        Ok(texts)
    }

    fn formatted(&mut self, arguments: &[Expr]) -> Result<String, End> {
        let mut words = Vec::with_capacity(arguments.len());
        for argument in arguments {
            words.push(match self.value(argument)? {
                // With all its digits: the format says how many are shown.
                Value::Number(number) => number.to_string(),
                value => value.text(),
            });
        }
        Ok(printf::awk(&words))
    }

    fn key(&mut self, index: &[Expr]) -> Result<String, End> {
        Ok(self.texts(index)?.join(&self.text_of("SUBSEP")))
    }

    fn value(&mut self, expr: &Expr) -> Result<Value, End> {
        Ok(match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Match(regex) => regex.is_match(&self.line).into(),
            Expr::Place(place) => self.get(place)?,
            Expr::Assign(place, operator, value) => {
                let value = self.value(value)?;
                let value = match operator {
                    Some(operator) => {
                        let old = self.get(place)?;
                        apply(*operator, &old, &value)?
                    }
                    None => value,
                };
                self.put(place, value.clone())?;
                value
            }
            Expr::Step { place, by, first } => {
                let old = self.get(place)?.number();
                self.put(place, Value::Number(old + by))?;
                Value::Number(if *first { old + by } else { old })
            }
            Expr::Binary(operator, left, right) => {
                let left = self.value(left)?;
                let right = self.value(right)?;
                apply(*operator, &left, &right)?
            }
            Expr::And(left, right) => {
                (self.value(left)?.holds() && self.value(right)?.holds()).into()
            }
            Expr::Or(left, right) => {
                (self.value(left)?.holds() || self.value(right)?.holds()).into()
            }
            Expr::Not(inner) => (!self.value(inner)?.holds()).into(),
            Expr::Minus(inner) => Value::Number(-self.value(inner)?.number()),
            Expr::Plus(inner) => Value::Number(self.value(inner)?.number()),
            Expr::Choice(condition, then, otherwise) => {
                if self.value(condition)?.holds() {
                    self.value(then)?
                } else {
                    self.value(otherwise)?
                }
            }
            Expr::Matches {
                text,
                pattern,
                negated,
            } => {
                let text = self.value(text)?.text();
                let matches = self.with_regex(pattern, |regex| regex.is_match(&text))?;
                (matches != *negated).into()
            }
            Expr::In(index, array) => {
                let key = self.key(index)?;
                self.arrays
                    .get(array)
                    .is_some_and(|array| array.contains_key(&key))
                    .into()
            }
            Expr::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    fn with_regex<T>(
        &mut self,
        pattern: &Expr,
        action: impl FnOnce(&Regex) -> T,
    ) -> Result<T, End> {
        if let Expr::Match(regex) = pattern {
            return Ok(action(regex));
        }
        let text = self.value(pattern)?.text();
        match compile(&text, Syntax::Extended, false) {
            Ok(regex) => Ok(action(&regex)),
            Err(what) => Err(End::Wrong(what)),
        }
    }

    fn get(&mut self, place: &Place) -> Result<Value, End> {
        Ok(match place {
            Place::Variable(name) => self.variables.get(name).cloned().unwrap_or(Value::Unset),
            Place::Field(number) => {
                let number = self.field(number)?;
                match number.checked_sub(1) {
                    None => Value::Input(self.line.clone()),
                    Some(at) => match self.fields.get(at) {
                        Some(field) => Value::Input(field.clone()),
                        None => Value::Unset,
                    },
                }
            }
            Place::Element(name, index) => {
                let key = self.key(index)?;
                // Looking makes an element, as in awk.
                let array = self.arrays.entry(name.clone()).or_default();
                array.entry(key).or_insert(Value::Unset).clone()
            }
        })
    }

    fn field(&mut self, number: &Expr) -> Result<usize, End> {
        let number = whole(self.value(number)?.number());
        match usize::try_from(number) {
            Ok(number) if number <= 10_000 => Ok(number),
            _ => Err(End::Wrong(format!("there is no field {number}"))),
        }
    }

    fn put(&mut self, place: &Place, value: Value) -> Done {
        match place {
            Place::Variable(name) if name == "NF" => {
                let count = whole(value.number()).clamp(0, 10_000);
                self.fields
                    .resize(usize::try_from(count).unwrap_or(0), String::new());
                self.line = self.fields.join(&self.text_of("OFS"));
                self.count_fields();
            }
            Place::Variable(name) => self.set(name, value),
            Place::Field(number) => match self.field(number)? {
                0 => {
                    let line = value.text();
                    self.read(&line);
                }
                number => {
                    if self.fields.len() < number {
                        self.fields.resize(number, String::new());
                    }
                    if let Some(field) = self.fields.get_mut(number - 1) {
                        *field = value.text();
                    }
                    self.line = self.fields.join(&self.text_of("OFS"));
                    self.count_fields();
                }
            },
            Place::Element(name, index) => {
                let key = self.key(index)?;
                self.arrays
                    .entry(name.clone())
                    .or_default()
                    .insert(key, value);
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "lengths that memory can hold")]
    fn call(&mut self, name: &str, arguments: &[Expr]) -> Result<Value, End> {
        let count = |count: usize| Value::Number(count as f64);
        let lacking = || End::Wrong(format!("{name}: an argument is missing"));
        if let ("length", [Expr::Place(Place::Variable(array))]) = (name, arguments)
            && let Some(array) = self.arrays.get(array)
        {
            return Ok(count(array.len()));
        }
        match name {
            "split" => return self.split(arguments),
            "sub" | "gsub" => return self.substitute(name == "gsub", arguments),
            "match" => {
                let (text, pattern) = (
                    arguments.first().ok_or_else(lacking)?,
                    arguments.get(1).ok_or_else(lacking)?,
                );
                let text = self.value(text)?.text();
                let found = self.with_regex(pattern, |regex| {
                    regex
                        .find(&text)
                        .map(|found| (found.start(), found.as_str().chars().count()))
                })?;
                let (start, length) = match found {
                    Some((start, length)) => {
                        let before = text.get(..start).unwrap_or_default().chars().count();
                        (before as f64 + 1.0, length as f64)
                    }
                    None => (0.0, -1.0),
                };
                self.set("RSTART", Value::Number(start));
                self.set("RLENGTH", Value::Number(length));
                return Ok(Value::Number(start));
            }
            "sprintf" => return self.formatted(arguments).map(Value::Text),
            _ => {}
        }
        let first = match arguments.first() {
            Some(first) => self.value(first)?,
            None if name == "length" => Value::Text(self.line.clone()),
            None => return Err(lacking()),
        };
        Ok(match name {
            "length" => count(first.text().chars().count()),
            "substr" => {
                let from = self
                    .value(arguments.get(1).ok_or_else(lacking)?)?
                    .number()
                    .round();
                let text = first.text();
                let end = match arguments.get(2) {
                    Some(length) => from + self.value(length)?.number().round(),
                    None => f64::INFINITY,
                };
                let characters = text.chars().enumerate().filter(|(at, _)| {
                    let number = *at as f64 + 1.0;
                    number >= from && number < end
                });
                Value::Text(characters.map(|(_, c)| c).collect())
            }
            "index" => {
                let part = self.value(arguments.get(1).ok_or_else(lacking)?)?.text();
                let text = first.text();
                match text.find(&part) {
                    Some(at) => count(text.get(..at).unwrap_or_default().chars().count() + 1),
                    None => count(0),
                }
            }
            "tolower" => Value::Text(first.text().to_lowercase()),
            "toupper" => Value::Text(first.text().to_uppercase()),
            _ => {
                let number = first.number();
                Value::Number(match name {
                    "int" => number.trunc(),
                    "sqrt" => number.sqrt(),
                    "exp" => number.exp(),
                    "log" => number.ln(),
                    "sin" => number.sin(),
                    _ => number.cos(),
                })
            }
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "lengths that memory can hold")]
    fn split(&mut self, arguments: &[Expr]) -> Result<Value, End> {
        let [text, Expr::Place(Place::Variable(array)), rest @ ..] = arguments else {
            return Err(End::Wrong(
                "split: write split(text, array, separator)".to_owned(),
            ));
        };
        let text = self.value(text)?.text();
        let parts = match rest.first() {
            Some(pattern @ Expr::Match(_)) => self.with_regex(pattern, |regex| {
                if text.is_empty() {
                    return Vec::new();
                }
                regex.split(&text).map(str::to_owned).collect()
            })?,
            Some(separator) => {
                let separator = self.value(separator)?.text();
                split(&text, &separator)
            }
            None => split(&text, &self.text_of("FS")),
        };
        let count = parts.len() as f64;
        let parts = (1..).zip(parts);
        let parts = parts.map(|(number, part): (u32, _)| (number.to_string(), Value::Input(part)));
        self.arrays.insert(array.clone(), parts.collect());
        Ok(Value::Number(count))
    }

    fn substitute(&mut self, all: bool, arguments: &[Expr]) -> Result<Value, End> {
        let [pattern, replacement, rest @ ..] = arguments else {
            return Err(End::Wrong(
                "sub: write sub(pattern, replacement)".to_owned(),
            ));
        };
        let replacement = self.value(replacement)?.text();
        let line = Place::Field(Box::new(Expr::Number(0.0)));
        let place = match rest.first() {
            Some(Expr::Place(place)) => place,
            Some(_) => return Err(End::Wrong("sub: the third must be a variable".to_owned())),
            None => &line,
        };
        let text = self.get(place)?.text();
        let mut made = 0.0;
        let changed = self.with_regex(pattern, |regex| {
            let mut result = String::with_capacity(text.len());
            let mut at = 0;
            for found in regex.find_iter(&text) {
                result.push_str(text.get(at..found.start()).unwrap_or_default());
                expand(&replacement, found.as_str(), &mut result);
                at = found.end();
                made += 1.0;
                if !all {
                    break;
                }
            }
            result.push_str(text.get(at..).unwrap_or_default());
            result
        })?;
        if made > 0.0 {
            self.put(place, Value::Text(changed))?;
        }
        Ok(Value::Number(made))
    }
}

/// A replacement: `&` is what matched.
fn expand(replacement: &str, matched: &str, result: &mut String) {
    let mut rest = replacement.chars();
    while let Some(c) = rest.next() {
        match c {
            '&' => result.push_str(matched),
            '\\' => match rest.next() {
                Some('&') => result.push('&'),
                Some(c) => result.extend(['\\', c]),
                None => result.push('\\'),
            },
            c => result.push(c),
        }
    }
}

/// The fields of a line.
fn split(line: &str, separator: &str) -> Vec<String> {
    if line.is_empty() {
        return Vec::new();
    }
    let mut characters = separator.chars();
    match (characters.next(), characters.next()) {
        (Some(' '), None) => line.split_whitespace().map(str::to_owned).collect(),
        (None, _) => line.chars().map(String::from).collect(),
        (Some(c), None) => line.split(c).map(str::to_owned).collect(),
        _ => match compile(separator, Syntax::Extended, false) {
            Ok(regex) => regex.split(line).map(str::to_owned).collect(),
            Err(_) => line.split(separator).map(str::to_owned).collect(),
        },
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as is meant")]
fn whole(number: f64) -> i64 {
    number as i64
}

fn apply(operator: Binary, left: &Value, right: &Value) -> Result<Value, End> {
    let ordering = || match (left.as_number(), right.as_number()) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.text().cmp(&right.text()),
    };
    let numbers = (left.number(), right.number());
    Ok(match operator {
        Binary::Join => Value::Text(left.text() + &right.text()),
        Binary::Less => ordering().is_lt().into(),
        Binary::LessOrEqual => ordering().is_le().into(),
        Binary::Equal => ordering().is_eq().into(),
        Binary::Unequal => ordering().is_ne().into(),
        Binary::Greater => ordering().is_gt().into(),
        Binary::GreaterOrEqual => ordering().is_ge().into(),
        Binary::Add => Value::Number(numbers.0 + numbers.1),
        Binary::Subtract => Value::Number(numbers.0 - numbers.1),
        Binary::Multiply => Value::Number(numbers.0 * numbers.1),
        Binary::Power => Value::Number(numbers.0.powf(numbers.1)),
        Binary::Divide | Binary::Remainder if numbers.1 == 0.0 => {
            return Err(End::Wrong(format!("{} divided by zero", shown(numbers.0))));
        }
        Binary::Divide => Value::Number(numbers.0 / numbers.1),
        Binary::Remainder => Value::Number(numbers.0 % numbers.1),
    })
}

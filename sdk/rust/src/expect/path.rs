//! JSONPath (RFC 9535) without filters: names, indices, slices, wildcards and
//! descendants. The crates that do filters add 110 KB to a component of 400.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// How many values a path may lead to. What goes beyond is left out: a body of a
/// million values and a path of a few descents would otherwise take all memory.
const SELECTED: usize = 10_000;

/// A path that was parsed. Displayed as it was written.
#[derive(Debug)]
pub struct JsonPath {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    /// Whether it applies to all that is below, too: `..`.
    descends: bool,
    selectors: Vec<Selector>,
}

#[derive(Debug, PartialEq, Eq)]
enum Selector {
    Name(String),
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Wildcard,
}

impl JsonPath {
    /// Parses a path; the error says what was expected where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            rest: text.chars().peekable(),
            at: 0,
        };
        if parser.next() != Some('$') {
            return Err("a path begins with $".to_owned());
        }
        let mut segments = Vec::new();
        while parser.rest.peek().is_some() {
            segments.push(parser.segment()?);
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }

    /// The values that it leads to in `root`, the first 10,000 of them.
    pub fn select<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        let mut values = vec![root];
        for segment in &self.segments {
            let mut next = Vec::new();
            for value in values {
                segment.select(value, &mut next);
            }
            values = next;
        }
        values
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn select<'a>(&self, value: &'a Value, out: &mut Vec<&'a Value>) {
        for selector in &self.selectors {
            selector.select(value, out);
        }
        // serde_json takes no more than 128 levels: the recursion ends.
        if self.descends && out.len() < SELECTED {
            match value {
                Value::Array(values) => {
                    for value in values {
                        self.select(value, out);
                    }
                }
                Value::Object(entries) => {
                    for value in entries.values() {
                        self.select(value, out);
                    }
                }
                _ => {}
            }
        }
        out.truncate(SELECTED);
    }
}

impl Selector {
    fn select<'a>(&self, value: &'a Value, out: &mut Vec<&'a Value>) {
        match (self, value) {
            (Self::Name(name), Value::Object(entries)) => out.extend(entries.get(name)),
            (Self::Wildcard, Value::Object(entries)) => {
                out.extend(entries.values().take(SELECTED));
            }
            (Self::Wildcard, Value::Array(values)) => out.extend(values.iter().take(SELECTED)),
            (Self::Index(index), Value::Array(values)) => {
                let index = from_the_end(*index, length(values));
                out.extend(
                    usize::try_from(index)
                        .ok()
                        .and_then(|index| values.get(index)),
                );
            }
            (Self::Slice { start, end, step }, Value::Array(values)) => {
                slice(values, *start, *end, *step, out);
            }
            _ => {}
        }
    }
}

/// RFC 9535 section 2.3.4.2.2.
fn slice<'a>(
    values: &'a [Value],
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
    out: &mut Vec<&'a Value>,
) {
    let length = length(values);
    let (first, last) = if step > 0 {
        (0, length)
    } else {
        (length - 1, -1)
    };
    let bound = |given: Option<i64>, default: i64| match given {
        None => default,
        Some(index) if step > 0 => from_the_end(index, length).clamp(0, length),
        Some(index) => from_the_end(index, length).clamp(-1, length - 1),
    };
    let (mut index, end) = (bound(start, first), bound(end, last));
    while (step > 0 && index < end) || (step < 0 && index > end) {
        out.extend(
            usize::try_from(index)
                .ok()
                .and_then(|index| values.get(index)),
        );
        index = index.saturating_add(step);
    }
}

fn length(values: &[Value]) -> i64 {
    i64::try_from(values.len()).unwrap_or(i64::MAX)
}

fn from_the_end(index: i64, length: i64) -> i64 {
    if index < 0 {
        index.saturating_add(length)
    } else {
        index
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    /// How many characters were read.
    at: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.rest.next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest.peek() == Some(&wanted);
        if found {
            self.next();
        }
        found
    }

    fn expected<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("{what} expected at character {}", self.at))
    }

    fn segment(&mut self) -> Result<Segment, String> {
        match self.next() {
            Some('[') => Ok(Segment {
                descends: false,
                selectors: self.bracketed()?,
            }),
            Some('.') => {
                let descends = self.take('.');
                let selectors = if self.take('*') {
                    vec![Selector::Wildcard]
                } else if descends && self.take('[') {
                    self.bracketed()?
                } else {
                    vec![Selector::Name(self.name()?)]
                };
                Ok(Segment {
                    descends,
                    selectors,
                })
            }
            Some(_) => Err(format!(
                ". or [ expected at character {}; names with other characters are written ['a-b']",
                self.at
            )),
            None => self.expected(". or ["),
        }
    }

    /// A name without quotes.
    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        while let Some(&character) = self.rest.peek() {
            let fits = character == '_' || character.is_ascii_alphabetic() || !character.is_ascii();
            if !fits && (name.is_empty() || !character.is_ascii_digit()) {
                break;
            }
            name.push(character);
            self.next();
        }
        if name.is_empty() {
            self.expected("a name")
        } else {
            Ok(name)
        }
    }

    /// What is between brackets, the first of which was read.
    fn bracketed(&mut self) -> Result<Vec<Selector>, String> {
        let mut selectors = Vec::new();
        loop {
            self.blank();
            selectors.push(self.selector()?);
            self.blank();
            match self.next() {
                Some(',') => {}
                Some(']') => return Ok(selectors),
                _ => return self.expected(", or ]"),
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, String> {
        match self.rest.peek() {
            Some('*') => {
                self.next();
                Ok(Selector::Wildcard)
            }
            Some(&quote @ ('"' | '\'')) => {
                self.next();
                self.quoted(quote).map(Selector::Name)
            }
            Some('?') => Err("filters are not supported".to_owned()),
            _ => {
                let start = self.number()?;
                self.blank();
                if !self.take(':') {
                    return match start {
                        Some(index) => Ok(Selector::Index(index)),
                        None => self.expected("a name in quotes, a number or *"),
                    };
                }
                self.blank();
                let end = self.number()?;
                self.blank();
                let mut step = None;
                if self.take(':') {
                    self.blank();
                    step = self.number()?;
                }
                Ok(Selector::Slice {
                    start,
                    end,
                    step: step.unwrap_or(1),
                })
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some('\\') => match self.next() {
                    Some('b') => name.push('\u{8}'),
                    Some('f') => name.push('\u{c}'),
                    Some('n') => name.push('\n'),
                    Some('r') => name.push('\r'),
                    Some('t') => name.push('\t'),
                    Some('u') => name.push(self.escaped()?),
                    Some(character @ ('/' | '\\' | '\'' | '"')) => name.push(character),
                    _ => return self.expected("an escape"),
                },
                Some(character) if character == quote => return Ok(name),
                Some(character) => name.push(character),
                None => return self.expected("a closing quote"),
            }
        }
    }

    /// What follows `\u`: one code unit, or two that are a pair.
    fn escaped(&mut self) -> Result<char, String> {
        let first = self.code_unit()?;
        let second = match first {
            0xD800..0xDC00 if self.next() == Some('\\') && self.next() == Some('u') => {
                Some(self.code_unit()?)
            }
            _ => None,
        };
        let units = [first, second.unwrap_or_default()];
        let units = units
            .get(..if second.is_some() { 2 } else { 1 })
            .unwrap_or_default();
        match char::decode_utf16(units.iter().copied()).next() {
            Some(Ok(character)) => Ok(character),
            _ => self.expected("a pair of surrogates"),
        }
    }

    fn code_unit(&mut self) -> Result<u16, String> {
        let mut unit = 0_u16;
        for _ in 0..4 {
            match self.next().and_then(|digit| digit.to_digit(16)) {
                Some(digit) => unit = unit << 4 | u16::try_from(digit).unwrap_or_default(),
                None => return self.expected("a hexadecimal digit"),
            }
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Option<i64>, String> {
        let mut text = String::new();
        if self.take('-') {
            text.push('-');
        }
        while let Some(digit) = self.rest.peek().copied().filter(char::is_ascii_digit) {
            text.push(digit);
            self.next();
        }
        if text.is_empty() {
            return Ok(None);
        }
        text.parse()
            .map(Some)
            .or_else(|_| self.expected("a number"))
    }

    fn blank(&mut self) {
        while self.take(' ') {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(path: &str, expected: &str) {
        let root = json!({
            "a": { "b c": [0, 1, 2, 3, 4], "é": "x" },
            "list": [{ "a": 1 }, { "a": 2 }],
            "a1_": null,
        });
        let found = match JsonPath::parse(path) {
            Ok(path) => serde_json::to_string(&path.select(&root)).unwrap(),
            Err(error) => error,
        };
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths_lead_where_the_rfc_says() {
        check("$.a1_", "[null]");
        check("$.a['b c'][1]", "[1]");
        check(r#"$["a"]["b c"][-1]"#, "[4]");
        check("$.a['b c'][1:3]", "[1,2]");
        check("$.a['b c'][::2]", "[0,2,4]");
        check("$.a['b c'][::-1]", "[4,3,2,1,0]");
        check("$.a['b c'][5:1:-2]", "[4,2]");
        check("$.a['b c'][::0]", "[]");
        check("$.a['b c'][-2:]", "[3,4]");
        check("$.a['b c'][0, 2]", "[0,2]");
        check("$.a.é", r#"["x"]"#);
        check(r"$.a['\u00e9']", r#"["x"]"#);
        check("$.list[*].a", "[1,2]");
        check("$.list.*.a", "[1,2]");
        check("$..a", r#"[{"b c":[0,1,2,3,4],"é":"x"},1,2]"#);
        check("$..[1]", r#"[1,{"a":2}]"#);
        check("$.gone[0].too", "[]");
        check("$.a[0]", "[]");
    }

    #[test]
    fn mistakes_say_where_they_are() {
        check("a", "a path begins with $");
        check(
            "$.a-b",
            ". or [ expected at character 4; names with other characters are written ['a-b']",
        );
        check("$.", "a name expected at character 2");
        check("$.1", "a name expected at character 2");
        check(
            "$[",
            "a name in quotes, a number or * expected at character 2",
        );
        check("$['a", "a closing quote expected at character 5");
        check("$[1", ", or ] expected at character 4");
        check("$[-]", "a number expected at character 3");
        check(r"$['\x']", "an escape expected at character 5");
        check(
            r"$['\ud800']",
            "a pair of surrogates expected at character 10",
        );
        check("$[?@.a]", "filters are not supported");
    }

    #[test]
    fn what_is_selected_is_bounded() {
        let root = json!(vec![vec![0; 200]; 200]);
        assert_eq!(
            JsonPath::parse("$..*").unwrap().select(&root).len(),
            SELECTED
        );
    }
}

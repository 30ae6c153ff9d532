//! `sed`: `s`, `y`, `p`, `d`, `q`, `=`, `a`, `i`, `c`, with addresses.

use regex_lite::{Captures, Regex};

use super::options::Takes;
use super::{input, misused};
use crate::regex::{Syntax, compile};
use crate::shell::{Outcome, Shell};

pub(super) fn sed(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("nEruz", "e").long(&[
        ("quiet", 'n'),
        ("silent", 'n'),
        ("regexp-extended", 'E'),
        ("expression", 'e'),
    ]);
    let mut given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "sed", &what),
    };
    let mut script: Vec<String> = given.values('e').map(str::to_owned).collect();
    if script.is_empty() {
        if given.rest.is_empty() {
            return misused(shell, "sed", "a script is missing");
        }
        script.push(given.rest.remove(0));
    }
    let syntax = if given.has('E') || given.has('r') {
        Syntax::Extended
    } else {
        Syntax::Basic
    };
    let mut parser = Parser {
        text: script.join("\n").chars().collect(),
        at: 0,
        syntax,
        last: None,
    };
    let commands = match parser.commands(false) {
        Ok(commands) => commands,
        Err(what) => return misused(shell, "sed", &what),
    };
    let Some(text) = input(shell, "sed", &given.rest)? else {
        return Ok(2);
    };
    let mut run = Run {
        quiet: given.has('n'),
        result: String::with_capacity(text.len()),
        last: text.lines().count(),
        number: 0,
        ranges: Vec::new(),
    };
    for line in text.lines() {
        run.number += 1;
        if run.line(&commands, line) {
            break;
        }
    }
    // What had no line break at its end gets none.
    if !text.is_empty() && !text.ends_with('\n') && run.number == run.last {
        run.result.pop();
    }
    let result = run.result;
    shell.out(&result)?;
    Ok(0)
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
    /// Where the state of a range is kept.
    number: usize,
}

enum Address {
    Line(usize),
    Last,
    Match(Regex),
    /// So many lines more.
    More(usize),
}

enum Action {
    Substitute {
        regex: Regex,
        replacement: Vec<Part>,
        which: usize,
        all: bool,
        print: bool,
    },
    Transliterate(Vec<char>, Vec<char>),
    Print,
    Delete,
    Quit {
        quietly: bool,
    },
    Number,
    Append(String),
    Insert(String),
    Change(String),
    Group(Vec<Command>),
}

/// A part of a replacement.
enum Part {
    Text(String),
    Group(usize),
}

struct Parser {
    text: Vec<char>,
    at: usize,
    syntax: Syntax,
    /// The expression that an empty one stands for.
    last: Option<Regex>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn commands(&mut self, grouped: bool) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        loop {
            self.skip(|c| c.is_whitespace() || c == ';');
            match self.peek() {
                None if grouped => return Err("`{` without `}`".to_owned()),
                None => return Ok(commands),
                Some('}') if grouped => {
                    self.at += 1;
                    return Ok(commands);
                }
                Some('#') => self.skip(|c| c != '\n'),
                Some(_) => commands.push(self.command()?),
            }
        }
    }

    fn command(&mut self) -> Result<Command, String> {
        let number = self.at;
        let from = self.address(false)?;
        self.skip(|c| c == ' ');
        let mut to = None;
        if from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            self.skip(|c| c == ' ');
            to = Some(
                self.address(true)?
                    .ok_or("an address is missing after `,`")?,
            );
        }
        self.skip(|c| c == ' ');
        let negated = self.peek() == Some('!');
        if negated {
            self.at += 1;
            self.skip(|c| c == ' ');
        }
        let letter = self.peek().ok_or("a command is missing")?;
        self.at += 1;
        let action = match letter {
            's' => self.substitute()?,
            'y' => {
                let delimiter = self.delimiter()?;
                let from: Vec<char> = unescaped(&self.until(delimiter)?, delimiter);
                let to: Vec<char> = unescaped(&self.until(delimiter)?, delimiter);
                if from.len() != to.len() {
                    return Err("`y`: both texts must be of one length".to_owned());
                }
                Action::Transliterate(from, to)
            }
            'p' => Action::Print,
            'd' => Action::Delete,
            'q' => Action::Quit { quietly: false },
            'Q' => Action::Quit { quietly: true },
            '=' => Action::Number,
            'a' => Action::Append(self.argument()),
            'i' => Action::Insert(self.argument()),
            'c' => Action::Change(self.argument()),
            '{' => Action::Group(self.commands(true)?),
            other => return Err(format!("`{other}` is not known here")),
        };
        if !matches!(
            action,
            Action::Append(_) | Action::Insert(_) | Action::Change(_) | Action::Group(_)
        ) {
            self.skip(|c| c == ' ');
            match self.peek() {
                None | Some(';' | '\n' | '}' | '#') => {}
                Some(c) => return Err(format!("unexpected `{c}` after `{letter}`")),
            }
        }
        Ok(Command {
            from,
            to,
            negated,
            action,
            number,
        })
    }

    fn address(&mut self, second: bool) -> Result<Option<Address>, String> {
        match self.peek() {
            Some(c) if c.is_ascii_digit() => Ok(Some(Address::Line(self.number()?))),
            Some('$') => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            Some('+') if second => {
                self.at += 1;
                Ok(Some(Address::More(self.number()?)))
            }
            Some('/') => {
                self.at += 1;
                let pattern = self.until('/')?;
                let fold = self.peek() == Some('I');
                if fold {
                    self.at += 1;
                }
                Ok(Some(Address::Match(self.regex(&pattern, '/', fold)?)))
            }
            Some('\\') => {
                self.at += 1;
                let delimiter = self.delimiter()?;
                let pattern = self.until(delimiter)?;
                Ok(Some(Address::Match(
                    self.regex(&pattern, delimiter, false)?,
                )))
            }
            _ => Ok(None),
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        let start = self.at;
        self.skip(|c| c.is_ascii_digit());
        let digits: String = self
            .text
            .get(start..self.at)
            .unwrap_or_default()
            .iter()
            .collect();
        digits.parse().map_err(|_| format!("`{digits}` is no line"))
    }

    fn delimiter(&mut self) -> Result<char, String> {
        let delimiter = self.peek().ok_or("a delimiter is missing")?;
        self.at += 1;
        Ok(delimiter)
    }

    /// Up to the next delimiter that is not escaped, escapes kept.
    fn until(&mut self, delimiter: char) -> Result<String, String> {
        let mut result = String::new();
        let mut in_brackets = false;
        loop {
            let c = self
                .peek()
                .ok_or_else(|| format!("`{delimiter}` is missing"))?;
            self.at += 1;
            match c {
                '\\' => {
                    result.push(c);
                    result.extend(self.peek());
                    self.at += 1;
                    continue;
                }
                '[' => in_brackets = true,
                ']' => in_brackets = false,
                c if c == delimiter && !(in_brackets && self.closes_brackets(delimiter)) => {
                    return Ok(result);
                }
                _ => {}
            }
            result.push(c);
        }
    }

    /// Whether a bracket closes before the text ends: `s/[/]/x/`.
    fn closes_brackets(&self, delimiter: char) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let close = rest.iter().position(|c| *c == ']');
        let next = rest.iter().position(|c| *c == delimiter);
        matches!((close, next), (Some(close), Some(next)) if close < next)
    }

    fn regex(&mut self, pattern: &str, delimiter: char, fold: bool) -> Result<Regex, String> {
        if pattern.is_empty() {
            return self
                .last
                .clone()
                .ok_or_else(|| "no expression before".to_owned());
        }
        let pattern = if delimiter == '/' || !delimiter.is_ascii_punctuation() {
            pattern.replace("\\/", "/")
        } else {
            pattern.replace(&format!("\\{delimiter}"), &delimiter.to_string())
        };
        let regex = compile(&pattern, self.syntax, fold)?;
        self.last = Some(regex.clone());
        Ok(regex)
    }

    fn substitute(&mut self) -> Result<Action, String> {
        let delimiter = self.delimiter()?;
        let pattern = self.until(delimiter)?;
        let replacement = self.until(delimiter)?;
        let (mut which, mut all, mut print, mut fold) = (1, false, false, false);
        loop {
            match self.peek() {
                Some('g') => all = true,
                Some('p') => print = true,
                Some('i' | 'I') => fold = true,
                Some(c) if c.is_ascii_digit() => {
                    which = self.number()?.max(1);
                    continue;
                }
                Some(c @ ('e' | 'w' | 'm' | 'M')) => {
                    return Err(format!("`s///{c}` is not known here"));
                }
                _ => break,
            }
            self.at += 1;
        }
        Ok(Action::Substitute {
            regex: self.regex(&pattern, delimiter, fold)?,
            replacement: parts(&replacement),
            which,
            all,
            print,
        })
    }

    /// The text of `a`, `i` or `c`: the rest of the line.
    fn argument(&mut self) -> String {
        self.skip(|c| matches!(c, ' ' | '\t'));
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(|c| matches!(c, ' ' | '\t' | '\n'));
        }
        let start = self.at;
        self.skip(|c| c != '\n');
        self.text
            .get(start..self.at)
            .unwrap_or_default()
            .iter()
            .collect()
    }
}

fn unescaped(text: &str, delimiter: char) -> Vec<char> {
    let mut result = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some(next)) => {
                rest.next();
                match next {
                    'n' => result.push('\n'),
                    't' => result.push('\t'),
                    next if next == delimiter || next == '\\' => result.push(next),
                    next => result.extend(['\\', next]),
                }
            }
            (c, _) => result.push(c),
        }
    }
    result
}

fn parts(replacement: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = replacement.chars();
    while let Some(c) = rest.next() {
        let group = match c {
            '&' => Some(0),
            '\\' => match rest.next() {
                Some(digit @ '0'..='9') => {
                    digit.to_digit(10).and_then(|digit| digit.try_into().ok())
                }
                Some('n') => {
                    text.push('\n');
                    None
                }
                Some('t') => {
                    text.push('\t');
                    None
                }
                Some(c) => {
                    text.push(c);
                    None
                }
                None => None,
            },
            c => {
                text.push(c);
                None
            }
        };
        if let Some(group) = group {
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Group(group));
        }
    }
    parts.push(Part::Text(text));
    parts
}

/// What happens to the rest of a line.
enum Flow {
    Next,
    /// No more commands, and the line is not written.
    Dropped,
    Quit {
        write: bool,
    },
}

struct Run {
    quiet: bool,
    result: String,
    last: usize,
    number: usize,
    /// The ranges that are open: which command's, and where each ends if that is
    /// a line.
    ranges: Vec<(usize, Option<usize>)>,
}

impl Run {
    /// Runs the commands on a line; true if it is the last.
    fn line(&mut self, commands: &[Command], line: &str) -> bool {
        let mut space = line.to_owned();
        let mut after = String::new();
        let flow = self.commands(commands, &mut space, &mut after);
        let (write, quit) = match flow {
            Flow::Next => (!self.quiet, false),
            Flow::Dropped => (false, false),
            Flow::Quit { write } => (write && !self.quiet, true),
        };
        if write {
            self.write(&space);
        }
        self.result.push_str(&after);
        quit
    }

    fn write(&mut self, line: &str) {
        self.result.push_str(line);
        self.result.push('\n');
    }

    fn commands(&mut self, commands: &[Command], space: &mut String, after: &mut String) -> Flow {
        for command in commands {
            if self.selects(command, space) == command.negated {
                continue;
            }
            match &command.action {
                Action::Substitute {
                    regex,
                    replacement,
                    which,
                    all,
                    print,
                } => {
                    if let Some(changed) = substituted(space, regex, replacement, *which, *all) {
                        *space = changed;
                        if *print {
                            self.write(space);
                        }
                    }
                }
                Action::Transliterate(from, to) => {
                    let change = |c: char| match from.iter().position(|known| *known == c) {
                        Some(at) => to.get(at).copied().unwrap_or(c),
                        None => c,
                    };
                    *space = space.chars().map(change).collect();
                }
                Action::Print => self.write(space),
                Action::Delete => return Flow::Dropped,
                Action::Quit { quietly } => return Flow::Quit { write: !quietly },
                Action::Number => {
                    let number = self.number.to_string();
                    self.write(&number);
                }
                Action::Append(text) => {
                    after.push_str(text);
                    after.push('\n');
                }
                Action::Insert(text) => self.write(text),
                Action::Change(text) => {
                    self.write(text);
                    return Flow::Dropped;
                }
                Action::Group(commands) => match self.commands(commands, space, after) {
                    Flow::Next => {}
                    other => return other,
                },
            }
        }
        Flow::Next
    }

    fn selects(&mut self, command: &Command, space: &str) -> bool {
        let Some(from) = &command.from else {
            return true;
        };
        let Some(to) = &command.to else {
            return self.is_at(from, space);
        };
        let open = self
            .ranges
            .iter()
            .position(|(number, _)| *number == command.number);
        if let Some(open) = open {
            let end = self.ranges.get(open).and_then(|(_, end)| *end);
            let ends = match (to, end) {
                (_, Some(end)) => self.number >= end,
                (to, None) => self.is_at(to, space),
            };
            if ends {
                self.ranges.remove(open);
            }
            return true;
        }
        if !self.is_at(from, space) {
            return false;
        }
        let end = match to {
            Address::Line(line) => Some(*line),
            Address::More(more) => Some(self.number + more),
            Address::Last | Address::Match(_) => None,
        };
        if end.is_none_or(|end| end > self.number) {
            self.ranges.push((command.number, end));
        }
        true
    }

    fn is_at(&self, address: &Address, space: &str) -> bool {
        match address {
            Address::Line(line) => self.number == *line,
            Address::Last => self.number == self.last,
            Address::Match(regex) => regex.is_match(space),
            Address::More(_) => false,
        }
    }
}

/// The text with matches replaced; none if there is none.
fn substituted(
    text: &str,
    regex: &Regex,
    replacement: &[Part],
    which: usize,
    all: bool,
) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    let mut any = false;
    for (number, captures) in (1..).zip(regex.captures_iter(text)) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if number < which {
            continue;
        }
        result.push_str(text.get(at..whole.start()).unwrap_or_default());
        expand(&captures, replacement, &mut result);
        at = whole.end();
        any = true;
        if !all {
            break;
        }
    }
    result.push_str(text.get(at..).unwrap_or_default());
    any.then_some(result)
}

fn expand(captures: &Captures<'_>, replacement: &[Part], result: &mut String) {
    for part in replacement {
        match part {
            Part::Text(text) => result.push_str(text),
            Part::Group(number) => {
                result.push_str(captures.get(*number).map_or("", |group| group.as_str()));
            }
        }
    }
}

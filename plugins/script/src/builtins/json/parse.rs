//! Filters: from text to a tree.

use serde_json::Value;

use super::filter::{Filter, Operator};
use super::functions;

/// How deep a filter may nest: each level takes stack.
const MAX_DEPTH: usize = 40;

/// The filter that `text` is, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Filter, String> {
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    let filter = parser.pipe()?;
    parser.blanks();
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if c.is_whitespace() {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn unexpected(&self) -> String {
        let rest: String = self.text.iter().skip(self.at).take(20).collect();
        if rest.is_empty() {
            "the filter is not complete".to_owned()
        } else {
            format!("the filter: unexpected `{}`", rest.trim_end())
        }
    }

    fn begins(&mut self, token: &str) -> bool {
        self.blanks();
        token
            .chars()
            .enumerate()
            .all(|(offset, c)| self.text.get(self.at + offset) == Some(&c))
    }

    fn take(&mut self, token: &str) -> bool {
        let begins = self.begins(token);
        if begins {
            self.at += token.len();
        }
        begins
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn word(&mut self) -> Option<String> {
        self.blanks();
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
        if !self.peek().is_some_and(starts) {
            return None;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word: String = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
            .collect();
        self.at += word.len();
        Some(word)
    }

    /// A word of the language, if it comes next.
    fn keyword(&mut self, wanted: &str) -> bool {
        let start = self.at;
        if self.word().as_deref() == Some(wanted) {
            return true;
        }
        self.at = start;
        false
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the filter is nested too deep".to_owned());
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn pipe(&mut self) -> Result<Filter, String> {
        self.deeper(|this| {
            let left = this.comma()?;
            if this.keyword("as") {
                this.expect("$")?;
                let name = this.word().ok_or_else(|| this.unexpected())?;
                this.expect("|")?;
                let body = this.pipe()?;
                return Ok(Filter::Bind(Box::new(left), name, Box::new(body)));
            }
            if this.begins("|") && !this.begins("|=") {
                this.take("|");
                let right = this.pipe()?;
                return Ok(Filter::Pipe(Box::new(left), Box::new(right)));
            }
            Ok(left)
        })
    }

    fn comma(&mut self) -> Result<Filter, String> {
        let mut left = self.alternative()?;
        while self.take(",") {
            let right = self.alternative()?;
            left = Filter::Comma(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn alternative(&mut self) -> Result<Filter, String> {
        let left = self.or()?;
        if self.take("//") {
            let right = self.deeper(Self::alternative)?;
            return Ok(Filter::Alternative(Box::new(left), Box::new(right)));
        }
        Ok(left)
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.keyword("or") {
            let right = self.and()?;
            left = Filter::Or(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.comparison()?;
        while self.keyword("and") {
            let right = self.comparison()?;
            left = Filter::And(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Filter, String> {
        const OPERATORS: [(&str, Operator); 6] = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let left = self.sum()?;
        for (token, operator) in OPERATORS {
            if self.take(token) {
                let right = self.sum()?;
                return Ok(Filter::Binary(operator, Box::new(left), Box::new(right)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Filter, String> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take("+") {
                Operator::Add
            } else if self.take("-") {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            left = Filter::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn product(&mut self) -> Result<Filter, String> {
        let mut left = self.postfix()?;
        loop {
            let operator = if self.take("*") {
                Operator::Multiply
            } else if self.begins("/") && !self.begins("//") {
                self.take("/");
                Operator::Divide
            } else if self.take("%") {
                Operator::Remainder
            } else {
                return Ok(left);
            };
            let right = self.postfix()?;
            left = Filter::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn postfix(&mut self) -> Result<Filter, String> {
        let mut filter = self.deeper(Self::primary)?;
        loop {
            let next = self.peek();
            let after = self.text.get(self.at + 1).copied();
            match (next, after) {
                (Some('?'), Some('/')) => return Ok(filter),
                (Some('?'), _) => {
                    self.at += 1;
                    filter = Filter::Try(Box::new(filter), None);
                }
                (Some('['), _) => filter = self.deeper(|this| this.bracket(filter))?,
                (Some('.'), Some('[')) => {
                    self.at += 1;
                    filter = self.deeper(|this| this.bracket(filter))?;
                }
                (Some('.'), Some(c)) if c.is_ascii_alphabetic() || matches!(c, '_' | '"') => {
                    self.at += 1;
                    filter = self.field(filter)?;
                }
                _ => return Ok(filter),
            }
        }
    }

    /// What follows a dot that is no bracket.
    fn field(&mut self, of: Filter) -> Result<Filter, String> {
        let key = if self.peek() == Some('"') {
            self.string()?
        } else {
            let word = self.word().ok_or_else(|| self.unexpected())?;
            Filter::Literal(Value::String(word))
        };
        Ok(Filter::Index(Box::new(of), Box::new(key)))
    }

    fn bracket(&mut self, of: Filter) -> Result<Filter, String> {
        self.expect("[")?;
        let of = Box::new(of);
        if self.take("]") {
            return Ok(Filter::Each(of));
        }
        if self.take(":") {
            let to = self.pipe()?;
            self.expect("]")?;
            return Ok(Filter::Slice(of, None, Some(Box::new(to))));
        }
        let index = Box::new(self.pipe()?);
        if self.take(":") {
            let to = if self.begins("]") {
                None
            } else {
                Some(Box::new(self.pipe()?))
            };
            self.expect("]")?;
            return Ok(Filter::Slice(of, Some(index), to));
        }
        self.expect("]")?;
        Ok(Filter::Index(of, index))
    }

    fn primary(&mut self) -> Result<Filter, String> {
        self.blanks();
        let next = self.text.get(self.at + 1).copied();
        match self.peek() {
            Some('.') if next == Some('.') => {
                self.at += 2;
                Ok(Filter::Deep)
            }
            Some('.')
                if next.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '"')) =>
            {
                self.at += 1;
                self.field(Filter::Same)
            }
            Some('.') if next.is_none_or(|c| !c.is_ascii_digit()) => {
                self.at += 1;
                Ok(Filter::Same)
            }
            Some('"') => self.string(),
            Some('$') => {
                self.at += 1;
                let name = self.word().ok_or_else(|| self.unexpected())?;
                Ok(Filter::Variable(name))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.pipe()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some('[') => {
                self.at += 1;
                if self.take("]") {
                    return Ok(Filter::List(None));
                }
                let inner = self.pipe()?;
                self.expect("]")?;
                Ok(Filter::List(Some(Box::new(inner))))
            }
            Some('{') => self.object(),
            Some('-') => {
                self.at += 1;
                let inner = self.postfix()?;
                Ok(Filter::Negative(Box::new(inner)))
            }
            Some('@') => {
                self.at += 1;
                let name = self.word().ok_or_else(|| self.unexpected())?;
                self.call(format!("@{name}"))
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(_) => match self.word() {
                Some(word) => self.named(word),
                None => Err(self.unexpected()),
            },
            None => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<Filter, String> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut length = 0;
        let mut before = ' ';
        for c in rest {
            let part = c.is_ascii_digit()
                || matches!(c, '.' | 'e' | 'E')
                || (matches!(c, '+' | '-') && matches!(before, 'e' | 'E'));
            if !part {
                break;
            }
            before = *c;
            length += 1;
        }
        let literal: String = rest.iter().take(length).collect();
        self.at += length;
        let value: Value = serde_json::from_str(&literal)
            .or_else(|_| serde_json::from_str(&format!("0{literal}")))
            .map_err(|_| format!("the filter: `{literal}` is no number"))?;
        Ok(Filter::Literal(value))
    }

    fn named(&mut self, word: String) -> Result<Filter, String> {
        match word.as_str() {
            "null" => Ok(Filter::Literal(Value::Null)),
            "true" => Ok(Filter::Literal(Value::Bool(true))),
            "false" => Ok(Filter::Literal(Value::Bool(false))),
            "if" => self.condition(),
            "try" => {
                let body = self.postfix()?;
                let otherwise = if self.keyword("catch") {
                    Some(Box::new(self.postfix()?))
                } else {
                    None
                };
                Ok(Filter::Try(Box::new(body), otherwise))
            }
            "reduce" => {
                let source = self.postfix()?;
                if !self.keyword("as") {
                    return Err(self.unexpected());
                }
                self.expect("$")?;
                let name = self.word().ok_or_else(|| self.unexpected())?;
                self.expect("(")?;
                let start = self.pipe()?;
                self.expect(";")?;
                let step = self.pipe()?;
                self.expect(")")?;
                let (source, start, step) = (Box::new(source), Box::new(start), Box::new(step));
                Ok(Filter::Reduce(source, name, start, step))
            }
            "def" | "foreach" | "label" | "import" | "include" => {
                Err(format!("the filter: `{word}` is not known here"))
            }
            _ => self.call(word),
        }
    }

    fn call(&mut self, name: String) -> Result<Filter, String> {
        let mut arguments = Vec::new();
        if self.peek() == Some('(') {
            self.at += 1;
            loop {
                arguments.push(self.pipe()?);
                if self.take(")") {
                    break;
                }
                self.expect(";")?;
            }
        }
        if functions::exists(&name, arguments.len()) {
            Ok(Filter::Call(name, arguments))
        } else {
            let count = arguments.len();
            Err(format!("the filter: `{name}/{count}` is not known here"))
        }
    }

    fn condition(&mut self) -> Result<Filter, String> {
        let mut arms = Vec::new();
        loop {
            let condition = self.pipe()?;
            if !self.keyword("then") {
                return Err(self.unexpected());
            }
            arms.push((condition, self.pipe()?));
            if self.keyword("elif") {
                continue;
            }
            let otherwise = if self.keyword("else") {
                Some(Box::new(self.pipe()?))
            } else {
                None
            };
            if !self.keyword("end") {
                return Err(self.unexpected());
            }
            return Ok(Filter::If(arms, otherwise));
        }
    }

    fn object(&mut self) -> Result<Filter, String> {
        self.expect("{")?;
        let mut entries = Vec::new();
        while !self.take("}") {
            self.blanks();
            let variable = self.peek() == Some('$');
            let key = match self.peek() {
                Some('"') => self.string()?,
                Some('(') => {
                    self.at += 1;
                    let key = self.pipe()?;
                    self.expect(")")?;
                    key
                }
                _ => {
                    self.at += usize::from(variable);
                    let word = self.word().ok_or_else(|| self.unexpected())?;
                    Filter::Literal(Value::String(word))
                }
            };
            let value = if self.take(":") {
                self.deeper(Self::alternative)?
            } else {
                match &key {
                    Filter::Literal(Value::String(name)) if variable => {
                        Filter::Variable(name.clone())
                    }
                    key => Filter::Index(Box::new(Filter::Same), Box::new(key.clone())),
                }
            };
            entries.push((key, value));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Filter::Object(entries))
    }

    fn string(&mut self) -> Result<Filter, String> {
        self.expect("\"")?;
        let mut parts: Vec<(String, Option<Filter>)> = Vec::new();
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.unexpected())?;
            self.at += 1;
            match c {
                '"' => break,
                '\\' => {
                    let c = self.peek().ok_or_else(|| self.unexpected())?;
                    self.at += 1;
                    match c {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'r' => text.push('\r'),
                        '(' => {
                            let inner = self.pipe()?;
                            self.expect(")")?;
                            parts.push((std::mem::take(&mut text), Some(inner)));
                        }
                        'u' => {
                            let digits: String = self.text.iter().skip(self.at).take(4).collect();
                            let c = u32::from_str_radix(&digits, 16)
                                .ok()
                                .and_then(char::from_u32)
                                .ok_or_else(|| self.unexpected())?;
                            self.at += 4;
                            text.push(c);
                        }
                        '"' | '\\' | '/' => text.push(c),
                        other => return Err(format!("the filter: `\\{other}` in a text")),
                    }
                }
                c => text.push(c),
            }
        }
        if parts.is_empty() {
            return Ok(Filter::Literal(Value::String(text)));
        }
        parts.push((text, None));
        Ok(Filter::Text(parts))
    }
}

//! Programs: from text to a tree.

use super::program::{Binary, Expr, Pattern, Place, Program, Rule, Statement};
use super::run::FUNCTIONS;
use crate::regex::{Syntax, compile};

/// How deep a program may nest: each level takes stack.
const MAX_DEPTH: usize = 40;

/// The program that `text` is, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Program, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        no_in: false,
        no_greater: false,
    };
    parser.program()
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Match(String),
    Word(String),
    /// A name right before `(`.
    Function(String),
    Sign(&'static str),
    Break,
}

const SIGNS: [&str; 41] = [
    "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "<=", ">=", "!=", "!~",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "|", "?",
    ":", "~", "$", "=", "&", "@",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let text: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at).copied() {
        let rest = text.get(at..).unwrap_or_default();
        let take = |wanted: &dyn Fn(char) -> bool| -> String {
            rest.iter().take_while(|c| wanted(**c)).collect()
        };
        match c {
            ' ' | '\t' | '\r' => at += 1,
            '\\' if text.get(at + 1) == Some(&'\n') => at += 2,
            '\n' => {
                tokens.push(Token::Break);
                at += 1;
            }
            '#' => at += take(&|c| c != '\n').chars().count(),
            '"' => {
                let (read, length) = delimited(rest, '"')?;
                tokens.push(Token::Text(unescaped(&read)));
                at += length;
            }
            '/' if !matches!(
                tokens.last(),
                Some(
                    Token::Number(_)
                        | Token::Text(_)
                        | Token::Word(_)
                        | Token::Sign(")" | "]" | "$")
                )
            ) =>
            {
                let (read, length) = delimited(rest, '/')?;
                tokens.push(Token::Match(read.replace("\\/", "/")));
                at += length;
            }
            c if c.is_ascii_digit()
                || (c == '.' && text.get(at + 1).is_some_and(char::is_ascii_digit)) =>
            {
                let mut literal = take(&|c| c.is_ascii_digit() || c == '.');
                let after = at + literal.len();
                if matches!(text.get(after), Some('e' | 'E'))
                    && text.get(after + 1).is_some_and(char::is_ascii_digit)
                {
                    literal.push('e');
                    literal.extend(
                        text.iter()
                            .skip(after + 1)
                            .take_while(|c| c.is_ascii_digit()),
                    );
                }
                at += literal.len();
                let number = literal
                    .parse()
                    .map_err(|_| format!("`{literal}` is no number"))?;
                tokens.push(Token::Number(number));
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let word = take(&|c| c.is_ascii_alphanumeric() || c == '_');
                at += word.len();
                if text.get(at) == Some(&'(') && FUNCTIONS.contains(&word.as_str()) {
                    tokens.push(Token::Function(word));
                } else {
                    tokens.push(Token::Word(word));
                }
            }
            c => {
                let sign = SIGNS.iter().find(|sign| {
                    sign.chars()
                        .enumerate()
                        .all(|(offset, c)| rest.get(offset) == Some(&c))
                });
                let Some(sign) = sign else {
                    return Err(format!("unexpected `{c}`"));
                };
                at += sign.len();
                tokens.push(Token::Sign(if *sign == "**" { "^" } else { sign }));
            }
        }
    }
    tokens.push(Token::Break);
    Ok(tokens)
}

/// What stands between delimiters, and how long it is with them.
fn delimited(text: &[char], end: char) -> Result<(String, usize), String> {
    let mut read = String::new();
    let mut at = 1;
    loop {
        match text.get(at) {
            None | Some('\n') => return Err(format!("`{end}` is missing")),
            Some('\\') => {
                read.push('\\');
                read.extend(text.get(at + 1));
                at += 2;
            }
            Some(c) if *c == end => return Ok((read, at + 1)),
            Some(c) => {
                read.push(*c);
                at += 1;
            }
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some('r') => result.push('\r'),
            Some(c @ ('"' | '\\' | '/')) => result.push(c),
            Some(c) => result.extend(['\\', c]),
            None => result.push('\\'),
        }
    }
    result
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// `in` belongs to a `for`.
    no_in: bool,
    /// `>` would send what is printed to a file.
    no_greater: bool,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word == wanted);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            None | Some(Token::Break) => "the program is not complete".to_owned(),
            Some(Token::Number(number)) => format!("unexpected `{number}`"),
            Some(Token::Text(text)) => format!("unexpected \"{text}\""),
            Some(Token::Match(text)) => format!("unexpected `/{text}/`"),
            Some(Token::Word(word) | Token::Function(word)) => format!("unexpected `{word}`"),
            Some(Token::Sign(sign)) => format!("unexpected `{sign}`"),
        }
    }

    fn breaks(&mut self) {
        while matches!(self.peek(), Some(Token::Break)) || self.is(";") {
            self.at += 1;
        }
    }

    fn line_breaks(&mut self) {
        while matches!(self.peek(), Some(Token::Break)) {
            self.at += 1;
        }
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the program is nested too deep".to_owned());
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn program(&mut self) -> Result<Program, String> {
        let mut program = Program::default();
        loop {
            self.breaks();
            if self.peek().is_none() {
                return Ok(program);
            }
            if self.keyword("BEGIN") {
                program.begin.push(self.block()?);
            } else if self.keyword("END") {
                program.end.push(self.block()?);
            } else if matches!(self.peek(), Some(Token::Word(word)) if word == "function") {
                return Err("functions of one's own are not known here".to_owned());
            } else {
                let pattern = if self.is("{") {
                    Pattern::Always
                } else {
                    let first = self.expr()?;
                    if self.take(",") {
                        self.line_breaks();
                        Pattern::Range(first, self.expr()?)
                    } else {
                        Pattern::If(first)
                    }
                };
                let action = if self.is("{") {
                    Some(self.block()?)
                } else {
                    None
                };
                program.rules.push(Rule { pattern, action });
            }
        }
    }

    fn block(&mut self) -> Result<Vec<Statement>, String> {
        self.deeper(|this| {
            this.expect("{")?;
            let mut statements = Vec::new();
            loop {
                this.breaks();
                if this.take("}") {
                    return Ok(statements);
                }
                statements.push(this.statement()?);
            }
        })
    }

    /// One statement or a block of them.
    fn body(&mut self) -> Result<Vec<Statement>, String> {
        self.line_breaks();
        if self.is("{") {
            return self.block();
        }
        if self.take(";") {
            return Ok(Vec::new());
        }
        let statement = self.deeper(Self::statement)?;
        Ok(vec![statement])
    }

    fn statement(&mut self) -> Result<Statement, String> {
        if self.is("{") {
            let block = self.block()?;
            return Ok(Statement::If(Expr::Number(1.0), block, Vec::new()));
        }
        if self.keyword("if") {
            self.expect("(")?;
            let condition = self.expr()?;
            self.expect(")")?;
            let then = self.body()?;
            let start = self.at;
            self.breaks();
            if self.keyword("else") {
                return Ok(Statement::If(condition, then, self.body()?));
            }
            self.at = start;
            return Ok(Statement::If(condition, then, Vec::new()));
        }
        if self.keyword("while") {
            self.expect("(")?;
            let condition = self.expr()?;
            self.expect(")")?;
            return Ok(Statement::While(condition, self.body()?));
        }
        if self.keyword("do") {
            let body = self.body()?;
            self.breaks();
            if !self.keyword("while") {
                return Err(self.unexpected());
            }
            self.expect("(")?;
            let condition = self.expr()?;
            self.expect(")")?;
            return Ok(Statement::Do(body, condition));
        }
        if self.keyword("for") {
            return self.for_loop();
        }
        self.simple()
    }

    fn for_loop(&mut self) -> Result<Statement, String> {
        self.expect("(")?;
        if let (Some(Token::Word(name)), Some(Token::Word(word)), Some(Token::Word(array))) = (
            self.tokens.get(self.at),
            self.tokens.get(self.at + 1),
            self.tokens.get(self.at + 2),
        ) && word == "in"
        {
            let (name, array) = (name.clone(), array.clone());
            self.at += 3;
            self.expect(")")?;
            return Ok(Statement::ForIn(name, array, self.body()?));
        }
        let part = |this: &mut Self, end: &str| {
            if this.is(end) {
                return Ok(None);
            }
            this.simple().map(|statement| Some(Box::new(statement)))
        };
        let start = part(self, ";")?;
        self.expect(";")?;
        let condition = if self.is(";") {
            None
        } else {
            Some(self.expr()?)
        };
        self.expect(";")?;
        let step = part(self, ")")?;
        self.expect(")")?;
        Ok(Statement::For(start, condition, step, self.body()?))
    }

    fn simple(&mut self) -> Result<Statement, String> {
        for (word, formatted) in [("print", false), ("printf", true)] {
            if self.keyword(word) {
                let arguments = self.printed()?;
                return Ok(if formatted {
                    Statement::Printf(arguments)
                } else {
                    Statement::Print(arguments)
                });
            }
        }
        if self.keyword("next") {
            return Ok(Statement::Next);
        }
        if self.keyword("break") {
            return Ok(Statement::Break);
        }
        if self.keyword("continue") {
            return Ok(Statement::Continue);
        }
        if self.keyword("exit") {
            let status = if self.ends() {
                None
            } else {
                Some(self.expr()?)
            };
            return Ok(Statement::Exit(status));
        }
        if self.keyword("delete") {
            let name = self.name()?;
            let index = if self.take("[") {
                Some(self.list("]")?)
            } else {
                None
            };
            return Ok(Statement::Delete(name, index));
        }
        if self.keyword("getline") {
            return Err("`getline` is not known here".to_owned());
        }
        self.expr().map(Statement::Expr)
    }

    fn ends(&self) -> bool {
        matches!(self.peek(), None | Some(Token::Break)) || self.is(";") || self.is("}")
    }

    fn printed(&mut self) -> Result<Vec<Expr>, String> {
        if self.ends() {
            return Ok(Vec::new());
        }
        let outer = std::mem::replace(&mut self.no_greater, true);
        let mut arguments = Vec::new();
        // `print (a, b)`
        let start = self.at;
        let mut listed = false;
        if self.take("(") {
            self.no_greater = false;
            let list = self.list(")");
            self.no_greater = true;
            if let Ok(list) = list
                && (self.ends() || self.is(">") || self.is("|"))
            {
                arguments = list;
                listed = true;
            }
        }
        if !listed {
            self.at = start;
            arguments.push(self.expr()?);
            while self.take(",") {
                self.line_breaks();
                arguments.push(self.expr()?);
            }
        }
        self.no_greater = outer;
        if self.is(">") || self.is("|") {
            return Err("printing to a file or a pipe is not known here".to_owned());
        }
        Ok(arguments)
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(Token::Word(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Expressions up to `end`, which is taken.
    fn list(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut list = Vec::new();
        self.line_breaks();
        while !self.take(end) {
            list.push(self.expr()?);
            self.line_breaks();
            if !self.take(",") && !self.is(end) {
                return Err(self.unexpected());
            }
            self.line_breaks();
        }
        Ok(list)
    }

    fn expr(&mut self) -> Result<Expr, String> {
        self.deeper(|this| {
            let left = this.choice()?;
            let operator = match this.peek() {
                Some(Token::Sign("=")) => None,
                Some(Token::Sign("+=")) => Some(Binary::Add),
                Some(Token::Sign("-=")) => Some(Binary::Subtract),
                Some(Token::Sign("*=")) => Some(Binary::Multiply),
                Some(Token::Sign("/=")) => Some(Binary::Divide),
                Some(Token::Sign("%=")) => Some(Binary::Remainder),
                Some(Token::Sign("^=")) => Some(Binary::Power),
                _ => return Ok(left),
            };
            let Expr::Place(place) = left else {
                return Err(this.unexpected());
            };
            this.at += 1;
            this.line_breaks();
            let value = this.expr()?;
            Ok(Expr::Assign(place, operator, Box::new(value)))
        })
    }

    fn choice(&mut self) -> Result<Expr, String> {
        let condition = self.or()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let then = self.expr()?;
        self.expect(":")?;
        let otherwise = self.expr()?;
        let (condition, then) = (Box::new(condition), Box::new(then));
        Ok(Expr::Choice(condition, then, Box::new(otherwise)))
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.take("||") {
            self.line_breaks();
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.membership()?;
        while self.take("&&") {
            self.line_breaks();
            left = Expr::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Result<Expr, String> {
        let mut left = self.matching()?;
        while !self.no_in && self.keyword("in") {
            let name = self.name()?;
            left = Expr::In(vec![left], name);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Expr, String> {
        let mut left = self.comparison()?;
        loop {
            let negated = if self.take("~") {
                false
            } else if self.take("!~") {
                true
            } else {
                return Ok(left);
            };
            let pattern = self.comparison()?;
            left = Expr::Matches {
                text: Box::new(left),
                pattern: Box::new(pattern),
                negated,
            };
        }
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        let left = self.joined()?;
        let operator = match self.peek() {
            Some(Token::Sign("<")) => Binary::Less,
            Some(Token::Sign("<=")) => Binary::LessOrEqual,
            Some(Token::Sign("==")) => Binary::Equal,
            Some(Token::Sign("!=")) => Binary::Unequal,
            Some(Token::Sign(">")) if !self.no_greater => Binary::Greater,
            Some(Token::Sign(">=")) => Binary::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.joined()?;
        Ok(Expr::Binary(operator, Box::new(left), Box::new(right)))
    }

    fn joined(&mut self) -> Result<Expr, String> {
        let mut left = self.sum()?;
        loop {
            let begins = match self.peek() {
                Some(Token::Number(_) | Token::Text(_) | Token::Match(_) | Token::Function(_)) => {
                    true
                }
                Some(Token::Word(word)) => word != "in",
                Some(Token::Sign(sign)) => matches!(*sign, "$" | "(" | "!" | "-" | "++" | "--"),
                Some(Token::Break) | None => false,
            };
            if !begins {
                return Ok(left);
            }
            left = Expr::Binary(Binary::Join, Box::new(left), Box::new(self.sum()?));
        }
    }

    fn sum(&mut self) -> Result<Expr, String> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take("+") {
                Binary::Add
            } else if self.take("-") {
                Binary::Subtract
            } else {
                return Ok(left);
            };
            left = Expr::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr, String> {
        let mut left = self.unary()?;
        loop {
            let operator = if self.take("*") {
                Binary::Multiply
            } else if self.take("/") {
                Binary::Divide
            } else if self.take("%") {
                Binary::Remainder
            } else {
                return Ok(left);
            };
            left = Expr::Binary(operator, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.deeper(|this| {
            if this.take("!") {
                return Ok(Expr::Not(Box::new(this.unary()?)));
            }
            if this.take("-") {
                return Ok(Expr::Minus(Box::new(this.unary()?)));
            }
            if this.take("+") {
                return Ok(Expr::Plus(Box::new(this.unary()?)));
            }
            let base = this.postfix()?;
            if this.take("^") {
                let exponent = this.unary()?;
                return Ok(Expr::Binary(
                    Binary::Power,
                    Box::new(base),
                    Box::new(exponent),
                ));
            }
            Ok(base)
        })
    }

    fn postfix(&mut self) -> Result<Expr, String> {
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take(sign) {
                let Expr::Place(place) = self.primary()? else {
                    return Err(self.unexpected());
                };
                return Ok(Expr::Step {
                    place,
                    by,
                    first: true,
                });
            }
        }
        let primary = self.primary()?;
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.is(sign)
                && let Expr::Place(place) = primary
            {
                self.at += 1;
                return Ok(Expr::Step {
                    place,
                    by,
                    first: false,
                });
            }
            if self.is(sign) {
                return Ok(primary);
            }
        }
        Ok(primary)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let token = self.peek().cloned().ok_or_else(|| self.unexpected())?;
        match token {
            Token::Number(number) => {
                self.at += 1;
                Ok(Expr::Number(number))
            }
            Token::Text(text) => {
                self.at += 1;
                Ok(Expr::Text(text))
            }
            Token::Match(pattern) => {
                self.at += 1;
                compile(&pattern, Syntax::Extended, false).map(Expr::Match)
            }
            Token::Function(name) => {
                self.at += 2;
                let outer = std::mem::replace(&mut self.no_greater, false);
                let arguments = self.list(")")?;
                self.no_greater = outer;
                Ok(Expr::Call(name, arguments))
            }
            Token::Sign("$") => {
                self.at += 1;
                let number = if self.is("++") || self.is("--") {
                    self.postfix()?
                } else {
                    self.primary()?
                };
                Ok(Expr::Place(Place::Field(Box::new(number))))
            }
            Token::Sign("-") => {
                self.at += 1;
                Ok(Expr::Minus(Box::new(self.primary()?)))
            }
            Token::Sign("(") => {
                self.at += 1;
                let outer = std::mem::replace(&mut self.no_greater, false);
                let mut list = self.list(")")?;
                self.no_greater = outer;
                if list.len() > 1 {
                    if !self.keyword("in") {
                        return Err(self.unexpected());
                    }
                    return Ok(Expr::In(list, self.name()?));
                }
                // Grouping keeps an assignment from being one of its parts.
                list.pop()
                    .map(|inner| match inner {
                        Expr::Place(place) => Expr::Place(place),
                        inner => Expr::Choice(
                            Box::new(Expr::Number(1.0)),
                            Box::new(inner),
                            Box::new(Expr::Number(0.0)),
                        ),
                    })
                    .ok_or_else(|| self.unexpected())
            }
            Token::Word(word) if word == "length" => {
                self.at += 1;
                Ok(Expr::Call(word, Vec::new()))
            }
            Token::Word(word) if matches!(word.as_str(), "getline" | "function" | "in") => {
                Err(format!("`{word}` is not known here"))
            }
            Token::Word(word) => {
                self.at += 1;
                if self.is("(") && !matches!(self.peek(), Some(Token::Break)) {
                    return Err(format!("the function `{word}` is not known here"));
                }
                if self.take("[") {
                    let index = self.list("]")?;
                    return Ok(Expr::Place(Place::Element(word, index)));
                }
                Ok(Expr::Place(Place::Variable(word)))
            }
            Token::Sign(_) | Token::Break => Err(self.unexpected()),
        }
    }
}

//! Arithmetic expressions: from text to a tree.

use std::rc::Rc;

/// How deep parentheses and operators may nest: each level takes stack.
const MAX_DEPTH: usize = 60;

/// How many operators one expression has at most: a long sum is a deep tree.
const MAX_OPERATORS: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    Number(i64),
    Value(Place),
    Unary(Unary, Box<Self>),
    Binary(Binary, Box<Self>, Box<Self>),
    Choice(Box<Self>, Box<Self>, Box<Self>),
    /// With the operator of `+=` and the like.
    Assign(Place, Option<Binary>, Box<Self>),
    /// `++` and `--`; with `first`, written before the name.
    Step {
        place: Place,
        by: i64,
        first: bool,
    },
}

/// A variable or an element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: Rc<str>,
    /// As it is written: what it means depends on the kind of the array.
    pub(crate) index: Option<Rc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Minus,
    Plus,
    Not,
    Invert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Comma,
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// Operators by how tightly they bind, the loosest first; longer ones before
/// those that they begin with.
const LEVELS: [&[(&str, Binary)]; 11] = [
    &[("||", Binary::Or)],
    &[("&&", Binary::And)],
    &[("|", Binary::BitOr)],
    &[("^", Binary::BitXor)],
    &[("&", Binary::BitAnd)],
    &[("==", Binary::Equal), ("!=", Binary::Unequal)],
    &[
        ("<=", Binary::LessOrEqual),
        (">=", Binary::GreaterOrEqual),
        ("<", Binary::Less),
        (">", Binary::Greater),
    ],
    &[("<<", Binary::ShiftLeft), (">>", Binary::ShiftRight)],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[
        ("*", Binary::Multiply),
        ("/", Binary::Divide),
        ("%", Binary::Remainder),
    ],
    &[("**", Binary::Power)],
];

/// Operators that can stand before `=`.
const COMPOUND: [(&str, Binary); 10] = [
    ("<<=", Binary::ShiftLeft),
    (">>=", Binary::ShiftRight),
    ("+=", Binary::Add),
    ("-=", Binary::Subtract),
    ("*=", Binary::Multiply),
    ("/=", Binary::Divide),
    ("%=", Binary::Remainder),
    ("&=", Binary::BitAnd),
    ("|=", Binary::BitOr),
    ("^=", Binary::BitXor),
];

/// The expression that `text` is, or what is wrong with it. An empty one is 0.
pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        depth: 0,
        operators: 0,
    };
    parser.blanks();
    if parser.peek().is_none() {
        return Ok(Expr::Number(0));
    }
    let expr = parser.comma()?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
    operators: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn begins(&self, token: &str) -> bool {
        token
            .chars()
            .enumerate()
            .all(|(offset, c)| self.text.get(self.at + offset) == Some(&c))
    }

    fn take(&mut self, token: &str) -> bool {
        let begins = self.begins(token);
        if begins {
            self.at += token.len();
            self.blanks();
        }
        begins
    }

    fn unexpected(&self) -> String {
        let rest: String = self.text.iter().skip(self.at).take(20).collect();
        if rest.is_empty() {
            "arithmetic: an operand is missing at the end".to_owned()
        } else {
            format!("arithmetic: unexpected `{}`", rest.trim_end())
        }
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("arithmetic: nested too deep".to_owned());
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Counts an operator between two operands.
    fn count(&mut self) -> Result<(), String> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(format!("arithmetic: more than {MAX_OPERATORS} operators"));
        }
        Ok(())
    }

    fn comma(&mut self) -> Result<Expr, String> {
        let mut left = self.assignment()?;
        while self.take(",") {
            self.count()?;
            let right = self.assignment()?;
            left = Expr::Binary(Binary::Comma, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn assignment(&mut self) -> Result<Expr, String> {
        self.deeper(|this| {
            let start = this.at;
            if let Some(place) = this.place()? {
                let operator = COMPOUND.iter().find(|(token, _)| this.begins(token));
                if let Some((token, operator)) = operator {
                    this.take(token);
                    let value = this.assignment()?;
                    return Ok(Expr::Assign(place, Some(*operator), Box::new(value)));
                }
                if this.begins("=") && !this.begins("==") {
                    this.take("=");
                    let value = this.assignment()?;
                    return Ok(Expr::Assign(place, None, Box::new(value)));
                }
            }
            this.at = start;
            this.choice()
        })
    }

    fn choice(&mut self) -> Result<Expr, String> {
        let condition = self.binary(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let then = self.deeper(Self::comma)?;
        if !self.take(":") {
            return Err("arithmetic: `?` without `:`".to_owned());
        }
        let otherwise = self.assignment()?;
        Ok(Expr::Choice(
            Box::new(condition),
            Box::new(then),
            Box::new(otherwise),
        ))
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some((token, operator)) = self.operator(operators) {
            self.take(token);
            self.count()?;
            // Powers group to the right.
            let right = if operator == Binary::Power {
                self.deeper(|this| this.binary(level))?
            } else {
                self.binary(level + 1)?
            };
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// The operator of one level that comes next, if it is not the beginning of
    /// another one.
    fn operator(
        &self,
        operators: &'static [(&'static str, Binary)],
    ) -> Option<(&'static str, Binary)> {
        let (token, operator) = operators.iter().find(|(token, _)| self.begins(token))?;
        let next = self.text.get(self.at + token.len()).copied();
        let other = match (*token, next) {
            ("||" | "&&" | "==" | "!=" | "<=" | ">=", _) => false,
            ("|", Some('|'))
            | ("&", Some('&'))
            | ("*", Some('*'))
            | ("<", Some('<'))
            | (">", Some('>'))
            | (_, Some('=')) => true,
            _ => false,
        };
        (!other).then_some((*token, *operator))
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.deeper(|this| {
            for (token, by) in [("++", 1), ("--", -1)] {
                let start = this.at;
                if this.take(token) {
                    if let Some(place) = this.place()? {
                        return Ok(Expr::Step {
                            place,
                            by,
                            first: true,
                        });
                    }
                    this.at = start;
                }
            }
            for (token, operator) in [
                ("-", Unary::Minus),
                ("+", Unary::Plus),
                ("!", Unary::Not),
                ("~", Unary::Invert),
            ] {
                if this.take(token) {
                    let operand = this.unary()?;
                    return Ok(Expr::Unary(operator, Box::new(operand)));
                }
            }
            this.operand()
        })
    }

    fn operand(&mut self) -> Result<Expr, String> {
        if self.take("(") {
            let inner = self.deeper(Self::comma)?;
            if !self.take(")") {
                return Err("arithmetic: `(` without `)`".to_owned());
            }
            return Ok(inner);
        }
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return self.number();
        }
        match self.place()? {
            Some(place) => {
                for (token, by) in [("++", 1), ("--", -1)] {
                    if self.take(token) {
                        return Ok(Expr::Step {
                            place,
                            by,
                            first: false,
                        });
                    }
                }
                Ok(Expr::Value(place))
            }
            None => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<Expr, String> {
        let is_part = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, '#' | '@' | '_');
        let rest = self.text.get(self.at..).unwrap_or_default();
        let literal: String = rest.iter().take_while(is_part).collect();
        self.at += literal.len();
        self.blanks();
        number(&literal)
            .map(Expr::Number)
            .ok_or_else(|| format!("arithmetic: `{literal}` is no number"))
    }

    fn place(&mut self) -> Result<Option<Place>, String> {
        if !self
            .peek()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        {
            return Ok(None);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part = |c: &&char| c.is_ascii_alphanumeric() || **c == '_';
        let name: String = rest.iter().take_while(is_part).collect();
        self.at += name.len();
        let mut index = None;
        if self.peek() == Some('[') {
            let start = self.at + 1;
            let mut depth = 0_usize;
            loop {
                match self.peek() {
                    None => return Err("arithmetic: `[` without `]`".to_owned()),
                    Some('[') => depth += 1,
                    Some(']') if depth == 1 => break,
                    Some(']') => depth -= 1,
                    Some(_) => {}
                }
                self.at += 1;
            }
            let text = self.text.get(start..self.at).unwrap_or_default();
            let text: String = text.iter().collect();
            index = Some(text.into());
            self.at += 1;
        }
        self.blanks();
        Ok(Some(Place {
            name: name.into(),
            index,
        }))
    }
}

/// A number as bash writes them: `10`, `0x1f`, `017`, `2#101`. Too large ones
/// wrap around, as they do there.
fn number(literal: &str) -> Option<i64> {
    if let Some((base, digits)) = literal.split_once('#') {
        let base: u32 = base.parse().ok()?;
        return ((2..=64).contains(&base))
            .then(|| digits_of(digits, base))
            .flatten();
    }
    let hexadecimal = literal.strip_prefix("0x").or(literal.strip_prefix("0X"));
    if let Some(digits) = hexadecimal {
        return digits_of(digits, 16);
    }
    match literal.strip_prefix('0') {
        Some("") => Some(0),
        Some(digits) => digits_of(digits, 8),
        None => digits_of(literal, 10),
    }
}

fn digits_of(digits: &str, base: u32) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits.chars() {
        let number = match digit {
            '0'..='9' => u32::from(digit) - u32::from('0'),
            'a'..='z' => u32::from(digit) - u32::from('a') + 10,
            'A'..='Z' if base <= 36 => u32::from(digit) - u32::from('A') + 10,
            'A'..='Z' => u32::from(digit) - u32::from('A') + 36,
            '@' => 62,
            '_' => 63,
            _ => return None,
        };
        if number >= base {
            return None;
        }
        value = value
            .wrapping_mul(i64::from(base))
            .wrapping_add(i64::from(number));
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_many_ways() {
        for (literal, value) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("017", Some(15)),
            ("0xfF", Some(255)),
            ("2#101", Some(5)),
            ("36#Z", Some(35)),
            ("64#_", Some(63)),
            ("09", None),
            ("0x", None),
            ("1#1", None),
            ("65#1", None),
            ("9223372036854775808", Some(i64::MIN)),
        ] {
            assert_eq!(number(literal), value, "{literal}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, expected) in [
            ("1 +", "arithmetic: an operand is missing at the end"),
            ("1 2", "arithmetic: unexpected `2`"),
            ("(1", "arithmetic: `(` without `)`"),
            ("1 ? 2", "arithmetic: `?` without `:`"),
            ("09", "arithmetic: `09` is no number"),
            ("a[1", "arithmetic: `[` without `]`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
        let deep = "(".repeat(1000);
        assert_eq!(parse(&deep).unwrap_err(), "arithmetic: nested too deep");
        let long = "1+".repeat(2000);
        assert_eq!(
            parse(&long).unwrap_err(),
            "arithmetic: more than 1000 operators"
        );
    }
}

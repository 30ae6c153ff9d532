//! Arithmetic: from a tree to a number. Numbers have 64 bits and wrap around.

use super::{Interrupt, Key, Shell};
use crate::syntax::{Arithmetic, Binary, Expr, Place, Unary, parse_arithmetic};

/// How deep variables may hold expressions that name variables.
const MAX_DEPTH: usize = 20;

impl Shell<'_> {
    /// The value of an expression. What is wrong with it is said on standard
    /// error and ends the shell, as in bash.
    pub(crate) fn calculate(&mut self, arithmetic: &Arithmetic) -> Result<i64, Interrupt> {
        match arithmetic {
            Arithmetic::Ready(expr) => self.value_of(expr, 0),
            Arithmetic::Late(word) => {
                let text = self.text_of(word)?;
                self.calculate_text(&text)
            }
        }
    }

    /// The value of the expression that `text` is.
    pub(crate) fn calculate_text(&mut self, text: &str) -> Result<i64, Interrupt> {
        self.value_of_text(text, 0)
    }

    fn value_of_text(&mut self, text: &str, depth: usize) -> Result<i64, Interrupt> {
        let plain = text.trim();
        let is_plain = !plain.starts_with('0') || plain.len() == 1;
        if is_plain && let Ok(number) = plain.parse() {
            return Ok(number);
        }
        if depth > MAX_DEPTH {
            return self.wrong(&format!("{text}: expression recursion level exceeded"));
        }
        match parse_arithmetic(text) {
            Ok(expr) => self.value_of(&expr, depth),
            Err(what) => self.wrong(&what),
        }
    }

    fn wrong<T>(&mut self, what: &str) -> Result<T, Interrupt> {
        self.complain(what)?;
        Err(Interrupt::Exit(1))
    }

    fn value_of(&mut self, expr: &Expr, depth: usize) -> Result<i64, Interrupt> {
        match expr {
            Expr::Number(number) => Ok(*number),
            Expr::Value(place) => self.read_place(place, depth),
            Expr::Unary(operator, operand) => {
                let value = self.value_of(operand, depth)?;
                Ok(match operator {
                    Unary::Minus => value.wrapping_neg(),
                    Unary::Plus => value,
                    Unary::Not => i64::from(value == 0),
                    Unary::Invert => !value,
                })
            }
            Expr::Binary(..) => self.value_of_chain(expr, depth),
            Expr::Choice(condition, then, otherwise) => {
                if self.value_of(condition, depth)? != 0 {
                    self.value_of(then, depth)
                } else {
                    self.value_of(otherwise, depth)
                }
            }
            Expr::Assign(place, operator, value) => {
                let value = self.value_of(value, depth)?;
                let value = match operator {
                    Some(operator) => {
                        let old = self.read_place(place, depth)?;
                        self.apply(*operator, old, value)?
                    }
                    None => value,
                };
                self.write_place(place, value, depth)?;
                Ok(value)
            }
            Expr::Step { place, by, first } => {
                let old = self.read_place(place, depth)?;
                let new = old.wrapping_add(*by);
                self.write_place(place, new, depth)?;
                Ok(if *first { new } else { old })
            }
        }
    }

    /// The value of operators of which each takes what those before it make, as in
    /// a long sum: without a call for each.
    fn value_of_chain(&mut self, mut expr: &Expr, depth: usize) -> Result<i64, Interrupt> {
        let mut chain = Vec::new();
        while let Expr::Binary(operator, left, right) = expr {
            chain.push((*operator, &**right));
            expr = left;
        }
        let mut value = self.value_of(expr, depth)?;
        for (operator, right) in chain.into_iter().rev() {
            value = match (operator, value != 0) {
                (Binary::And, false) => 0,
                (Binary::Or, true) => 1,
                _ => {
                    let right = self.value_of(right, depth)?;
                    self.apply(operator, value, right)?
                }
            };
        }
        Ok(value)
    }

    fn apply(&mut self, operator: Binary, left: i64, right: i64) -> Result<i64, Interrupt> {
        let shift = u32::try_from(right & 63).unwrap_or_default();
        Ok(match operator {
            Binary::Comma => right,
            Binary::Or => i64::from(left != 0 || right != 0),
            Binary::And => i64::from(left != 0 && right != 0),
            Binary::BitOr => left | right,
            Binary::BitXor => left ^ right,
            Binary::BitAnd => left & right,
            Binary::Equal => i64::from(left == right),
            Binary::Unequal => i64::from(left != right),
            Binary::Less => i64::from(left < right),
            Binary::LessOrEqual => i64::from(left <= right),
            Binary::Greater => i64::from(left > right),
            Binary::GreaterOrEqual => i64::from(left >= right),
            Binary::ShiftLeft => left.wrapping_shl(shift),
            Binary::ShiftRight => left.wrapping_shr(shift),
            Binary::Add => left.wrapping_add(right),
            Binary::Subtract => left.wrapping_sub(right),
            Binary::Multiply => left.wrapping_mul(right),
            Binary::Divide | Binary::Remainder if right == 0 => {
                return self.wrong("division by 0");
            }
            Binary::Divide => left.wrapping_div(right),
            Binary::Remainder => left.wrapping_rem(right),
            Binary::Power => match u32::try_from(right) {
                Ok(exponent) => left.wrapping_pow(exponent),
                Err(_) if right < 0 => return self.wrong("exponent less than 0"),
                // Of a power that large only the trivial ones are right in 64 bits.
                Err(_) => match left {
                    0 | 1 => left,
                    -1 => 1 - 2 * (right & 1),
                    _ => 0,
                },
            },
        })
    }

    fn key_of(&mut self, place: &Place, depth: usize) -> Result<Key, Interrupt> {
        match &place.index {
            None => Ok(Key::Whole),
            Some(index) if self.variables.is_map(&place.name) => Ok(Key::Text(index.to_string())),
            Some(index) => Ok(Key::Number(self.value_of_text(index, depth + 1)?)),
        }
    }

    fn read_place(&mut self, place: &Place, depth: usize) -> Result<i64, Interrupt> {
        let key = self.key_of(place, depth)?;
        let found = match (self.dynamic(&place.name), &key) {
            (Some(super::Value::Text(text)), Key::Whole) => Some(text),
            _ => self.variables.element(&place.name, &key).map(str::to_owned),
        };
        match found {
            Some(text) if text.is_empty() => Ok(0),
            Some(text) => self.value_of_text(&text, depth + 1),
            None if self.options.unset_is_an_error => {
                self.wrong(&format!("{}: unbound variable", place.name))
            }
            None => Ok(0),
        }
    }

    fn write_place(&mut self, place: &Place, value: i64, depth: usize) -> Result<(), Interrupt> {
        let key = self.key_of(place, depth)?;
        self.set_element(&place.name, &key, value.to_string(), false)
    }
}

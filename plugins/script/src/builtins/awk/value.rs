//! Values: numbers, texts, and texts that may be numbers.

use super::super::lines::number_at_start;
use super::super::printf::shortest;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Unset,
    Number(f64),
    Text(String),
    /// From outside: a number where it looks like one.
    Input(String),
}

impl Value {
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => leading(text),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Unset => String::new(),
            Self::Number(number) => shown(*number),
            Self::Text(text) | Self::Input(text) => text.clone(),
        }
    }

    pub(super) fn holds(&self) -> bool {
        match self.as_number() {
            Some(number) => number != 0.0,
            None => !self.text().is_empty(),
        }
    }

    /// The number that this is, if it is one or looks like one.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Unset => Some(0.0),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
            Self::Input(text) => {
                let text = text.trim();
                let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
                if begins { text.parse().ok() } else { None }
            }
        }
    }
}

impl From<bool> for Value {
    fn from(holds: bool) -> Self {
        Self::Number(f64::from(u8::from(holds)))
    }
}

/// The number that a text begins with, an exponent included.
fn leading(text: &str) -> f64 {
    let text = text.trim();
    text.parse()
        .ok()
        .filter(|_| text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)))
        .unwrap_or_else(|| number_at_start(text))
}

/// A number as it is written: whole ones in full, others with six digits.
pub(super) fn shown(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e30 {
        // Adding zero makes the negative one positive.
        return format!("{:.0}", number + 0.0);
    }
    shortest(number, 6)
}

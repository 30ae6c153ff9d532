//! `printf`.

use super::{failed, misused};
use crate::escape;
use crate::shell::{Key, Outcome, Shell};

pub(super) fn printf(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let (variable, words) = match words {
        [option, name, rest @ ..] if option == "-v" => (Some(name), rest),
        [option, rest @ ..] if option == "--" => (None, rest),
        words => (None, words),
    };
    let Some((format, mut arguments)) = words.split_first() else {
        return misused(shell, "printf", "a format is missing");
    };
    let mut result = Formatted::default();
    loop {
        let before = arguments.len();
        let ended = result.apply(format, &mut arguments);
        if ended || arguments.is_empty() || arguments.len() == before {
            break;
        }
    }
    match variable {
        Some(name) => {
            let text = String::from_utf8_lossy(&result.bytes).into_owned();
            shell.set_element(name, &Key::Whole, text, false)?;
        }
        None => shell.out_bytes(&result.bytes)?,
    }
    match result.problem {
        Some(what) => failed(shell, "printf", &what, 1),
        None => Ok(0),
    }
}

/// `printf` of awk: the format is applied once.
pub(super) fn awk(words: &[String]) -> String {
    let Some((format, mut arguments)) = words.split_first() else {
        return String::new();
    };
    let mut result = Formatted {
        fractions: true,
        ..Formatted::default()
    };
    result.apply(format, &mut arguments);
    String::from_utf8_lossy(&result.bytes).into_owned()
}

#[derive(Default)]
struct Formatted {
    bytes: Vec<u8>,
    problem: Option<String>,
    /// Whole numbers may be given with a fraction, which is cut off.
    fractions: bool,
}

/// `%-08.3f`
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The widest that a field is made.
const MAX_WIDTH: usize = 10_000;

impl Formatted {
    /// Applies the format once; true if `%b` ended all output.
    fn apply(&mut self, format: &str, arguments: &mut &[String]) -> bool {
        let mut rest = format.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\\' => match rest.next() {
                    Some('c') => return true,
                    Some(c) => escape::format(c, &mut rest, &mut self.bytes),
                    None => self.bytes.push(b'\\'),
                },
                '%' if rest.next_if_eq(&'%').is_some() => self.bytes.push(b'%'),
                '%' => {
                    let spec = self.spec(&mut rest, arguments);
                    match rest.next() {
                        Some(conversion) => {
                            if self.convert(conversion, &spec, arguments) {
                                return true;
                            }
                        }
                        None => self.complain("`%` at the end of the format".to_owned()),
                    }
                }
                c => {
                    let mut buffer = [0; 4];
                    self.bytes
                        .extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                }
            }
        }
        false
    }

    fn complain(&mut self, what: String) {
        self.problem.get_or_insert(what);
    }

    /// A width or precision, from the format or with `*` from an argument.
    fn count(&mut self, rest: &mut escape::Rest<'_>, arguments: &mut &[String]) -> i64 {
        if rest.next_if_eq(&'*').is_some() {
            return self.integer(&next(arguments));
        }
        let mut number = 0_i64;
        while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(i64::from(digit));
            rest.next();
        }
        number
    }

    fn spec(&mut self, rest: &mut escape::Rest<'_>, arguments: &mut &[String]) -> Spec {
        let mut spec = Spec::default();
        while let Some(flag) = rest.next_if(|c| matches!(c, '-' | '0' | '+' | ' ' | '#')) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                _ => spec.alternate = true,
            }
        }
        let width = self.count(rest, arguments);
        spec.left |= width < 0;
        spec.width = bounded(width.unsigned_abs());
        if rest.next_if_eq(&'.').is_some() {
            let precision = self.count(rest, arguments);
            spec.precision = u64::try_from(precision).ok().map(bounded);
        }
        while rest
            .next_if(|c| matches!(c, 'l' | 'h' | 'j' | 'z'))
            .is_some()
        {}
        spec
    }

    fn convert(&mut self, conversion: char, spec: &Spec, arguments: &mut &[String]) -> bool {
        match conversion {
            's' => {
                let text = next(arguments);
                let text: String = match spec.precision {
                    Some(length) => text.chars().take(length).collect(),
                    None => text,
                };
                self.pad(&text, spec);
            }
            'c' => {
                let text: String = next(arguments).chars().take(1).collect();
                self.pad(&text, spec);
            }
            'q' => {
                let text = escape::backslashed(&next(arguments));
                self.pad(&text, spec);
            }
            'b' => {
                let (bytes, ended) = escape::echo(&next(arguments));
                let text = String::from_utf8(bytes);
                match text {
                    Ok(text) => self.pad(&text, spec),
                    Err(error) => self.bytes.extend_from_slice(error.as_bytes()),
                }
                return ended;
            }
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                let value = self.integer(&next(arguments));
                self.number(conversion, value, spec);
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let text = next(arguments);
                let value = self.fraction(&text);
                let precision = spec.precision.unwrap_or(6);
                let text = match conversion {
                    'f' | 'F' => format!("{value:.precision$}"),
                    'e' | 'E' => exponential(value, precision),
                    _ => shortest(value, precision.max(1)),
                };
                let text = match conversion {
                    'E' | 'G' => text.to_uppercase(),
                    _ => text,
                };
                self.signed(&text, spec);
            }
            other => self.complain(format!("`%{other}` is not known here")),
        }
        false
    }

    fn number(&mut self, conversion: char, value: i64, spec: &Spec) {
        let (digits, prefix) = match conversion {
            'x' => (format!("{value:x}"), "0x"),
            'X' => (format!("{value:X}"), "0X"),
            'o' => (format!("{value:o}"), "0"),
            'u' => (value.cast_unsigned().to_string(), ""),
            _ => (value.to_string(), ""),
        };
        let prefix = if spec.alternate && value != 0 {
            prefix
        } else {
            ""
        };
        let text = match (spec.precision, digits.strip_prefix('-')) {
            (Some(least), Some(digits)) => format!("-{digits:0>least$}"),
            (Some(least), None) => format!("{digits:0>least$}"),
            (None, _) => digits,
        };
        let text = format!("{prefix}{text}");
        if matches!(conversion, 'd' | 'i') {
            self.signed(&text, spec);
        } else {
            self.padded(&text, "", spec, spec.zero && spec.precision.is_none());
        }
    }

    /// A number with its sign before what it is filled up with.
    fn signed(&mut self, text: &str, spec: &Spec) {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if spec.plus => ("+", text),
            None if spec.space => (" ", text),
            None => ("", text),
        };
        self.padded(digits, sign, spec, spec.zero);
    }

    fn pad(&mut self, text: &str, spec: &Spec) {
        self.padded(text, "", spec, false);
    }

    fn padded(&mut self, text: &str, sign: &str, spec: &Spec, zero: bool) {
        let missing = spec
            .width
            .saturating_sub(text.chars().count() + sign.chars().count());
        let text = match (spec.left, zero) {
            (true, _) => format!("{sign}{text}{}", " ".repeat(missing)),
            (false, true) => format!("{sign}{}{text}", "0".repeat(missing)),
            (false, false) => format!("{}{sign}{text}", " ".repeat(missing)),
        };
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn integer(&mut self, text: &str) -> i64 {
        let text = text.trim();
        if text.is_empty() {
            return 0;
        }
        if self.fractions {
            return whole(self.fraction(text));
        }
        // A quote before a character asks for its number.
        if let Some(rest) = text.strip_prefix(['\'', '"']) {
            return rest.chars().next().map_or(0, |c| i64::from(u32::from(c)));
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, base) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
            None => (digits, 10),
        };
        let valid: String = digits.chars().take_while(|c| c.is_digit(base)).collect();
        if valid.len() != digits.len() || valid.is_empty() {
            self.complain(format!("{text}: invalid number"));
        }
        let value = i128::from_str_radix(&valid, base).unwrap_or_default();
        let value = if negative { -value } else { value };
        i64::try_from(value).unwrap_or(if negative { i64::MIN } else { i64::MAX })
    }

    fn fraction(&mut self, text: &str) -> f64 {
        let text = text.trim();
        if text.is_empty() {
            return 0.0;
        }
        if let Ok(value) = text.parse() {
            value
        } else {
            self.complain(format!("{text}: invalid number"));
            let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
            let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
            text.get(..end)
                .and_then(|start| start.parse().ok())
                .unwrap_or(0.0)
        }
    }
}

/// A width or precision, within what a field is made.
fn bounded(number: u64) -> usize {
    usize::try_from(number).map_or(MAX_WIDTH, |number| number.min(MAX_WIDTH))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as is meant")]
fn whole(number: f64) -> i64 {
    number as i64
}

fn next(arguments: &mut &[String]) -> String {
    match arguments.split_first() {
        Some((first, rest)) => {
            *arguments = rest;
            first.clone()
        }
        None => String::new(),
    }
}

/// As C writes `%e`: at least two digits of exponent.
fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// As C writes `%g`: so many digits that count, and no zeros after them.
pub(super) fn shortest(value: f64, precision: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let rounded = format!("{value:.*e}", precision.saturating_sub(1));
    let exponent: i32 = rounded
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or_default();
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    let limit = i32::try_from(precision).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= limit {
        let text = exponential(value, precision.saturating_sub(1));
        return match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", trim(mantissa)),
            None => text,
        };
    }
    let decimals = usize::try_from(limit - 1 - exponent).unwrap_or_default();
    trim(&format!("{value:.decimals$}"))
}

//! Escapes in texts: `\n`, `\x41`, and quoting for a shell.

/// The text of `$'…'`.
pub(crate) fn ansi_c(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            push(&mut bytes, c);
            continue;
        }
        match rest.next() {
            Some(quote @ ('\'' | '"' | '?')) => push(&mut bytes, quote),
            Some('c') => {
                if let Some(control) = rest.next() {
                    bytes.push((u32::from(control) & 0x1f) as u8);
                }
            }
            Some(c) => one(c, &mut rest, &mut bytes, 3),
            None => bytes.push(b'\\'),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text of `echo -e` and of `%b`: none after `\c`, which ends all output.
pub(crate) fn echo(text: &str) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            push(&mut bytes, c);
            continue;
        }
        match rest.next() {
            Some('c') => return (bytes, true),
            // An octal number begins with a zero here that is none of its digits.
            Some('0') => octal('0', &mut rest, &mut bytes, 4),
            Some(c) => one(c, &mut rest, &mut bytes, 3),
            None => bytes.push(b'\\'),
        }
    }
    (bytes, false)
}

/// The text of a format of `printf`.
pub(crate) fn format(c: char, rest: &mut Rest<'_>, bytes: &mut Vec<u8>) {
    match c {
        '"' | '\'' => push(bytes, c),
        c => one(c, rest, bytes, 3),
    }
}

pub(crate) type Rest<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// One escape, of which the character after the backslash is `c`.
fn one(c: char, rest: &mut Rest<'_>, bytes: &mut Vec<u8>, octal_digits: usize) {
    let byte = match c {
        'a' => 7,
        'b' => 8,
        'e' | 'E' => 27,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '0'..='7' => return octal(c, rest, bytes, octal_digits),
        'x' => {
            return match digits(rest, 16, 2) {
                Some(value) => bytes.push((value & 0xff) as u8),
                None => bytes.extend_from_slice(b"\\x"),
            };
        }
        'u' | 'U' => {
            let most = if c == 'u' { 4 } else { 8 };
            return if let Some(c) = digits(rest, 16, most).and_then(char::from_u32) {
                push(bytes, c);
            } else {
                bytes.push(b'\\');
                push(bytes, c);
            };
        }
        other => {
            bytes.push(b'\\');
            return push(bytes, other);
        }
    };
    bytes.push(byte);
}

fn octal(first: char, rest: &mut Rest<'_>, bytes: &mut Vec<u8>, most: usize) {
    let start = first.to_digit(8).unwrap_or_default();
    let mut value = start;
    for _ in 1..most {
        match rest.peek().and_then(|c| c.to_digit(8)) {
            Some(digit) => {
                value = value * 8 + digit;
                rest.next();
            }
            None => break,
        }
    }
    bytes.push((value & 0xff) as u8);
}

fn digits(rest: &mut Rest<'_>, base: u32, most: usize) -> Option<u32> {
    let mut value = None;
    for _ in 0..most {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(base)) else {
            break;
        };
        rest.next();
        value = Some(
            value
                .unwrap_or(0_u32)
                .wrapping_mul(base)
                .wrapping_add(digit),
        );
    }
    value
}

fn push(bytes: &mut Vec<u8>, c: char) {
    let mut buffer = [0; 4];
    bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
}

/// The text as `printf %q` writes it: what a shell reads back as itself.
pub(crate) fn backslashed(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().any(char::is_control) {
        return dollar_quoted(text);
    }
    let mut result = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let special = matches!(
            c,
            ' ' | '!'
                | '"'
                | '$'
                | '&'
                | '\''
                | '('
                | ')'
                | '*'
                | ','
                | ';'
                | '<'
                | '>'
                | '?'
                | '['
                | '\\'
                | ']'
                | '^'
                | '`'
                | '{'
                | '|'
                | '}'
        ) || (at == 0 && matches!(c, '#' | '~'));
        if special {
            result.push('\\');
        }
        result.push(c);
    }
    result
}

/// The text within single quotes, as `${name@Q}` and traces write it.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return dollar_quoted(text);
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn dollar_quoted(text: &str) -> String {
    let mut result = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\n' => result.push_str("\\n"),
            '\t' => result.push_str("\\t"),
            '\r' => result.push_str("\\r"),
            '\x1b' => result.push_str("\\E"),
            '\'' | '\\' => result.extend(['\\', c]),
            c if c.is_control() => {
                use std::fmt::Write as _;
                let written = write!(result, "\\{:03o}", u32::from(c));
                debug_assert!(written.is_ok(), "a string takes everything");
            }
            c => result.push(c),
        }
    }
    result.push('\'');
    result
}

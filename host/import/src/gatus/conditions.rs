//! Gatus's conditions: `[STATUS] == 200`.

use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::Field;
use crate::http::{self, Codes};
use crate::report::Place;
use crate::span;

/// What probe a condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    Http,
    Dns,
    Tcp,
    Tls,
    Smtp,
    WebSocket,
    Icmp,
    Grpc,
    Ssh,
}

/// What the conditions of an endpoint ask for.
pub(super) struct Asked {
    pub(super) config: Keys,
    /// The status codes that are good; none where the status does not matter.
    codes: Option<Codes>,
    /// Milliseconds from which on an answer is too late.
    pub(super) dead_above: Option<u64>,
    /// How long the domain must be registered for at least.
    pub(super) domain: Option<u64>,
}

/// A condition taken apart.
struct Condition<'t> {
    left: &'t str,
    op: &'static str,
    right: &'t str,
}

/// Reads the conditions of an endpoint.
pub(super) fn read(
    conditions: &[Field<'_>],
    probe: Probe,
    config: Keys,
    cx: &mut Context<'_>,
) -> Asked {
    let mut asked = Asked {
        config,
        codes: None,
        dead_above: None,
        domain: None,
    };
    for field in conditions {
        let Some(text) = field.text(cx) else {
            continue;
        };
        let taken = parse(&text).is_some_and(|it| apply(&it, probe, &mut asked, &field.place, cx));
        if !taken {
            cx.lost(
                &field.place,
                format!("the condition `{text}` has no counterpart"),
            );
        }
    }
    if probe == Probe::Http {
        let codes = asked.codes.take().unwrap_or_else(Codes::all);
        if codes.is_empty() {
            if let Some(first) = conditions.first() {
                cx.lost(&first.place, "no status fits all conditions: any is good");
            }
        } else {
            asked.config.set("expect.status", codes.written());
        }
    }
    asked
}

fn parse(text: &str) -> Option<Condition<'_>> {
    for op in ["==", "!=", "<=", ">=", "<", ">"] {
        if let Some((left, right)) = text.split_once(&format!(" {op} ")) {
            return Some(Condition {
                left: left.trim(),
                op,
                right: right.trim(),
            });
        }
    }
    None
}

/// Takes a condition over; whether there was a way to.
fn apply(
    condition: &Condition<'_>,
    probe: Probe,
    asked: &mut Asked,
    place: &Place,
    cx: &mut Context<'_>,
) -> bool {
    let Condition { left, op, right } = *condition;
    match left {
        "[CONNECTED]" => op == "==" && right == "true",
        "[STATUS]" => match probe {
            Probe::Http => status(op, right, asked),
            // What these count as their status is whether it worked.
            Probe::Grpc | Probe::Ssh | Probe::WebSocket => op == "==" && right == "0",
            _ => false,
        },
        "[RESPONSE_TIME]" => {
            let limit = duration(right).filter(|limit| (1..=300_000).contains(limit));
            let (Some(limit), "<" | "<=") = (limit, op) else {
                return false;
            };
            let limit = asked.dead_above.map_or(limit, |it| it.min(limit));
            asked.dead_above = Some(limit);
            true
        }
        "[CERTIFICATE_EXPIRATION]" => {
            let key = match probe {
                Probe::Http => "tls.dead_below",
                Probe::Tls => "expiry.dead_below",
                Probe::Smtp | Probe::WebSocket | Probe::Grpc => "tls.expiry.dead_below",
                _ => return false,
            };
            let (Some(least), ">" | ">=") = (duration(right), op) else {
                return false;
            };
            asked.config.set(key, span::written(least));
            true
        }
        "[DOMAIN_EXPIRATION]" => {
            let (Some(least), ">" | ">=") = (duration(right), op) else {
                return false;
            };
            asked.domain = Some(asked.domain.map_or(least, |it| it.max(least)));
            true
        }
        "[DNS_RCODE]" => {
            if probe == Probe::Dns && op == "==" {
                asked.config.set("rcode", right);
                return true;
            }
            false
        }
        // That is what the probe asks of a server anyway.
        "[BODY].status" if probe == Probe::Grpc => op == "==" && right == "SERVING",
        _ => body(condition, probe, asked, place, cx),
    }
}

fn status(op: &str, right: &str, asked: &mut Asked) -> bool {
    let codes = asked.codes.get_or_insert_with(Codes::all);
    let list = call(right, "any").map(|inner| {
        let codes = inner.split(',').map(|it| it.trim().parse::<i64>().ok());
        codes.collect::<Option<Vec<_>>>()
    });
    let wanted = match list {
        Some(Some(list)) => list,
        Some(None) => return false,
        None => match right.parse::<i64>() {
            Ok(code) => vec![code],
            Err(_) => return false,
        },
    };
    match (op, wanted.as_slice()) {
        ("==", _) => codes.retain(|code| wanted.contains(&code)),
        ("!=", _) => codes.retain(|code| !wanted.contains(&code)),
        ("<", [limit]) => codes.retain(|code| code < *limit),
        ("<=", [limit]) => codes.retain(|code| code <= *limit),
        (">", [limit]) => codes.retain(|code| code > *limit),
        (">=", [limit]) => codes.retain(|code| code >= *limit),
        _ => return false,
    }
    true
}

fn body(
    condition: &Condition<'_>,
    probe: Probe,
    asked: &mut Asked,
    place: &Place,
    cx: &mut Context<'_>,
) -> bool {
    let Condition { left, op, right } = *condition;
    if let Some(inner) = call(left, "has") {
        let Some(path) = path_of(inner).filter(|_| probe == Probe::Http) else {
            return false;
        };
        let wanted = match (op, right) {
            ("==", "true") | ("!=", "false") => true,
            ("==", "false") | ("!=", "true") => false,
            _ => return false,
        };
        assertion(path, "exists", Some(wanted.into()), asked);
        return true;
    }
    if left == "[BODY]" {
        return whole_body(op, right, probe, asked, place, cx);
    }
    if let Some(path) = path_of(left)
        && probe == Probe::Http
    {
        if let Some(inner) = call(right, "pat") {
            if op != "==" {
                return false;
            }
            assertion(
                path,
                "matches",
                Some(cx.text(&wildcards(inner), place)),
                asked,
            );
            return true;
        }
        if let Some(inner) = call(right, "any") {
            if op != "==" {
                return false;
            }
            let words: Vec<_> = inner
                .split(',')
                .map(|it| regex_lite::escape(it.trim()))
                .collect();
            let pattern = format!("^({})$", words.join("|"));
            assertion(path, "matches", Some(cx.text(&pattern, place)), asked);
            return true;
        }
        if right.starts_with('[') || call(right, "len").is_some() || call(right, "has").is_some() {
            return false;
        }
        let value = literal(right, place, cx);
        assertion(path, op, Some(value), asked);
        return true;
    }
    false
}

/// A condition on the body as a text.
fn whole_body(
    op: &str,
    right: &str,
    probe: Probe,
    asked: &mut Asked,
    place: &Place,
    cx: &mut Context<'_>,
) -> bool {
    if op != "==" {
        // `[BODY] != pat(*x*)` is what the http probe has of its own.
        if let (Probe::Http, "!=", Some(inner)) = (probe, op, call(right, "pat"))
            && let Some(part) = contained(inner)
        {
            let term = cx.text(part, place);
            asked.config.set("expect.body_not", term);
            return true;
        }
        return false;
    }
    let pattern = call(right, "pat");
    let words = call(right, "any").map(|inner| {
        let words = inner.split(',').map(|it| it.trim().to_owned());
        words.collect::<Vec<_>>()
    });
    let (contains, regex) = match probe {
        Probe::Dns => {
            let words = match (pattern, words) {
                (Some(_), _) => return false,
                (None, Some(words)) => words,
                (None, None) => vec![right.to_owned()],
            };
            asked.config.set("answers.any", words);
            return true;
        }
        Probe::Http => ("expect.body", "expect.body_regex"),
        Probe::Tcp | Probe::WebSocket => ("expect.contains", "expect.regex"),
        _ => return false,
    };
    let (key, text) = match (pattern, words) {
        (Some(inner), _) => match contained(inner) {
            Some(part) => (contains, part.to_owned()),
            None => (regex, wildcards(inner)),
        },
        (None, Some(words)) => {
            let words: Vec<_> = words.iter().map(|it| regex_lite::escape(it)).collect();
            (regex, format!("^({})$", words.join("|")))
        }
        (None, None) => (regex, http::exactly(right)),
    };
    let term = cx.text(&text, place);
    asked.config.set(key, term);
    true
}

fn assertion(path: String, op: &str, value: Option<Term>, asked: &mut Asked) {
    let mut keys = Keys::default();
    keys.set("path", path)
        .set("op", op)
        .set_some("value", value);
    asked.config.push("expect.json", keys);
}

/// What stands in the parentheses of a function.
fn call<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let inner = text.strip_prefix(name)?.strip_prefix('(')?;
    inner.strip_suffix(')')
}

/// The `JSONPath` of `[BODY].a[0].b`.
fn path_of(text: &str) -> Option<String> {
    let path = text.strip_prefix("[BODY]")?;
    let is_path = path.starts_with('.') || path.starts_with('[');
    let mut written = String::from("$");
    if !is_path {
        return None;
    }
    // Names that JSONPath takes only in brackets, such as `a-b`.
    for step in path.split_inclusive('.') {
        let step = step.strip_suffix('.').unwrap_or(step);
        if step.is_empty() {
            continue;
        }
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, format!("[{index}")),
            None => (step, String::new()),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() {
        } else if name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            written.push('.');
            written.push_str(name);
        } else {
            let name = name.replace('\\', "\\\\").replace('\'', "\\'");
            written.extend(["['", name.as_str(), "']"]);
        }
        written.push_str(&index);
    }
    Some(written)
}

/// A literal of a condition with its type.
fn literal(text: &str, place: &Place, cx: &mut Context<'_>) -> Term {
    if let Ok(number) = text.parse::<i64>() {
        return Term::Integer(number);
    }
    match text {
        "true" => Term::Bool(true),
        "false" => Term::Bool(false),
        _ => match text.parse::<f64>() {
            Ok(number)
                if number.is_finite()
                    && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') =>
            {
                Term::Float(number)
            }
            _ => cx.text(text, place),
        },
    }
}

/// The text of `*text*` where that is the whole pattern.
fn contained(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix('*')?.strip_suffix('*')?;
    (!inner.is_empty() && !inner.contains(['*', '?', '[', '\\'])).then_some(inner)
}

/// A pattern with wildcards as a regular expression.
fn wildcards(pattern: &str) -> String {
    let mut regex = String::from("^");
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str("(?s:.*)"),
            '?' => regex.push_str("(?s:.)"),
            c => regex.push_str(&regex_lite::escape(&c.to_string())),
        }
    }
    regex.push('$');
    regex
}

/// Milliseconds, written with a unit or without.
fn duration(text: &str) -> Option<u64> {
    match text.parse::<u64>() {
        Ok(millis) => Some(millis),
        Err(_) => span::go(text),
    }
}

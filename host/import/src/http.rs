//! What checks of the web have in common in all systems.

use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::Field;
use crate::report::Place;
use crate::secrets::{sounds_secret, text_seems_secret};

/// The status codes that count as good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codes([bool; 600]);

impl Codes {
    /// Every code from 100 to 599.
    pub(crate) fn all() -> Self {
        let mut codes = [true; 600];
        codes.iter_mut().take(100).for_each(|it| *it = false);
        Self(codes)
    }

    /// No code.
    pub(crate) fn none() -> Self {
        Self([false; 600])
    }

    /// Adds the codes from one to another, both included.
    pub(crate) fn add(&mut self, first: i64, last: i64) {
        for code in first.max(100)..=last.min(599) {
            if let Some(slot) = usize::try_from(code).ok().and_then(|it| self.0.get_mut(it)) {
                *slot = true;
            }
        }
    }

    /// Keeps the codes for which something holds.
    pub(crate) fn retain(&mut self, holds: impl Fn(i64) -> bool) {
        for (code, slot) in (0_i64..).zip(self.0.iter_mut()) {
            *slot &= holds(code);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    /// As `expect.status` is written: codes, classes and ranges.
    pub(crate) fn written(&self) -> Term {
        let mut terms: Vec<Term> = Vec::new();
        let mut start = None;
        for code in 0..=600_usize {
            let is_in = self.0.get(code).copied().unwrap_or(false);
            match (start, is_in) {
                (None, true) => start = Some(code),
                (Some(first), false) => {
                    terms.extend(range(first, code - 1));
                    start = None;
                }
                _ => {}
            }
        }
        Term::List(terms)
    }
}

/// A range of codes; one of whole classes as these.
fn range(first: usize, last: usize) -> Vec<Term> {
    if first == last {
        return vec![i64::try_from(first).map_or_else(|_| first.to_string().into(), Term::Integer)];
    }
    if first.is_multiple_of(100) && last % 100 == 99 {
        let classes = first / 100..=last / 100;
        return classes.map(|class| format!("{class}xx").into()).collect();
    }
    vec![format!("{first}-{last}").into()]
}

/// One status code, class or range, as others write them: `200`, `2xx`,
/// `200-299`.
pub(crate) fn codes(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    let (first, last) = if let Some((first, last)) = text.split_once('-') {
        (first.trim().parse().ok()?, last.trim().parse().ok()?)
    } else if let Some(class) = text.to_ascii_lowercase().strip_suffix("xx") {
        let class: i64 = class.parse().ok()?;
        (class.checked_mul(100)?, class.checked_mul(100)? + 99)
    } else {
        let code = text.parse().ok()?;
        (code, code)
    };
    let sensible = (100..=599).contains(&first) && (first..=599).contains(&last);
    sensible.then_some((first, last))
}

/// The headers of a request. Those that look like secrets become variables.
pub(crate) fn header(
    name: &str,
    value: &str,
    words: &str,
    config: &mut Keys,
    place: &Place,
    cx: &mut Context<'_>,
) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        cx.lost(place, "this is no name of a header");
        return;
    }
    let term = if sounds_secret(name) {
        cx.secret(&format!("{words} {name}"), value, place)
    } else {
        Some(cx.text(value, place))
    };
    if let Some(term) = term {
        config.set_named("headers", name, term);
    }
}

/// The headers of a table of texts.
pub(crate) fn headers(field: &Field<'_>, words: &str, config: &mut Keys, cx: &mut Context<'_>) {
    let Some(mut table) = field.table(cx) else {
        return;
    };
    for (name, field) in table.take_rest() {
        if let Some(value) = field.text(cx) {
            header(name, &value, words, config, &field.place, cx);
        }
    }
}

/// A request's body: as a secret where it seems to hold one.
pub(crate) fn body(text: &str, words: &str, place: &Place, cx: &mut Context<'_>) -> Option<Term> {
    if text.is_empty() {
        return None;
    }
    if text_seems_secret(text) {
        cx.differs(
            place,
            "the body seems to hold a secret: all of it is taken from a variable",
        );
        return cx.secret(&format!("{words} body"), text, place);
    }
    Some(cx.text(text, place))
}

/// A regular expression of another engine; reported where ours, which knows
/// neither Unicode classes nor looking around, cannot read it.
pub(crate) fn pattern(text: &str, place: &Place, cx: &mut Context<'_>) -> Option<Term> {
    if regex_lite::Regex::new(text).is_err() {
        cx.lost(
            place,
            "the regular expression uses what ours do not have: write it anew",
        );
        return None;
    }
    Some(cx.text(text, place))
}

/// A regular expression that matches the text and nothing else.
pub(crate) fn exactly(text: &str) -> String {
    format!("^{}$", regex_lite::escape(text))
}

#[cfg(test)]
mod tests {
    use super::{Codes, codes};
    use crate::draft::Term;

    #[test]
    fn codes_are_written_short() {
        let mut some = Codes::none();
        some.add(200, 299);
        some.add(301, 301);
        some.add(401, 403);
        assert_eq!(
            some.written(),
            Term::List(vec!["2xx".into(), Term::Integer(301), "401-403".into()])
        );
        let mut most = Codes::all();
        most.retain(|code| code < 300);
        assert_eq!(most.written(), Term::List(vec!["1xx".into(), "2xx".into()]));
        most.retain(|_| false);
        assert!(most.is_empty());
    }

    #[test]
    fn codes_are_read() {
        assert_eq!(codes("2xx"), Some((200, 299)));
        assert_eq!(codes(" 200 - 204"), Some((200, 204)));
        assert_eq!(codes("404"), Some((404, 404)));
        for wrong in ["", "abc", "99", "600", "300-200", "9999999999999999999xx"] {
            assert_eq!(codes(wrong), None, "{wrong}");
        }
    }
}

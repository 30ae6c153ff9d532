//! Which queues are looked at, and how they are asked for.

use watchkeeper_sdk::Stop;

use crate::api::Api;
use crate::look::Look;
use crate::queue::{Queue, Rules, shortened};

/// The longest filter that is sent along: a request's first line has room for
/// 8,000 bytes, and a filter may become three times as long by its encoding.
const FILTER_LENGTH: usize = 2000;

/// Queues of one virtual host.
#[derive(Debug)]
pub(crate) struct Selection {
    vhost: String,
    /// Sorted, each once.
    names: Vec<String>,
    pattern: Option<Pattern>,
}

/// What names must match as a whole: `*` stands for any characters.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Vec<char>);

impl Selection {
    /// None where nothing is selected.
    pub(crate) fn new(vhost: String, names: Vec<String>, pattern: Option<Pattern>) -> Option<Self> {
        (!names.is_empty() || pattern.is_some()).then_some(Self {
            vhost,
            names,
            pattern,
        })
    }

    /// Asks for all its queues and judges them.
    pub(crate) fn look(&self, api: &mut Api, rules: &Rules) -> Result<Look, Stop> {
        if let ([name], None) = (self.names.as_slice(), &self.pattern) {
            let mut look = Look::at_one();
            match api.queue(&self.vhost, name)? {
                Some(queue) => look.add(&queue, rules, true),
                None => look.missing(self.no_queue(name)),
            }
            return Ok(look);
        }
        let found = api.queues(&self.vhost, self.filter().as_deref(), |name| {
            self.selects(name)
        })?;
        Ok(self.judge(&found, rules))
    }

    fn judge(&self, found: &[Queue], rules: &Rules) -> Look {
        let mut look = Look::default();
        for name in &self.names {
            if !found.iter().any(|queue| queue.name == *name) {
                look.missing(self.no_queue(name));
            }
        }
        if let Some(pattern) = &self.pattern
            && !found.iter().any(|queue| pattern.matches(&queue.name))
        {
            let (pattern, vhost) = (pattern.to_text(), &self.vhost);
            look.missing(format!(
                "no queue of virtual host {vhost} matches {pattern}"
            ));
        }
        for queue in found {
            look.add(queue, rules, self.is_named(&queue.name));
        }
        look
    }

    fn no_queue(&self, name: &str) -> String {
        format!(
            "no queue {} in virtual host {}",
            shortened(name),
            self.vhost
        )
    }

    fn is_named(&self, name: &str) -> bool {
        self.names
            .binary_search_by(|named| named.as_str().cmp(name))
            .is_ok()
    }

    fn selects(&self, name: &str) -> bool {
        self.is_named(name)
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.matches(name))
    }

    /// A regular expression that the broker can narrow its list with. It may let
    /// more through, as the broker knows no case: what it lets through is
    /// compared again. None where it would be too long.
    fn filter(&self) -> Option<String> {
        let names = self.names.iter().map(|name| quoted(name));
        let pattern = self.pattern.iter().map(Pattern::to_regex);
        let any = names.chain(pattern).collect::<Vec<_>>().join("|");
        (any.len() <= FILTER_LENGTH).then(|| format!("^({any})$"))
    }
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// Whether the whole of `name` matches. Takes at most the product of both
    /// lengths in steps.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_slice(), name.chars().collect::<Vec<_>>());
        let (mut at, mut read) = (0, 0);
        // Behind the last `*`, and where the name went on from there.
        let mut again = None;
        while let Some(character) = name.get(read) {
            match pattern.get(at) {
                Some('*') => {
                    at += 1;
                    again = Some((at, read));
                }
                Some(wanted) if wanted == character => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((after, from)) = again else {
                        return false;
                    };
                    // The `*` takes one more.
                    again = Some((after, from + 1));
                    at = after;
                    read = from + 1;
                }
            }
        }
        pattern.iter().skip(at).all(|rest| *rest == '*')
    }

    fn to_text(&self) -> String {
        self.0.iter().collect()
    }

    fn to_regex(&self) -> String {
        let text = self.to_text();
        text.split('*').map(quoted).collect::<Vec<_>>().join(".*")
    }
}

/// A regular expression that matches `text` alone.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use watchkeeper_sdk::Reading;

    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("mail.*", "mail.out", true),
            ("mail.*", "mail.", true),
            ("mail.*", "mail", false),
            ("mail.*", "e-mail.out", false),
            ("*", "", true),
            ("*.dead", "mail.dead.dead", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("Mail", "mail", false),
            ("m?il", "mail", false),
            ("ü*", "über", true),
            ("", "", true),
            ("", "a", false),
        ] {
            let found = Pattern::new(pattern).matches(name);
            assert_eq!(found, expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_broker_gets_a_filter_that_fits() {
        let selection = |names: &[&str], pattern: Option<&str>| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Selection::new("/".to_owned(), names, pattern.map(Pattern::new)).unwrap()
        };
        assert_eq!(
            selection(&["a.b", "c"], Some("mail-*")).filter().unwrap(),
            r"^(a\.b|c|mail\-.*)$"
        );
        let long = "x".repeat(255);
        let names = vec![long.as_str(); 10];
        assert_eq!(selection(&names, None).filter(), None);
    }

    #[test]
    fn what_is_not_there_is_dead() {
        let queue = |name: &str| Queue {
            name: name.to_owned(),
            messages_ready: Some(1),
            messages_unacknowledged: Some(2),
            ..Queue::default()
        };
        let check = |pattern: &str, found: &[Queue], expected: &str| {
            let names = vec!["a".to_owned(), "b".to_owned()];
            let selection = Selection::new("/".to_owned(), names, Some(Pattern::new(pattern)));
            let look = selection.unwrap().judge(found, &Rules::default());
            let reading = look.verdict(Reading::healthy()).unwrap();
            let sums: Vec<f64> = reading.measurements.iter().map(|it| it.value).collect();
            let found = format!("{} {sums:?}", reading.reason.unwrap_or_default());
            assert_eq!(found, expected);
        };
        check(
            "c*",
            &[queue("a"), queue("b"), queue("c1")],
            " [3.0, 6.0, 0.0, 3.0]",
        );
        check(
            "c*",
            &[queue("b")],
            "no queue a in virtual host /; no queue of virtual host / matches c* [1.0, 2.0, 0.0, 1.0]",
        );
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_and_its_ends(name in "[ab*]{0,8}", rest in "[ab]{0,8}") {
            let plain = name.replace('*', "");
            prop_assert!(Pattern::new(&plain).matches(&plain));
            let (begins, ends) = (format!("{plain}*"), format!("*{plain}"));
            prop_assert!(Pattern::new(&begins).matches(&(plain.clone() + &rest)));
            prop_assert!(Pattern::new(&ends).matches(&(rest + &plain)));
            // No pattern takes for ever.
            Pattern::new(&name.repeat(20)).matches(&plain.repeat(20));
        }
    }
}

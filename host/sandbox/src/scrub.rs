//! Takes secrets out of whatever a plugin says.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What stands where a secret stood.
const MASK: &str = "****";

/// Lines of a secret shorter than this are not taken for secrets of their own:
/// half the words of a text would be masked.
const SHORTEST_LINE: usize = 8;

/// The shortest secret that is masked wherever it stands, in characters. A shorter
/// one is part of every other word (`p`, `on`, `api`), so that masking it there
/// would make reasons unreadable, and it is guessed in no time: there is nothing
/// to protect. It is masked where it stands as a word, and its encodings, which
/// would be found in innocent text, are not looked for.
const SHORTEST_HIDDEN: usize = 4;

/// The shortest path of a secret address that is masked by itself, in bytes:
/// shorter ones are ordinary words.
const SHORTEST_PATH: usize = 8;

/// Replaces every secret of a set, in the forms in which programs print them, by
/// `****`. Cheap to clone; costs nothing when the set is empty.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// Longest first, so that a form that contains another is masked whole.
    forms: Option<Arc<[Box<str>]>>,
}

/// Whether `secret` is long enough to be masked wherever it stands. A shorter one,
/// of less than four characters, is masked only where it stands as a word.
pub fn is_hidden_everywhere(secret: &str) -> bool {
    secret.chars().nth(SHORTEST_HIDDEN - 1).is_some()
}

impl Scrubber {
    /// A scrubber of `secrets`: as they are, percent-encoded (RFC 3986, and as a
    /// form with `+`), in base64 (also inside a longer text, as `user:password`
    /// is in HTTP's basic authentication), in hexadecimal, and escaped as JSON;
    /// and each longer line of a secret of several lines. One that is too short
    /// ([`is_hidden_everywhere`]) is masked only where it stands as a word.
    pub fn new<I>(secrets: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut forms = Vec::new();
        for secret in secrets {
            let secret = secret.as_ref();
            add_forms(secret, &mut forms);
            if secret.contains('\n') {
                for line in secret.lines().map(str::trim) {
                    if line.len() >= SHORTEST_LINE {
                        add_forms(line, &mut forms);
                    }
                }
            }
        }
        forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self {
            forms: (!forms.is_empty()).then(|| forms.into()),
        }
    }

    /// `text` without the secrets.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in self.forms.iter().flat_map(|forms| forms.iter()) {
            if !text.contains(&**form) {
                continue;
            }
            if is_hidden_everywhere(form) {
                text = Cow::Owned(text.replace(&**form, MASK));
            } else if let Some(masked) = without_word(&text, form) {
                text = Cow::Owned(masked);
            }
        }
        text
    }
}

/// `text` with `word` masked wherever no letter or digit stands beside it; none
/// where it stands nowhere so.
fn without_word(text: &str, word: &str) -> Option<String> {
    let mut masked = String::new();
    let mut rest = text;
    let mut before = None;
    let mut found = false;
    while let Some((head, tail)) = rest.split_once(word) {
        let left = head.chars().next_back().or(before);
        let right = tail.chars().next();
        let joins = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        masked.push_str(head);
        if joins(left) || joins(right) {
            masked.push_str(word);
        } else {
            masked.push_str(MASK);
            found = true;
        }
        before = word.chars().next_back();
        rest = tail;
    }
    masked.push_str(rest);
    found.then_some(masked)
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(****)")
    }
}

fn add_forms(secret: &str, forms: &mut Vec<Box<str>>) {
    // Stars show nothing, and masks consist of them.
    if secret.chars().all(|character| character == '*') {
        return;
    }
    forms.push(secret.into());
    if !is_hidden_everywhere(secret) {
        return;
    }
    // Whoever dials an address may write its scheme and host in another way; what
    // makes it secret comes after them.
    let after_host = secret
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .and_then(|(_, path)| path.split('#').next());
    if let Some(path) = after_host.filter(|path| path.len() >= SHORTEST_PATH) {
        forms.push(path.into());
    }
    let bytes = secret.as_bytes();
    for upper in [true, false] {
        let percent = percent_encoded(bytes, upper);
        forms.push(percent.replace("%20", "+").into());
        forms.push(percent.into());
    }
    let hex: String = bytes.iter().flat_map(|byte| digits(*byte)).collect();
    forms.push(hex.to_uppercase().into());
    forms.push(hex.into());
    let json = serde_json::Value::from(secret).to_string();
    let inner = json
        .strip_prefix('"')
        .and_then(|json| json.strip_suffix('"'));
    forms.push(inner.unwrap_or(&json).into());
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.push(engine.encode(bytes).into());
        // Inside a longer text the secret begins at one of three positions of a
        // group of three bytes; what its neighbours share with it is left out.
        for skipped in 0..3 {
            let whole = bytes.get(skipped..).unwrap_or_default();
            let whole = whole.get(..whole.len() / 3 * 3).unwrap_or_default();
            if whole.len() >= SHORTEST_LINE {
                forms.push(engine.encode(whole).into());
            }
        }
    }
}

/// Everything but RFC 3986's unreserved characters as `%41`.
fn percent_encoded(bytes: &[u8], upper: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in digits(byte) {
                text.push(if upper {
                    digit.to_ascii_uppercase()
                } else {
                    digit
                });
            }
        }
    }
    text
}

/// The two lower-case hexadecimal digits of a byte.
fn digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15]
        .map(|digit| char::from_digit(digit.into(), 16).expect("four bits are a hexadecimal digit"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(secret: &str, said: &str, shown: &str) {
        assert_eq!(Scrubber::new([secret]).scrub(said), shown);
    }

    #[test]
    fn masks_the_forms_that_programs_print() {
        check(
            "hunter2!",
            "password hunter2! refused",
            "password **** refused",
        );
        check("a b/c?d", "GET /?k=a%20b%2Fc%3Fd", "GET /?k=****");
        check("a b/c?d", "GET /?k=a+b%2fc%3fd", "GET /?k=****");
        check("say \"hi\"", r#"{"k":"say \"hi\""}"#, r#"{"k":"****"}"#);
        check("hunter2!", "68756e7465723221", "****");
        check("hunter2!", "aHVudGVyMiE=", "****=");
    }

    #[test]
    fn masks_a_password_in_basic_authentication() {
        let scrubber = Scrubber::new(["correct horse battery"]);
        for user in ["a", "ab", "abc", "abcd"] {
            let header = base64::engine::general_purpose::STANDARD
                .encode(format!("{user}:correct horse battery"));
            let shown = scrubber.scrub(&header).into_owned();
            assert!(shown.contains(MASK), "{user}: {shown}");
            let rest = shown.replace(MASK, "");
            assert!(rest.len() <= 12, "{user}: {rest} says too much");
        }
    }

    #[test]
    fn masks_each_line_of_a_key() {
        let key = "-----BEGIN KEY-----\nMIIBVgIBADANBgkq\n-----END KEY-----";
        check(key, "line 2 is MIIBVgIBADANBgkq", "line 2 is ****");
    }

    #[test]
    fn a_short_secret_is_masked_only_as_a_word() {
        check("p", "http: p is up", "http: **** is up");
        check("p", "user:p@host, p, (p)", "user:****@host, ****, (****)");
        check("api", "api of apiary: /api/v1", "**** of apiary: /****/v1");
        check("no", "no answer: nobody, no", "**** answer: nobody, ****");
        check("é", "é été", "**** été");
        check("aa", "aaa aaaa aa", "aaa aaaa ****");
        check("p1", "cDE= 7031 p1", "cDE= 7031 ****");
        check("test", "latest", "la****");
        check("*", "a * b ****", "a * b ****");
    }

    #[test]
    fn four_characters_are_hidden_everywhere() {
        for (secret, hidden) in [("", false), ("abc", false), ("äöü", false), ("abcd", true)] {
            assert_eq!(is_hidden_everywhere(secret), hidden, "{secret}");
        }
    }

    #[test]
    fn an_empty_set_and_an_empty_secret_change_nothing() {
        assert_eq!(Scrubber::default().scrub("text"), "text");
        check("", "text", "text");
    }

    proptest! {
        #[test]
        fn no_secret_survives(secret in "[^*]{4,40}", before in ".{0,20}", after in ".{0,20}") {
            let shown = Scrubber::new([&secret]).scrub(&format!("{before}{secret}{after}")).into_owned();
            prop_assert!(!shown.contains(&secret), "{shown:?} contains {secret:?}");
        }

        #[test]
        fn no_short_secret_survives_as_a_word(
            secret in "[a-z0-9]{1,3}",
            before in "(.{0,20}[ :/@])?",
            after in "([ :/@].{0,20})?",
        ) {
            let shown = Scrubber::new([&secret]).scrub(&format!("{before}{secret}{after}")).into_owned();
            let expected = format!("{before}{MASK}{after}");
            // The same again in what is around it is masked as well, or is part of a word.
            if !before.contains(&secret) && !after.contains(&secret) {
                prop_assert_eq!(shown, expected);
            } else {
                prop_assert!(shown.contains(MASK));
            }
        }
    }
}

//! Sets of records, compared as people mean them.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

/// How many records a reason lists.
const LISTED: usize = 5;

/// The records that must be there, each as in a zone file: `192.0.2.1`,
/// `10 mail.example.com`. A final dot and, in names, the case do not matter; a
/// TXT record is written without quotes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// All of these, and perhaps others.
    pub contains: Option<Vec<String>>,
    /// These and no others; an empty list: none at all.
    pub exactly: Option<Vec<String>>,
    /// One of these at least.
    pub any: Option<Vec<String>>,
}

impl Answers {
    /// What is wrong with the records `found` of this kind; none: nothing is.
    /// `succeeded` says whether the response code lets one expect any.
    pub(crate) fn fault(&self, kind: &str, found: &[&str], succeeded: bool) -> Option<String> {
        let given: Vec<String> = found.iter().map(|data| normal(kind, data)).collect();
        let there = |wanted: &String| given.contains(&normal(kind, wanted));
        let got = || {
            if given.is_empty() {
                "got none".to_owned()
            } else {
                format!("got {}", listed(&given))
            }
        };
        let wanted = self.contains.iter().chain(&self.exactly).flatten();
        let missing: Vec<String> = wanted.filter(|wanted| !there(wanted)).cloned().collect();
        if !missing.is_empty() {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            return Some(format!("{} {verb} missing, {}", listed(&missing), got()));
        }
        if let Some(exactly) = &self.exactly {
            let exactly: Vec<String> = exactly.iter().map(|data| normal(kind, data)).collect();
            let others: Vec<String> = given
                .iter()
                .filter(|data| !exactly.contains(data))
                .cloned()
                .collect();
            return (!others.is_empty()).then(|| format!("{} not expected", listed(&others)));
        }
        if let Some(any) = &self.any
            && !any.iter().any(there)
        {
            return Some(format!("expected one of {}, {}", listed(any), got()));
        }
        (given.is_empty() && succeeded).then(|| "no records".to_owned())
    }
}

fn listed(data: &[String]) -> String {
    let mut text = data
        .iter()
        .take(LISTED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if data.len() > LISTED {
        text += " and ";
        text += &(data.len() - LISTED).to_string();
        text += " more";
    }
    text
}

/// The form in which two ways to write the same data are equal.
fn normal(kind: &str, data: &str) -> String {
    let data = data.trim();
    match kind {
        "A" | "AAAA" => data
            .parse::<IpAddr>()
            .map_or_else(|_| data.to_owned(), |ip| ip.to_string()),
        "TXT" | "SPF" => unquoted(data),
        // What else holds case-sensitive data: keys and hashes in base64.
        "DNSKEY" | "CDNSKEY" | "KEY" | "RRSIG" | "OPENPGPKEY" | "CAA" | "NAPTR" => data.to_owned(),
        _ => data
            .split_whitespace()
            .map(|word| word.strip_suffix('.').unwrap_or(word).to_ascii_lowercase())
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// The text of a TXT record's character strings, one after the other (RFC 7208
/// section 3.3), with its escapes (RFC 1035 section 5.1) resolved.
fn unquoted(data: &str) -> String {
    if !data.starts_with('"') {
        return data.to_owned();
    }
    let mut bytes = Vec::with_capacity(data.len());
    let mut within = false;
    let mut characters = data.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => within = !within,
            '\\' => {
                let mut ahead = characters.clone();
                let digits: String = ahead.by_ref().take(3).collect();
                match digits.parse::<u8>() {
                    Ok(byte) if digits.len() == 3 => {
                        bytes.push(byte);
                        characters = ahead;
                    }
                    Ok(_) | Err(_) => push(characters.next(), &mut bytes),
                }
            }
            character if within => push(Some(character), &mut bytes),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn push(character: Option<char>, bytes: &mut Vec<u8>) {
    if let Some(character) = character {
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answers: &str, kind: &str, found: &[&str], expected: &str) {
        let answers: Answers = watchkeeper_sdk::config::parse(answers).unwrap();
        assert_eq!(
            answers.fault(kind, found, true).unwrap_or_default(),
            expected
        );
    }

    #[test]
    fn sets_are_compared() {
        let two = ["192.0.2.1", "192.0.2.2"];
        check("{}", "A", &two, "");
        check("{}", "A", &[], "no records");
        check(r#"{"contains":["192.0.2.2"]}"#, "A", &two, "");
        check(
            r#"{"contains":["192.0.2.3","192.0.2.4"]}"#,
            "A",
            &[],
            "192.0.2.3, 192.0.2.4 are missing, got none",
        );
        check(r#"{"exactly":["192.0.2.2","192.0.2.1"]}"#, "A", &two, "");
        check(
            r#"{"exactly":["192.0.2.1"]}"#,
            "A",
            &two,
            "192.0.2.2 not expected",
        );
        check(r#"{"exactly":[]}"#, "A", &[], "");
        check(r#"{"any":["192.0.2.9","192.0.2.1"]}"#, "A", &two, "");
        check(
            r#"{"any":["192.0.2.9"]}"#,
            "A",
            &two,
            "expected one of 192.0.2.9, got 192.0.2.1, 192.0.2.2",
        );
    }

    #[test]
    fn ways_to_write_the_same_are_equal() {
        check(
            r#"{"exactly":["2001:DB8:0::1"]}"#,
            "AAAA",
            &["2001:db8::1"],
            "",
        );
        check(
            r#"{"exactly":["10 Mail.example.com"]}"#,
            "MX",
            &["10 mail.example.com."],
            "",
        );
        check(
            r#"{"exactly":["v=spf1 -all"]}"#,
            "TXT",
            &[r#""v=spf1 -" "all""#],
            "",
        );
        check(r#"{"exactly":["a\"é"]}"#, "TXT", &[r#""a\"\195\169""#], "");
        check(
            r#"{"exactly":["Key"]}"#,
            "TXT",
            &[r#""key""#],
            "Key is missing, got key",
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let found = ["1", "2", "3", "4", "5", "6", "7"];
        check(
            r#"{"exactly":[]}"#,
            "NS",
            &found,
            "1, 2, 3, 4, 5 and 2 more not expected",
        );
    }
}

//! Spans of time as people write them: `500ms`, `30s`, `1m30s`, `2h`, `14d`.

use std::time::Duration;

/// The units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Every text that [`parse`] takes matches this regular expression; the only
/// other text that does is the empty one.
pub(crate) const PATTERN: &str = "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

/// Reads whole numbers, each with its unit, larger units first, each unit once.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let name_length = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (name, after) = tail.split_at_checked(name_length)?;
        // The search goes on where it stopped, so that a unit after a smaller
        // or equal one is not found.
        let (_, factor) = units.find(|(unit, _)| *unit == name)?;
        millis = millis.checked_add(digits.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    Some(Duration::from_millis(millis))
}

/// The text that [`parse`] reads as `span`, rounded down to a millisecond.
pub(crate) fn display(span: Duration) -> String {
    let mut millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let parts = UNITS.into_iter().map(|(unit, factor)| {
        let count = millis / factor;
        millis %= factor;
        if count > 0 {
            format!("{count}{unit}")
        } else {
            String::new()
        }
    });
    let text: String = parts.collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("14d", 1_209_600_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
            ("90s", 90_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "1.5s",
            "30 s",
            "-1s",
            "+1s",
            "1s1m",
            "1s1s",
            "1min",
            "1S",
            "1w",
            "٣s",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_read_again(millis in any::<u64>()) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse(&display(span)), Some(span));
        }
    }
}

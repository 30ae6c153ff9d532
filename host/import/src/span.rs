//! Spans of time in the notations of others and in ours.

use std::fmt::Write as _;

/// A span as the native configuration writes it: `1m30s`.
pub(crate) fn written(millis: u64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
        (1, "ms"),
    ];
    let mut rest = millis;
    let mut text = String::new();
    for (size, unit) in units {
        if rest >= size {
            write!(text, "{}{unit}", rest / size).expect("a string takes everything");
            rest %= size;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Milliseconds of a span of Go's notation: `1h45m`, `1.5s`, `300ms`. Rounded up
/// to a millisecond; none where it is no such span, or negative.
pub(crate) fn go(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    rest = rest.strip_prefix('+').unwrap_or(rest);
    if rest == "0" {
        return Some(0);
    }
    let mut nanos = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, next) = behind.split_at(letters);
        let size = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3_600e9,
            _ => return None,
        };
        nanos += number.parse::<f64>().ok()? * size;
        rest = next;
    }
    if text.trim().is_empty() {
        return None;
    }
    from_nanos(nanos)
}

/// Milliseconds of nanoseconds, rounded up.
pub(crate) fn from_nanos(nanos: f64) -> Option<u64> {
    from_seconds(nanos / 1e9)
}

/// Milliseconds of seconds, rounded up; none where that makes no sense.
pub(crate) fn from_seconds(seconds: f64) -> Option<u64> {
    // Ten thousand years, beyond any bound of a configuration.
    let sensible = (0.0..=3.2e11).contains(&seconds);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative and far below 2^53"
    )]
    sensible
        .then(|| (seconds * 1e6).round() as u64)
        .map(|micros| micros.div_ceil(1_000))
}

#[cfg(test)]
mod tests {
    use super::{from_seconds, go, written};

    #[test]
    fn spans_are_read_and_written() {
        for (text, millis, ours) in [
            ("1h45m", 6_300_000, "1h45m"),
            ("1.5s", 1_500, "1s500ms"),
            ("300ms", 300, "300ms"),
            ("48h", 172_800_000, "2d"),
            ("0", 0, "0s"),
            ("100us", 1, "1ms"),
        ] {
            assert_eq!(go(text), Some(millis), "{text}");
            assert_eq!(written(millis), ours);
        }
        for wrong in [
            "",
            "5",
            "5 s",
            "-3s",
            "h",
            "1.2.3s",
            "1d",
            "99999999999999999999h",
        ] {
            assert_eq!(go(wrong), None, "{wrong}");
        }
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(0.8), Some(800));
    }
}

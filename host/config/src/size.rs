//! Sizes as people write them: `64MiB`, `1 KiB`, `10MB`.

/// The units with their bytes; binary ones with an `i`, as IEC 80000-13 says.
const UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Every text that [`parse`] takes matches this regular expression.
pub(crate) const PATTERN: &str = "^[0-9]+ ?(GiB|GB|MiB|MB|KiB|KB|kB|B)$";

/// Reads a whole number and its unit, with or without one space between.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The shortest text that [`parse`] reads as `bytes`.
pub(crate) fn display(bytes: u64) -> String {
    let (unit, factor) = UNITS
        .iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("64MiB", 67_108_864),
            ("1 KiB", 1024),
            ("10MB", 10_000_000),
            ("0B", 0),
            ("7 kB", 7000),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in [
            "",
            "64",
            "MiB",
            "1.5MiB",
            "1  KiB",
            "1mb",
            "-1B",
            "99999999999GiB",
            "1 TiB",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_read_again(bytes in any::<u64>()) {
            prop_assert_eq!(parse(&display(bytes)), Some(bytes));
        }
    }
}

//! Statuspage's identifiers: twelve small letters and digits that stay the same.

use sha2::{Digest as _, Sha256};

const LENGTH: usize = 12;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The identifier of the thing of this kind that is called `name` here.
pub(super) fn of(kind: &str, name: &str) -> String {
    let digest = Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(name)
        .finalize();
    let start = digest.first_chunk().copied().unwrap_or_default();
    let mut number = u64::from_be_bytes(start);
    let digits = (0..LENGTH).filter_map(|_| {
        let digit = usize::try_from(number % 36).ok()?;
        number /= 36;
        DIGITS.get(digit).map(|byte| char::from(*byte))
    });
    digits.collect()
}

/// That of an incident: its number, which is its address as well, with zeros before
/// it.
pub(super) fn incident(number: &str) -> String {
    format!("{number:0>LENGTH$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_small_letters_and_digits() {
        for name in ["api", "api/rest", "", "ü"] {
            let id = of("component", name);
            let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(id.len() == 12 && id.bytes().all(fine), "{id}");
            assert_eq!(id, of("component", name));
            assert_ne!(id, of("page", name));
        }
        assert_ne!(of("a", "b"), of("ab", ""));
        assert_eq!(incident("214"), "000000000214");
    }
}

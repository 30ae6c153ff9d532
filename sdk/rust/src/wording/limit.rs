//! How long a text may be, and texts cut to it.

/// What a service counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Unicode code points.
    Chars,
    /// UTF-16 units: two for a character beyond U+FFFF. What services written in
    /// JavaScript, Java or C# mean by characters.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

/// The most that a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    most: usize,
    measure: Measure,
}

impl Limit {
    /// So many code points.
    pub const fn chars(most: usize) -> Self {
        Self {
            most,
            measure: Measure::Chars,
        }
    }

    /// So many UTF-16 units.
    pub const fn utf16(most: usize) -> Self {
        Self {
            most,
            measure: Measure::Utf16,
        }
    }

    /// So many bytes of UTF-8.
    pub const fn bytes(most: usize) -> Self {
        Self {
            most,
            measure: Measure::Bytes,
        }
    }

    /// The number.
    pub const fn most(self) -> usize {
        self.most
    }

    /// The same measure, another number.
    #[must_use]
    pub const fn with(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// How much of it `text` uses.
    pub fn size(self, text: &str) -> usize {
        match self.measure {
            Measure::Chars => text.chars().count(),
            Measure::Utf16 => text.encode_utf16().count(),
            Measure::Bytes => text.len(),
        }
    }

    /// Whether `text` is within it.
    pub fn holds(self, text: &str) -> bool {
        self.size(text) <= self.most
    }

    /// `text`, if it is within the limit; otherwise its beginning and `…`, both
    /// within the limit and cut between two characters.
    pub fn cut(self, text: &str) -> String {
        self.cut_as(text, |c, out| out.push(c))
    }

    /// As [`cut`](Self::cut), of the text that `write` makes of each character:
    /// what it writes for one stays whole.
    pub(crate) fn cut_as(self, text: &str, mut write: impl FnMut(char, &mut String)) -> String {
        let ellipsis = self.size(ELLIPSIS);
        let mut out = String::new();
        let mut used = 0;
        // Where to cut, should it become too long.
        let mut fits = 0;
        for c in text.chars() {
            let before = out.len();
            write(c, &mut out);
            used += self.size(out.get(before..).unwrap_or_default());
            if used > self.most {
                out.truncate(fits);
                if ellipsis <= self.most {
                    out.push_str(ELLIPSIS);
                }
                return out;
            }
            if used + ellipsis <= self.most {
                fits = out.len();
            }
        }
        out
    }
}

/// What stands for the rest of a text.
const ELLIPSIS: &str = "…";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_stays_and_the_rest_is_an_ellipsis() {
        for (limit, text, expected) in [
            (Limit::chars(3), "abc", "abc"),
            (Limit::chars(3), "abcd", "ab…"),
            (Limit::chars(1), "abcd", "…"),
            (Limit::chars(0), "abcd", ""),
            (Limit::utf16(3), "😀😀", "😀…"),
            (Limit::bytes(6), "äöü", "äöü"),
            (Limit::bytes(5), "äöü", "ä…"),
            (Limit::bytes(2), "äöü", ""),
        ] {
            assert_eq!(limit.cut(text), expected, "{limit:?}");
        }
    }

    proptest! {
        #[test]
        fn no_cut_is_too_long(text in "\\PC*", most in 0_usize..40) {
            for limit in [Limit::chars(most), Limit::utf16(most), Limit::bytes(most)] {
                let cut = limit.cut(&text);
                prop_assert!(limit.holds(&cut), "{limit:?} {cut:?}");
                if limit.holds(&text) {
                    prop_assert_eq!(&cut, &text);
                } else {
                    let start = cut.strip_suffix(ELLIPSIS).unwrap_or(&cut);
                    prop_assert!(text.starts_with(start));
                }
            }
        }
    }
}

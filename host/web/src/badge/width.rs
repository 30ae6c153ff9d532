//! How wide a text is, without a font at hand.
//!
//! A badge has to know how wide its texts are before any browser draws them. The
//! widths are the advances of `DejaVu Sans`, whose proportions are Verdana's; the
//! drawing says `textLength`, so that in another font it is fitted.

/// The advances of the characters from space to tilde at 11 px, in tenths of a
/// pixel, read from `DejaVu Sans` 2.37.
const ASCII: [u16; 95] = [
    35, 44, 51, 92, 70, 105, 86, 30, 43, 43, 55, 92, 35, 40, 35, 37, 70, 70, 70, 70, 70, 70, 70,
    70, 70, 70, 37, 37, 92, 92, 92, 58, 110, 75, 75, 77, 85, 70, 63, 85, 83, 32, 32, 72, 61, 95,
    82, 87, 66, 87, 76, 70, 67, 81, 75, 109, 75, 67, 75, 43, 37, 43, 92, 55, 55, 67, 70, 60, 70,
    68, 39, 70, 70, 31, 31, 64, 31, 107, 70, 67, 70, 70, 45, 57, 43, 70, 65, 90, 65, 65, 58, 70,
    37, 70, 92,
];

/// A letter of another alphabet: about the mean of Latin with marks, Greek and
/// Cyrillic.
const LETTER: u16 = 72;

/// A character that fills a square: Chinese, Japanese, Korean, and pictures.
const SQUARE: u16 = 110;

/// The width of `text` at 11 px, in whole pixels, rounded up.
pub(super) fn width(text: &str) -> u32 {
    let tenths: u32 = text.chars().map(|it| u32::from(advance(it))).sum();
    tenths.div_ceil(10)
}

fn advance(character: char) -> u16 {
    let code = u32::from(character);
    match code {
        0x20..=0x7e => usize::try_from(code - 0x20)
            .ok()
            .and_then(|index| ASCII.get(index))
            .copied()
            .unwrap_or(LETTER),
        0xa0 | 0x2009 | 0x202f => 35,
        // Marks that are drawn over the letter before them.
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => SQUARE,
        _ => LETTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        assert_eq!(width(""), 0);
        assert_eq!(width(" "), 4);
        assert_eq!(width("iiii"), 13);
        assert_eq!(width("WWWW"), 44);
        assert_eq!(width("99.98 %"), 46);
        assert_eq!(width("監視"), 22);
        assert_eq!(width("e\u{301}"), width("e"));
    }
}

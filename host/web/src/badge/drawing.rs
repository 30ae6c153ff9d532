//! The drawings.

use askama::Template;

use super::width::width;
use crate::template::Made as _;
use crate::words::Shown;

/// The space beside each text, in pixels.
const PADDING: u32 = 6;

/// A label and what is said of it.
pub(super) struct Badge {
    pub(super) label: String,
    pub(super) message: String,
    pub(super) colour: Colour,
}

/// The colour of a message. White text has a contrast of 4.5 or more on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Green,
    Amber,
    Red,
    Blue,
    Grey,
}

/// The badge of something that is said of the page.
#[derive(Template)]
#[template(path = "badge.svg", escape = "html")]
struct Drawing<'a> {
    label: &'a str,
    message: &'a str,
    colour: &'static str,
    label_width: u32,
    message_width: u32,
    label_text: u32,
    message_text: u32,
}

#[derive(Template)]
#[template(path = "badge_icon.svg", escape = "html")]
struct Icon<'a> {
    word: &'a str,
    colour: &'static str,
    shown: Shown,
}

#[derive(Template)]
#[template(path = "badge_color.svg", escape = "html")]
struct Plain<'a> {
    word: &'a str,
    colour: &'static str,
}

impl Badge {
    pub(super) fn new(label: &str, message: &str, colour: Colour) -> Self {
        Self {
            label: readable(label),
            message: readable(message),
            colour,
        }
    }

    /// As a drawing that is as wide as its texts.
    pub(super) fn svg(&self) -> String {
        let (label_text, message_text) = (width(&self.label), width(&self.message));
        let around = |text: u32| if text == 0 { 0 } else { text + 2 * PADDING };
        Drawing {
            label: &self.label,
            message: &self.message,
            colour: self.colour.hex(),
            label_width: around(label_text),
            message_width: around(message_text),
            label_text,
            message_text,
        }
        .made()
    }
}

/// A picture of how the page is, whose title is one of Vigil's words.
pub(super) fn icon(word: &str, shown: Shown) -> String {
    Icon {
        word,
        colour: Colour::from(shown).hex(),
        shown,
    }
    .made()
}

/// A field of one colour, likewise.
pub(super) fn colour(word: &str, shown: Shown) -> String {
    Plain {
        word,
        colour: Colour::from(shown).hex(),
    }
    .made()
}

impl Colour {
    pub(super) const fn hex(self) -> &'static str {
        match self {
            Self::Green => "#15803d",
            Self::Amber => "#b45309",
            Self::Red => "#b91c1c",
            Self::Blue => "#1d4ed8",
            Self::Grey => "#57606a",
        }
    }
}

impl From<Shown> for Colour {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Operational => Self::Green,
            Shown::Degraded | Shown::Partial => Self::Amber,
            Shown::Major => Self::Red,
            Shown::Maintenance => Self::Blue,
            Shown::NoData | Shown::Paused => Self::Grey,
        }
    }
}

/// Without what XML cannot hold.
fn readable(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_is_as_wide_as_its_texts() {
        let badge = Badge::new("API", "operational", Colour::Green);
        let drawn = badge.svg();
        // A, P and I of DejaVu Sans at 11 px are 7.5, 6.6 and 3.2 px wide.
        assert!(drawn.contains("textLength=\"18\""), "{drawn}");
        assert!(drawn.contains("<title>API: operational</title>"), "{drawn}");
        let wider = Badge::new("API API", "operational", Colour::Green).svg();
        assert!(wider.len() >= drawn.len() && !wider.contains("textLength=\"18\""));
    }

    #[test]
    fn strange_texts_are_text() {
        let badge = Badge::new("</text><script>\u{0}\u{b}", "\"&'", Colour::Red).svg();
        assert!(
            !badge.contains("<script>") && !badge.contains('\u{b}'),
            "{badge}"
        );
        assert!(badge.contains("&#60;script&#62;"), "{badge}");
    }

    #[test]
    fn white_is_readable_on_every_colour() {
        let linear = |part: &str| {
            let part = f64::from(u8::from_str_radix(part, 16).unwrap()) / 255.0;
            if part <= 0.03928 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        for colour in [
            Colour::Green,
            Colour::Amber,
            Colour::Red,
            Colour::Blue,
            Colour::Grey,
        ] {
            let hex = colour.hex();
            let parts = [1..3, 3..5, 5..7].map(|range| linear(hex.get(range).unwrap()));
            let [red, green, blue] = parts;
            let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
            let contrast = 1.05 / (luminance + 0.05);
            assert!(contrast >= 4.5, "{colour:?}: {contrast}");
        }
    }
}

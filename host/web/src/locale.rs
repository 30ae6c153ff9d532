//! The languages of the public pages, one file each below `locales/`, the zone in
//! which they tell times, and how they look.
//!
//! A page is written from its first to its last word in one go, on one thread, by
//! templates and by values that know how to write themselves. Which language and
//! zone they write in is therefore a matter of the thread: [`Locale::speak`] says it
//! for as long as a page is being written, and outside of it everything is written
//! in English and UTC, as programs and operators read it.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, Uri};
use jiff::tz::TimeZone;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Uptime;

use crate::dates::{self, Form, Minutes};
use crate::look::Look;

pub(crate) use self::texts::{Counted, Texts};

mod texts;

/// A language of the public pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Swedish.
    Swedish,
    /// Spanish.
    Spanish,
    /// Japanese.
    Japanese,
}

/// How a page is written: its language, the zone of its times, and its owner's look.
#[derive(Clone, Debug)]
pub(crate) struct Locale {
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
    pub(crate) look: Arc<Look>,
    /// Whether visitors can choose another language of this page.
    pub(crate) is_choosable: bool,
}

static TEXTS: LazyLock<[Texts; 6]> =
    LazyLock::new(|| Language::ALL.map(|language| read(language.file())));

thread_local! {
    static SPOKEN: RefCell<Locale> = RefCell::new(Locale::plain(Language::English));
}

impl Language {
    /// Every language there is a file of.
    pub const ALL: [Self; 6] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Swedish,
        Self::Spanish,
        Self::Japanese,
    ];

    /// Its code in addresses, configuration and HTML (ISO 639-1).
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Swedish => "sv",
            Self::Spanish => "es",
            Self::Japanese => "ja",
        }
    }

    /// The language with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(code))
    }

    pub(crate) fn texts(self) -> &'static Texts {
        let [english, german, french, swedish, spanish, japanese] = &*TEXTS;
        match self {
            Self::English => english,
            Self::German => german,
            Self::French => french,
            Self::Swedish => swedish,
            Self::Spanish => spanish,
            Self::Japanese => japanese,
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::English => include_str!("../locales/en.json"),
            Self::German => include_str!("../locales/de.json"),
            Self::French => include_str!("../locales/fr.json"),
            Self::Swedish => include_str!("../locales/sv.json"),
            Self::Spanish => include_str!("../locales/es.json"),
            Self::Japanese => include_str!("../locales/ja.json"),
        }
    }

    /// The language in which to answer: the one that the address names (`?lang=de`),
    /// or of those `offered` the one that the client likes best; the first of them
    /// where it likes none.
    pub(crate) fn wanted(uri: &Uri, headers: &HeaderMap, offered: &[Self]) -> Self {
        let named = uri.query().and_then(|query| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let (_, code) = pairs.find(|(key, _)| key == "lang")?;
            Self::from_code(&code).filter(|language| offered.contains(language))
        });
        let first = offered.first().copied().unwrap_or_default();
        named.unwrap_or_else(|| liked(headers, offered).unwrap_or(first))
    }
}

/// The language that `Accept-Language` weighs highest, the first of equals (RFC 9110,
/// section 12.5.4). Of `de-AT` only the language counts.
fn liked(headers: &HeaderMap, offered: &[Language]) -> Option<Language> {
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter();
    let items = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let mut best: Option<(f32, Language)> = None;
    for item in items {
        let (range, weight) = crate::negotiate::weighted(item);
        let code = range.split('-').next().unwrap_or_default();
        let Some(language) = Language::from_code(code) else {
            continue;
        };
        let better = best.is_none_or(|(known, _)| weight > known);
        if weight > 0.0 && better && offered.contains(&language) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

impl Locale {
    /// In UTC and without a look of its own.
    pub(crate) fn plain(language: Language) -> Self {
        Self {
            language,
            zone: TimeZone::UTC,
            look: Look::plain(),
            is_choosable: false,
        }
    }

    /// What `write` writes is in this language and tells times in this zone.
    pub(crate) fn speak<T>(&self, write: impl FnOnce() -> T) -> T {
        /// Puts back what was spoken before, whatever `write` does.
        struct Back(Option<Locale>);

        impl Drop for Back {
            fn drop(&mut self) {
                if let Some(before) = self.0.take() {
                    SPOKEN.with(|spoken| spoken.replace(before));
                }
            }
        }

        let before = SPOKEN.with(|spoken| spoken.replace(self.clone()));
        let _back = Back(Some(before));
        write()
    }
}

/// The texts of the language that is spoken.
pub(crate) fn texts() -> &'static Texts {
    language().texts()
}

/// The language that is spoken.
pub(crate) fn language() -> Language {
    SPOKEN.with(|spoken| spoken.borrow().language)
}

/// The zone in which times are told.
pub(crate) fn zone() -> TimeZone {
    SPOKEN.with(|spoken| spoken.borrow().zone.clone())
}

/// The look of the page that is written.
pub(crate) fn look() -> Arc<Look> {
    SPOKEN.with(|spoken| Arc::clone(&spoken.borrow().look))
}

/// Whether visitors can choose another language of the page that is written.
pub(crate) fn is_choosable() -> bool {
    SPOKEN.with(|spoken| spoken.borrow().is_choosable)
}

/// `text` with its `{names}` filled in. One that is not named stays.
pub(crate) fn fill(text: &str, parts: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = parts.iter().find(|(known, _)| *known == name)?;
            Some((*value, after))
        });
        if let Some((value, after)) = known {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

impl Counted {
    /// The text for `count`, which is filled in as `{n}`.
    pub(crate) fn of(&self, count: usize) -> String {
        self.with(count, &[])
    }

    /// As [`Self::of`], with more filled in.
    pub(crate) fn with(&self, count: usize, more: &[(&str, &str)]) -> String {
        let text = if count == 1 { &self.one } else { &self.other };
        let count = count.to_string();
        let mut parts = vec![("n", count.as_str())];
        parts.extend_from_slice(more);
        fill(text, &parts)
    }
}

impl Texts {
    /// What an uptime leaves out, in words.
    pub(crate) fn without_maintenance(&self, minutes: u32) -> String {
        let span = Minutes(minutes.into()).to_string();
        fill(&self.without_maintenance, &[("span", &span)])
    }

    /// An uptime in words.
    pub(crate) fn share(&self, uptime: Uptime) -> String {
        let share = uptime.to_string().replace('.', &self.decimal);
        fill(&self.uptime, &[("share", &share)])
    }

    /// `since` with its two parts.
    pub(crate) fn state_since(&self, state: &str, at: Timestamp) -> String {
        let time = dates::Moment::new(at, Form::Moment).to_string();
        fill(&self.since, &[("state", state), ("time", &time)])
    }

    /// From one time to another, as markup; the end with its date only where that is
    /// another than its beginning's.
    pub(crate) fn spanned(&self, from: Timestamp, to: Timestamp) -> String {
        let form = if dates::shown_day(from) == dates::shown_day(to) {
            Form::Time
        } else {
            Form::Moment
        };
        let from = dates::Moment::new(from, Form::Moment).to_string();
        let to = dates::Moment::new(to, form).to_string();
        fill(&self.from_to, &[("from", &from), ("to", &to)])
    }
}

/// The files are part of the program, and a test reads each.
fn read(file: &str) -> Texts {
    serde_json::from_str(file).expect("a language's file has every text and no other")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    /// The placeholders of a text.
    fn names(text: &str) -> BTreeSet<String> {
        let parts = text.split('{').skip(1);
        parts
            .filter_map(|part| Some(part.split_once('}')?.0.to_owned()))
            .collect()
    }

    /// The texts of a file by their keys, those that are counted by both.
    fn flat(language: Language) -> BTreeMap<String, String> {
        let file: Value = serde_json::from_str(language.file()).unwrap();
        let mut flat = BTreeMap::new();
        for (key, value) in file.as_object().unwrap() {
            match value {
                Value::String(text) => {
                    flat.insert(key.clone(), text.clone());
                }
                Value::Object(counted) => {
                    for (number, text) in counted {
                        let text = text.as_str().unwrap().to_owned();
                        flat.insert(format!("{key} {number}"), text);
                    }
                }
                Value::Array(names) => assert_eq!(names.len(), 12, "{key}"),
                other => panic!("{key} is {other}"),
            }
        }
        flat
    }

    #[test]
    fn every_language_has_every_text_and_every_placeholder() {
        let english = flat(Language::English);
        for language in Language::ALL {
            assert_eq!(language.texts().months_long.len(), 12);
            let own = flat(language);
            let keys = |texts: &BTreeMap<String, String>| -> Vec<String> {
                texts.keys().cloned().collect()
            };
            assert_eq!(keys(&own), keys(&english), "{language:?}");
            for (key, text) in &own {
                assert!(!text.trim().is_empty(), "{language:?}: {key} is empty");
                // One is said in words or with the number: both are the text of one.
                let mut wanted = names(&english[key]);
                let mut has = names(text);
                if key.ends_with(" one") {
                    wanted.remove("n");
                    has.remove("n");
                }
                assert_eq!(has, wanted, "{language:?}: {key}: {text}");
                assert!(
                    !text.contains(['<', '>', '&']),
                    "{language:?}: {key} is markup"
                );
            }
            assert_eq!(Language::from_code(language.code()), Some(language));
        }
    }

    #[test]
    fn what_is_spoken_ends_with_the_page() {
        let german = Locale::plain(Language::German);
        assert_eq!(texts().operational, "Operational");
        german.speak(|| assert_eq!(texts().operational, "In Betrieb"));
        let broken = std::panic::catch_unwind(|| german.speak(|| panic!("on purpose")));
        assert!(broken.is_err());
        assert_eq!(language(), Language::English);
    }

    #[test]
    fn one_and_many() {
        let said = |language: Language, count: usize| {
            Locale::plain(language).speak(|| texts().days.of(count))
        };
        assert_eq!(said(Language::English, 0), "0 days");
        assert_eq!(said(Language::English, 1), "1 day");
        assert_eq!(said(Language::German, 3), "3 Tage");
        assert_eq!(said(Language::French, 1), "1 jour");
        assert_eq!(said(Language::Japanese, 1), "1日");
    }

    #[test]
    fn names_are_filled_in_once() {
        let fill = |text| fill(text, &[("a", "{b}"), ("b", "2")]);
        assert_eq!(fill("{a}, {b}, {c}, {"), "{b}, 2, {c}, {");
    }

    #[test]
    fn the_language_that_is_liked_best() {
        let wanted = |path: &str, accepted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, accepted.parse().unwrap());
            let offered = [Language::Swedish, Language::English, Language::German];
            Language::wanted(&path.parse().unwrap(), &headers, &offered).code()
        };
        assert_eq!(wanted("/", ""), "sv");
        assert_eq!(wanted("/", "de-AT,de;q=0.9,en;q=0.8"), "de");
        assert_eq!(wanted("/", "ja, en;q=0.5, de;q=0.7"), "de");
        assert_eq!(wanted("/", "en;q=0, nl"), "sv");
        assert_eq!(wanted("/?lang=en", "de"), "en");
        assert_eq!(wanted("/?x=1&lang=DE", "en"), "de");
        assert_eq!(wanted("/?lang=ja", "en"), "en");
        assert_eq!(wanted("/?lang=", "*"), "sv");
    }
}

//! What people say of incidents, looked at before it is done; what is wrong is said
//! with the key that it stands in.

use std::sync::Arc;

use watchkeeper_engine::id::ServiceId;

use super::line;
use crate::records::Deed;
use crate::view::{Impact, Stage};
use crate::words;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest text, in characters.
const LONGEST_TEXT: usize = 20_000;

/// The most services that are named.
const MOST_SERVICES: usize = 1_000;

/// Whether there may be no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// There may.
    Fine,
    /// There may not.
    Wrong,
}

/// An incident as it was typed into a form.
pub(crate) struct Typed<'a> {
    pub(crate) title: &'a str,
    pub(crate) services: &'a [String],
    pub(crate) severity: &'a str,
    pub(crate) state: &'a str,
    pub(crate) text: &'a str,
}

/// What opens an incident; or what is wrong with it.
pub(crate) fn opening(typed: &Typed<'_>) -> Result<Deed, String> {
    Ok(Deed::Open {
        title: title(typed.title)?,
        services: services(typed.services)?,
        impact: impact(said(typed.severity))?.unwrap_or(Impact::Minor),
        stage: stage(said(typed.state))?.unwrap_or(Stage::Investigating),
        text: text(typed.text, Emptiness::Fine)?,
        started: None,
    })
}

/// What says what is going on; or what is wrong with it.
pub(crate) fn updating(
    number: u32,
    words: &str,
    state: &str,
    public: bool,
) -> Result<Deed, String> {
    Ok(Deed::Update {
        number,
        text: text(words, Emptiness::Wrong)?,
        public,
        stage: stage(said(state))?,
    })
}

/// What says what there was to learn; or what is wrong with it.
pub(crate) fn learning(number: u32, words: &str) -> Result<Deed, String> {
    let text = text(words, Emptiness::Wrong)?;
    Ok(Deed::Postmortem { number, text })
}

fn said(word: &str) -> Option<&str> {
    Some(word).filter(|word| !word.is_empty())
}

/// What happened, in a line.
pub(crate) fn title(text: &str) -> Result<Arc<str>, String> {
    let title = line(text).filter(|it| !it.is_empty() && it.chars().count() <= LONGEST_TITLE);
    title.map(Arc::from).ok_or_else(|| {
        format!(
            "`title` must be one line of 1 to {LONGEST_TITLE} characters without control characters"
        )
    })
}

/// What is going on.
pub(crate) fn text(text: &str, emptiness: Emptiness) -> Result<Arc<str>, String> {
    let text = text.trim();
    let fits = text.chars().count() <= LONGEST_TEXT
        && !text
            .chars()
            .any(|it| it.is_control() && !"\n\r\t".contains(it))
        && (emptiness == Emptiness::Fine || !text.is_empty());
    if fits {
        return Ok(text.into());
    }
    Err(format!(
        "`text` must have 1 to {LONGEST_TEXT} characters, and no control characters but line breaks"
    ))
}

/// What it hits, each once.
pub(crate) fn services(names: &[String]) -> Result<Vec<ServiceId>, String> {
    if names.is_empty() || names.len() > MOST_SERVICES {
        return Err(format!(
            "`services` must name 1 to {MOST_SERVICES} services: whose incident it is, and what else it hits"
        ));
    }
    let mut services: Vec<ServiceId> = Vec::new();
    for name in names {
        let id = ServiceId::new(name)
            .map_err(|problem| format!("`services` names `{name}`, which {problem}"))?;
        if !services.contains(&id) {
            services.push(id);
        }
    }
    Ok(services)
}

/// How bad it is, if that is said.
pub(crate) fn impact(word: Option<&str>) -> Result<Option<Impact>, String> {
    let read = |word| {
        let known = [Impact::Minor, Impact::Major, Impact::Critical];
        let mut known = known.into_iter();
        let found = known.find(|it| words::impact_word(*it) == word);
        found.ok_or_else(|| "`severity` must be `minor`, `major` or `critical`".to_owned())
    };
    word.map(read).transpose()
}

/// How far the work is, if that is said.
pub(crate) fn stage(word: Option<&str>) -> Result<Option<Stage>, String> {
    let read = |word| {
        let known = [
            Stage::Investigating,
            Stage::Identified,
            Stage::Monitoring,
            Stage::Resolved,
        ];
        let mut known = known.into_iter();
        let found = known.find(|it| words::stage_word(*it) == word);
        found.ok_or_else(|| {
            "`state` must be `investigating`, `identified`, `monitoring` or `resolved`".to_owned()
        })
    };
    word.map(read).transpose()
}

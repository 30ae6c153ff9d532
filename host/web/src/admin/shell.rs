//! What stands around every page: who is signed in, where else to go, and what was
//! just done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::visit::Visit;
use crate::assets::Assets;
use crate::staff::{Person, Right};
use crate::web::Web;

/// Around a page.
pub(crate) struct Shell {
    pub(crate) assets: &'static Assets,
    /// Whose page it is.
    pub(crate) title: String,
    /// What this page is called.
    pub(crate) headline: String,
    /// Where in the navigation this page is.
    pub(crate) here: &'static str,
    pub(crate) person: Arc<Person>,
    /// What was just done, if somebody has to be told.
    pub(crate) note: Option<Note>,
    token: Arc<str>,
}

/// Something that is said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) text: String,
    /// Whether it is why something was not done.
    pub(crate) is_problem: bool,
}

/// A page that the navigation leads to.
pub(crate) struct Place {
    pub(crate) address: &'static str,
    pub(crate) label: &'static str,
    /// The name of its symbol.
    pub(crate) symbol: &'static str,
    right: Right,
}

/// The pages of everyday work.
const WORK: &[Place] = &[
    place("/admin", "Overview", "grid", Right::Read),
    place("/admin/monitors", "Monitors", "pulse", Right::Read),
    place("/admin/services", "Services", "stack", Right::Read),
    place("/admin/incidents", "Incidents", "deg", Right::Read),
    place("/admin/maintenance", "Maintenance", "gear", Right::Read),
    place("/admin/announcements", "Announcements", "mail", Right::Read),
    place("/admin/channels", "Channels", "bell", Right::Read),
    place("/admin/routes", "Routes", "split", Right::Read),
    place("/admin/deliveries", "Deliveries", "mail", Right::Read),
];

/// The pages about the host itself.
const PLATFORM: &[Place] = &[
    place("/admin/plugins", "Plugins", "plug", Right::Read),
    place("/admin/settings", "Settings", "gear", Right::Admin),
    place("/admin/users", "Users", "user", Right::Admin),
    place("/admin/tokens", "API tokens", "key", Right::Admin),
    place("/admin/audit", "Audit log", "log", Right::Admin),
];

const fn place(
    address: &'static str,
    label: &'static str,
    symbol: &'static str,
    right: Right,
) -> Place {
    Place {
        address,
        label,
        symbol,
        right,
    }
}

impl Shell {
    /// Around the page called `headline`, which belongs to `here` in the navigation.
    pub(crate) fn of(
        web: &Web,
        visit: &Visit,
        headline: impl Into<String>,
        here: &'static str,
    ) -> Self {
        Self {
            assets: Assets::get(),
            title: web.title(),
            headline: headline.into(),
            here,
            person: Arc::clone(&visit.person),
            note: web.notes().take(visit),
            token: Arc::clone(&visit.token),
        }
    }

    /// What every form holds, as markup.
    pub(crate) fn csrf(&self) -> String {
        // The token is made of hexadecimal digits.
        format!(
            "<input type=\"hidden\" name=\"csrf\" value=\"{}\">",
            self.token
        )
    }

    /// The pages of everyday work that they may see.
    pub(crate) fn work(&self) -> impl Iterator<Item = &'static Place> {
        self.places(WORK)
    }

    /// The pages about the host that they may see.
    pub(crate) fn platform(&self) -> impl Iterator<Item = &'static Place> {
        self.places(PLATFORM)
    }

    fn places(&self, all: &'static [Place]) -> impl Iterator<Item = &'static Place> {
        let role = self.person.role;
        all.iter().filter(move |place| role.may(place.right))
    }

    /// The first letters of who is signed in, at most two.
    pub(crate) fn initials(&self) -> String {
        let words = self.person.name.split(|each: char| !each.is_alphanumeric());
        let letters = words.filter_map(|word| word.chars().next());
        letters.take(2).flat_map(char::to_uppercase).collect()
    }
}

/// How many notes wait to be read at most; the next one clears them.
const MOST_NOTES: usize = 1_000;

/// What is said once, on the next page that somebody opens.
#[derive(Default)]
pub(crate) struct Notes {
    waiting: Mutex<HashMap<String, Note>>,
}

impl Notes {
    /// Leaves word of what was done.
    pub(crate) fn leave(&self, visit: &Visit, text: String) {
        self.put(visit, text, false);
    }

    /// Leaves word of why something was not done.
    pub(crate) fn leave_problem(&self, visit: &Visit, text: String) {
        self.put(visit, text, true);
    }

    fn put(&self, visit: &Visit, text: String, is_problem: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_NOTES {
            waiting.clear();
        }
        waiting.insert(visit.token.to_string(), Note { text, is_problem });
    }

    fn take(&self, visit: &Visit) -> Option<Note> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&*visit.token)
    }
}

//! Notices in words, for notifiers: how bad it is, what there is to know, and the
//! links, written in the markup of the service and within its limits.
//!
//! What comes from targets, such as the reason of a failure, can be anything.
//! Everything here is free of control characters and of those that change the
//! direction of text, and [`Markup`] keeps it from meaning anything to a service.
//!
//! ```
//! # use watchkeeper_sdk::Notice;
//! use watchkeeper_sdk::wording::{Limit, Markup, Wording};
//!
//! /// The most that the service takes in one message.
//! const LONGEST: Limit = Limit::chars(2000);
//!
//! fn message(notice: &Notice) -> String {
//!     Wording::of(notice).render(Markup::Markdown, LONGEST)
//! }
//! ```

mod limit;
mod markup;
mod render;

use crate::{Affected, Health, Notice, Occasion, Timestamp, in_words};

pub use self::limit::{Limit, Measure};
pub use self::markup::{Markup, line, lines};

/// How many targets a fact lists; the others are counted.
const LISTED: usize = 15;

/// The longest reason of one target in characters: the rest of it is on the page.
const REASON: Limit = Limit::chars(300);

/// The longest name of a service, monitor or target in characters.
const NAME: Limit = Limit::chars(200);

/// How much attention a notice asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong: a trial, a maintenance, an announcement.
    Info,
    /// It is well again.
    Healthy,
    /// It works, but not as it should.
    Sick,
    /// It does not work.
    Dead,
}

impl Severity {
    /// That of a notice: its health's, unless nothing happened to any target.
    pub fn of(notice: &Notice) -> Self {
        match (notice.health, notice.occasion) {
            (Health::Healthy, Occasion::Trial | Occasion::Maintenance | Occasion::Announcement) => {
                Self::Info
            }
            (health, _) => health.into(),
        }
    }

    /// The colour as `0xRRGGBB`.
    pub const fn rgb(self) -> u32 {
        match self {
            Self::Info => 0x3B_82_C4,
            Self::Healthy => 0x54_A1_58,
            Self::Sick => 0xD5_A0_48,
            Self::Dead => 0xC4_29_1C,
        }
    }

    /// The colour as `#RRGGBB`.
    pub fn hex(self) -> String {
        format!("#{:06X}", self.rgb())
    }

    /// One character that is seen at a glance.
    pub const fn emoji(self) -> &'static str {
        match self {
            Self::Info => "ℹ️",
            Self::Healthy => "✅",
            Self::Sick => "⚠️",
            Self::Dead => "❌",
        }
    }

    /// One lower-case word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Healthy => "healthy",
            Self::Sick => "sick",
            Self::Dead => "dead",
        }
    }

    /// Whether something is wrong now.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Sick | Self::Dead)
    }
}

impl From<Health> for Severity {
    fn from(health: Health) -> Self {
        match health {
            Health::Healthy => Self::Healthy,
            Health::Sick => Self::Sick,
            Health::Dead => Self::Dead,
        }
    }
}

/// A label and what is to be said under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// One word or two.
    pub label: &'static str,
    /// Text without markup; may have several lines.
    pub value: String,
}

impl Fact {
    /// Whether two of them fit beside each other: one short line.
    pub fn is_short(&self) -> bool {
        self.value.chars().count() <= 40 && !self.value.contains('\n')
    }
}

/// An address to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is there: `Incident`, `Status page`, `Acknowledge`.
    pub label: &'static str,
    /// `http:` or `https:`, without any character that could end it in HTML,
    /// Markdown or another markup.
    pub url: String,
}

/// What a notice says. Texts have no markup yet; see [`Markup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// How much attention it asks for.
    pub severity: Severity,
    /// One line: `API is dead: connection refused`.
    pub title: String,
    /// More lines; may be empty.
    pub body: String,
    /// What else there is to know, most important first.
    pub facts: Vec<Fact>,
    /// Where to go, most important first.
    pub links: Vec<Link>,
    /// The status page's title, in one line.
    pub page: String,
}

impl Wording {
    /// What `notice` says.
    pub fn of(notice: &Notice) -> Self {
        Self {
            severity: Severity::of(notice),
            title: line(&notice.title),
            body: lines(&notice.body),
            facts: facts(notice),
            links: links(notice),
            page: line(&notice.page_title),
        }
    }

    /// The title after the severity's emoji.
    pub fn headline(&self) -> String {
        format!("{} {}", self.severity.emoji(), self.title)
    }

    /// Where to read more: the incident's page, or the status page.
    pub fn page_link(&self) -> Option<&Link> {
        self.links.iter().find(|link| link.label != ACKNOWLEDGE)
    }
}

/// The label of the link by which somebody acknowledges.
const ACKNOWLEDGE: &str = "Acknowledge";

fn facts(notice: &Notice) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |label, value: String| {
        if !value.is_empty() {
            facts.push(Fact { label, value });
        }
    };
    match notice.affected.as_slice() {
        [] => {}
        [only] => {
            add("Service", name(&only.service));
            add("Monitor", name(&only.monitor));
            add("Target", name(target(only)));
            let cause = only.reason.as_deref().unwrap_or_default();
            add("Cause", REASON.cut(&line(cause)));
        }
        many => add("Affected", list(many)),
    }
    // The host's own body says since when, in the time zone of the page.
    if notice.body.is_empty() && notice.health != Health::Healthy {
        let since = notice.started.map(in_utc);
        add("Since", since.unwrap_or_default());
    }
    if let Some(lasted) = notice.lasted {
        let is_over = notice.health == Health::Healthy;
        add(if is_over { "Lasted" } else { "Lasting" }, in_words(lasted));
    }
    if notice.reminder > 0 {
        add("Reminder", notice.reminder.to_string());
    }
    facts
}

fn list(affected: &[Affected]) -> String {
    let mut lines: Vec<String> = affected
        .iter()
        .take(LISTED)
        .map(|affected| {
            let mut said = format!(
                "{} / {} ({}): {}",
                name(&affected.service),
                name(&affected.monitor),
                name(target(affected)),
                Severity::from(affected.health).word(),
            );
            if let Some(reason) = &affected.reason {
                said.push_str(", ");
                said.push_str(&REASON.cut(&line(reason)));
            }
            said
        })
        .collect();
    if affected.len() > LISTED {
        lines.push(format!("… and {} more", affected.len() - LISTED));
    }
    lines.join("\n")
}

fn name(text: &str) -> String {
    NAME.cut(&line(text))
}

/// What follows the service's and the monitor's ids.
fn target(affected: &Affected) -> &str {
    affected.id.splitn(3, ':').nth(2).unwrap_or(&affected.id)
}

fn in_utc(at: Timestamp) -> String {
    let (year, month, day) = at.date();
    let (hour, minute, second) = at.time_of_day();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The incident before the status page: who reads of an outage wants the former.
fn links(notice: &Notice) -> Vec<Link> {
    [
        ("Incident", notice.incident_url.as_deref()),
        (ACKNOWLEDGE, notice.acknowledge_url.as_deref()),
        ("Status page", Some(notice.page_url.as_str())),
    ]
    .into_iter()
    .filter_map(|(label, url)| {
        Some(Link {
            label,
            url: markup::address(url?)?,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests;

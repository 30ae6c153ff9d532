//! Notices in words: what happened, since when, why, how long it lasted.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use watchkeeper_engine::folding::{Bundle, Line};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::telling::Occasion;
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_store::NewDelivery;

use super::{Batch, Board, Monitor};
use crate::notice::{self, Affected, Notice, Word, in_zone};

/// How many targets a notice lists at most.
const MOST_AFFECTED: usize = 50;

/// How many lines a notice of several has at most. The rest is counted.
const MOST_LINES: usize = 50;

/// What one line says.
struct Words {
    title: String,
    body: Vec<String>,
    at: Timestamp,
    lasted: Option<Duration>,
}

impl Board {
    /// Puts a notice for each channel into the outbox. Who is told the same gets
    /// the same notice.
    pub(super) fn post(
        &mut self,
        out: Vec<(ChannelId, Bundle)>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let mut written: Vec<(Bundle, Notice)> = Vec::new();
        for (channel, bundle) in out {
            let known = written.iter().find(|(other, _)| *other == bundle);
            let mut notice = if let Some((_, notice)) = known {
                notice.clone()
            } else {
                let Some(notice) = self.compose(&bundle, now) else {
                    continue;
                };
                written.push((bundle.clone(), notice.clone()));
                notice
            };
            let incidents = self.incidents_of(&bundle);
            if let [(incident, _)] = incidents.as_slice() {
                self.link(&mut notice, Some(*incident), &channel, now);
            }
            for (incident, monitor) in incidents {
                self.note_told(
                    Some(incident),
                    &monitor,
                    &channel,
                    &notice.title,
                    now,
                    batch,
                );
            }
            let monitor = sole_monitor(&bundle).cloned();
            batch
                .commit
                .deliveries
                .push(delivery(channel, monitor, &notice, now));
        }
    }

    /// A notice about the page or the host, which says nothing yet.
    pub(super) fn blank(&self, occasion: notice::Occasion, now: Timestamp) -> Notice {
        let id = Uuid::now_v7().to_string();
        Notice {
            thread: id.clone(),
            id,
            occasion,
            health: Word(Health::Unknown),
            previous: None,
            at_ms: now.as_millis(),
            title: String::new(),
            body: String::new(),
            affected: Vec::new(),
            lasted_ms: None,
            reminder: 0,
            page_title: self.config().page.title.to_string(),
            page_url: self.page_url.clone(),
            started_ms: None,
            incident_url: None,
            acknowledge_url: None,
        }
    }

    /// The notice of what a channel hears at once; `None` if the configuration has
    /// lost everything that it is about.
    fn compose(&self, bundle: &Bundle, now: Timestamp) -> Option<Notice> {
        let told: Vec<(&Line, Words)> = bundle
            .lines
            .iter()
            .filter_map(|line| Some((line, self.words(line, now)?)))
            .collect();
        let health = told.iter().map(|(line, _)| line.occasion.health()).max()?;
        let (title, body) = match told.as_slice() {
            [(_, words)] if bundle.more == 0 && bundle.folded == 0 => {
                (words.title.clone(), words.body.join("\n"))
            }
            several => (
                heading(several, bundle),
                listing(several.iter().map(|(_, words)| words), bundle),
            ),
        };
        let numbers: Option<Vec<u32>> = told
            .iter()
            .map(|(line, _)| match &line.occasion {
                Occasion::Reminder { number, .. } => Some(*number),
                _ => None,
            })
            .collect();
        let reminder = numbers.and_then(|numbers| numbers.into_iter().max());
        let blank = self.blank(
            reminder.map_or(notice::Occasion::Changed, |_| notice::Occasion::Reminder),
            now,
        );
        let sole = sole_monitor(bundle).is_some().then(|| bundle.lines.last());
        let sole = sole.flatten();
        let began = bundle.lines.iter().map(|line| line.began).min();
        let mut affected = Vec::new();
        let mut seen: Vec<&MonitorId> = Vec::new();
        for line in &bundle.lines {
            if !seen.contains(&&line.monitor) && affected.len() < MOST_AFFECTED {
                seen.push(&line.monitor);
                let room = MOST_AFFECTED - affected.len();
                affected.extend(self.affected(line, now).into_iter().take(room));
            }
        }
        Some(Notice {
            thread: sole.map_or_else(
                || blank.thread.clone(),
                |line| format!("{}@{}", line.monitor, line.began.as_millis()),
            ),
            started_ms: began.map(Timestamp::as_millis),
            health: Word(health),
            previous: sole.and_then(|line| line.previous).map(Word),
            at_ms: told
                .iter()
                .map(|(_, words)| words.at.as_millis())
                .max()
                .unwrap_or(now.as_millis()),
            title,
            body,
            affected,
            lasted_ms: told
                .iter()
                .filter_map(|(_, words)| words.lasted)
                .max()
                .map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            reminder: reminder.unwrap_or(0),
            ..blank
        })
    }

    /// What a line says; `None` if its monitor is not there any more.
    fn words(&self, line: &Line, now: Timestamp) -> Option<Words> {
        let monitor = self.monitors.get(&line.monitor)?;
        let own = &monitor.assigned.monitor;
        let zone = &self.config().page.time_zone;
        let what = format!("{}: {}", self.service_label(monitor), own.label);
        let because = |reason: &Option<Arc<str>>| {
            reason
                .as_ref()
                .map_or_else(String::new, |why| format!(": {why}"))
        };
        let since = |since: Timestamp| format!("Since {}.", in_zone(since, zone));
        let span = |from: Health, since: Timestamp, at: Timestamp| {
            let (since, at) = (in_zone(since, zone), in_zone(at, zone));
            format!("It was {from} from {since} to {at}.")
        };
        let mut words = match &line.occasion {
            Occasion::Outage {
                health,
                since: start,
                reason,
            } => Words {
                title: format!("{what} is {health}{}", because(reason)),
                body: vec![since(*start)],
                at: *start,
                lasted: None,
            },
            Occasion::Flapping {
                since: start,
                reason,
                ..
            } => Words {
                title: format!("{what} keeps changing{}", because(reason)),
                body: vec!["It changes too often. Nothing more is told until it is steady, unless it gets worse.".to_owned()],
                at: *start,
                lasted: None,
            },
            Occasion::Recovered {
                from,
                since: start,
                at,
                lasted,
            } => Words {
                title: format!("{what} is healthy again after {}", spell(*lasted)),
                body: vec![span(*from, *start, *at)],
                at: *at,
                lasted: Some(*lasted),
            },
            Occasion::Passed {
                from,
                since: start,
                at,
                lasted,
            } => Words {
                title: format!("{what} was {from} for {} and is healthy again", spell(*lasted)),
                body: vec![span(*from, *start, *at)],
                at: *at,
                lasted: Some(*lasted),
            },
            Occasion::Reminder {
                health,
                since: start,
                reason,
                ..
            } => {
                let lasted = now.since(*start);
                Words {
                    title: format!(
                        "{what} is still {health} after {}{}",
                        spell(lasted),
                        because(reason)
                    ),
                    body: vec![since(*start)],
                    at: now,
                    lasted: Some(lasted),
                }
            }
            Occasion::Escalated {
                health,
                since: start,
                reason,
            } => {
                let lasted = now.since(*start);
                Words {
                    title: format!(
                        "{what} has been {health} for {}{}",
                        spell(lasted),
                        because(reason)
                    ),
                    body: vec![format!(
                        "{} Others were told of it and nobody has acknowledged it.",
                        since(*start)
                    )],
                    at: now,
                    lasted: Some(lasted),
                }
            }
        };
        if line.occasion.health() == Health::Dead {
            words.body.extend(self.dead_because_of(&line.monitor));
        }
        Some(words)
    }

    /// Which monitors are dead because this one is.
    fn dead_because_of(&self, id: &MonitorId) -> Option<String> {
        let children = self.dependencies.children(id).iter();
        let dead = children
            .filter_map(|child| self.monitors.get(child))
            .filter(|child| child.state.standing.health == Health::Dead)
            .map(|child| child.assigned.monitor.label.to_string());
        let dead: Vec<String> = dead.collect();
        (!dead.is_empty()).then(|| format!("Dead because of it: {}.", dead.join(", ")))
    }

    /// The targets that a line is about: those that are not healthy, or of a
    /// recovery all.
    fn affected(&self, line: &Line, now: Timestamp) -> Vec<Affected> {
        let Some(monitor) = self.monitors.get(&line.monitor) else {
            return Vec::new();
        };
        let is_over = line.occasion.health() == Health::Healthy;
        self.targets_of(monitor, is_over, now)
            .take(MOST_AFFECTED)
            .collect()
    }

    /// The targets of a monitor that are not healthy, or all.
    pub(super) fn targets_of<'a>(
        &'a self,
        monitor: &'a Monitor,
        all: bool,
        now: Timestamp,
    ) -> impl Iterator<Item = Affected> + 'a {
        let service = self.service_label(monitor);
        monitor
            .targets
            .iter()
            .filter_map(|id| Some((id, &self.targets.get(id)?.state.standing)))
            .filter(move |(_, standing)| all || standing.health != Health::Healthy)
            .map(move |(id, standing)| Affected {
                id: id.to_string(),
                service: service.to_string(),
                monitor: monitor.assigned.monitor.label.to_string(),
                health: Word(standing.health),
                reason: standing.reason.as_ref().map(ToString::to_string),
                since_ms: standing.since.unwrap_or(now).as_millis(),
            })
    }

    fn service_label(&self, monitor: &Monitor) -> Arc<str> {
        let id = monitor.assigned.monitor.id.service();
        self.config().service(id).map_or_else(
            || Arc::from(id.as_str()),
            |service| Arc::clone(&service.label),
        )
    }
}

/// A row of the outbox.
pub(super) fn delivery(
    channel: ChannelId,
    monitor: Option<MonitorId>,
    notice: &Notice,
    now: Timestamp,
) -> NewDelivery {
    NewDelivery {
        notice_id: notice.id.clone(),
        channel,
        monitor,
        payload: notice.to_payload(),
        created_at: now,
        not_before: now,
    }
}

/// The one monitor that a bundle is about.
fn sole_monitor(bundle: &Bundle) -> Option<&MonitorId> {
    let first = &bundle.lines.first()?.monitor;
    let is_sole = bundle.more == 0 && bundle.lines.iter().all(|line| line.monitor == *first);
    is_sole.then_some(first)
}

/// `3 changes: 2 dead, 1 healthy again`.
fn heading(told: &[(&Line, Words)], bundle: &Bundle) -> String {
    let more = usize::try_from(bundle.more).unwrap_or(usize::MAX);
    let all = told.len().saturating_add(more);
    let is_reminder = |line: &Line| matches!(line.occasion, Occasion::Reminder { .. });
    let mut counts: Vec<(String, usize)> = Vec::new();
    for (line, _) in told {
        let word = match &line.occasion {
            Occasion::Outage { health, .. } | Occasion::Escalated { health, .. } => {
                health.to_string()
            }
            Occasion::Flapping { .. } => "changing too often".to_owned(),
            Occasion::Recovered { .. } => "healthy again".to_owned(),
            Occasion::Passed { .. } => "healthy again after a short outage".to_owned(),
            Occasion::Reminder { health, .. } => format!("still {health}"),
        };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(word, count)| format!("{count} {word}"))
        .chain((more > 0).then(|| format!("{more} more")))
        .collect();
    let counts = counts.join(", ");
    if bundle.folded > 0 {
        format!("{} notices in one: {counts}", bundle.folded)
    } else if told.iter().all(|(line, _)| is_reminder(line)) {
        format!("Reminder of {all} outages: {counts}")
    } else {
        format!("{all} changes: {counts}")
    }
}

/// A paragraph for each line.
fn listing<'a>(told: impl Iterator<Item = &'a Words>, bundle: &Bundle) -> String {
    let mut text = String::new();
    let mut left = bundle.more;
    for (number, words) in told.enumerate() {
        if number >= MOST_LINES {
            left = left.saturating_add(1);
            continue;
        }
        // Writing to a string cannot fail.
        _ = writeln!(text, "{}. {}", words.title, words.body.join(" "));
    }
    if left > 0 {
        _ = writeln!(text, "And {left} more.");
    }
    text.trim_end().to_owned()
}

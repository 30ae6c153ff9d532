//! A channel's own words: what its templates see, and the notice that they make.

use std::time::Duration;

use jiff::tz::TimeZone;
use watchkeeper_config::template::{Fact, Facts, Template};
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_sandbox::{Affected, Notice, Occasion, Verdict};

use crate::notice::in_zone;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 500;

/// The templates of a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) title: Option<Template>,
    pub(crate) body: Option<Template>,
    /// The zone of times.
    pub(crate) zone: Option<TimeZone>,
}

impl Words {
    /// Puts `notice` into the channel's words. Where a template fails with this
    /// notice, the host's words stay, and what went wrong is returned.
    pub(crate) fn put(&self, notice: &Notice) -> (Notice, Vec<String>) {
        let mut told = notice.clone();
        let mut problems = Vec::new();
        if self.title.is_none() && self.body.is_none() {
            return (told, problems);
        }
        let facts = facts(notice, self.zone.as_ref().unwrap_or(&TimeZone::UTC));
        let mut filled = |name: &str, template: &Option<Template>| {
            let filled = template.as_ref()?.fill_in(&facts);
            filled
                .map_err(|problem| problems.push(format!("`{name}` {problem}")))
                .ok()
        };
        if let Some(title) = filled("title", &self.title) {
            let title = one_line(&title);
            if !title.is_empty() {
                told.title = title;
            }
        }
        if let Some(body) = filled("body", &self.body) {
            body.trim_end().clone_into(&mut told.body);
        }
        (told, problems)
    }
}

/// What templates see of a notice.
pub(crate) fn facts(notice: &Notice, zone: &TimeZone) -> Facts {
    let text = |text: &str| Fact::Text(text.to_owned());
    let optional = |text: &Option<String>| Fact::Text(text.clone().unwrap_or_default());
    let mut services: Vec<String> = Vec::new();
    for affected in &notice.affected {
        if !services.contains(&affected.service) {
            services.push(affected.service.clone());
        }
    }
    let lasted = notice.lasted.unwrap_or_default();
    let named = vec![
        ("id", text(&notice.id)),
        ("occasion", text(occasion(notice.occasion))),
        ("health", text(health(notice.health))),
        ("previous", text(notice.previous.map_or("", health))),
        ("title", text(&notice.title)),
        ("body", text(&notice.body)),
        ("at", Fact::Text(time(notice.at, zone))),
        ("at_unix", number(notice.at)),
        (
            "started",
            Fact::Text(notice.started.map_or_else(String::new, |at| time(at, zone))),
        ),
        (
            "lasted",
            Fact::Text(notice.lasted.map_or_else(String::new, spell)),
        ),
        ("lasted_seconds", number(lasted)),
        ("reminder", Fact::Number(i64::from(notice.reminder))),
        ("thread", text(&notice.thread)),
        ("services", Fact::Texts(services)),
        ("page_title", text(&notice.page_title)),
        ("page_url", text(&notice.page_url)),
        ("incident_url", optional(&notice.incident_url)),
        ("acknowledge_url", optional(&notice.acknowledge_url)),
    ];
    let affected = notice.affected.iter().map(|it| of_target(it, zone));
    Facts::new(named, affected.collect())
}

fn of_target(affected: &Affected, zone: &TimeZone) -> Vec<(&'static str, Fact)> {
    let text = |text: &str| Fact::Text(text.to_owned());
    vec![
        ("id", text(&affected.id)),
        ("service", text(&affected.service)),
        ("monitor", text(&affected.monitor)),
        ("health", text(health(affected.health))),
        (
            "reason",
            text(affected.reason.as_deref().unwrap_or_default()),
        ),
        ("since", Fact::Text(time(affected.since, zone))),
    ]
}

const fn occasion(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Startup => "startup",
        Occasion::Changed => "changed",
        Occasion::Reminder => "reminder",
        Occasion::Incident => "incident",
        Occasion::Maintenance => "maintenance",
        Occasion::Announcement => "announcement",
        Occasion::Breach => "breach",
        Occasion::Trial => "trial",
    }
}

const fn health(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Sick => "sick",
        Verdict::Dead => "dead",
    }
}

fn time(since_epoch: Duration, zone: &TimeZone) -> String {
    in_zone(Timestamp::from_millis(0) + since_epoch, zone)
}

fn number(span: Duration) -> Fact {
    Fact::Number(i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
}

/// A title is one line without control characters.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(LONGEST_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use watchkeeper_config::template::samples;

    use super::*;
    use crate::notice;

    fn words(title: &str) -> Words {
        Words {
            title: Some(Template::new(title, &samples()).unwrap()),
            ..Words::default()
        }
    }

    #[test]
    fn templates_see_what_they_were_checked_with() {
        for (name, notice) in notice::examples() {
            let (named, affected) = facts(&notice, &TimeZone::UTC).names();
            for sample in samples() {
                let (expected, of_targets) = sample.names();
                assert_eq!(named, expected, "{name}");
                assert!(affected.iter().all(|each| *each == of_targets[0]), "{name}");
            }
        }
    }

    #[test]
    fn a_title_stays_one_line_whatever_a_target_says() {
        let mut notice = notice::trial();
        notice.title = "dead\r\nBcc: all@example.com\u{0}\u{1b}[2J".to_owned();
        let (told, problems) = words("\n[{{ health }}]\n{{ title }}\n").put(&notice);
        assert_eq!(told.title, "[healthy] dead Bcc: all@example.com [2J");
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn where_a_template_fails_the_hosts_words_stay() {
        let (told, problems) = words("{% if title == 'This is a trial' %}{{ gone }}{% endif %}x")
            .put(&notice::trial());
        assert_eq!(told.title, "This is a trial");
        assert_eq!(problems.len(), 1, "{problems:?}");
        // As they do where it says nothing.
        let (told, _) = words("{{ previous }}").put(&notice::trial());
        assert_eq!(told.title, "This is a trial");
    }
}

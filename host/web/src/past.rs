//! The days before today, as far as there is something to tell of them.

use watchkeeper_engine::time::Timestamp;

use crate::dates::{self, Form, Moment, Utc};
use crate::locale::{self, fill};
use crate::view::{IncidentView, PastView};

/// A day, or days in a row of which there is nothing to tell.
pub(crate) struct PastRow<'a> {
    /// The day or the days, as markup.
    pub(crate) label: String,
    /// What ended then; nothing for days in a row.
    pub(crate) incidents: Vec<&'a IncidentView>,
}

impl<'a> PastRow<'a> {
    /// The days before today, latest first, and today if something ended in it.
    pub(crate) fn of(past: &'a PastView, now: Timestamp) -> Vec<Self> {
        let today = dates::day_of(now);
        let mut rows = Vec::new();
        let mut quiet: Option<(i64, i64)> = None;
        for age in 0..=i64::from(past.days) {
            let day = today.saturating_sub(age);
            let incidents: Vec<_> = past
                .incidents
                .iter()
                .filter(|incident| {
                    dates::day_of(incident.resolved.unwrap_or(incident.started)) == day
                })
                .collect();
            if !incidents.is_empty() {
                rows.extend(quiet.take().map(Self::quiet));
                let label = Moment::new(dates::day_start(day), Form::WholeDay).to_string();
                rows.push(Self { label, incidents });
            } else if age > 0 {
                quiet = Some((day, quiet.map_or(day, |(_, last)| last)));
            }
        }
        rows.extend(quiet.map(Self::quiet));
        rows
    }

    fn quiet((first, last): (i64, i64)) -> Self {
        let (from, to) = (dates::day_start(first), dates::day_start(last));
        let (first_day, last_day) = (dates::utc_day(from), dates::utc_day(to));
        // The month need not be said twice where it is said after the day.
        let is_short = locale::texts().date.starts_with("{day} ");
        let label = if first == last {
            Moment::new(to, Form::WholeDay).to_string()
        } else if is_short && first_day.month() == last_day.month() {
            between(
                &first_day.day().to_string(),
                &Utc::new(to, Form::WholeDay).to_string(),
            )
        } else {
            between(
                &Utc::new(from, Form::Day).to_string(),
                &Utc::new(to, Form::WholeDay).to_string(),
            )
        };
        Self {
            label,
            incidents: Vec::new(),
        }
    }
}

/// `14 – 18 Nov 2026`.
fn between(first: &str, last: &str) -> String {
    let parts = [("first", first), ("last", last)];
    fill(&locale::texts().days_between, &parts)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::view::{Impact, Stage, UpdateView};

    #[test]
    fn quiet_days_are_told_together() {
        // 3 November 2026, noon.
        let now = Timestamp::from_millis(1_793_707_200_000);
        let hours_ago = |hours| now - Duration::from_hours(hours);
        let incident = |hours: u64| IncidentView {
            postmortem: None,
            id: "1".into(),
            title: "Slow".into(),
            impact: Impact::Minor,
            started: hours_ago(hours + 1),
            resolved: Some(hours_ago(hours)),
            affects: Vec::new(),
            updates: vec![UpdateView {
                stage: Stage::Resolved,
                at: hours_ago(hours),
                text: "Over.".into(),
                is_markdown: false,
            }],
        };
        let rows = |days: u16, hours: &[u64]| {
            let incidents = hours.iter().copied().map(incident).collect();
            let past = PastView { days, incidents };
            let rows = PastRow::of(&past, now);
            let texts = rows.iter().map(|row| {
                let label = row
                    .label
                    .rsplit_once("\">")
                    .map_or(&*row.label, |(_, text)| text);
                format!(
                    "{}: {}",
                    label.trim_end_matches("</time>"),
                    row.incidents.len()
                )
            });
            texts.collect::<Vec<_>>().join("; ")
        };
        assert_eq!(rows(0, &[]), "");
        assert_eq!(rows(0, &[1]), "3 Nov 2026: 1");
        assert_eq!(rows(1, &[]), "2 Nov 2026: 0");
        assert_eq!(rows(2, &[]), "1 – 2 Nov 2026: 0");
        assert_eq!(rows(4, &[]), "30 Oct – 2 Nov 2026: 0");
        assert_eq!(
            rows(4, &[1, 50, 52]),
            "3 Nov 2026: 1; 2 Nov 2026: 0; 1 Nov 2026: 2; 30 – 31 Oct 2026: 0"
        );
    }
}

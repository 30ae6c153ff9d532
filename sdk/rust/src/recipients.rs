//! Telling several people, of whom some may be told and others not: whom a notice
//! reached is kept, so that another try leaves them out. Needs
//! [`Capability::State`](crate::Capability::State).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Failure, Notice, log, state};

/// The key of whom the notice at hand has reached.
const KEY: &str = "reached";

/// What came of telling each of several recipients.
pub type Round = Vec<(String, Result<(), Failure>)>;

/// Calls `send` for each recipient. Whom this notice reached in an earlier try
/// is left out, so that nobody hears twice because somebody else could not be
/// reached. One who cannot be told keeps no other from being told.
///
/// The failure names those who were not told. It is temporary while trying again
/// may reach one more.
pub fn each(
    notice: &Notice,
    recipients: &[String],
    mut send: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // With one there is nothing to remember.
    if let [only] = recipients {
        return send(only);
    }
    let mut reached = Reached::of(notice);
    let mut failures = Vec::new();
    for recipient in reached.missing(recipients) {
        match send(recipient) {
            Ok(()) => reached.note([recipient]),
            Err(failure) => failures.push((recipient, failure)),
        }
    }
    all(failures)
}

/// As [`each`], through a service that takes one notice for several at once, or in
/// one session: `send` is given those whom this notice did not reach, and says of
/// each what came of it. Its own failure means that nobody was told.
pub fn together(
    notice: &Notice,
    recipients: &[String],
    send: impl FnOnce(&[&str]) -> Result<Round, Failure>,
) -> Result<(), Failure> {
    if let [only] = recipients {
        let round = send(&[only])?;
        return round.into_iter().try_for_each(|(_, outcome)| outcome);
    }
    let mut reached = Reached::of(notice);
    let missing = reached.missing(recipients);
    if missing.is_empty() {
        return Ok(());
    }
    let round = send(&missing)?;
    let told = round.iter().filter(|(_, outcome)| outcome.is_ok());
    reached.note(told.map(|(recipient, _)| recipient.as_str()));
    let failures = round
        .iter()
        .filter_map(|(recipient, outcome)| Some((recipient.as_str(), outcome.clone().err()?)));
    all(failures.collect())
}

/// Whom a notice has reached.
#[derive(Debug, Deserialize, Serialize)]
struct Reached {
    notice: String,
    recipients: Vec<String>,
}

impl Reached {
    /// Whom `notice` reached in earlier tries.
    fn of(notice: &Notice) -> Self {
        state::get::<Self>(KEY)
            .filter(|reached| reached.notice == notice.id)
            .unwrap_or_else(|| Self {
                notice: notice.id.clone(),
                recipients: Vec::new(),
            })
    }

    fn missing<'a>(&self, recipients: &'a [String]) -> Vec<&'a str> {
        recipients
            .iter()
            .filter(|recipient| !self.recipients.contains(recipient))
            .map(String::as_str)
            .collect()
    }

    fn note<'a>(&mut self, told: impl IntoIterator<Item = &'a str>) {
        let before = self.recipients.len();
        self.recipients.extend(told.into_iter().map(str::to_owned));
        if self.recipients.len() == before {
            return;
        }
        if let Err(error) = state::set(KEY, self) {
            let told = self.recipients.join(", ");
            log::warn(format!("another try would tell {told} again: {error}"));
        }
    }
}

/// One failure of several; the wait is the longest that was asked for.
fn all(failures: Vec<(&str, Failure)>) -> Result<(), Failure> {
    if failures.is_empty() {
        return Ok(());
    }
    let mut reasons = Vec::new();
    let mut is_temporary = false;
    let mut longest: Option<Duration> = None;
    for (recipient, failure) in failures {
        let reason = match failure {
            Failure::Temporary { reason, wait } => {
                is_temporary = true;
                longest = longest.max(wait);
                reason
            }
            Failure::Permanent(reason) => reason,
        };
        reasons.push(format!("{recipient}: {reason}"));
    }
    let reason = reasons.join("; ");
    Err(if is_temporary {
        Failure::Temporary {
            reason,
            wait: longest,
        }
    } else {
        Failure::Permanent(reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(seconds: Option<u64>) -> Failure {
        Failure::Temporary {
            reason: "busy".to_owned(),
            wait: seconds.map(Duration::from_secs),
        }
    }

    #[test]
    fn one_failure_stands_for_all() {
        assert_eq!(all(Vec::new()), Ok(()));
        assert_eq!(
            all(vec![
                ("a", Failure::permanent("no")),
                ("b", Failure::permanent("gone"))
            ]),
            Err(Failure::permanent("a: no; b: gone"))
        );
        assert_eq!(
            all(vec![
                ("a", Failure::permanent("no")),
                ("b", busy(None)),
                ("c", busy(Some(3)))
            ]),
            Err(Failure::Temporary {
                reason: "a: no; b: busy; c: busy".to_owned(),
                wait: Some(Duration::from_secs(3)),
            })
        );
    }
}

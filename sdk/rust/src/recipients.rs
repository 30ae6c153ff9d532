//! Telling several people through a service that takes one at a time. Needs
//! [`Capability::State`](crate::Capability::State).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Failure, Notice, log, state};

/// The key of whom the notice at hand has reached.
const KEY: &str = "reached";

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
    let mut reached = state::get::<Reached>(KEY)
        .filter(|reached| reached.notice == notice.id)
        .unwrap_or_else(|| Reached {
            notice: notice.id.clone(),
            recipients: Vec::new(),
        });
    let mut failures = Vec::new();
    for recipient in recipients {
        if reached.recipients.contains(recipient) {
            continue;
        }
        match send(recipient) {
            Ok(()) => {
                reached.recipients.push(recipient.clone());
                if let Err(error) = state::set(KEY, &reached) {
                    log::warn(format!("another try would tell {recipient} again: {error}"));
                }
            }
            Err(failure) => failures.push((recipient.as_str(), failure)),
        }
    }
    all(failures)
}

/// Whom a notice has reached.
#[derive(Debug, Deserialize, Serialize)]
struct Reached {
    notice: String,
    recipients: Vec<String>,
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

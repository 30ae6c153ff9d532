//! Notices that go to several recipients one by one: who got one already is kept,
//! so that another attempt serves the rest and nobody twice. Needs
//! [`Capability::State`](crate::Capability::State).
//!
//! ```no_run
//! # use watchkeeper_sdk::{Failure, Notice};
//! # fn send(recipient: &str, notice: &Notice) -> Result<(), Failure> { Ok(()) }
//! use watchkeeper_sdk::recipients::Recipients;
//!
//! fn deliver(to: &[String], notice: &Notice) -> Result<(), Failure> {
//!     let recipients = Recipients::of(notice);
//!     let round: Vec<_> = to
//!         .iter()
//!         .filter(|recipient| !recipients.have(recipient))
//!         .map(|recipient| (recipient.clone(), send(recipient, notice)))
//!         .collect();
//!     recipients.after(round)
//! }
//! ```

use serde::{Deserialize, Serialize};

use crate::{Failure, Notice, log, state};

/// Where it is kept. There is one: a channel's notices go out one after another.
const KEY: &str = "recipients";

/// Who was served in earlier attempts to deliver one notice.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Recipients {
    notice: String,
    done: Vec<String>,
}

impl Recipients {
    /// Those of `notice`, as earlier attempts left them.
    pub fn of(notice: &Notice) -> Self {
        let kept: Option<Self> = state::get(KEY);
        kept.filter(|kept| kept.notice == notice.id)
            .unwrap_or_else(|| Self {
                notice: notice.id.clone(),
                done: Vec::new(),
            })
    }

    /// Whether `recipient` has the notice, or can never get it: nothing more is to
    /// be sent there.
    pub fn have(&self, recipient: &str) -> bool {
        self.done.iter().any(|done| done == recipient)
    }

    /// What comes of the notice after a round among those who did not have it. It
    /// is delivered when one recipient has it and nobody waits; whoever never gets
    /// it is then told in a warning. It has failed for good when nobody ever gets
    /// it, and otherwise for now; who has it is kept for the next round.
    pub fn after(
        mut self,
        round: impl IntoIterator<Item = (String, Result<(), Failure>)>,
    ) -> Result<(), Failure> {
        let is_first = self.done.is_empty();
        let (outcome, warnings) = self.judge(round);
        for warning in warnings {
            log::warn(warning);
        }
        if self.done.is_empty() {
            return outcome;
        }
        if outcome.is_err() {
            if let Err(error) = state::set(KEY, &self) {
                log::warn(format!("some may get the notice twice: {error}"));
            }
        } else if !is_first {
            state::delete(KEY);
        }
        outcome
    }

    fn judge(
        &mut self,
        round: impl IntoIterator<Item = (String, Result<(), Failure>)>,
    ) -> (Result<(), Failure>, Vec<String>) {
        let mut served = Vec::new();
        let mut refused = Vec::new();
        let mut deferred = None;
        for (recipient, outcome) in round {
            match outcome {
                Ok(()) => served.push(recipient),
                Err(Failure::Permanent(why)) => refused.push((recipient, why)),
                Err(failure @ Failure::Temporary { .. }) => {
                    deferred.get_or_insert(failure);
                }
            }
        }
        if self.done.is_empty() && served.is_empty() {
            let never = refused.into_iter().next();
            let never = never.map(|(_, why)| Failure::Permanent(why));
            return (deferred.or(never).map_or(Ok(()), Err), Vec::new());
        }
        let warnings = refused
            .iter()
            .map(|(recipient, why)| format!("{recipient} does not get the notice: {why}"))
            .collect();
        self.done.extend(served);
        let refused = refused.into_iter().map(|(recipient, _)| recipient);
        self.done.extend(refused);
        (deferred.map_or(Ok(()), Err), warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(done: &str, round: &str, expected: &str, done_then: &str, warnings: usize) {
        let mut recipients = Recipients {
            notice: "n".to_owned(),
            done: done.split_whitespace().map(str::to_owned).collect(),
        };
        // `a` is served, `a?` comes later, `a!` never gets it.
        let round = round.split_whitespace().map(|word| {
            let name = word.trim_end_matches(['?', '!']).to_owned();
            let outcome = match word.chars().last() {
                Some('?') => Err(Failure::temporary(format!("{name} is busy"))),
                Some('!') => Err(Failure::permanent(format!("no {name}"))),
                _ => Ok(()),
            };
            (name, outcome)
        });
        let (outcome, warned) = recipients.judge(round);
        let found = match outcome {
            Ok(()) => "delivered".to_owned(),
            Err(Failure::Temporary { reason, .. }) => format!("temporary: {reason}"),
            Err(Failure::Permanent(reason)) => format!("permanent: {reason}"),
        };
        assert_eq!(found, expected);
        assert_eq!(recipients.done.join(" "), done_then);
        assert_eq!(warned.len(), warnings, "{warned:?}");
    }

    #[test]
    fn only_who_may_still_get_it_is_tried_again() {
        check("", "a b", "delivered", "a b", 0);
        check("", "a b!", "delivered", "a b", 1);
        check("", "a b? c!", "temporary: b is busy", "a c", 1);
        check("a c", "b?", "temporary: b is busy", "a c", 0);
        check("a c", "b", "delivered", "a c b", 0);
        // One has it, whatever comes of the others.
        check("a c", "b!", "delivered", "a c b", 1);
        check("", "a! b?", "temporary: b is busy", "", 0);
        check("", "a! b!", "permanent: no a", "", 0);
    }
}

//! Outcomes in words, as the daemon takes them: a run without an answer is dead,
//! and no verdict has a kind.

use std::time::Duration;

use watchkeeper_sandbox::{CheckOutcome, Fault, NotifyOutcome, Verdict};

/// `healthy`, `sick: why`, `dead: why`, or the kind of a missing verdict and why:
/// `misconfigured`, `undecided`, `limit`, `trap`.
pub fn of_check(outcome: &CheckOutcome) -> String {
    match outcome {
        CheckOutcome::Reading(reading) => {
            let verdict = match reading.verdict {
                Verdict::Healthy => "healthy",
                Verdict::Sick => "sick",
                Verdict::Dead => "dead",
            };
            match &reading.reason {
                Some(reason) => format!("{verdict}: {reason}"),
                None => verdict.to_owned(),
            }
        }
        CheckOutcome::NoAnswer { after } => format!("dead: no answer in {}", seconds(*after)),
        CheckOutcome::Fault(fault) => of_fault(fault),
    }
}

/// `delivered`, `temporary: why` with the wait that the receiver asked for,
/// `permanent: why`, or the kind of a fault and why.
pub fn of_delivery(outcome: &NotifyOutcome) -> String {
    match outcome {
        NotifyOutcome::Delivered => "delivered".to_owned(),
        NotifyOutcome::Temporary {
            reason,
            retry_after: Some(wait),
        } => format!("temporary: {reason} (wait {})", seconds(*wait)),
        NotifyOutcome::Temporary {
            reason,
            retry_after: None,
        } => format!("temporary: {reason}"),
        NotifyOutcome::Permanent(reason) => format!("permanent: {reason}"),
        NotifyOutcome::Fault(fault) => of_fault(fault),
    }
}

fn of_fault(fault: &Fault) -> String {
    let kind = match fault {
        // Its own words begin so.
        Fault::Misconfigured(_) => return fault.to_string(),
        Fault::Limit(_) => "limit",
        Fault::Trap(_) => "trap",
        Fault::Undecided(_) | Fault::Denied(_) | Fault::Host(_) => "undecided",
    };
    format!("{kind}: {fault}")
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

//! Things to store.

use std::time::Duration;

use watchkeeper_engine::change::{Cause, Change, Standing};
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{ChannelId, MonitorId, TargetId};
use watchkeeper_engine::target::TargetState;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;
use watchkeeper_store::{NewChange, NewDelivery, Reading, Sample, Span, Subject};

/// 2026-11-21T04:00:00Z.
pub(crate) const T0: Timestamp = Timestamp::from_millis(1_795_233_600_000);

pub(crate) fn after(seconds: u64) -> Timestamp {
    T0 + Duration::from_secs(seconds)
}

pub(crate) fn monitor(id: &str) -> MonitorId {
    MonitorId::parse(id).unwrap()
}

pub(crate) fn target(id: &str, address: &str) -> TargetId {
    TargetId::new(monitor(id), address)
}

pub(crate) fn standing(health: Health) -> Standing {
    Standing {
        health,
        since: Some(T0),
        reason: Some("connection refused".into()),
        cause: Some(Cause::Reading),
    }
}

pub(crate) fn state(health: Health) -> TargetState {
    TargetState {
        standing: standing(health),
        judged_at: Some(after(1)),
        ..TargetState::default()
    }
}

pub(crate) fn change(subject: Subject, at: Timestamp, to: Health) -> NewChange {
    let change = Change {
        from: if to == Health::Healthy {
            Health::Dead
        } else {
            Health::Healthy
        },
        to,
        at,
        since: at - Duration::from_secs(5),
        lasted: Some(Duration::from_millis(90_061)),
        reason: Some("no answer in 10 s".into()),
        cause: Cause::Reading,
    };
    NewChange {
        subject,
        change,
        maintained: Maintained::No,
        folded_into: None,
    }
}

pub(crate) fn delivery(notice: &str, channel: &str) -> NewDelivery {
    NewDelivery {
        notice_id: notice.into(),
        channel: ChannelId::new(channel).unwrap(),
        monitor: Some(monitor("api/health")),
        payload: format!("{{\"notice\":\"{notice}\"}}"),
        created_at: T0,
        not_before: T0,
    }
}

pub(crate) fn reading(at: Timestamp, verdict: Verdict, millis: u64) -> Reading {
    let reason = (verdict != Verdict::Healthy).then(|| format!("status 50{}", millis % 3).into());
    let latency = Some(Duration::from_micros(millis * 1000 + 7));
    Reading {
        at,
        verdict: Some(verdict),
        latency,
        reason,
    }
}

pub(crate) fn checked(target: &TargetId, reading: Reading) -> Sample {
    Sample {
        subject: Subject::Target(target.clone()),
        reading: Some(reading),
        span: None,
    }
}

pub(crate) fn spent(target: &TargetId, from: u64, to: u64, health: Health) -> Sample {
    let span = Span {
        from: after(from),
        to: after(to),
        health,
        maintained: Maintained::No,
    };
    Sample {
        subject: Subject::Target(target.clone()),
        reading: None,
        span: Some(span),
    }
}

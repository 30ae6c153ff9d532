//! The words of 0.1, in this crate's.

use std::time::Duration;

use super::{http_trace, tls, told, types};
use crate::description::{Capability, Stated};
use crate::host::tls as host_tls;
use crate::notice::{Affected, Notice, Occasion};
use crate::run::{Measurement, Verdict};

pub(super) fn stated(said: types::Description, schemes: Option<Vec<String>>) -> Stated {
    Stated {
        name: said.name,
        version: said.version,
        summary: said.summary,
        schema: said.config_schema,
        asks: said.asks.into_iter().map(Into::into).collect(),
        hosts: said.hosts,
        schemes,
    }
}

impl From<types::Capability> for Capability {
    fn from(said: types::Capability) -> Self {
        match said {
            types::Capability::Http => Self::Http,
            types::Capability::Tcp => Self::Tcp,
            types::Capability::Udp => Self::Udp,
            types::Capability::Icmp => Self::Icmp,
            types::Capability::Dns => Self::Dns,
            types::Capability::Tls => Self::Tls,
            types::Capability::State => Self::State,
        }
    }
}

impl From<types::Health> for Verdict {
    fn from(said: types::Health) -> Self {
        match said {
            types::Health::Healthy => Self::Healthy,
            types::Health::Sick => Self::Sick,
            types::Health::Dead => Self::Dead,
        }
    }
}

impl From<Verdict> for types::Health {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Healthy => Self::Healthy,
            Verdict::Sick => Self::Sick,
            Verdict::Dead => Self::Dead,
        }
    }
}

impl From<types::Measurement> for Measurement {
    fn from(said: types::Measurement) -> Self {
        Self {
            name: said.name,
            value: said.value,
            unit: said.unit,
        }
    }
}

impl From<&Notice> for told::Notice {
    fn from(notice: &Notice) -> Self {
        Self {
            id: notice.id.clone(),
            occasion: match notice.occasion {
                Occasion::Startup => told::Occasion::Startup,
                Occasion::Changed => told::Occasion::Changed,
                Occasion::Reminder => told::Occasion::Reminder,
                Occasion::Incident => told::Occasion::Incident,
                Occasion::Maintenance => told::Occasion::Maintenance,
                Occasion::Announcement => told::Occasion::Announcement,
                Occasion::Breach => told::Occasion::Breach,
                Occasion::Trial => told::Occasion::Trial,
            },
            health: notice.health.into(),
            previous: notice.previous.map(Into::into),
            at: nanos(notice.at),
            title: notice.title.clone(),
            body: notice.body.clone(),
            affected: notice.affected.iter().map(Into::into).collect(),
            lasted: notice.lasted.map(nanos),
            reminder: notice.reminder,
            page_title: notice.page_title.clone(),
            page_url: notice.page_url.clone(),
            incident_url: notice.incident_url.clone(),
            thread: notice.thread.clone(),
            started: notice.started.map(nanos),
            acknowledge_url: notice.acknowledge_url.clone(),
        }
    }
}

impl From<&Affected> for told::Affected {
    fn from(affected: &Affected) -> Self {
        Self {
            id: affected.id.clone(),
            service: affected.service.clone(),
            monitor: affected.monitor.clone(),
            health: affected.health.into(),
            reason: affected.reason.clone(),
            since: nanos(affected.since),
        }
    }
}

impl From<host_tls::Error> for tls::Error {
    fn from(error: host_tls::Error) -> Self {
        match error {
            host_tls::Error::Denied(why) => Self::Denied(why),
            host_tls::Error::Unresolved(why) => Self::Unresolved(why),
            host_tls::Error::Refused(why) => Self::Refused(why),
            host_tls::Error::TimedOut => Self::TimedOut,
            host_tls::Error::Handshake(why) => Self::Handshake(why),
            host_tls::Error::Closed => Self::Closed,
            host_tls::Error::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<tls::Verify> for host_tls::Verify {
    fn from(said: tls::Verify) -> Self {
        match said {
            tls::Verify::Required => Self::Required,
            tls::Verify::Reported => Self::Reported,
        }
    }
}

impl From<&watchkeeper_egress::tls::Session> for tls::Session {
    fn from(session: &watchkeeper_egress::tls::Session) -> Self {
        Self {
            version: session.version.clone(),
            cipher: session.cipher.clone(),
            alpn: session.alpn.clone(),
            chain: session.chain.iter().map(Into::into).collect(),
            untrusted: session.untrusted.clone(),
            handshake: nanos(session.handshake),
        }
    }
}

impl From<&watchkeeper_egress::tls::Certificate> for tls::Certificate {
    fn from(certificate: &watchkeeper_egress::tls::Certificate) -> Self {
        Self {
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            names: certificate.names.clone(),
            not_before: timestamp(certificate.not_before),
            not_after: timestamp(certificate.not_after),
            der: certificate.der.clone(),
        }
    }
}

impl From<&watchkeeper_egress::http::Exchange> for http_trace::Exchange {
    fn from(exchange: &watchkeeper_egress::http::Exchange) -> Self {
        Self {
            resolve: exchange.resolve.map(nanos),
            connect: exchange.connect.map(nanos),
            tls: exchange.tls.map(nanos),
            first_byte: exchange.first_byte.map(nanos),
            transfer: exchange.transfer.map(nanos),
            address: exchange.address.map(|address| address.to_string()),
            session: exchange.session.as_deref().map(Into::into),
        }
    }
}

/// Whole nanoseconds; five centuries and more count as the most there is.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds since 1970 as the contract's timestamp; times before 1970 and after
/// 2554 are the nearest that it can say.
fn timestamp(unix_seconds: i64) -> u64 {
    u64::try_from(unix_seconds)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
}

//! DNS look-ups beyond addresses. Needs [`Capability::Dns`](crate::Capability::Dns).

use std::time::Duration;

use crate::Error;
use crate::bindings::dns;
use crate::probe::nanos;

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `NOERROR`, `NXDOMAIN`, …
    pub code: String,
    /// The answer section.
    pub records: Vec<Record>,
    /// Whether the resolver says that it checked the signatures (DNSSEC).
    pub authenticated: bool,
    /// From question to answer.
    pub took: Duration,
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The owner's name.
    pub name: String,
    /// `A`, `AAAA`, `MX`, …
    pub kind: String,
    /// How long it may be kept, in seconds.
    pub ttl_seconds: u32,
    /// The data as in a zone file (RFC 1035 section 5).
    pub data: String,
}

/// Asks `server` (`host:port`; none: the host's own resolver) for the records of
/// `kind` at `name`. An answer with a code such as `NXDOMAIN` is an answer; what
/// nobody can be asked, such as a kind that does not exist, is [`Error::Invalid`].
pub fn query(
    name: &str,
    kind: &str,
    server: Option<&str>,
    timeout: Duration,
) -> Result<Answer, Error> {
    match dns::query(name, kind, server, nanos(timeout)) {
        Ok(answer) => Ok(Answer {
            code: answer.code,
            records: answer
                .records
                .into_iter()
                .map(|record| Record {
                    name: record.name,
                    kind: record.kind,
                    ttl_seconds: record.ttl_seconds,
                    data: record.data,
                })
                .collect(),
            authenticated: answer.authenticated,
            took: Duration::from_nanos(answer.took),
        }),
        Err(dns::Error::Denied(why)) => Err(Error::Denied(why)),
        Err(dns::Error::TimedOut) => Err(Error::TimedOut(Some(timeout))),
        Err(dns::Error::Failed(why)) => Err(Error::Failed(why)),
        Err(dns::Error::Invalid(why)) => Err(Error::Invalid(why)),
    }
}

//! DNS look-ups for a guest.

use std::time::Duration;

use tokio::time::Instant;
use watchkeeper_egress::dns::{Answer, DnsError};

use crate::description::Capability;
use crate::host::Host;

/// Why there is no answer: the contract's words.
#[derive(Debug)]
pub(crate) enum Error {
    Denied(String),
    TimedOut,
    Failed(String),
    Invalid(String),
}

impl Host {
    pub(crate) async fn query(
        &mut self,
        name: String,
        kind: String,
        server: Option<String>,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        self.asked(Capability::Dns).map_err(Error::Denied)?;
        let shared = &self.shared;
        let (began, waiting) = (Instant::now(), shared.wait());
        let timeout = shared.at_most(timeout);
        let answer =
            watchkeeper_egress::dns::query(&shared.gate, &name, &kind, server.as_deref(), timeout)
                .await;
        drop(waiting);
        let what = format_args!("dns {name} {kind}");
        match &answer {
            Ok(answer) => shared.called(what, began, &answer.code),
            Err(error) => shared.called(what, began, &error.to_string()),
        }
        answer.map_err(|error| match error {
            DnsError::Denied(denied) => Error::Denied(shared.refused(&denied)),
            DnsError::TimedOut(_) => Error::TimedOut,
            DnsError::Failed(why) => Error::Failed(why),
            DnsError::Invalid(why) => Error::Invalid(why),
            DnsError::Limit(limit) => Error::Failed(DnsError::Limit(limit).to_string()),
        })
    }
}

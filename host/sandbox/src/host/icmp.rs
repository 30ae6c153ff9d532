//! ICMP echo for a guest.

use std::time::Duration;

use tokio::time::Instant;
use watchkeeper_egress::icmp::{Echo, IcmpError, Outcome};

use crate::description::Capability;
use crate::host::Host;

/// Why nothing answered: the contract's words.
#[derive(Debug)]
pub(crate) enum Error {
    Denied(String),
    Unresolved(String),
    Failed(String),
}

impl Host {
    pub(crate) async fn ping(
        &mut self,
        host: String,
        timeout: Duration,
    ) -> Result<Vec<Echo>, Error> {
        self.asked(Capability::Icmp).map_err(Error::Denied)?;
        let shared = &self.shared;
        let (began, waiting) = (Instant::now(), shared.wait());
        let answer =
            watchkeeper_egress::icmp::ping(&shared.gate, &host, shared.at_most(timeout)).await;
        drop(waiting);
        let what = format_args!("ping {host}");
        match &answer {
            Ok(echoes) => {
                let answered = |echo: &&Echo| matches!(echo.outcome, Outcome::Answered(_));
                let count = echoes.iter().filter(answered).count();
                let outcome = format!("{count} of {} answered", echoes.len());
                shared.called(what, began, &outcome);
            }
            Err(error) => shared.called(what, began, &error.to_string()),
        }
        answer.map_err(|error| match error {
            IcmpError::Denied(denied) => Error::Denied(shared.refused(&denied)),
            // A machine that does not let this process ping says nothing of the
            // target: it must not be found dead for it.
            IcmpError::NotPermitted(why) => Error::Denied(shared.deny(&why)),
            IcmpError::Unresolved(why) => Error::Unresolved(why),
            IcmpError::Failed(why) => Error::Failed(why),
            IcmpError::Limit(limit) => Error::Failed(IcmpError::Limit(limit).to_string()),
        })
    }
}

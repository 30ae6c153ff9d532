//! A trial notice, sent by hand through a channel of the running host.

use watchkeeper_engine::id::ChannelId;
use watchkeeper_sandbox::{Notice, NotifyOutcome, StateSpace};
use watchkeeper_web::Tested;

use crate::assignment::{Assignments, Ready};
use crate::notice;

/// Sends it; `None` if there is no such channel.
pub(super) async fn run(assignments: &Assignments, id: &ChannelId) -> Option<Tested> {
    let channel = assignments.channels.get(id)?;
    let ready = match &channel.plugin {
        Ready::Use(ready) => ready,
        Ready::Missing(why) => {
            return Some(Tested {
                is_delivered: false,
                words: format!("It cannot be used: {why}"),
            });
        }
    };
    let config = &assignments.config;
    let public_url = config.server.public_url.as_ref();
    let trial = Notice {
        page_title: config.page.title.to_string(),
        page_url: public_url.map(ToString::to_string).unwrap_or_default(),
        ..notice::trial()
    };
    // A template that fails leaves the host's own words, as with every notice.
    let (told, _) = channel.words.put(&trial);
    let run = ready
        .notify(id.as_str(), channel.timeout, told, StateSpace::default())
        .await;
    let words = match &run.outcome {
        NotifyOutcome::Delivered => {
            return Some(Tested {
                is_delivered: true,
                words: String::new(),
            });
        }
        NotifyOutcome::Temporary { reason, .. } | NotifyOutcome::Permanent(reason) => {
            reason.clone()
        }
        NotifyOutcome::Fault(fault) => fault.to_string(),
    };
    Some(Tested {
        is_delivered: false,
        words,
    })
}

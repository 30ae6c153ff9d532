//! A notifier that reads every field of a notice, so that one built today says
//! whether a later host still takes it.
//!
//! It delivers nothing: what it was told is the reason of its failure.

use watchkeeper_sdk::bindings::notifier::{Failure, Guest, Request};
use watchkeeper_sdk::bindings::types::{Capability, Description};
use watchkeeper_sdk::bindings::{log, notifier_plugin, state, tls};

/// One second in nanoseconds.
const SECOND: u64 = 1_000_000_000;

struct Compat;

impl Guest for Compat {
    fn describe() -> Description {
        Description {
            name: "compat-notifier".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Reads every field of a notice".to_owned(),
            config_schema: r#"{"type":"object"}"#.to_owned(),
            asks: vec![Capability::Tls, Capability::State],
            hosts: Vec::new(),
        }
    }

    fn notify(request: Request) -> Result<(), Failure> {
        let notice = request.notice;
        if request.config.contains("deliver") {
            return Ok(());
        }
        log::log(log::Level::Warn, &notice.body);
        let state = state::set("key", b"value").is_ok();
        let told = format!(
            "{} {:?} {:?} {:?} {} {} {} {:?} {} {} {} {:?} {} {:?} {:?} {} {state}",
            notice.id,
            notice.occasion,
            notice.health,
            notice.previous,
            notice.at,
            notice.title,
            notice.affected.len(),
            notice.lasted,
            notice.reminder,
            notice.page_title,
            notice.page_url,
            notice.incident_url,
            notice.thread,
            notice.started,
            notice.acknowledge_url,
            request.timeout,
        );
        if request.config.contains("later") {
            return Err(Failure::Temporary((told, Some(30 * SECOND))));
        }
        if request.config.contains("dial") {
            drop(tls::Connection::connect("host.invalid", 443, SECOND));
        }
        Err(Failure::Permanent(told))
    }
}

notifier_plugin::export_notifier!(Compat with_types_in notifier_plugin);

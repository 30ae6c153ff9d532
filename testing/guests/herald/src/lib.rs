//! A notifier that delivers, or fails, as its configuration says.

use watchkeeper_sdk::bindings::notifier::{Failure, Guest, Request};
use watchkeeper_sdk::bindings::types::{Capability, Description};
use watchkeeper_sdk::bindings::{notifier_plugin, tls};

struct Herald;

impl Guest for Herald {
    fn describe() -> Description {
        Description {
            name: "herald".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Delivers, or fails".to_owned(),
            config_schema: r#"{"type":"object"}"#.to_owned(),
            asks: vec![Capability::Tls],
            hosts: Vec::new(),
        }
    }

    fn notify(request: Request) -> Result<(), Failure> {
        let notice = request.notice;
        if request.config.contains("deliver") {
            Ok(())
        } else if request.config.contains("detour") {
            drop(tls::Connection::connect(
                "other.example",
                443,
                1_000_000_000,
            ));
            Ok(())
        } else if request.config.contains("refused") {
            let opened = tls::Connection::connect("other.example", 443, 1_000_000_000);
            Err(Failure::Temporary((format!("{:?}", opened.err()), None)))
        } else if request.config.contains("later") {
            let words = format!("{} about {}", notice.title, notice.affected.len());
            Err(Failure::Temporary((words, Some(30_000_000_000))))
        } else if request.config.contains("never") {
            let words = format!(
                "{:?} {} {:?}",
                notice.occasion, notice.page_url, notice.lasted
            );
            Err(Failure::Permanent(words))
        } else {
            panic!("no such deed");
        }
    }
}

notifier_plugin::export_notifier!(Herald with_types_in notifier_plugin);

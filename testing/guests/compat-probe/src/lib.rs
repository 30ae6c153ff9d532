//! A probe that uses every interface of the contract, so that one built today says
//! whether a later host still takes it.
//!
//! It finds its target healthy when every call was answered as the contract says,
//! whatever the answer is; it says what it got in its measurements.

use watchkeeper_sdk::bindings::probe::{
    Fault, Guest, Health, Measurement, ProbeDescription, Reading, Request,
};
use watchkeeper_sdk::bindings::types::{Capability, Description};
use watchkeeper_sdk::bindings::{dns, http_trace, icmp, log, probe_plugin, state, tls};

/// One second in nanoseconds.
const SECOND: u64 = 1_000_000_000;

struct Compat;

impl Guest for Compat {
    fn describe() -> ProbeDescription {
        ProbeDescription {
            general: Description {
                name: "compat-probe".to_owned(),
                version: "0.1.0".to_owned(),
                summary: "Uses every interface of the contract".to_owned(),
                config_schema: r#"{"type":"object","properties":{"say":{"type":"string"}}}"#
                    .to_owned(),
                asks: vec![
                    Capability::Http,
                    Capability::Tcp,
                    Capability::Udp,
                    Capability::Icmp,
                    Capability::Dns,
                    Capability::Tls,
                    Capability::State,
                ],
                hosts: vec!["api.example.com:443".to_owned()],
            },
            schemes: vec!["compat".to_owned()],
        }
    }

    fn check(request: Request) -> Result<Reading, Fault> {
        match request.target.as_str() {
            "compat://misconfigured" => return Err(Fault::Misconfigured("as asked".to_owned())),
            "compat://undecided" => return Err(Fault::Undecided("as asked".to_owned())),
            _ => {}
        }
        log::log(log::Level::Info, &format!("config {}", request.config));
        let runs = state::get("runs")
            .and_then(|bytes| bytes.first().copied())
            .unwrap_or(0)
            + 1;
        if state::set("runs", &[runs]).is_err() {
            return Err(Fault::Undecided("the state is full".to_owned()));
        }
        state::delete("nothing");
        // Port 1 of this machine: refused, or denied where it was not granted.
        let denied = [
            matches!(
                icmp::ping("host.invalid", SECOND),
                Err(icmp::Error::Denied(_))
            ),
            matches!(
                dns::query("host.invalid", "A", None, SECOND),
                Err(dns::Error::Denied(_))
            ),
            matches!(
                tls::Connection::connect("host.invalid", 443, SECOND),
                Err(tls::Error::Denied(_))
            ),
        ];
        let denied = denied
            .into_iter()
            .map(|denied| f64::from(u8::from(denied)))
            .sum();
        let measured = |name: &str, value: f64, unit: &str| Measurement {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
        };
        let exchanges = u32::try_from(http_trace::exchanges().len()).unwrap_or(u32::MAX);
        Ok(Reading {
            health: Health::Healthy,
            reason: Some(format!("{} for {}", request.monitor, request.target)),
            latency: Some(request.timeout),
            measurements: vec![
                measured("runs", f64::from(runs), "runs"),
                measured("denied", denied, "calls"),
                measured("exchanges", f64::from(exchanges), "exchanges"),
            ],
        })
    }
}

probe_plugin::export_probe!(Compat with_types_in probe_plugin);

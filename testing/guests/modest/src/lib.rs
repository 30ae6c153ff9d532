//! A probe that asks for nothing and reaches for everything. Its target says for
//! what; it is dead when it does not get it.

use watchkeeper_sdk::bindings::probe::{Fault, Guest, Health, ProbeDescription, Reading, Request};
use watchkeeper_sdk::bindings::types::Description;
use watchkeeper_sdk::bindings::{dns, icmp, probe_plugin, state, tls};

struct Modest;

impl Guest for Modest {
    fn describe() -> ProbeDescription {
        ProbeDescription {
            general: Description {
                name: "modest".to_owned(),
                version: "0.1.0".to_owned(),
                summary: "Asks for nothing".to_owned(),
                config_schema: r#"{"type":"object"}"#.to_owned(),
                asks: Vec::new(),
                hosts: Vec::new(),
            },
            schemes: Vec::new(),
        }
    }

    fn check(request: Request) -> Result<Reading, Fault> {
        let got = match request.target.as_str() {
            "http" => http().is_ok(),
            "tcp" => std::net::TcpStream::connect("127.0.0.1:1").is_ok(),
            "udp" => std::net::UdpSocket::bind("0.0.0.0:0")
                .is_ok_and(|socket| socket.send_to(b"x", "127.0.0.1:1").is_ok()),
            "icmp" => icmp::ping("localhost", 1_000_000_000).is_ok(),
            "dns" => dns::query("localhost", "A", None, 1_000_000_000).is_ok(),
            "tls" => tls::Connection::connect("localhost", 1, 1_000_000_000).is_ok(),
            "state" => state::set("key", b"value").is_ok(),
            _ => return Err(Fault::Misconfigured("no such capability".to_owned())),
        };
        Ok(Reading {
            health: if got { Health::Healthy } else { Health::Dead },
            reason: Some("did not get it".to_owned()),
            latency: None,
            measurements: Vec::new(),
        })
    }
}

fn http() -> Result<(), wasip2::http::types::ErrorCode> {
    use wasip2::http::types::{Fields, OutgoingRequest, Scheme};
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request
        .set_authority(Some("127.0.0.1:1"))
        .expect("an authority");
    request.set_path_with_query(Some("/")).expect("a path");
    let answer = wasip2::http::outgoing_handler::handle(request, None)?;
    answer.subscribe().block();
    answer
        .get()
        .expect("it is ready")
        .expect("it is asked once")
        .map(drop)
}

probe_plugin::export_probe!(Modest with_types_in probe_plugin);

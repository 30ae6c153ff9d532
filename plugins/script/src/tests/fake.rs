//! A world that answers what it was told to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use watchkeeper_sdk::{Error, Stop};

use crate::Config;
use crate::syntax::{Origin, parse};
use crate::verdict::{Ended, run};
use crate::world::{Heard, HttpAnswer, HttpRequest, Record, Talk, World};

/// A world, and what was asked of it.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) asked: RefCell<Vec<String>>,
    pub(super) requests: RefCell<Vec<HttpRequest>>,
    kept: RefCell<BTreeMap<String, Vec<u8>>>,
}

/// 2026-03-14T15:09:26.535897932Z
pub(super) const NOW: u64 = 1_773_500_966_535_897_932;

impl World for Fake {
    fn http(&self, request: &HttpRequest) -> Result<HttpAnswer, Error> {
        self.requests.borrow_mut().push(request.clone());
        let (status, body) = match request.url.as_str() {
            url if url.contains("refused") => return Err(Error::Refused),
            url if url.contains("gone") => {
                return Err(Error::Unresolved("no such host: gone.test".to_owned()));
            }
            url if url.contains("slow") => return Err(Error::TimedOut(Some(request.timeout))),
            url if url.contains("/404") => (404, "not here"),
            url if url.contains("/queue") => (200, r#"{"messages":42,"name":"jobs"}"#),
            url if url.contains("/list") => (200, r#"[{"n":1,"ok":true},{"n":2,"ok":false}]"#),
            _ => (200, "fine"),
        };
        Ok(HttpAnswer {
            status,
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: body.as_bytes().to_vec(),
            url: request.url.clone(),
            took: Duration::from_millis(120),
            resolve: Some(Duration::from_millis(10)),
            connect: Some(Duration::from_millis(20)),
            tls: None,
            first_byte: Some(Duration::from_millis(70)),
            address: Some("192.0.2.1".to_owned()),
        })
    }

    fn tcp(&self, talk: &Talk<'_>) -> Result<Heard, Error> {
        let said = String::from_utf8_lossy(talk.send).into_owned();
        let asked = format!("tcp {}:{} {said:?}", talk.host, talk.port);
        self.asked.borrow_mut().push(asked);
        match talk.port {
            1 => Err(Error::Refused),
            _ => Ok(Heard {
                bytes: if talk.listen {
                    b"+PONG\r\n".to_vec()
                } else {
                    Vec::new()
                },
                connect: Duration::from_millis(3),
            }),
        }
    }

    fn dns(
        &self,
        name: &str,
        kind: &str,
        server: Option<&str>,
        _: Duration,
    ) -> Result<(String, Vec<Record>), Error> {
        let asked = format!("dns {name} {kind} {server:?}");
        self.asked.borrow_mut().push(asked);
        if name == "gone.test" {
            return Ok(("NXDOMAIN".to_owned(), Vec::new()));
        }
        let records = ["192.0.2.1", "192.0.2.2"].map(|data| Record {
            name: format!("{name}."),
            kind: kind.to_owned(),
            ttl_seconds: 60,
            data: data.to_owned(),
        });
        Ok(("NOERROR".to_owned(), records.to_vec()))
    }

    fn ping(&self, host: &str, timeout: Duration) -> Result<Vec<(String, Duration)>, Error> {
        match host {
            "gone.test" => Err(Error::Unresolved("no such host: gone.test".to_owned())),
            "silent.test" => Err(Error::TimedOut(Some(timeout))),
            _ => Ok(vec![("192.0.2.1".to_owned(), Duration::from_micros(1500))]),
        }
    }

    fn sleep(&self, span: Duration) {
        self.asked.borrow_mut().push(format!("sleep {span:?}"));
    }

    fn now(&self) -> u64 {
        NOW
    }

    fn remaining(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.kept.borrow().get(key).cloned()
    }

    fn keep(&self, key: &str, value: Option<&[u8]>) -> Result<(), Error> {
        match value {
            Some(value) => self
                .kept
                .borrow_mut()
                .insert(key.to_owned(), value.to_vec()),
            None => self.kept.borrow_mut().remove(key),
        };
        Ok(())
    }
}

impl Fake {
    /// Runs a script.
    pub(super) fn run(&self, script: &str) -> Result<Ended, Stop> {
        let config = Config {
            script: script.to_owned(),
            args: vec!["one".to_owned(), "two words".to_owned()],
            env: BTreeMap::new(),
            reach: Vec::new(),
        };
        let parsed = match parse(script, Origin::start()) {
            Ok(parsed) => parsed,
            Err(fault) => return Err(Stop::Misconfigured(fault.to_string())),
        };
        let told = [
            ("TARGET", "http://a.test/queue".to_owned()),
            ("TIMEOUT", "10".to_owned()),
            ("MONITOR", "api/queue".to_owned()),
        ];
        run(&parsed, config, self, told)
    }
}

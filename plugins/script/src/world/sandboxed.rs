//! The world of a plugin: the host's calls.

use std::thread;
use std::time::{Duration, Instant};

use watchkeeper_sdk::{Context, Error, Timestamp, dns, http, icmp, state, tcp, tls};

use super::{Heard, HttpAnswer, HttpRequest, Record, Talk, World};

/// How many bytes of a body are read.
const BODY_LIMIT: u64 = 1 << 20;

/// How many bytes of a TCP conversation are read.
const HEARD_LIMIT: usize = 64 << 10;

/// The sandbox that the plugin runs in.
pub(crate) struct Sandboxed<'c>(pub(crate) &'c Context);

impl World for Sandboxed<'_> {
    fn http(&self, asked: &HttpRequest) -> Result<HttpAnswer, Error> {
        let started = Instant::now();
        let mut request = http::Request::new(&asked.method, &asked.url)
            .timeout(asked.timeout)
            .redirects(asked.redirects)
            .body_limit(BODY_LIMIT)
            .verify(if asked.insecure {
                tls::Verify::Reported
            } else {
                tls::Verify::Required
            });
        for (name, value) in &asked.headers {
            request = request.header(name.as_str(), value.as_bytes());
        }
        if let Some((user, password)) = &asked.basic {
            request = request.basic_auth(user, password);
        }
        if let Some(body) = &asked.body {
            request = request.body(body.as_slice());
        }
        let response = request.send()?;
        let took = started.elapsed();
        let exchange = http::exchanges().pop();
        let part = |of: fn(&http::Exchange) -> Option<Duration>| exchange.as_ref().and_then(of);
        let headers = response
            .headers()
            .map(|(name, value)| (name.to_owned(), value.into_owned()));
        Ok(HttpAnswer {
            status: response.status(),
            headers: headers.collect(),
            body: response.bytes()?.to_vec(),
            url: response.url().to_string(),
            took,
            resolve: part(|exchange| exchange.resolve),
            connect: part(|exchange| exchange.connect),
            tls: part(|exchange| exchange.tls),
            first_byte: part(|exchange| exchange.first_byte),
            address: exchange.and_then(|exchange| exchange.address),
        })
    }

    fn tcp(&self, talk: &Talk<'_>) -> Result<Heard, Error> {
        let started = Instant::now();
        let connection = tcp::Connection::open(talk.host, talk.port, talk.timeout)?;
        let mut heard = Heard {
            bytes: Vec::new(),
            connect: started.elapsed(),
        };
        if !talk.send.is_empty() {
            connection.write(talk.send)?;
        }
        if !talk.listen {
            return Ok(heard);
        }
        loop {
            let room = HEARD_LIMIT.saturating_sub(heard.bytes.len());
            let came = |until: &str| String::from_utf8_lossy(&heard.bytes).contains(until);
            if room == 0 || talk.until.is_some_and(came) {
                return Ok(heard);
            }
            match connection.read(room) {
                Ok(bytes) if bytes.is_empty() => return Ok(heard),
                Ok(bytes) => heard.bytes.extend_from_slice(&bytes),
                Err(Error::TimedOut(_)) => return Ok(heard),
                Err(error) => return Err(error),
            }
        }
    }

    fn dns(
        &self,
        name: &str,
        kind: &str,
        server: Option<&str>,
        timeout: Duration,
    ) -> Result<(String, Vec<Record>), Error> {
        let answer = dns::query(name, kind, server, timeout)?;
        let records = answer.records.into_iter().map(|record| Record {
            name: record.name,
            kind: record.kind,
            ttl_seconds: record.ttl_seconds,
            data: record.data,
        });
        Ok((answer.code, records.collect()))
    }

    fn ping(&self, host: &str, timeout: Duration) -> Result<Vec<(String, Duration)>, Error> {
        let echoes = icmp::ping(host, timeout)?;
        let echoes = echoes.into_iter();
        Ok(echoes.map(|echo| (echo.address, echo.round_trip)).collect())
    }

    fn sleep(&self, span: Duration) {
        thread::sleep(span);
    }

    fn now(&self) -> u64 {
        Timestamp::now().nanos()
    }

    fn remaining(&self) -> Duration {
        self.0.remaining()
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        state::get_bytes(key)
    }

    fn keep(&self, key: &str, value: Option<&[u8]>) -> Result<(), Error> {
        if let Some(value) = value {
            state::set_bytes(key, value)
        } else {
            state::delete(key);
            Ok(())
        }
    }
}

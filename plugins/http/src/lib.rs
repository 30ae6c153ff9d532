//! Checks web sites and APIs: sends one request, compares the answer with what
//! is expected, and looks at the certificate.

mod config;

use std::borrow::Cow;

use watchkeeper_sdk::expect::Judge;
use watchkeeper_sdk::http::{self, Exchange, Request, Response};
use watchkeeper_sdk::tls::Expiry;
use watchkeeper_sdk::{
    Capability, Context, Error, Probe, Problem, Reading, Stop, Target, Timestamp,
};

pub use self::config::Config;
use self::config::Tls;

/// The probe for `http` and `https` targets.
pub struct Http;

impl Probe for Http {
    type Config = Config;

    const NAME: &'static str = "http";
    const SUMMARY: &'static str = "Checks web sites and APIs: status, headers, body, certificate";
    const SCHEMES: &'static [&'static str] = &["http", "https"];
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        match Judge::new(&config.expect, &config.prefer, "config") {
            Ok(_) => Ok(()),
            Err(stop) => Err(vec![stop.into()]),
        }
    }

    fn check(config: Config, target: &Target, _: &Context) -> Result<Reading, Stop> {
        // Before anything is sent: a mistake in the configuration is no news
        // about the target.
        let judge = Judge::new(&config.expect, &config.prefer, "config")?;
        let response = request(&config, target)?
            .send()
            .map_err(|error| match error {
                Error::Invalid(why) => target.unfit(&why),
                error => error.into(),
            })?;
        let exchanges = http::exchanges();
        judged(
            &judge,
            &config.tls,
            &response,
            exchanges.last(),
            Timestamp::now(),
        )
    }
}

watchkeeper_sdk::probe!(Http);

fn request(config: &Config, target: &Target) -> Result<Request, Stop> {
    let mut url = target.url()?;
    if let Some(name) = &config.cache_buster {
        url.append_query(name, &Timestamp::now().nanos().to_string());
    }
    let mut request = Request::to_url(&config.method, url)
        .body_limit(config.max_body)
        .redirects(config.redirects.follow)
        .verify(config.tls.verification());
    for (name, value) in &config.headers {
        request = request.header(name, value.as_str());
    }
    if let Some(body) = &config.body {
        request = request.body(body.as_str());
    }
    Ok(match &config.auth {
        Some(auth) => request.auth(auth),
        None => request,
    })
}

fn judged(
    judge: &Judge,
    tls: &Tls,
    response: &Response,
    exchange: Option<&Exchange>,
    now: Timestamp,
) -> Result<Reading, Stop> {
    let mut reading = Reading::healthy().measure("status", f64::from(response.status()), "code");
    if let Some(exchange) = exchange {
        reading.latency = exchange.total();
        for (phase, took) in exchange.phases() {
            reading = reading.measure(phase, took.as_secs_f64(), "seconds");
        }
        if let Some(session) = &exchange.session {
            reading = match tls.expiry() {
                Some(expiry) => expiry.judge(reading, session, now),
                None => Expiry::measure(reading, session, now),
            };
        }
    }
    judge
        .judge(reading, response)
        .map_err(|limit| limit.stop("config.max_body"))
}

#[cfg(test)]
mod tests;

//! Taking the steps, one after another.

use std::time::Duration;

use serde_json::Value;
use watchkeeper_sdk::config::Span;
use watchkeeper_sdk::expect::{Limit, excerpt};
use watchkeeper_sdk::http::{self, Cookies, Exchange, Request, Response};
use watchkeeper_sdk::{Context, Error, Health, Reading, Stop, Target, Timestamp, Url, log};

use crate::config::{Config, Step};
use crate::plan::{Body, Credentials, Pick, Plan, Source};
use crate::template::{Escaping, Saved, Template, plain};

/// How much of what is left of the check's time a step may take: it must end before
/// the host ends the check, so that the reason names the step.
const PATIENCE: f64 = 0.98;

/// The steps so far.
pub(crate) struct Walk<'a> {
    config: &'a Config,
    target: Url,
    context: &'a Context,
    cookies: Cookies,
    pub(crate) saved: Saved,
    /// Texts that must not be in a reason.
    secrets: Vec<String>,
    reading: Reading,
    latency: Option<Duration>,
    /// Why a step had no verdict.
    stop: Option<Stop>,
    /// How many of the run's exchanges belong to the steps so far.
    exchanges: usize,
    /// The session of which a certificate expires first.
    session: Option<http::Exchange>,
}

/// Why a step was not taken to its end.
enum Halt {
    /// A value that it needs was not saved.
    Missing(String),
    /// The site or the configuration is at fault.
    Stop(Stop),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl<'a> Walk<'a> {
    /// Stands before the first step, with what is saved from the start.
    pub(crate) fn new(
        config: &'a Config,
        target: &Target,
        context: &'a Context,
        saved: Saved,
    ) -> Result<Self, Stop> {
        Ok(Self {
            config,
            target: target.url()?,
            context,
            cookies: Cookies::default(),
            saved,
            secrets: Vec::new(),
            reading: Reading::healthy(),
            latency: None,
            stop: None,
            exchanges: 0,
            session: None,
        })
    }

    /// Takes a step, unless one before it failed and it is not to be taken then.
    pub(crate) fn take(&mut self, plan: &Plan, step: &Step) {
        let failed = self.stop.is_some() || self.reading.health == Health::Dead;
        if failed && !step.always {
            return;
        }
        let outcome = self.exchange(plan, step);
        self.measure(plan);
        let outcome = outcome.and_then(|response| self.learn(plan, &response).map_err(Halt::Stop));
        match outcome {
            Ok(()) => {}
            Err(Halt::Missing(name)) => log::debug(format!(
                "step {} is left out: {name} was not saved",
                plan.name
            )),
            Err(Halt::Stop(Stop::Dead(why))) => self.worsen(plan, Health::Dead, &why),
            // The first says most: what failed after it may have failed for it.
            Err(Halt::Stop(stop)) => {
                let named = |why| format!("step {}: {why}", plan.name);
                self.stop.get_or_insert(match stop {
                    Stop::Undecided(why) => Stop::Undecided(named(why)),
                    other => other,
                });
            }
        }
    }

    /// The reading of all steps.
    pub(crate) fn finish(self, now: Timestamp) -> Result<Reading, Stop> {
        let mut reading = self.reading;
        reading.latency = self.latency;
        if let Some(session) = self.session.and_then(|exchange| exchange.session) {
            reading = self.config.tls.judge(reading, &session, now);
        }
        let clean = |why: String| {
            let hide = |why: String, secret: &String| why.replace(secret.as_str(), "****");
            self.secrets.iter().fold(why, hide)
        };
        // A site that is dead is so, whatever else could not be decided.
        match self.stop {
            Some(Stop::Undecided(why)) if reading.health != Health::Dead => {
                return Err(Stop::Undecided(clean(why)));
            }
            Some(stop @ Stop::Misconfigured(_)) => return Err(stop),
            _ => {}
        }
        reading.reason = reading.reason.map(clean);
        Ok(reading)
    }

    fn exchange(&mut self, plan: &Plan, step: &Step) -> Result<Response, Halt> {
        let request = self.request(plan, step)?;
        let sent = if self.config.cookies {
            request.send_with(&mut self.cookies)
        } else {
            request.send()
        };
        Ok(sent.map_err(|error| match error {
            Error::Invalid(why) if plan.depends => Stop::Dead(why),
            Error::Invalid(why) => Stop::Misconfigured(format!("{}: {why}", plan.place)),
            error => error.into(),
        })?)
    }

    fn request(&self, plan: &Plan, step: &Step) -> Result<Request, Halt> {
        let base = plan.base.as_ref().unwrap_or(&self.target);
        let path = plan
            .path
            .fill(&self.saved, Escaping::Url)
            .map_err(Halt::Missing)?;
        let url = base.join(&path).map_err(|error| {
            let why = format!("{}.path: {:?}: {error}", plan.place, excerpt(&path));
            if plan.depends {
                Stop::Dead(why)
            } else {
                Stop::Misconfigured(why)
            }
        })?;
        let is_own = url.same_origin(&self.target);
        let left = self.context.remaining().mul_f64(PATIENCE);
        let mut request = Request::to_url(&plan.method, url)
            .body_limit(self.config.max_body)
            .redirects(step.redirects)
            .timeout(step.timeout.map_or(left, Span::duration).min(left));
        for (name, value) in &plan.headers {
            request = request.header(name, self.text(value)?);
        }
        let has = |wanted: &str| {
            let mut names = plan.headers.iter().map(|(name, _)| name);
            names.any(|name| name.eq_ignore_ascii_case(wanted))
        };
        let mut has_authorization = has("authorization") || plan.auth.is_some();
        if is_own {
            for (name, value) in &self.config.headers {
                if !has(name) {
                    has_authorization |= name.eq_ignore_ascii_case("authorization");
                    request = request.header(name, value.as_str());
                }
            }
        }
        request = match (&plan.auth, &self.config.auth) {
            (Some(Credentials::Basic(user, password)), _) => {
                request.basic_auth(&self.text(user)?, &self.text(password)?)
            }
            (Some(Credentials::Bearer(token)), _) => request.bearer_auth(&self.text(token)?),
            (None, Some(auth)) if is_own && !has_authorization => request.auth(auth),
            _ => request,
        };
        Ok(match &plan.body {
            Body::None => request,
            Body::Text(text) => request.body(self.text(text)?),
            Body::Json(value) => {
                let body = value.fill(&self.saved).map_err(Halt::Missing)?;
                if has("content-type") {
                    request.body(body.to_string())
                } else {
                    request.json(&body)
                }
            }
            Body::Form(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| Ok((name, self.text(value)?)))
                    .collect::<Result<Vec<_>, Halt>>()?;
                request.form(&fields)
            }
        })
    }

    fn text(&self, template: &Template) -> Result<String, Halt> {
        template
            .fill(&self.saved, Escaping::None)
            .map_err(Halt::Missing)
    }

    /// Counts the time of the exchanges that came since the last step.
    fn measure(&mut self, plan: &Plan) {
        let exchanges = http::exchanges();
        let mut took = None;
        for exchange in exchanges.into_iter().skip(self.exchanges) {
            self.exchanges += 1;
            if let Some(total) = exchange.total() {
                took = Some(took.unwrap_or(Duration::ZERO) + total);
            }
            if expiry(&exchange).is_some_and(|first| {
                self.session
                    .as_ref()
                    .and_then(expiry)
                    .is_none_or(|other| first < other)
            }) {
                self.session = Some(exchange);
            }
        }
        if let Some(took) = took {
            self.latency = Some(self.latency.unwrap_or(Duration::ZERO) + took);
            let reading = std::mem::replace(&mut self.reading, Reading::healthy());
            self.reading = reading.measure(&plan.name, took.as_secs_f64(), "seconds");
        }
    }

    /// Judges an answer and keeps what is wanted of it.
    pub(crate) fn learn(&mut self, plan: &Plan, response: &Response) -> Result<(), Stop> {
        let judged = plan
            .judge
            .judge(Reading::healthy(), response)
            .map_err(|limit| limit.stop("config.max_body"))?;
        if let Some(why) = &judged.reason {
            self.worsen(plan, judged.health, why);
        }
        // What is saved from an answer that is wrong leads to wrong steps; only
        // what there is to tidy up may be in it.
        let failed = judged.health == Health::Dead;
        for pick in &plan.picks {
            match self.pick(pick, response) {
                Ok(value) => {
                    let text = plain(&value);
                    if pick.secret && !text.is_empty() {
                        self.secrets.push(text);
                    }
                    self.saved.insert(pick.name.clone(), value);
                }
                Err(_) if failed => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    fn pick(&self, pick: &Pick, response: &Response) -> Result<Value, Stop> {
        let missing = |what: String| Stop::Dead(format!("{}: {what}", pick.name));
        let too_large = |error: Error, key: &str| match error {
            Error::TooLarge(bytes) => {
                let key = format!("{}.{key}", pick.place);
                Limit { bytes, key }.stop("config.max_body")
            }
            error => missing(error.to_string()),
        };
        let value = match &pick.source {
            Source::Body => {
                let text = response.text().map_err(|error| too_large(error, "regex"))?;
                Value::String(text.into_owned())
            }
            Source::Json(path) => {
                let body: Value = response.json().map_err(|error| too_large(error, "json"))?;
                let first = path.select(&body).into_iter().next().cloned();
                first.ok_or_else(|| missing(format!("{path} is missing")))?
            }
            Source::Header(name) => {
                let value = response.header(name);
                let value = value.ok_or_else(|| missing(format!("header {name} is missing")))?;
                Value::String(value.into_owned())
            }
            Source::Cookie(name) => {
                let value = self.cookies.get(response.url(), name);
                let value = value.ok_or_else(|| missing(format!("cookie {name} is missing")))?;
                Value::String(value.to_owned())
            }
        };
        let Some(regex) = &pick.regex else {
            return Ok(value);
        };
        let text = plain(&value);
        let found = regex
            .captures(&text)
            .and_then(|captures| captures.get(1).or_else(|| captures.get(0)))
            .map(|found| Value::String(found.as_str().to_owned()));
        found.ok_or_else(|| missing(format!("nothing matches {}", excerpt(regex.as_str()))))
    }

    fn worsen(&mut self, plan: &Plan, health: Health, why: &str) {
        let reading = std::mem::replace(&mut self.reading, Reading::healthy());
        self.reading = reading.worsen(health, format!("step {}: {why}", plan.name));
    }
}

/// When the first certificate of an exchange expires.
fn expiry(exchange: &Exchange) -> Option<Timestamp> {
    let chain = &exchange.session.as_ref()?.chain;
    chain.iter().map(|certificate| certificate.not_after).min()
}

//! An answer against what is expected of it.

use regex_lite::Regex;
use serde_json::Value;

use super::{Expect, JsonPath, Rule, StatusRange, Test, excerpt, regex};
use crate::http::Response;
use crate::{Error, Health, Reading, Stop};

/// What must hold and what should, checked and ready.
#[derive(Debug)]
pub struct Judge {
    expect: Rules,
    prefer: Rules,
}

/// The body went past the limit of what is read, and a rule needs all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much was read.
    pub bytes: u64,
    /// The rule's key: `config.expect.json`.
    pub key: String,
}

impl Limit {
    /// Undecided, naming the key that has to be raised: `config.max_body`.
    pub fn stop(self, raise: &str) -> Stop {
        let Self { bytes, key } = self;
        Stop::Undecided(format!(
            "the body is larger than {bytes} bytes, so that {key} cannot be decided: raise {raise}"
        ))
    }
}

#[derive(Debug)]
struct Rules {
    /// `config.expect` or `config.prefer`.
    place: String,
    health: Health,
    status: Vec<StatusRange>,
    body: Option<String>,
    body_not: Option<String>,
    body_regex: Option<Regex>,
    json: Vec<(JsonPath, Test)>,
    headers: Vec<(String, Test)>,
}

impl Judge {
    /// Takes what must hold, or the answer is dead, and what should, or it is sick:
    /// the keys `expect` and `prefer` of the table at `place`, such as `config`.
    /// Where `expect` names no status, any 2xx it is.
    ///
    /// Compiles every pattern and path; [`Stop::Misconfigured`] names the key of the
    /// first that cannot be.
    pub fn new(expect: &Expect, prefer: &Expect, place: &str) -> Result<Self, Stop> {
        let rules = |expect, key, health| {
            Rules::new(expect, format!("{place}.{key}"), health).map_err(Stop::Misconfigured)
        };
        let mut judge = Self {
            expect: rules(expect, "expect", Health::Dead)?,
            prefer: rules(prefer, "prefer", Health::Sick)?,
        };
        if expect.status.is_none() {
            judge.expect.status = vec![StatusRange::SUCCESS];
        }
        Ok(judge)
    }

    /// Makes `reading` as bad as the answer is.
    pub fn judge(&self, reading: Reading, response: &Response) -> Result<Reading, Limit> {
        let reading = self.expect.judge(reading, response)?;
        // What should hold does not matter where not even that holds which must.
        if reading.health == Health::Dead {
            Ok(reading)
        } else {
            self.prefer.judge(reading, response)
        }
    }
}

impl Rules {
    fn new(expect: &Expect, place: String, health: Health) -> Result<Self, String> {
        let body_regex = match &expect.body_regex {
            Some(pattern) => {
                Some(regex(pattern).map_err(|error| format!("{place}.body_regex: {error}"))?)
            }
            None => None,
        };
        let mut json = Vec::with_capacity(expect.json.len());
        for (index, assertion) in expect.json.iter().enumerate() {
            let place = format!("{place}.json[{index}]");
            let path = JsonPath::parse(&assertion.path)
                .map_err(|error| format!("{place}.path: {:?}: {error}", assertion.path))?;
            let test = Test::new(assertion.op, assertion.value.as_ref())
                .map_err(|error| format!("{place}.{error}"))?;
            json.push((path, test));
        }
        let mut headers = Vec::with_capacity(expect.headers.len());
        for (index, assertion) in expect.headers.iter().enumerate() {
            let test = Test::new(assertion.op, assertion.value.as_ref())
                .map_err(|error| format!("{place}.headers[{index}].{error}"))?;
            headers.push((assertion.name.clone(), test));
        }
        Ok(Self {
            place,
            health,
            status: expect.status.clone().unwrap_or_default(),
            body: expect.body.clone(),
            body_not: expect.body_not.clone(),
            body_regex,
            json,
            headers,
        })
    }

    fn judge(&self, mut reading: Reading, response: &Response) -> Result<Reading, Limit> {
        let status = response.status();
        if !self.status.is_empty() && !self.status.iter().any(|range| range.contains(status)) {
            // The body of an error says nothing about what was asked for.
            return Ok(reading.worsen(self.health, self.status_fault(response)));
        }
        let mut faults = self.header_faults(response);
        self.body_faults(response, &mut faults)?;
        for fault in faults {
            reading = reading.worsen(self.health, fault);
        }
        Ok(reading)
    }

    fn status_fault(&self, response: &Response) -> String {
        let expected: Vec<String> = self.status.iter().map(ToString::to_string).collect();
        let mut fault = format!(
            "status {}, expected {}",
            response.status(),
            expected.join(", ")
        );
        if let (300..=399, Some(location)) = (response.status(), response.header("location")) {
            fault += " (redirects to ";
            fault += &excerpt(&location);
            fault += ")";
        }
        fault
    }

    fn header_faults(&self, response: &Response) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, test) in &self.headers {
            let values: Vec<Value> = response
                .headers()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, value)| Value::String(value.into_owned()))
                .collect();
            if let Some(fault) = test.fault(values.iter(), Rule::Any) {
                faults.push(format!("header {name} {fault}"));
            }
        }
        faults
    }

    fn body_faults(&self, response: &Response, faults: &mut Vec<String>) -> Result<(), Limit> {
        let key = |key| format!("{}.{key}", self.place);
        if let Some(part) = &self.body
            && !text(
                response,
                || key("body"),
                |text| text.contains(part.as_str()),
            )?
        {
            faults.push(format!("the body does not contain {:?}", excerpt(part)));
        }
        if let Some(part) = &self.body_not
            && text(
                response,
                || key("body_not"),
                |text| text.contains(part.as_str()),
            )?
        {
            faults.push(format!("the body contains {:?}", excerpt(part)));
        }
        if let Some(regex) = &self.body_regex
            && !text(response, || key("body_regex"), |text| regex.is_match(text))?
        {
            faults.push(format!(
                "the body does not match {}",
                excerpt(regex.as_str())
            ));
        }
        if self.json.is_empty() {
            return Ok(());
        }
        let body: Value = match response.json() {
            Ok(body) => body,
            Err(Error::TooLarge(bytes)) => {
                return Err(Limit {
                    bytes,
                    key: key("json"),
                });
            }
            Err(error) => {
                faults.push(error.to_string());
                return Ok(());
            }
        };
        for (path, test) in &self.json {
            if let Some(fault) = test.fault(path.select(&body).into_iter(), Rule::All) {
                faults.push(format!("{path} {fault}"));
            }
        }
        Ok(())
    }
}

/// Whether `found` is true of the body. What is in the part that was read is in
/// the body; what is not in it may be in the rest.
fn text(
    response: &Response,
    key: impl FnOnce() -> String,
    found: impl FnOnce(&str) -> bool,
) -> Result<bool, Limit> {
    if found(&String::from_utf8_lossy(response.start())) {
        return Ok(true);
    }
    match response.bytes() {
        Err(Error::TooLarge(bytes)) => Err(Limit { bytes, key: key() }),
        Ok(_) | Err(_) => Ok(false),
    }
}

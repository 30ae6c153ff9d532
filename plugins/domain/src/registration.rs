//! What a registry says about a domain (RFC 9083).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use watchkeeper_sdk::expect::excerpt;
use watchkeeper_sdk::{Context, Error, Stop, Timestamp, Url};

use crate::{Problem, RAREST, get};

/// How long to wait after an answer that says to ask less often but not how much
/// less.
const TOO_OFTEN: Duration = Duration::from_hours(6);

/// How long to wait at most, whatever the registry asks for.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// How many of a domain's status are kept. There are about twenty (RFC 8056).
const STATUS_KEPT: usize = 32;

/// What a registry said.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Finding {
    /// It has no such domain.
    Unregistered,
    /// It has.
    Registered(Registration),
}

/// A domain's registration, as far as it is judged.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Registration {
    /// When it expires, in seconds since 1970; none where that is not published.
    pub expires: Option<u64>,
    /// Its status as the registry writes them.
    pub status: Vec<String>,
    /// Whom to pay.
    pub registrar: Option<String>,
}

/// Asks `server` about the domain.
pub(crate) fn fetch(server: &Url, name: &str, context: &Context) -> Result<Finding, Problem> {
    let mut url = server.clone();
    url.push_path("domain");
    url.push_path(name);
    let response = get(&url, context)?;
    let host = response.url().host().unwrap_or_default();
    let later = |why: &str, wait| Err(Problem::Later(format!("{host}: {why}"), wait));
    match response.status() {
        200 => {}
        404 => return Ok(Finding::Unregistered),
        status @ (429 | 503) => {
            let asked_for = response.header("retry-after");
            let wait = match asked_for.and_then(|wait| wait.trim().parse().ok()) {
                Some(seconds) => Duration::from_secs(seconds),
                None if status == 429 => TOO_OFTEN,
                None => RAREST,
            };
            let why = if status == 429 {
                "the registry was asked too often".to_owned()
            } else {
                format!("status {status}")
            };
            return later(&why, wait.clamp(RAREST, LONGEST_WAIT));
        }
        status => return later(&format!("status {status}"), RAREST),
    }
    let body: Value = match response.json() {
        Ok(body) => body,
        Err(error @ Error::TooLarge(_)) => return Err(Problem::Stop(Stop::from(error))),
        Err(error) => return later(&error.to_string(), RAREST),
    };
    match Registration::read(&body, name) {
        Ok(registration) => Ok(Finding::Registered(registration)),
        Err(why) => later(&why, RAREST),
    }
}

impl Registration {
    fn read(body: &Value, name: &str) -> Result<Self, String> {
        let is_domain = body.get("objectClassName").and_then(Value::as_str) == Some("domain");
        let same = |found: &str| found.trim_end_matches('.').eq_ignore_ascii_case(name);
        // Names that are not in ASCII may be given in both forms, or in Unicode alone.
        let is_this = body.get("ldhName").and_then(Value::as_str).is_none_or(same);
        if !is_domain || !is_this {
            return Err(format!("the answer is none about the domain {name}"));
        }
        let expires = list(body, "events")
            .filter(|event| text(event, "eventAction") == Some("expiration"))
            .find_map(|event| Timestamp::parse(text(event, "eventDate")?));
        let registrar = list(body, "entities")
            .find(|entity| list(entity, "roles").any(|role| role == "registrar"))
            .and_then(full_name);
        Ok(Self {
            expires: expires.map(Timestamp::seconds),
            status: list(body, "status")
                .filter_map(Value::as_str)
                .take(STATUS_KEPT)
                .map(excerpt)
                .collect(),
            registrar: registrar.map(excerpt),
        })
    }
}

/// The full name in a jCard (RFC 7095): `["fn", {}, "text", "Example Registrar"]`.
fn full_name(entity: &Value) -> Option<&str> {
    let card = entity.get("vcardArray")?.get(1)?.as_array()?;
    let property = card
        .iter()
        .find(|property| property.get(0).and_then(Value::as_str) == Some("fn"))?;
    property.get(3)?.as_str().filter(|name| !name.is_empty())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in RFC 9083 section 5.3, shortened.
    const ANSWER: &str = r#"{
        "objectClassName": "domain", "handle": "XXXX", "ldhName": "EXAMPLE.com",
        "status": ["client transfer prohibited", "active"],
        "events": [
            {"eventAction": "registration", "eventDate": "1990-12-31T23:59:59Z"},
            {"eventAction": "expiration", "eventDate": "2027-12-31T23:59:59Z"}
        ],
        "entities": [
            {"objectClassName": "entity", "roles": ["registrant"]},
            {"objectClassName": "entity", "roles": ["registrar"], "vcardArray": ["vcard", [
                ["version", {}, "text", "4.0"], ["fn", {}, "text", "Example Registrar"]]]}
        ]
    }"#;

    fn check(body: &str, name: &str, expected: &str) {
        let body = serde_json::from_str(body).unwrap();
        let found = match Registration::read(&body, name) {
            Ok(it) => format!("{:?} {:?} {:?}", it.expires, it.status, it.registrar),
            Err(error) => error,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_answer_is_read() {
        check(
            ANSWER,
            "example.com",
            r#"Some(1830297599) ["client transfer prohibited", "active"] Some("Example Registrar")"#,
        );
        check(
            r#"{"objectClassName": "domain", "unicodeName": "bücher.test"}"#,
            "xn--bcher-kva.test",
            "None [] None",
        );
        check(
            r#"{"objectClassName": "domain", "events": [{"eventAction": "expiration", "eventDate": "soon"}],
                "entities": [{"roles": ["registrar"], "vcardArray": [1]}], "status": "active"}"#,
            "example.com",
            "None [] None",
        );
    }

    #[test]
    fn an_answer_about_something_else_is_none() {
        check(
            ANSWER,
            "example.net",
            "the answer is none about the domain example.net",
        );
        check(
            "{}",
            "example.com",
            "the answer is none about the domain example.com",
        );
        check(
            "[1]",
            "example.com",
            "the answer is none about the domain example.com",
        );
    }
}

//! What a service's answer means for a notice.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::response::Response;
use crate::wording::{Limit, line};
use crate::{Failure, Timestamp};

/// How much of an answer a failure tells.
const EXCERPT: Limit = Limit::chars(200);

/// How a service answers. The default is what all of HTTP has in common.
///
/// Any 2xx says that a notice was taken. After 408, 425, 429 and 5xx, and after
/// any other error that names a time to wait, trying again may help; after the
/// rest it cannot.
///
/// ```
/// use watchkeeper_sdk::Failure;
/// use watchkeeper_sdk::http::{Answers, Response};
///
/// const TELEGRAM: Answers = Answers {
///     reason: &["/description"],
///     wait: &["/parameters/retry_after"],
///     ..Answers::COMMON
/// };
/// let body = r#"{"ok":false,"description":"Bad Request: chat not found"}"#;
/// let answer = Response::new(400, &[], body);
/// assert_eq!(
///     TELEGRAM.judge(&answer),
///     Err(Failure::permanent("status 400: Bad Request: chat not found")),
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Where the words are that say what is wrong, as JSON pointers (RFC 6901):
    /// the first that leads to a text, a number or a list of such. Where none
    /// does, the start of the body is told.
    pub reason: &'static [&'static str],
    /// Where the seconds to wait are, as JSON pointers; they count when there is
    /// no `Retry-After`. Fractions and numbers in quotes will do.
    pub wait: &'static [&'static str],
    /// The same for services that count in milliseconds; looked for last.
    pub wait_millis: &'static [&'static str],
}

impl Answers {
    /// The default: a service that says no more than all do.
    pub const COMMON: Self = Self {
        reason: &[],
        wait: &[],
        wait_millis: &[],
    };

    /// Whether `response` says that a notice was taken.
    pub fn judge(&self, response: &Response) -> Result<(), Failure> {
        self.judge_at(response, Timestamp::now())
    }

    /// What is wrong by an answer that is a failure, whatever its status: for
    /// services that answer 200 to what they refuse. Permanent; see
    /// [`judge`](Self::judge) for what the status says.
    pub fn refused(&self, response: &Response) -> Failure {
        let words = self.words(response);
        Failure::Permanent(if words.is_empty() {
            "refused without a reason".to_owned()
        } else {
            words
        })
    }

    /// The service's own words, in one line and not long; empty where there are
    /// none.
    pub fn words(&self, response: &Response) -> String {
        let json = self.json(response);
        let said = self
            .reason
            .iter()
            .filter_map(|pointer| text_of(json.as_ref()?.pointer(pointer)?))
            .find(|text| !text.trim().is_empty());
        let said = said.unwrap_or_else(|| String::from_utf8_lossy(response.start()).into_owned());
        EXCERPT.cut(&line(&said))
    }

    pub(super) fn judge_at(&self, response: &Response, now: Timestamp) -> Result<(), Failure> {
        if response.is_success() {
            return Ok(());
        }
        let status = response.status();
        let mut reason = format!("status {status}");
        if let (300..=399, Some(location)) = (status, response.header("location")) {
            reason.push_str(" redirects to ");
            reason.push_str(&EXCERPT.cut(&line(&location)));
        }
        let words = self.words(response);
        if !words.is_empty() {
            reason.push_str(": ");
            reason.push_str(&words);
        }
        let wait = retry_after(response, now).or_else(|| self.wait(response));
        Err(match (status, wait) {
            (408 | 425 | 429 | 500..=599, wait) | (400..=499, wait @ Some(_)) => {
                Failure::Temporary { reason, wait }
            }
            _ => Failure::Permanent(reason),
        })
    }

    fn wait(&self, response: &Response) -> Option<Duration> {
        let json = self.json(response)?;
        let number = |pointers: &[&str]| {
            pointers.iter().find_map(|pointer| {
                let value = json.pointer(pointer)?;
                value.as_f64().or_else(|| value.as_str()?.parse().ok())
            })
        };
        let seconds = number(self.wait);
        let seconds = seconds.or_else(|| Some(number(self.wait_millis)? / 1000.0))?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// None is looked for where nothing of it is wanted.
    fn json(&self, response: &Response) -> Option<Value> {
        if *self == Self::COMMON {
            return None;
        }
        serde_json::from_slice(response.start()).ok()
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => {
            let texts: Vec<_> = list.iter().filter_map(text_of).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

/// RFC 9110 section 10.2.3: seconds, or a date. Some services write fractions.
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.header("retry-after")?;
    if let Ok(seconds) = value.trim().parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    let date = date.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Timestamp::from_seconds(date).since(now))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DISCORD: Answers = Answers {
        reason: &["/message", "/errors"],
        wait: &["/retry_after"],
        wait_millis: &["/retry_after_ms"],
    };

    fn check_as(
        answers: Answers,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
        expected: &str,
    ) {
        let response = Response::new(status, headers, body);
        let found = match answers.judge_at(&response, Timestamp::from_seconds(784_111_777)) {
            Ok(()) => "delivered".to_owned(),
            Err(Failure::Temporary { reason, wait }) => format!("temporary {reason} {wait:?}"),
            Err(Failure::Permanent(reason)) => format!("permanent {reason}"),
        };
        assert_eq!(found, expected);
    }

    fn check(status: u16, headers: &[(&str, &str)], body: &str, expected: &str) {
        check_as(Answers::default(), status, headers, body, expected);
    }

    #[test]
    fn a_receiver_says_whether_to_try_again_and_when() {
        check(204, &[], "", "delivered");
        check(
            429,
            &[("Retry-After", "30")],
            "slow\n down",
            "temporary status 429: slow down Some(30s)",
        );
        let date = ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT");
        check(503, &[date], "", "temporary status 503 Some(60s)");
        let past = ("retry-after", "Sun, 06 Nov 1994 08:40:37 GMT");
        check(503, &[past], "", "temporary status 503 Some(0ns)");
        check(
            500,
            &[("retry-after", "soon")],
            "",
            "temporary status 500 None",
        );
        check(404, &[], "no_service", "permanent status 404: no_service");
        check(
            403,
            &[("retry-after", "60")],
            "secondary rate limit",
            "temporary status 403: secondary rate limit Some(60s)",
        );
        check(
            302,
            &[("location", "/x")],
            "",
            "permanent status 302 redirects to /x",
        );
    }

    #[test]
    fn a_service_says_it_in_json() {
        check_as(
            DISCORD,
            429,
            &[],
            r#"{"message":"You are being rate limited.","retry_after":0.5,"global":false}"#,
            "temporary status 429: You are being rate limited. Some(500ms)",
        );
        check_as(
            DISCORD,
            429,
            &[("retry-after", "2")],
            r#"{"message":"wait","retry_after":0.5}"#,
            "temporary status 429: wait Some(2s)",
        );
        check_as(
            DISCORD,
            400,
            &[],
            r#"{"message":{"no":"text"},"errors":["a\u0007\r\nb",{},7]}"#,
            "permanent status 400: a b; 7",
        );
        check_as(
            DISCORD,
            502,
            &[],
            "<html>",
            "temporary status 502: <html> None",
        );
        for wait in ["-1", "1e300", "null", "\"x\"", "{}"] {
            let body = format!(r#"{{"message":"m","retry_after":{wait}}}"#);
            check_as(DISCORD, 429, &[], &body, "temporary status 429: m None");
        }
        let quoted = r#"{"message":"m","retry_after":"3"}"#;
        check_as(
            DISCORD,
            429,
            &[],
            quoted,
            "temporary status 429: m Some(3s)",
        );
        let millis = r#"{"message":"m","retry_after_ms":2500}"#;
        check_as(
            DISCORD,
            429,
            &[],
            millis,
            "temporary status 429: m Some(2.5s)",
        );
    }

    #[test]
    fn a_refusal_can_come_with_a_status_of_success() {
        let refused = |body: &str| DISCORD.refused(&Response::new(200, &[], body));
        assert_eq!(refused(r#"{"message":"no"}"#), Failure::permanent("no"));
        assert_eq!(refused(""), Failure::permanent("refused without a reason"));
    }

    proptest! {
        #[test]
        fn the_words_are_short_and_clean(body in any::<Vec<u8>>(), text in any::<String>()) {
            let json = serde_json::json!({ "message": text }).to_string();
            for body in [body, json.into_bytes()] {
                let words = DISCORD.words(&Response::new(400, &[], body));
                prop_assert!(EXCERPT.holds(&words));
                prop_assert!(!words.chars().any(char::is_control));
            }
        }
    }
}

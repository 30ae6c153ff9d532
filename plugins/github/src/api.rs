//! What of GitHub's REST API issues need
//! (<https://docs.github.com/en/rest/issues>).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchkeeper_sdk::http::{Answers, Request, Response};
use watchkeeper_sdk::issues::{Marker, Markers, Tracker};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Failure, Notice, Timestamp, Url, log};

use crate::Config;

/// GitHub refuses longer ones: "title is too long (maximum is 256 characters)".
const TITLE: Limit = Limit::utf16(256);

/// GitHub takes 65,536 characters; with so many, a list of issues stays within
/// what an answer may have.
const BODY: Limit = Limit::chars(8000);

/// How many issues and comments are looked through for a marker.
const LISTED: &str = "30";

/// The most of an answer that is read: what the host lets through.
const ANSWER: u64 = 4 << 20;

/// How far apart the two clocks may be.
const SKEW: Duration = Duration::from_hours(1);

/// By <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>:
/// "wait for at least one minute before retrying".
const PATIENCE: Duration = Duration::from_mins(1);

/// <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>.
const ANSWERS: Answers = Answers {
    reason: &["/message"],
    ..Answers::COMMON
};

/// A repository's issues.
#[derive(Debug)]
pub(crate) struct Repository<'a> {
    config: &'a Config,
    /// When the notice was made.
    at: Timestamp,
}

#[derive(Debug, Serialize)]
struct NewIssue<'a> {
    title: String,
    body: String,
    labels: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    assignees: &'a [String],
}

#[derive(Debug, Serialize)]
struct Comment {
    body: String,
}

#[derive(Debug, Serialize)]
struct Closed {
    state: &'static str,
    state_reason: &'static str,
}

#[derive(Debug, Deserialize)]
struct Opened {
    number: u64,
}

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(default)]
    number: u64,
    #[serde(default)]
    body: Option<String>,
}

impl<'a> Repository<'a> {
    pub(crate) fn new(config: &'a Config, notice: &Notice) -> Self {
        Self {
            config,
            at: notice.at,
        }
    }

    /// `issues`, or what is below it.
    fn url(&self, below: &[&str]) -> Url {
        let mut url = self.config.api_url.url().clone();
        url.push_path("repos");
        for segment in self.config.repository.split('/') {
            url.push_path(segment);
        }
        url.push_path("issues");
        for segment in below {
            url.push_path(segment);
        }
        url
    }

    fn request(&self, method: &str, url: Url) -> Request {
        Request::to_url(method, url)
            .bearer_auth(self.config.token.expose())
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header("user-agent", "Watchkeeper")
            .body_limit(ANSWER)
    }
}

impl Tracker for Repository<'_> {
    fn find(&self, thread: &Marker) -> Result<Option<(u64, String)>, Failure> {
        let mut url = self.url(&[]);
        for (name, value) in [
            ("state", "all"),
            ("labels", self.config.label.as_str()),
            ("sort", "created"),
            ("direction", "desc"),
            ("per_page", LISTED),
        ] {
            url.append_query(name, value);
        }
        let answer = self.request("GET", url).send()?;
        judge(&answer, Timestamp::now())?;
        let found = list(&answer).into_iter().find_map(|issue| {
            let body = issue.body?;
            thread.is_in(&body).then_some((issue.number, body))
        });
        Ok(found)
    }

    fn open(&self, wording: &Wording, markers: &Markers) -> Result<u64, Failure> {
        let labels = [&self.config.label].into_iter().chain(&self.config.labels);
        let issue = NewIssue {
            title: TITLE.cut(&wording.headline()),
            body: format!(
                "{}\n\n{}\n{}\n",
                wording.details(Markup::Markdown, BODY),
                markers.thread,
                markers.notice
            ),
            labels: labels.map(String::as_str).collect(),
            assignees: &self.config.assignees,
        };
        let answer = self.request("POST", self.url(&[])).json(&issue).send()?;
        judge(&answer, Timestamp::now())?;
        Ok(answer.json::<Opened>()?.number)
    }

    fn has_comment(&self, number: u64, notice: &Marker) -> Result<Option<bool>, Failure> {
        let mut url = self.url(&[&number.to_string(), "comments"]);
        let since = self.at.nanos().saturating_sub(nanos(SKEW));
        url.append_query("since", &Timestamp::from_nanos(since).to_string());
        url.append_query("per_page", LISTED);
        let answer = self.request("GET", url).send()?;
        if matches!(answer.status(), 404 | 410) {
            return Ok(None);
        }
        judge(&answer, Timestamp::now())?;
        let is_there = |listed: Listed| listed.body.is_some_and(|body| notice.is_in(&body));
        Ok(Some(list(&answer).into_iter().any(is_there)))
    }

    fn comment(&self, number: u64, wording: &Wording, markers: &Markers) -> Result<(), Failure> {
        let url = self.url(&[&number.to_string(), "comments"]);
        let comment = Comment {
            body: format!(
                "{}\n\n{}\n",
                wording.render(Markup::Markdown, BODY),
                markers.notice
            ),
        };
        let answer = self.request("POST", url).json(&comment).send()?;
        judge(&answer, Timestamp::now())
    }

    fn close(&self, number: u64) -> Result<(), Failure> {
        let closed = Closed {
            state: "closed",
            state_reason: "completed",
        };
        let url = self.url(&[&number.to_string()]);
        let answer = self.request("PATCH", url).json(&closed).send()?;
        judge(&answer, Timestamp::now())
    }
}

/// A list that cannot be read has no marker: better a second issue than none.
fn list(answer: &Response) -> Vec<Listed> {
    answer.json().unwrap_or_else(|error| {
        log::warn(format!("what is there already cannot be read: {error}"));
        Vec::new()
    })
}

/// GitHub says 403 as well as 429 to whoever asks too often, and when that ends in
/// a header of its own.
fn judge(answer: &Response, now: Timestamp) -> Result<(), Failure> {
    let failure = match ANSWERS.judge(answer) {
        Err(Failure::Permanent(reason)) => reason,
        other => return other,
    };
    let is_over = answer.header("x-ratelimit-remaining").as_deref() == Some("0");
    let reset = answer.header("x-ratelimit-reset");
    let reset = reset.and_then(|seconds| seconds.parse().ok());
    let wait = match (answer.status(), is_over, reset) {
        (403, true, Some(seconds)) => Timestamp::from_seconds(seconds).since(now),
        (403, true, None) => PATIENCE,
        (403, false, _) if failure.contains("rate limit") => PATIENCE,
        _ => return Err(Failure::Permanent(failure)),
    };
    Err(Failure::Temporary {
        reason: failure,
        wait: Some(wait),
    })
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(headers: &[(&str, &str)], message: &str) -> Result<(), Failure> {
        let body = serde_json::json!({ "message": message }).to_string();
        let answer = Response::new(403, headers, body);
        judge(&answer, Timestamp::from_seconds(1_700_000_000))
    }

    #[test]
    fn too_many_requests_are_tried_again_and_no_rights_are_not() {
        let used = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1700000090"),
        ];
        assert_eq!(
            judged(&used, "API rate limit exceeded"),
            Err(Failure::Temporary {
                reason: "status 403: API rate limit exceeded".to_owned(),
                wait: Some(Duration::from_secs(90)),
            })
        );
        assert_eq!(
            judged(&[], "You have exceeded a secondary rate limit."),
            Err(Failure::Temporary {
                reason: "status 403: You have exceeded a secondary rate limit.".to_owned(),
                wait: Some(PATIENCE),
            })
        );
        let left = [("x-ratelimit-remaining", "4999")];
        assert_eq!(
            judged(&left, "Resource not accessible by personal access token"),
            Err(Failure::permanent(
                "status 403: Resource not accessible by personal access token"
            ))
        );
    }
}

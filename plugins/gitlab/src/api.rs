//! What of GitLab's REST API issues need (<https://docs.gitlab.com/api/issues/>).

use serde::{Deserialize, Serialize};
use watchkeeper_sdk::http::{Answers, Request, Response};
use watchkeeper_sdk::issues::{Marker, Markers, Tracker};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Failure, Url, log};

use crate::Config;

/// <https://docs.gitlab.com/api/issues/#create-an-issue>: 255 characters.
const TITLE: Limit = Limit::utf16(255);

/// GitLab takes 1,048,576 characters; with so many, a list of issues stays within
/// what an answer may have.
const TEXT: Limit = Limit::chars(8000);

/// How many issues and comments are looked through for a marker.
const LISTED: &str = "30";

/// The most of an answer that is read: what the host lets through.
const ANSWER: u64 = 4 << 20;

/// <https://docs.gitlab.com/api/rest/troubleshooting/#status-code-400>: `message`
/// is a text or says it of each attribute, `error` is a text.
const ANSWERS: Answers = Answers {
    reason: &[
        "/message",
        "/message/base",
        "/message/title",
        "/error_description",
        "/error",
    ],
    ..Answers::COMMON
};

/// A project's issues.
#[derive(Debug)]
pub(crate) struct Project<'a> {
    config: &'a Config,
}

#[derive(Debug, Serialize)]
struct NewIssue {
    title: String,
    description: String,
    labels: String,
    confidential: bool,
}

#[derive(Debug, Serialize)]
struct Note {
    body: String,
}

#[derive(Debug, Serialize)]
struct Closed {
    state_event: &'static str,
}

#[derive(Debug, Deserialize)]
struct Issue {
    iid: u64,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(default)]
    body: String,
}

impl<'a> Project<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self { config }
    }

    /// `issues`, or what is below it.
    fn url(&self, below: &[&str]) -> Url {
        let mut url = self.config.url.url().clone();
        for segment in ["api", "v4", "projects", &self.config.project, "issues"] {
            url.push_path(segment);
        }
        for segment in below {
            url.push_path(segment);
        }
        url
    }

    fn request(&self, method: &str, url: Url) -> Request {
        Request::to_url(method, url)
            .header("private-token", self.config.token.expose())
            .body_limit(ANSWER)
    }
}

impl Tracker for Project<'_> {
    fn find(&self, thread: &Marker) -> Result<Option<(u64, String)>, Failure> {
        let mut url = self.url(&[]);
        for (name, value) in [
            ("search", thread.word()),
            ("in", "description"),
            ("order_by", "created_at"),
            ("sort", "desc"),
            ("per_page", LISTED),
        ] {
            url.append_query(name, value);
        }
        let answer = self.request("GET", url).send()?;
        ANSWERS.judge(&answer)?;
        let issues: Vec<Issue> = read(&answer);
        Ok(issues.into_iter().find_map(|issue| {
            let text = issue.description?;
            thread.is_in(&text).then_some((issue.iid, text))
        }))
    }

    fn open(&self, wording: &Wording, markers: &Markers) -> Result<u64, Failure> {
        let issue = NewIssue {
            title: TITLE.cut(&wording.headline()),
            description: format!(
                "{}\n\n{}\n{}\n",
                markdown(&wording.details(Markup::Markdown, TEXT)),
                markers.thread,
                markers.notice
            ),
            labels: self.config.labels.join(","),
            confidential: self.config.confidential,
        };
        let answer = self.request("POST", self.url(&[])).json(&issue).send()?;
        ANSWERS.judge(&answer)?;
        Ok(answer.json::<Issue>()?.iid)
    }

    fn has_comment(&self, number: u64, notice: &Marker) -> Result<Option<bool>, Failure> {
        let mut url = self.url(&[&number.to_string(), "notes"]);
        for (name, value) in [
            ("order_by", "created_at"),
            ("sort", "desc"),
            ("per_page", LISTED),
        ] {
            url.append_query(name, value);
        }
        let answer = self.request("GET", url).send()?;
        if answer.status() == 404 {
            return Ok(None);
        }
        ANSWERS.judge(&answer)?;
        let notes: Vec<Listed> = read(&answer);
        Ok(Some(notes.iter().any(|note| notice.is_in(&note.body))))
    }

    fn comment(&self, number: u64, wording: &Wording, markers: &Markers) -> Result<(), Failure> {
        let url = self.url(&[&number.to_string(), "notes"]);
        let note = Note {
            body: format!(
                "{}\n\n{}\n",
                markdown(&wording.render(Markup::Markdown, TEXT)),
                markers.notice
            ),
        };
        ANSWERS.judge(&self.request("POST", url).json(&note).send()?)
    }

    fn close(&self, number: u64) -> Result<(), Failure> {
        let closed = Closed {
            state_event: "close",
        };
        let url = self.url(&[&number.to_string()]);
        ANSWERS.judge(&self.request("PUT", url).json(&closed).send()?)
    }
}

/// A list that cannot be read has no marker: better a second issue than none.
fn read<T: serde::de::DeserializeOwned>(answer: &Response) -> Vec<T> {
    answer.json().unwrap_or_else(|error| {
        log::warn(format!("what is there already cannot be read: {error}"));
        Vec::new()
    })
}

/// One line break is a space in GitLab's Markdown, two spaces before it make it a
/// line's end. A line that begins with a slash would be a command
/// (<https://docs.gitlab.com/user/project/quick_actions/>).
fn markdown(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let escape = if line.trim_start().starts_with('/') {
                "\\"
            } else {
                ""
            };
            format!("{escape}{}", line.trim_start())
        })
        .collect();
    lines.join("  \n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        assert_eq!(
            markdown("/close\n /assign me\nGET /x"),
            "\\/close  \n\\/assign me  \nGET /x"
        );
    }
}

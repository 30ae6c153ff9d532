//! The management API of RabbitMQ, as far as a check needs it.

use std::time::{Duration, Instant};

use serde::Deserialize;
use watchkeeper_sdk::http::{Request, Response};
use watchkeeper_sdk::{Error, Stop, Url};

use crate::plan::Login;
use crate::queue::{Alarm, Queue};

/// What is read of a queue. Without it an answer holds fifty figures for each.
const COLUMNS: &str = "name,state,messages_ready,messages_unacknowledged,consumers";

/// How many queues one answer holds: the most that the API lets be asked for.
const PAGE: u64 = 500;

/// How many such answers are asked for at most. More would go past the sixteen
/// connections that a run has by default, with a second look.
const PAGES: u64 = 7;

/// How much of an answer's words a reason holds.
const EXCERPT: usize = 200;

/// A client of the management API.
pub(crate) struct Api {
    root: Url,
    login: Login,
    spent: Duration,
}

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    items: Vec<Queue>,
    /// How many pages there are.
    #[serde(default, rename = "page_count")]
    of: u64,
    /// How many queues there are on all of them.
    #[serde(default, rename = "filtered_count")]
    all: u64,
}

/// How the API says what is wrong.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    error: String,
    reason: String,
    alarms: Vec<Alarm>,
}

impl Api {
    /// The API below `root`. The error says what is missing.
    pub(crate) fn new(root: Url, login: Login) -> Result<Self, String> {
        if login.is_none() && root.credentials().is_none() {
            return Err(
                "config.username: missing: the management API answers nobody without a name"
                    .to_owned(),
            );
        }
        Ok(Self {
            root,
            login,
            spent: Duration::ZERO,
        })
    }

    /// How long all that was asked took together.
    pub(crate) fn spent(&self) -> Duration {
        self.spent
    }

    /// One queue; none where there is none of the name.
    pub(crate) fn queue(&mut self, vhost: &str, name: &str) -> Result<Option<Queue>, Stop> {
        let mut url = self.url(&["queues", vhost, name]);
        url.append_query("columns", COLUMNS);
        queue_of(&self.ask(url)?)
    }

    /// All queues that `wanted` is true for, which `filter`, a regular
    /// expression, lets through.
    pub(crate) fn queues(
        &mut self,
        vhost: &str,
        filter: Option<&str>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Queue>, Stop> {
        let mut queues = Vec::new();
        for number in 1..=PAGES {
            let mut url = self.url(&["queues", vhost]);
            url.append_query("columns", COLUMNS);
            url.append_query("page", &number.to_string());
            url.append_query("page_size", &PAGE.to_string());
            if let Some(filter) = filter {
                url.append_query("name", filter);
                url.append_query("use_regex", "true");
            }
            let Some(page) = page_of(&self.ask(url)?, vhost, number)? else {
                return Ok(queues);
            };
            queues.extend(page.items.into_iter().filter(|queue| wanted(&queue.name)));
            if number >= page.of {
                return Ok(queues);
            }
            if page.of > PAGES {
                return Err(Stop::Undecided(format!(
                    "{} queues to choose from: more than {} cannot be looked at, narrow config.pattern",
                    page.all,
                    PAGE * PAGES
                )));
            }
        }
        Ok(queues)
    }

    /// The alarms of all nodes.
    pub(crate) fn alarms(&mut self) -> Result<Vec<Alarm>, Stop> {
        let url = self.url(&["health", "checks", "alarms"]);
        alarms_of(&self.ask(url)?)
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.root.clone();
        url.push_path("api");
        for segment in segments {
            url.push_path(segment);
        }
        url
    }

    fn ask(&mut self, url: Url) -> Result<Response, Error> {
        let began = Instant::now();
        let mut request = Request::to_url("GET", url).header("accept", "application/json");
        if let Some((name, password)) = &self.login {
            request = request.basic_auth(name, password.expose());
        }
        let answer = request.send();
        self.spent += began.elapsed();
        answer
    }
}

fn queue_of(response: &Response) -> Result<Option<Queue>, Stop> {
    if response.is_success() {
        return Ok(Some(response.json()?));
    }
    if is_not_found(response) {
        return Ok(None);
    }
    Err(refused(response))
}

/// None where the list has become so short meanwhile that there is no such page.
fn page_of(response: &Response, vhost: &str, number: u64) -> Result<Option<Page>, Stop> {
    if response.is_success() {
        return Ok(Some(response.json()?));
    }
    if is_not_found(response) {
        return Err(Stop::Dead(format!("no virtual host {vhost}")));
    }
    if number > 1 && problem(response).error == "page_out_of_range" {
        return Ok(None);
    }
    Err(refused(response))
}

fn alarms_of(response: &Response) -> Result<Vec<Alarm>, Stop> {
    if response.is_success() {
        return Ok(Vec::new());
    }
    if response.status() == 503 {
        let alarms = problem(response).alarms;
        if !alarms.is_empty() {
            return Ok(alarms);
        }
    }
    if response.status() == 404 {
        return Err(Stop::Misconfigured(
            "config.alarms: the target has no /api/health/checks/alarms: it is no RabbitMQ from 3.8.10 on"
                .to_owned(),
        ));
    }
    Err(refused(response))
}

/// Whether it is the API that does not know the object: anything else that is
/// asked for by mistake also answers 404.
fn is_not_found(response: &Response) -> bool {
    response.status() == 404 && problem(response).error == "Object Not Found"
}

fn problem(response: &Response) -> Problem {
    response.json().unwrap_or_default()
}

/// What the API says to a request that it does not answer.
fn refused(response: &Response) -> Stop {
    let Problem { error, reason, .. } = problem(response);
    let words = if reason.is_empty() { error } else { reason };
    let words: String = words.chars().take(EXCERPT).collect();
    let status = response.status();
    Stop::Dead(if words.is_empty() {
        format!("the management API answered with status {status}")
    } else {
        format!("the management API answered with status {status}: {words}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response::new(status, &[], body)
    }

    /// The answers as RabbitMQ 3.10 gave them.
    #[test]
    fn answers_are_told_apart() {
        let queue = queue_of(&response(
            200,
            r#"{"consumers":0,"messages_ready":7,"messages_unacknowledged":3,"name":"jobs","state":"running"}"#,
        ));
        let queue = queue.unwrap().unwrap();
        assert_eq!(
            (queue.messages_ready, queue.messages_unacknowledged),
            (Some(7), Some(3))
        );
        let gone = response(404, r#"{"error":"Object Not Found","reason":"Not Found"}"#);
        assert_eq!(queue_of(&gone).unwrap(), None);
        let dead = |words: &str| Stop::Dead(words.to_owned());
        for (answer, expected) in [
            (
                response(401, r#"{"error":"not_authorized","reason":"Login failed"}"#),
                "the management API answered with status 401: Login failed",
            ),
            (
                response(404, "<html>no such page"),
                "the management API answered with status 404",
            ),
        ] {
            assert_eq!(queue_of(&answer).unwrap_err(), dead(expected));
        }
        let Err(Stop::Dead(words)) = queue_of(&response(200, "<html>")) else {
            panic!("a page is no queue");
        };
        assert!(words.starts_with("the answer is not the JSON expected"));
    }

    #[test]
    fn lists_end_where_the_broker_says() {
        let page = response(
            200,
            r#"{"filtered_count":1,"item_count":1,"items":[{"name":"jobs"}],"page":1,"page_count":1,"page_size":500,"total_count":1}"#,
        );
        let page = page_of(&page, "/", 1).unwrap().unwrap();
        assert_eq!((page.items.len(), page.of), (1, 1));
        let beyond = response(
            400,
            r#"{"error":"page_out_of_range","reason":"Page out of range, page: 2 page size: 500, len: 1"}"#,
        );
        assert!(page_of(&beyond, "/", 2).unwrap().is_none());
        assert!(page_of(&beyond, "/", 1).is_err());
        let gone = response(404, r#"{"error":"Object Not Found","reason":"Not Found"}"#);
        let Err(Stop::Dead(words)) = page_of(&gone, "a/b", 1) else {
            panic!("there is no such virtual host");
        };
        assert_eq!(words, "no virtual host a/b");
    }

    #[test]
    fn alarms_are_read_from_the_failed_check() {
        assert_eq!(alarms_of(&response(200, r#"{"status":"ok"}"#)).unwrap(), []);
        let alarms = alarms_of(&response(
            503,
            r#"{"status":"failed","reason":"There are alarms in effect in the cluster","alarms":[{"node":"rabbit@a","resource":"memory"}]}"#,
        ));
        assert_eq!(alarms.unwrap()[0].resource, "memory");
        assert_eq!(
            alarms_of(&response(503, "overloaded")).unwrap_err(),
            Stop::Dead("the management API answered with status 503".to_owned())
        );
        assert!(matches!(
            alarms_of(&response(404, "")).unwrap_err(),
            Stop::Misconfigured(_)
        ));
    }
}

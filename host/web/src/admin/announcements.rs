//! `/admin/announcements`: what everyone should know, and saying it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use watchkeeper_engine::time::Timestamp;

use super::visit::{Form, Visit};
use super::{Shell, done, not_done, page, page_again};
use crate::announcements::{AnnounceWish, Announced, NotAnnounced, Said};
use crate::dates::{Form as DateForm, Moment};
use crate::staff::Right;
use crate::view::NoteKind;
use crate::web::Web;

const HERE: &str = "/admin/announcements";

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(HERE, get(list).post(add))
        .route("/admin/announcements/{id}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "admin/announcements.html")]
struct Announcements {
    shell: Shell,
    announced: Vec<Announced>,
    /// What was typed.
    said: Said,
    from: String,
    until: String,
    may_write: bool,
    problems: Vec<String>,
}

async fn list(State(web): State<Web>, visit: Visit) -> Response {
    page(&show(&web, &visit))
}

fn show(web: &Web, visit: &Visit) -> Announcements {
    Announcements {
        shell: Shell::of(web, visit, "Announcements", HERE),
        announced: web.settings().announcer.announcements(),
        said: Said::default(),
        from: String::new(),
        until: String::new(),
        may_write: visit.may(Right::Write),
        problems: Vec::new(),
    }
}

async fn add(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let mut problems = Vec::new();
    let mut time = |name: &str| {
        let text = form.get(name);
        if text.is_empty() {
            return None;
        }
        let read = text.parse::<jiff::Timestamp>();
        if read.is_err() {
            problems.push(format!(
                "`{name}` must be a time such as 2026-12-01T02:00:00Z"
            ));
        }
        read.ok()
            .map(|at| Timestamp::from_millis(at.as_millisecond()))
    };
    let (from, until) = (time("from"), time("until"));
    let said = Said {
        kind: NoteKind::from_word(form.get("kind")).unwrap_or_default(),
        title: form.get("title").to_owned(),
        // A browser sends its line ends as two characters.
        text: form.get("text").replace("\r\n", "\n"),
        is_markdown: true,
        from,
        until,
        pinned: !form.get("pinned").is_empty(),
    };
    if problems.is_empty() {
        let announcer = &web.settings().announcer;
        let wish = AnnounceWish::Make(said.clone());
        match announcer
            .announce(wish, None, Arc::clone(&visit.person.name))
            .await
        {
            Ok(made) => {
                let subject = made.id.to_string();
                let text = "It is announced.";
                return done(&web, &visit, HERE, text, "announcement.add", subject);
            }
            Err(why) => problems = words(why),
        }
    }
    let mut shown = show(&web, &visit);
    shown.said = said;
    form.get("from").clone_into(&mut shown.from);
    form.get("until").clone_into(&mut shown.until);
    shown.problems = problems;
    page_again(&shown)
}

async fn remove(State(web): State<Web>, Path(id): Path<String>, visit: Visit) -> Response {
    let announcer = &web.settings().announcer;
    let wish = AnnounceWish::Remove(id.as_str().into());
    match announcer
        .announce(wish, None, Arc::clone(&visit.person.name))
        .await
    {
        Ok(_) => {
            let said = "It is shown no more.";
            done(&web, &visit, HERE, said, "announcement.remove", id)
        }
        Err(why) => not_done(&web, &visit, HERE, words(why).join(" ")),
    }
}

fn words(why: NotAnnounced) -> Vec<String> {
    let one = match why {
        NotAnnounced::Wrong(mistakes) => {
            return mistakes.into_iter().map(|(_, what)| what).collect();
        }
        NotAnnounced::Unknown => "There is no such announcement.",
        NotAnnounced::Stale => "Somebody changed it meanwhile. Look again.",
        NotAnnounced::Full => "There are as many announcements as can be kept. Remove some.",
        NotAnnounced::Busy => "It could not be done now. Try again.",
    };
    vec![one.to_owned()]
}

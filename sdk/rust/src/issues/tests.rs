//! Whatever is lost on the way, an outage has one issue that says everything once.

use std::cell::RefCell;
use std::time::Duration;

use super::*;
use crate::{Health, Occasion, Timestamp};

fn notice(id: &str, health: Health) -> Notice {
    Notice {
        id: id.to_owned(),
        occasion: Occasion::Changed,
        health,
        previous: None,
        at: Timestamp::from_seconds(1_700_000_000),
        title: format!("notice {id}"),
        body: String::new(),
        affected: Vec::new(),
        lasted: Some(Duration::from_secs(9)),
        reminder: 0,
        page_title: String::new(),
        page_url: String::new(),
        incident_url: None,
        thread: "api/health@1".to_owned(),
        started: None,
        acknowledge_url: None,
    }
}

/// A tracker with one issue at most, which can lose answers.
#[derive(Default)]
struct Fake {
    /// The texts of the issue and of its comments.
    issue: RefCell<Option<Vec<String>>>,
    /// Whether what is written is taken and not answered.
    loses_answers: bool,
    opened: RefCell<u32>,
}

impl Fake {
    fn answer<T>(&self, value: T) -> Result<T, Failure> {
        if self.loses_answers {
            Err(Failure::temporary("no answer"))
        } else {
            Ok(value)
        }
    }

    fn texts(&self) -> Vec<String> {
        self.issue.borrow().clone().unwrap_or_default()
    }
}

impl Tracker for Fake {
    fn find(&self, thread: &Marker) -> Result<Option<(u64, String)>, Failure> {
        let texts = self.texts();
        Ok(texts
            .first()
            .filter(|text| thread.is_in(text))
            .map(|text| (7, text.clone())))
    }

    fn open(&self, wording: &Wording, markers: &Markers) -> Result<u64, Failure> {
        let text = format!("{} {} {}", wording.title, markers.thread, markers.notice);
        *self.issue.borrow_mut() = Some(vec![text]);
        *self.opened.borrow_mut() += 1;
        self.answer(7)
    }

    fn has_comment(&self, _: u64, notice: &Marker) -> Result<Option<bool>, Failure> {
        let issue = self.issue.borrow();
        let found = |texts: &Vec<String>| texts.iter().skip(1).any(|text| notice.is_in(text));
        Ok(issue.as_ref().map(found))
    }

    fn comment(&self, _: u64, wording: &Wording, markers: &Markers) -> Result<(), Failure> {
        if let Some(texts) = self.issue.borrow_mut().as_mut() {
            texts.push(format!("{} {}", wording.title, markers.notice));
        }
        self.answer(())
    }

    fn close(&self, _: u64) -> Result<(), Failure> {
        Ok(())
    }
}

fn told(fake: &Fake, id: &str, health: Health, known: Option<u64>) -> String {
    match write(fake, &notice(id, health), known, |_| {}) {
        Ok(Some(number)) => format!("issue {number}"),
        Ok(None) => "nothing".to_owned(),
        Err(_) => "failed".to_owned(),
    }
}

fn titles(fake: &Fake) -> Vec<String> {
    let title = |text: &String| text.split(" <").next().unwrap_or_default().to_owned();
    fake.texts().iter().map(title).collect()
}

#[test]
fn an_outage_is_one_issue() {
    let fake = Fake::default();
    assert_eq!(told(&fake, "a", Health::Dead, None), "issue 7");
    assert_eq!(told(&fake, "b", Health::Dead, Some(7)), "issue 7");
    // As after a restart that forgot its number.
    assert_eq!(told(&fake, "c", Health::Healthy, None), "issue 7");
    assert_eq!(titles(&fake), ["notice a", "notice b", "notice c"]);
    assert_eq!(*fake.opened.borrow(), 1);
}

#[test]
fn a_lost_answer_writes_nothing_twice() {
    let mut fake = Fake {
        loses_answers: true,
        ..Fake::default()
    };
    assert_eq!(told(&fake, "a", Health::Dead, None), "failed");
    fake.loses_answers = false;
    assert_eq!(told(&fake, "a", Health::Dead, None), "issue 7");
    fake.loses_answers = true;
    assert_eq!(told(&fake, "b", Health::Dead, Some(7)), "failed");
    fake.loses_answers = false;
    assert_eq!(told(&fake, "b", Health::Dead, Some(7)), "issue 7");
    assert_eq!(titles(&fake), ["notice a", "notice b"]);
}

#[test]
fn what_was_never_opened_is_not_closed() {
    let fake = Fake::default();
    assert_eq!(told(&fake, "a", Health::Healthy, None), "nothing");
    assert_eq!(titles(&fake), [""; 0]);
}

#[test]
fn a_deleted_issue_is_opened_again() {
    let fake = Fake::default();
    assert_eq!(told(&fake, "b", Health::Dead, Some(3)), "issue 7");
    assert_eq!(titles(&fake), ["notice b"]);
}

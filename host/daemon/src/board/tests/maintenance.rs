//! Maintenances: what is kept, counted and told before, while and after.

use watchkeeper_config::maintenance::Draft;
use watchkeeper_engine::id::MaintenanceId;
use watchkeeper_engine::maintenance::Phase;
use watchkeeper_engine::uptime::HealthSums;
use watchkeeper_store::{Document, DocumentKey};

use super::*;
use crate::board::planned::{Refused, Wish};

/// From the tenth to the hundredth second after the epoch, the shop; and what
/// depends on the gateway with it.
const PLAN: &str = r#"
[[maintenance]]
id = "move"
title = "Move"
monitors = ["s/lone"]
starts = 1970-01-01T00:00:10Z
lasts = "90s"
"#;

const GATEWAY: &str = r#"
[[maintenance]]
id = "rack"
monitors = ["s/gateway"]
starts = 1970-01-01T00:00:10Z
lasts = "90s"
"#;

const TOLD: &str = r#"
[[channel]]
id = "team"
notifier = "webhook"
config = { url = "http://team:1/" }
[[route]]
to = ["team"]
on = ["maintenance"]
maintenance_ahead = "5s"
"#;

fn draft(starts: &str) -> Draft {
    Draft {
        id: Some("made".to_owned()),
        services: vec!["s".to_owned()],
        starts: Some(starts.to_owned()),
        lasts: Some("1m".to_owned()),
        ..Draft::default()
    }
}

/// A table whose batches are looked at more closely.
struct Close {
    table: Table,
    samples: Vec<Sample>,
    changes: Vec<NewChange>,
    documents: std::collections::BTreeMap<DocumentKey, Document>,
}

impl Close {
    fn new(config: &str) -> Self {
        Self {
            table: Table::new(config),
            samples: Vec::new(),
            changes: Vec::new(),
            documents: std::collections::BTreeMap::new(),
        }
    }

    fn keep(&mut self, batch: Batch) {
        self.samples.extend(batch.samples.clone());
        self.changes.extend(batch.commit.changes.clone());
        for (key, document) in batch.commit.documents.clone() {
            match document {
                Some(document) => self.documents.insert(key, document),
                None => self.documents.remove(&key),
            };
        }
        self.table.keep(batch);
    }

    fn wish(&mut self, wish: Wish, revision: Option<u32>) -> Result<(Phase, u32), Refused> {
        let (now, mut batch) = (self.table.now, Batch::default());
        let done = self
            .table
            .board
            .maintain(wish, revision, &"ops".into(), now, &mut batch);
        self.keep(batch);
        done.map(|it| (it.phase(now), it.made.as_ref().unwrap().revision))
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.table.now = self.table.now + Duration::from_secs(1);
            let mut batch = Batch::default();
            self.table.board.tick(self.table.now, &mut batch);
            self.keep(batch);
        }
    }

    fn read(&mut self, address: &str, verdict: Verdict) {
        let reading = Reading {
            at: self.table.now,
            outcome: Outcome::Judged {
                verdict,
                reason: None,
            },
            latency: None,
        };
        let run = Finished {
            target: self.table.target(address),
            began: self.table.now,
            reading,
            measurements: Vec::new(),
            state: None,
        };
        let mut batch = Batch::default();
        self.table.board.take(run, self.table.now, &mut batch);
        self.keep(batch);
    }

    /// What was accounted for the monitor, in seconds: healthy, dead, maintained.
    fn sums(&self, monitor: &str) -> [u64; 3] {
        let subject = Subject::Monitor(MonitorId::parse(monitor).unwrap());
        let mut sums = HealthSums::default();
        let mut end = None;
        for span in self.samples.iter().filter(|it| it.subject == subject) {
            let span = span.span.as_ref().unwrap();
            assert!(
                end.is_none_or(|end| end == span.from),
                "no gap and no overlap"
            );
            end = Some(span.to);
            let millis = u64::try_from((span.to.since(span.from)).as_millis()).unwrap();
            sums.record(span.health, span.maintained, millis);
        }
        [sums.healthy_ms, sums.dead_ms, sums.maintenance_ms].map(|millis| millis / 1000)
    }
}

#[test]
fn nobody_is_told_meanwhile_and_what_is_still_dead_is_told_at_the_end() {
    let config = format!("{CONFIG}{PLAN}");
    check_with(
        &config,
        "lone:1=healthy lone:2=healthy +20 lone:1=dead +25 lone:1=dead +25 lone:1=dead +25 lone:1=dead +10",
        &["100 S: lone is dead: refused"],
    );
    // What recovers before is not told at all.
    check_with(
        &config,
        "lone:1=healthy lone:2=healthy +20 lone:1=dead +20 lone:1=healthy +50 lone:1=healthy lone:2=healthy +15",
        &[],
    );
    // Whoever knows of an outage hears of its end, once it is over.
    check_with(
        &config,
        "lone:1=dead lone:2=healthy +20 lone:1=healthy lone:2=healthy +25 lone:1=healthy lone:2=healthy +25 lone:1=healthy lone:2=healthy +25 lone:1=healthy lone:2=healthy +10",
        &[
            "0 S: lone is dead: refused",
            "100 S: lone is healthy again after 20 s",
        ],
    );
    // Other monitors are told as ever.
    check_with(
        &config,
        "gateway:1=healthy +20 gateway:1=dead +1",
        &["20 S: gateway is dead: refused"],
    );
}

#[test]
fn a_restart_in_the_middle_changes_nothing() {
    let config = format!("{CONFIG}{PLAN}");
    check_with(
        &config,
        "lone:1=healthy lone:2=healthy +20 lone:1=dead +5 restart +20 lone:1=dead +25 lone:1=dead +25 lone:1=dead +10",
        &["100 S: lone is dead: refused"],
    );
    check_with(
        &config,
        "lone:1=dead lone:2=healthy +20 restart lone:1=healthy lone:2=healthy +25 lone:1=healthy lone:2=healthy restart +25 lone:1=healthy lone:2=healthy +25 lone:1=healthy lone:2=healthy +10",
        &[
            "0 S: lone is dead: refused",
            "100 S: lone is healthy again after 20 s",
        ],
    );
}

#[test]
fn what_depends_on_it_is_explained_by_it() {
    let config = format!("{CONFIG}{GATEWAY}");
    let mut table = Table::new(&config);
    let script = "gateway:1=healthy shop:1=healthy +20 gateway:1=dead shop:1=dead +25 gateway:1=dead shop:1=dead +25 gateway:1=dead shop:1=dead +20 gateway:1=dead shop:1=dead";
    script.split_whitespace().for_each(|word| table.step(word));
    let told: Vec<_> = table.log.iter().filter(|it| !it.contains("asks")).collect();
    assert_eq!(told, [""; 0]);
    assert_eq!(table.board.incidents().count(), 0, "no incident opens");
    table.step("+15");
    let told: Vec<_> = table.log.iter().filter(|it| !it.contains("asks")).collect();
    assert_eq!(told, ["100 S: gateway is dead: refused"]);
    let incidents: Vec<_> = table.board.incidents().collect();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].1.parts.len(), 2, "the shop belongs to it");
}

#[test]
fn the_time_is_accounted_apart_and_to_the_millisecond() {
    let mut close = Close::new(&format!("{CONFIG}{PLAN}"));
    close.read("lone:1", Verdict::Healthy);
    close.read("lone:2", Verdict::Healthy);
    close.pass(5);
    close.read("lone:1", Verdict::Healthy);
    // Nobody looks while it begins: the next reading comes long after.
    close.table.now = Timestamp::from_millis(40_000);
    close.read("lone:1", Verdict::Dead);
    for _ in 0..4 {
        close.pass(20);
        close.read("lone:1", Verdict::Dead);
    }
    assert_eq!(close.sums("s/lone"), [10, 20, 90]);
    let lone = MonitorId::parse("s/lone").unwrap();
    let changes = close
        .changes
        .iter()
        .filter(|it| *it.subject.monitor() == lone);
    let dead: Vec<_> = changes.filter(|it| it.change.to == Health::Dead).collect();
    assert_eq!(dead.len(), 2, "of the target and of the monitor");
    assert!(dead.iter().all(|it| it.maintained == Maintained::Yes));
    let days = close.table.board.monitor(&lone).unwrap().history.days();
    assert_eq!(days.last().unwrap().sums.maintenance_ms, 90_000);
}

#[test]
fn people_plan_change_end_and_remove() {
    let id = || MaintenanceId::new("made").unwrap();
    let mut close = Close::new(&format!("{CONFIG}{PLAN}"));
    close.read("lone:1", Verdict::Healthy);
    close.read("lone:2", Verdict::Healthy);
    let late = draft("1970-01-01T00:05:00Z");
    let made = close.wish(Wish::Make(late.clone()), None);
    assert_eq!(made, Ok((Phase::Scheduled, 1)));
    assert_eq!(close.wish(Wish::Make(late), None), Err(Refused::Taken));
    let now = draft("1970-01-01T00:00:00Z");
    let stale = close.wish(Wish::Change(id(), now.clone()), Some(7));
    assert_eq!(stale, Err(Refused::Stale));
    let changed = close.wish(Wish::Change(id(), now), Some(1));
    assert_eq!(changed, Ok((Phase::InProgress, 2)));
    close.pass(5);
    close.read("lone:1", Verdict::Dead);
    assert_eq!(close.table.log, [""; 0]);
    assert_eq!(close.wish(Wish::End(id()), None), Ok((Phase::Completed, 3)));
    assert_eq!(close.table.log, ["5 S: lone is dead"]);
    assert!(matches!(
        close.wish(Wish::End(id()), None),
        Err(Refused::Unfit(_))
    ));
    assert_eq!(close.documents.len(), 1);
    assert_eq!(
        close.wish(Wish::Remove(id()), None),
        Ok((Phase::Completed, 3))
    );
    assert!(close.documents.is_empty());
    assert_eq!(close.wish(Wish::End(id()), None), Err(Refused::Unknown));
    let of_file = MaintenanceId::new("move").unwrap();
    assert_eq!(
        close.wish(Wish::Cancel(of_file), None),
        Err(Refused::OfFile)
    );
    let strange = Draft {
        services: vec!["nobody".to_owned()],
        ..draft("1970-01-01T00:05:00Z")
    };
    assert!(
        matches!(close.wish(Wish::Make(strange), None), Err(Refused::Wrong(it)) if it[0].key == "services")
    );
    let past = draft("1969-01-01T00:05:00Z");
    assert!(
        matches!(close.wish(Wish::Make(past), None), Err(Refused::Wrong(it)) if it[0].key == "starts")
    );
}

#[test]
fn what_people_planned_survives_the_process() {
    let mut close = Close::new(CONFIG);
    close.read("lone:1", Verdict::Healthy);
    close.read("lone:2", Verdict::Healthy);
    close
        .wish(Wish::Make(draft("1970-01-01T00:00:05Z")), None)
        .unwrap();
    close.pass(10);
    close.table.kept.documents = close.documents.clone();
    close.table.restart();
    let known = close.table.board.planned().to_vec();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].phase(close.table.now), Phase::InProgress);
    close.read("lone:1", Verdict::Dead);
    close.pass(50);
    close.read("lone:1", Verdict::Dead);
    close.pass(6);
    assert_eq!(close.table.log, ["65 S: lone is dead"]);
}

#[test]
fn whoever_asks_hears_before_at_the_beginning_and_at_the_end() {
    let config = format!("{CONFIG}{TOLD}{PLAN}");
    check_with(
        &config,
        "+3 restart +10 restart +90",
        &[
            "5 Move begins at 1970-01-01 00:00:10 UTC",
            "10 Move has begun",
            "100 Move is over after 1 min 30 s",
        ],
    );
    // A process that was not there tells what is left to be told.
    let mut table = Table::new(&config);
    table.step("+12");
    table.now = Timestamp::from_millis(200_000);
    table.step("restart");
    table.step("+1");
    assert_eq!(
        table.log.last().unwrap(),
        "201 Move is over after 1 min 30 s"
    );
    assert_eq!(table.log.len(), 3);
}

#[test]
fn whoever_heard_that_it_comes_hears_that_it_does_not() {
    let mut close = Close::new(&format!("{CONFIG}{TOLD}"));
    close
        .wish(Wish::Make(draft("1970-01-01T00:00:30Z")), None)
        .unwrap();
    close.pass(26);
    let id = MaintenanceId::new("made").unwrap();
    close.wish(Wish::Cancel(id), None).unwrap();
    close.pass(60);
    assert_eq!(
        close.table.log,
        [
            "25 Maintenance begins at 1970-01-01 00:00:30 UTC",
            "26 Maintenance does not take place as planned",
        ]
    );
}

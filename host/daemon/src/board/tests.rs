//! Readings in, notices out: the rules of telling as a table, restarts included.

use std::collections::HashMap;
use std::sync::Arc;

use watchkeeper_engine::incident::Incident;
use watchkeeper_engine::reading::{Fault, Outcome};
use watchkeeper_engine::telling::Told;
use watchkeeper_store::RouteKey;

use super::*;
use crate::assignment::assign;
use crate::notice::Notice;
use crate::plugins::Shelf;

mod incidents;
mod listening;
mod maintenance;
mod pausing;
mod routing;

const CONFIG: &str = r#"
[defaults]
every = "10s"
timeout = "2s"
retry = { times = 0 }

[[service]]
id = "s"
label = "S"
[[service.monitor]]
id = "gateway"
label = "gateway"
targets = ["tcp://gateway:1"]
[[service.monitor]]
id = "shop"
label = "shop"
targets = ["tcp://shop:1"]
depends_on = ["s/gateway"]
[[service.monitor]]
id = "lone"
label = "lone"
targets = ["tcp://lone:1", "tcp://lone:2"]

[[channel]]
id = "hook"
notifier = "webhook"
config = { url = "http://hook:1/" }
[[route]]
to = ["hook"]
on = ["dead"]
group_wait = "0s"
[[route]]
to = ["hook"]
on = ["dead", "recovered"]
group_wait = "0s"
"#;

const CANARIES: &str = "[self]\ncanaries = [\"tcp://c:1\", \"tcp://c:2\"]\nevery = \"10s\"\n";

/// A board whose store is a few maps.
struct Table {
    board: Board,
    assignments: Arc<Assignments>,
    kept: Loaded,
    now: Timestamp,
    log: Vec<String>,
    /// The thread of each notice, and when its outage began, in milliseconds.
    threads: Vec<(String, Option<i64>)>,
    /// What went into the outbox, with the channel and the second.
    posted: Vec<(i64, String, Notice)>,
    stories: incidents::Kept,
}

impl Table {
    fn new(config: &str) -> Self {
        let texts = vec![("test.toml".to_owned(), config.to_owned())];
        let config = watchkeeper_config::load_texts(texts, &|_| None)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config;
        let (assignments, _) = assign(&config, &Shelf::default(), &[]);
        let (assignments, now) = (Arc::new(assignments), Timestamp::from_millis(0));
        let mut board = Board::restore(
            &assignments,
            Loaded::default(),
            &[],
            "http://page".to_owned(),
            now,
        );
        board.desk.is_open = true;
        Self {
            board,
            assignments,
            kept: Loaded::default(),
            now,
            log: Vec::new(),
            threads: Vec::new(),
            posted: Vec::new(),
            stories: incidents::Kept::default(),
        }
    }

    /// The process dies and another one goes on with what was kept.
    fn restart(&mut self) {
        self.board = Board::restore(
            &self.assignments,
            self.kept.clone(),
            &[],
            "http://page".to_owned(),
            self.now,
        );
        self.stories.recall(&mut self.board);
        let mut batch = Batch::default();
        // There are no plugins here: the script brings the readings.
        self.board.tell_start(self.now, &mut batch);
        self.board.retell_all(self.now, &mut batch);
        self.board.desk.is_open = true;
        self.board.due(self.now, &mut batch);
        self.keep(batch);
    }

    /// The routes and channels of another configuration take the place of these.
    fn take_routes_of(&mut self, config: &str) {
        let texts = vec![("test.toml".to_owned(), config.to_owned())];
        let config = watchkeeper_config::load_texts(texts, &|_| None)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config;
        // What has no plugin would be marked so: the script brings the readings.
        let (assignments, _) = assign(&config, &Shelf::default(), &[]);
        self.assignments = Arc::new(assignments);
        let mut batch = Batch::default();
        self.board.assignments = Arc::clone(&self.assignments);
        self.board.wire();
        self.board.due(self.now, &mut batch);
        self.keep(batch);
    }

    fn keep(&mut self, mut batch: Batch) {
        self.board.note(&mut batch);
        self.stories.keep(&batch.commit);
        self.kept.targets.extend(batch.commit.targets);
        self.kept.monitors.extend(batch.commit.monitors);
        let mut told: HashMap<(RouteKey, MonitorId), Told> = self
            .kept
            .told
            .drain(..)
            .map(|(route, monitor, told)| ((route, monitor), told))
            .collect();
        told.extend(
            batch
                .commit
                .told
                .into_iter()
                .map(|(route, monitor, told)| ((route, monitor), told)),
        );
        self.kept.told = told
            .into_iter()
            .map(|((route, monitor), told)| (route, monitor, told))
            .collect();
        for (target, heard) in batch.commit.heard {
            if let Some(heard) = heard {
                self.kept.heard.insert(target, heard);
            } else {
                self.kept.heard.remove(&target);
                self.kept.targets.remove(&target);
            }
        }
        self.kept.network = batch.commit.network.unwrap_or(self.kept.network.clone());
        for (name, note) in batch.commit.notes {
            match note {
                Some(text) => self.kept.notes.insert(name, text),
                None => self.kept.notes.remove(&name),
            };
        }
        for delivery in batch.commit.deliveries {
            let notice = Notice::from_payload(&delivery.payload).unwrap();
            let second = self.now.as_secs();
            self.log.push(format!("{second} {}", notice.title));
            self.threads
                .push((notice.thread.clone(), notice.started_ms));
            self.posted
                .push((second, delivery.channel.to_string(), notice));
        }
        for request in batch.requests {
            self.log.push(match request {
                Request::Monitor(monitor) => format!("{} asks {monitor}", self.now.as_secs()),
                Request::Canaries => format!("{} asks canaries", self.now.as_secs()),
            });
        }
    }

    /// One word of the script.
    fn step(&mut self, word: &str) {
        if word == "restart" {
            return self.restart();
        }
        if let Some(seconds) = word.strip_prefix('+') {
            let until = self.now + Duration::from_secs(seconds.parse().unwrap());
            while self.now < until {
                self.now = self.now + Duration::from_secs(1);
                let mut batch = Batch::default();
                self.board.tick(self.now, &mut batch);
                self.keep(batch);
            }
            return;
        }
        if let Some(monitor) = word.strip_prefix("ack:") {
            let monitor = MonitorId::parse(monitor).unwrap();
            let mut batch = Batch::default();
            let mut incidents = self.board.incidents();
            let is_part =
                |(_, incident, _): &(_, &Incident, _)| incident.parts.contains_key(&monitor);
            let (incident, ..) = incidents.rfind(is_part).unwrap();
            drop(incidents);
            self.board
                .acknowledge(incident, &"ops".into(), "", self.now, &mut batch)
                .unwrap();
            return self.keep(batch);
        }
        let mut batch = Batch::default();
        if let Some(monitor) = word.strip_prefix("pause:") {
            let monitor = MonitorId::parse(monitor).unwrap();
            self.board
                .pause(&[monitor], &"ops".into(), self.now, &mut batch)
                .unwrap();
            return self.keep(batch);
        }
        if let Some(monitor) = word.strip_prefix("resume:") {
            let monitor = MonitorId::parse(monitor).unwrap();
            self.board.go_on(&[monitor], self.now, &mut batch).unwrap();
            return self.keep(batch);
        }
        if let Some(seconds) = word.strip_prefix("hush:") {
            let span = Duration::from_secs(seconds.parse().unwrap());
            self.board.hush(span, self.now, &mut batch);
            return self.keep(batch);
        }
        if let Some((channel, why)) = word
            .strip_prefix("channel:")
            .and_then(|rest| rest.split_once('='))
        {
            let channel = watchkeeper_engine::id::ChannelId::new(channel).unwrap();
            let why = (why == "fails").then(|| "refused".to_owned());
            self.board
                .channel_trouble(&channel, why, self.now, &mut batch);
            return self.keep(batch);
        }
        let (address, outcome) = word.split_once('=').unwrap();
        let target = self.target(address);
        let judged = |verdict, reason: Option<&str>| Outcome::Judged {
            verdict,
            reason: reason.map(Into::into),
        };
        let outcome = match outcome {
            "healthy" => judged(Verdict::Healthy, None),
            "sick" => judged(Verdict::Sick, Some("slow")),
            "dead" => judged(Verdict::Dead, Some("refused")),
            _ => Outcome::NoVerdict {
                fault: Fault::Trap,
                reason: "broke down".into(),
            },
        };
        let reading = Reading {
            at: self.now,
            outcome,
            latency: None,
        };
        let run = Finished {
            target,
            began: self.now,
            reading,
            measurements: Vec::new(),
            state: None,
        };
        self.board.take(run, self.now, &mut batch);
        self.board.due(self.now, &mut batch);
        self.keep(batch);
    }

    fn target(&self, address: &str) -> TargetId {
        let monitors = self
            .assignments
            .monitors
            .iter()
            .chain(&self.assignments.canaries);
        let mut targets = monitors.flat_map(|assigned| assigned.monitor.targets.iter());
        targets
            .find(|target| target.address() == format!("tcp://{address}"))
            .unwrap()
            .clone()
    }
}

/// `script` is readings (`shop:1=dead`), pauses (`+5`) and restarts; the answer
/// is what is told and asked, each after its second.
fn check_with(config: &str, script: &str, expected: &[&str]) {
    let mut table = Table::new(config);
    script.split_whitespace().for_each(|word| table.step(word));
    assert_eq!(table.log, expected, "{script}");
}

fn check(script: &str, expected: &[&str]) {
    check_with(CONFIG, script, expected);
}

#[test]
fn an_outage_and_its_end_are_each_told_once() {
    check(
        "lone:1=healthy lone:2=healthy +10 lone:1=dead +5 lone:2=dead +5 lone:1=dead +60 lone:1=healthy lone:2=healthy",
        &[
            "10 S: lone is dead: refused",
            "80 S: lone is healthy again after 1 min 10 s",
        ],
    );
}

#[test]
fn what_is_neither_dead_nor_recovered_is_not_told_when_not_asked_for() {
    check(
        "lone:1=healthy lone:2=healthy +1 lone:1=sick +1 lone:1=healthy +1 lone:1=oops +1 lone:1=sick",
        &[],
    );
}

#[test]
fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    check(
        "lone:1=dead +5 restart +1 lone:1=dead +1 restart lone:2=healthy lone:1=healthy +1 restart +1 lone:1=healthy",
        &[
            "0 S: lone is dead: refused",
            "7 S: lone is healthy again after 7 s",
        ],
    );
}

#[test]
fn the_notices_of_one_outage_have_one_thread() {
    let mut table = Table::new(CONFIG);
    let script = "+1 lone:1=dead +5 restart lone:1=healthy lone:2=healthy +5 lone:2=dead +1 lone:2=healthy +1 shop:1=dead";
    script.split_whitespace().for_each(|word| table.step(word));
    let threads: Vec<_> = table
        .threads
        .iter()
        .map(|(thread, began)| (thread.as_str(), *began))
        .collect();
    assert_eq!(
        threads,
        [
            ("s/lone@1000", Some(1000)),
            ("s/lone@1000", Some(1000)),
            ("s/lone@11000", Some(11_000)),
            ("s/lone@11000", Some(11_000)),
        ]
    );
}

#[test]
fn silence_is_not_an_end() {
    // Longer than readings stay fresh: unknown, and then dead again.
    check(
        "lone:1=dead lone:2=healthy +100 lone:1=dead +1 lone:1=healthy lone:2=healthy",
        &[
            "0 S: lone is dead: refused",
            "101 S: lone is healthy again after 1 min 41 s",
        ],
    );
}

#[test]
fn a_child_waits_for_word_of_its_parent() {
    let before = "gateway:1=healthy shop:1=healthy +10 ";
    check(
        &format!("{before} shop:1=dead +1 gateway:1=healthy"),
        &["10 asks s/gateway", "11 S: shop is dead: refused"],
    );
    check(
        &format!("{before} shop:1=dead +1 gateway:1=dead +10 shop:1=dead"),
        &["10 asks s/gateway", "11 S: gateway is dead: refused"],
    );
    // The parent says nothing: after its longest run the child is told.
    check(
        &format!("{before} shop:1=dead +10"),
        &[
            "10 asks s/gateway",
            "12 asks s/gateway",
            "14 S: shop is dead: refused",
        ],
    );
}

#[test]
fn a_folded_child_that_outlasts_its_parent_is_told() {
    let before =
        "gateway:1=healthy shop:1=healthy +10 gateway:1=dead +1 shop:1=dead +10 gateway:1=healthy";
    check(
        &format!("{before} +1 shop:1=dead"),
        &[
            "10 S: gateway is dead: refused",
            "21 S: gateway is healthy again after 11 s",
            "21 asks s/shop",
            "22 S: shop is dead: refused",
        ],
    );
    check(
        &format!("{before} +1 shop:1=healthy"),
        &[
            "10 S: gateway is dead: refused",
            "21 S: gateway is healthy again after 11 s",
            "21 asks s/shop",
        ],
    );
}

#[test]
fn a_change_that_was_held_when_the_process_died_is_told_by_the_next() {
    check(
        "gateway:1=healthy shop:1=healthy +10 shop:1=dead restart +1 gateway:1=healthy",
        &[
            "10 asks s/gateway",
            "10 asks s/gateway",
            "11 S: shop is dead: refused",
        ],
    );
}

#[test]
fn without_a_network_one_notice_is_all_there_is() {
    let config = format!("{CANARIES}{CONFIG}");
    check_with(
        &config,
        "c:1=healthy c:2=healthy lone:1=healthy lone:2=healthy gateway:1=healthy shop:1=healthy +10 c:1=dead c:2=dead \
         lone:1=dead gateway:1=dead shop:1=dead +10 lone:1=dead +10 c:1=healthy lone:1=healthy lone:2=healthy gateway:1=healthy shop:1=healthy",
        &[
            "10 The monitoring host has lost its own network",
            "30 The monitoring host has its own network back after 20 s",
        ],
    );
    // One canary that answers is enough: the outage is real.
    check_with(
        &config,
        "c:1=healthy c:2=dead lone:1=healthy lone:2=healthy +10 lone:1=dead",
        &["10 S: lone is dead: refused"],
    );
}

#[test]
fn a_dead_reading_is_doubted_only_while_it_would_be_news() {
    let mut table = Table::new(&format!("{CANARIES}{CONFIG}"));
    table.step("c:1=healthy");
    table.step("lone:1=healthy");
    let (target, now) = (table.target("lone:1"), table.now);
    let reading = |verdict| Reading {
        at: now,
        outcome: Outcome::Judged {
            verdict,
            reason: None,
        },
        latency: None,
    };
    assert!(table.board.doubts(&target, &reading(Verdict::Dead)));
    assert!(!table.board.doubts(&target, &reading(Verdict::Sick)));
    assert!(
        !table.board.is_cleared(now),
        "the second canary was not heard"
    );
    table.step("c:2=healthy");
    assert!(table.board.is_cleared(now));
    table.step("lone:1=dead");
    assert!(
        !table.board.doubts(&target, &reading(Verdict::Dead)),
        "it is dead already"
    );
}

#[test]
fn a_stepped_clock_makes_nothing_stale() {
    let mut table = Table::new(CONFIG);
    table.step("lone:1=healthy");
    table.step("lone:2=healthy");
    table.now = table.now + Duration::from_hours(1);
    table.board.shift(3_600_000, table.now);
    table.step("+1");
    let id = MonitorId::parse("s/lone").unwrap();
    assert_eq!(
        table.board.monitor(&id).unwrap().state.standing.health,
        Health::Healthy
    );
}

//! What is said and what silence means, from the words to the notices.

use watchkeeper_engine::passive::heartbeat::{Call, Signal};
use watchkeeper_engine::passive::report::{Load, Report, Said};
use watchkeeper_web::{Refusal, Told, What};

use super::*;

const TOLD: &str = r#"
[compat.vigil]
reporter_token = "x"

[[service]]
id = "t"
label = "T"
[[service.monitor]]
id = "crew"
label = "crew"
passive = "push"
queue = "s/lone"
[[service.monitor]]
id = "job"
label = "job"
passive = "heartbeat"
token = "0123456789abcdef"
period = "100s"
grace = "10s"
[[service.monitor]]
id = "people"
label = "people"
passive = "manual"
"#;

impl Table {
    fn told() -> Self {
        Self::new(&format!("{CANARIES}{CONFIG}{TOLD}"))
    }

    /// The process goes on with another configuration.
    fn configure(&mut self, config: &str) {
        let texts = vec![("test.toml".to_owned(), config.to_owned())];
        let config = watchkeeper_config::load_texts(texts, &|_| None)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config;
        let (assignments, _) = assign(&config, &Shelf::default(), &[]);
        self.assignments = Arc::new(assignments);
        let mut batch = Batch::default();
        self.board.adopt(&self.assignments, self.now, &mut batch);
        self.keep(batch);
    }

    fn hear(&mut self, monitor: &str, what: What) -> Result<(), Refusal> {
        let told = Told {
            monitor: MonitorId::parse(monitor).unwrap(),
            what,
        };
        let mut batch = Batch::default();
        let taken = self.board.hear(&told, self.now, self.now, &mut batch);
        self.keep(batch);
        taken
    }

    /// A replica of `t/crew` that reports every 30 s.
    fn report(&mut self, replica: &str, cpu: f64) {
        let report = Report {
            interval: Duration::from_secs(30),
            said: Said::Load(Load { cpu, ram: 0.1 }),
        };
        let replica = replica.into();
        self.hear("t/crew", What::Report { replica, report })
            .unwrap();
    }

    fn call(&mut self, signal: Signal) {
        let call = Call {
            signal,
            run: None,
            words: None,
        };
        self.hear("t/job", What::Call(call)).unwrap();
    }

    /// Lets time pass, and silence be noticed at its time.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.step("+1");
            if self.board.deadline().is_some_and(|at| at <= self.now) {
                let mut batch = Batch::default();
                self.board.miss(self.now, &mut batch);
                self.keep(batch);
            }
        }
    }

    /// Another process, after nobody listened for so long.
    fn restart_after(&mut self, seconds: u64) {
        self.kept.alive_at = Some(self.now);
        self.now = self.now + Duration::from_secs(seconds);
        self.restart();
    }

    fn health(&self, monitor: &str) -> Health {
        let id = MonitorId::parse(monitor).unwrap();
        self.board.monitor(&id).unwrap().state.standing.health
    }

    fn standing(&self, monitor: &str) -> (Health, i64) {
        let id = MonitorId::parse(monitor).unwrap();
        let standing = &self.board.monitor(&id).unwrap().state.standing;
        (standing.health, standing.since.unwrap().as_secs())
    }
}

#[test]
fn silence_is_an_outage_from_the_moment_it_was_one() {
    let mut table = Table::told();
    table.report("a", 0.1);
    table.call(Signal::Success);
    table.pass(10);
    table.report("b", 0.1);
    table.pass(41);
    assert_eq!(table.standing("t/crew"), (Health::Dead, 50));
    table.report("a", 0.1);
    assert_eq!(table.health("t/crew"), Health::Healthy);
    table.pass(100);
    assert_eq!(table.standing("t/job"), (Health::Dead, 110));
    assert_eq!(
        table.log,
        [
            "50 T: crew is dead: no report for 50 s, expected every 30 s",
            "51 T: crew is healthy again after 1 s",
            "60 T: crew is dead: no report for 50 s, expected every 30 s",
            "110 T: job is dead: no call, expected every 1 min 40 s with 10 s of grace",
        ]
    );
}

#[test]
fn a_replica_that_is_no_more_is_missed_by_nobody() {
    let mut table = Table::told();
    table.report("a", 0.1);
    table.report("b", 0.95);
    assert_eq!(table.health("t/crew"), Health::Sick);
    let forget = |replica: &str| What::Forget {
        replica: replica.into(),
    };
    table.hear("t/crew", forget("b")).unwrap();
    assert_eq!(table.health("t/crew"), Health::Healthy);
    assert_eq!(table.hear("t/crew", forget("b")), Err(Refusal::Unknown));
    table.restart_after(0);
    table.hear("t/crew", forget("a")).unwrap();
    table.pass(200);
    assert_eq!(table.health("t/crew"), Health::Unknown);
    assert_eq!(table.log, [""; 0]);
}

#[test]
fn there_is_an_end_to_replicas() {
    let mut table = Table::told();
    for number in 0..1_000 {
        table.report(&number.to_string(), 0.1);
    }
    let report = Report {
        interval: Duration::ZERO,
        said: Said::Health(Verdict::Healthy),
    };
    let what = What::Report {
        replica: "one more".into(),
        report,
    };
    assert_eq!(table.hear("t/crew", what), Err(Refusal::Full));
    table.report("7", 0.2);
}

#[test]
fn a_restart_misses_nobody_who_could_not_speak() {
    let mut table = Table::told();
    table.report("a", 0.1);
    table.call(Signal::Success);
    table.pass(20);
    table.restart_after(1_000);
    assert_eq!(table.health("t/crew"), Health::Healthy);
    table.pass(49);
    assert_eq!(table.health("t/crew"), Health::Healthy);
    table.pass(1);
    assert_eq!(table.standing("t/crew"), (Health::Dead, 1_070));
    // Due at 100, 200, …; the first that cannot have come before 1,020 is 1,100.
    table.pass(100);
    assert_eq!(table.standing("t/job"), (Health::Dead, 1_110));
    // And what was dead stays so, and is not told again.
    let told = table.log.len();
    table.restart_after(10);
    table.pass(300);
    assert_eq!(table.standing("t/crew"), (Health::Dead, 1_070));
    assert_eq!(table.log.len(), told);
}

#[test]
fn a_restart_long_after_the_first_report_misses_nobody() {
    let mut table = Table::told();
    for _ in 0..20 {
        table.report("a", 0.1);
        table.pass(30);
    }
    table.restart_after(5);
    table.pass(49);
    assert_eq!(table.health("t/crew"), Health::Healthy);
    table.pass(1);
    assert_eq!(table.standing("t/crew"), (Health::Dead, 655));
    assert_eq!(table.log.len(), 1, "{:?}", table.log);
}

#[test]
fn a_load_of_another_process_is_not_judged_again() {
    let mut table = Table::told();
    for target in ["lone:1=healthy", "lone:2=healthy"] {
        table.step(target);
    }
    // The first load is what was kept; the second is how things stood.
    table.report("a", 0.95);
    table.report("a", 0.1);
    table.restart_after(1);
    table.step("lone:1=dead");
    table.step("lone:1=healthy");
    assert_eq!(table.health("t/crew"), Health::Healthy);
    table.report("a", 0.1);
    table.step("lone:1=dead");
    assert_eq!(table.health("t/crew"), Health::Dead);
}

#[test]
fn what_was_said_is_forgotten_with_its_monitor() {
    let mut table = Table::told();
    table.report("a", 0.1);
    table.call(Signal::Success);
    let kinds = TOLD
        .replace(
            "passive = \"push\"\nqueue = \"s/lone\"",
            "passive = \"local\"",
        )
        .replace("id = \"job\"", "id = \"other\"");
    table.configure(&format!("{CANARIES}{CONFIG}{kinds}"));
    assert!(table.kept.heard.is_empty(), "{:?}", table.kept.heard);
    assert_eq!(table.health("t/crew"), Health::Unknown);
    // Long after, and also where a process was not there to see it go.
    table.configure(&format!("{CANARIES}{CONFIG}{TOLD}"));
    table.pass(1_000);
    assert_eq!(table.health("t/crew"), Health::Unknown);
    assert_eq!(table.health("t/job"), Health::Unknown);
    table.report("a", 0.1);
    table.call(Signal::Success);
    let stopped = table.kept.clone();
    table.configure(&format!("{CANARIES}{CONFIG}{kinds}"));
    table.kept = stopped;
    table.restart_after(10);
    table.configure(&format!("{CANARIES}{CONFIG}{kinds}"));
    assert!(table.kept.heard.is_empty(), "{:?}", table.kept.heard);
    assert_eq!(table.log, [""; 0]);
}

#[test]
fn a_clock_that_is_stepped_misses_nobody() {
    let mut table = Table::told();
    table.report("a", 0.1);
    table.call(Signal::Success);
    for hours in [1, -2] {
        let millis = hours * 3_600_000;
        table.now = Timestamp::from_millis(table.now.as_millis() + millis);
        table.board.shift(millis, table.now);
        table.pass(1);
        assert_eq!(table.health("t/crew"), Health::Healthy);
        assert_eq!(table.health("t/job"), Health::Healthy);
    }
    table.pass(250);
    assert_eq!(table.health("t/crew"), Health::Dead);
    assert_eq!(table.health("t/job"), Health::Dead);
}

#[test]
fn a_host_without_a_network_hears_nobody() {
    let mut table = Table::told();
    let people = What::Set {
        health: Verdict::Sick,
        comment: "slow".into(),
    };
    table.hear("t/people", people).unwrap();
    table.report("a", 0.1);
    table.call(Signal::Success);
    assert!(table.board.doubts_silence());
    table.step("c:1=dead");
    table.step("c:2=dead");
    assert_eq!(table.health("t/crew"), Health::Unknown);
    // A job that calls once a day, and what people say, stay what they were.
    assert_eq!(table.health("t/job"), Health::Healthy);
    assert_eq!(table.health("t/people"), Health::Sick);
    assert!(!table.board.doubts_silence());
    table.pass(1_000);
    assert_eq!(table.health("t/job"), Health::Healthy);
    table.step("c:1=healthy");
    table.pass(49);
    assert_eq!(table.health("t/crew"), Health::Unknown);
    table.pass(1);
    assert_eq!(table.health("t/crew"), Health::Dead);
    table.pass(200);
    assert_eq!(table.health("t/job"), Health::Dead);
}

#[test]
fn the_queue_counts_for_its_workers_at_once() {
    let mut table = Table::told();
    table.step("lone:1=healthy");
    table.step("lone:2=healthy");
    table.report("a", 0.1);
    table.step("+1");
    table.step("lone:1=dead");
    assert_eq!(table.health("t/crew"), Health::Dead);
    table.report("a", 0.1);
    assert_eq!(table.health("t/crew"), Health::Dead);
    table.step("+1");
    table.step("lone:1=healthy");
    assert_eq!(table.health("t/crew"), Health::Healthy);
}

#[test]
fn silence_is_accounted_for_before_it_ends() {
    let mut table = Table::told();
    table.call(Signal::Success);
    let mut recorded = 0;
    for _ in 0..120 {
        table.now = table.now + Duration::from_secs(1);
        let mut batch = Batch::default();
        table.board.tick(table.now, &mut batch);
        let of_job = |sample: &&Sample| sample.subject.monitor().name().as_str() == "job";
        recorded += batch.samples.iter().filter(of_job).count();
        table.keep(batch);
    }
    // The target and the monitor, each minute.
    assert_eq!(recorded, 4);
}

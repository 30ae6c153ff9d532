//! One look at some queues, and what to think of them together.

use watchkeeper_sdk::{Health, Reading, Stop};

use crate::Minimum;
use crate::queue::{Alarm, Queue, Rules, fault_of_state, shortened};

/// How many faults a reason names; those beyond are counted.
const NAMED: usize = 5;

/// One look at all queues of a selection.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Whether a queue has so many messages that it is sick.
    pub(crate) loaded: bool,
    /// Each queue's faults by themselves, in the order of the queues.
    faults: Vec<(Health, String)>,
    /// Sums over the queues that have figures.
    ready: u64,
    unacked: u64,
    consumers: u64,
    queues: u64,
    /// Those that have none, and are missed.
    without_figures: Vec<String>,
    /// Whether one queue was asked for by its name: its figures are then not sums.
    is_single: bool,
}

impl Look {
    /// A look at one queue that was asked for by its name.
    pub(crate) fn at_one() -> Self {
        Self {
            is_single: true,
            ..Self::default()
        }
    }

    /// Something about a queue that is not there.
    pub(crate) fn missing(&mut self, what: String) {
        self.faults.push((Health::Dead, what));
    }

    /// Judges one queue. One without figures is passed over unless it is
    /// `required`: among many that match a pattern there is always one that was
    /// made just now.
    pub(crate) fn add(&mut self, queue: &Queue, rules: &Rules, required: bool) {
        let name = shortened(&queue.name);
        if let Some((health, state)) = queue.state.as_deref().and_then(fault_of_state) {
            self.faults
                .push((health, format!("queue {name} is {state}")));
            if health == Health::Dead {
                return;
            }
        }
        let (Some(ready), Some(unacked)) = (queue.messages_ready, queue.messages_unacknowledged)
        else {
            if required {
                self.without_figures.push(name);
            }
            return;
        };
        self.queues += 1;
        self.ready = self.ready.saturating_add(ready);
        self.unacked = self.unacked.saturating_add(unacked);
        let counts = [
            (ready, "ready", rules.ready),
            (unacked, "unacknowledged", rules.unacked),
        ];
        for (count, what, thresholds) in counts {
            self.loaded |= thresholds.sick.is_some_and(|sick| count >= sick);
            if let Some((health, threshold)) = thresholds.judge(count) {
                let messages = counted(count, "message");
                self.faults.push((
                    health,
                    format!("queue {name}: {messages} {what}, {threshold}"),
                ));
            }
        }
        let Some(consumers) = queue.consumers else {
            if required && rules.consumers != Minimum::default() {
                self.without_figures.push(name);
            }
            return;
        };
        self.consumers = self.consumers.saturating_add(consumers);
        if let Some((health, threshold)) = rules.consumers.judge(consumers) {
            let consumers = counted(consumers, "consumer");
            self.faults
                .push((health, format!("queue {name}: {consumers}, {threshold}")));
        }
    }

    /// Adds what was found to `reading`. A fault of one queue says more than that
    /// another has no figures; without a fault, that one cannot be judged.
    pub(crate) fn verdict(self, reading: Reading) -> Result<Reading, Stop> {
        let worst = self.faults.iter().map(|(health, _)| *health).max();
        let Some(worst) = worst else {
            if let Some(name) = self.without_figures.first() {
                return Err(Stop::Undecided(format!(
                    "the broker has no figures of queue {name} yet"
                )));
            }
            if self.queues == 0 {
                return Err(Stop::Undecided(
                    "the broker has no figures of the queues yet".to_owned(),
                ));
            }
            return Ok(self.measured(reading));
        };
        let mut reasons = self
            .faults
            .iter()
            .filter(|(health, _)| *health == worst)
            .map(|(_, reason)| reason.as_str());
        let mut reason = reasons.by_ref().take(NAMED).collect::<Vec<_>>().join("; ");
        match reasons.count() {
            0 => {}
            more => reason = format!("{reason}; and {more} more"),
        }
        Ok(self.measured(reading.worsen(worst, reason)))
    }

    fn measured(&self, mut reading: Reading) -> Reading {
        if self.queues == 0 {
            return reading;
        }
        for (name, value, unit) in [
            ("messages-ready", self.ready, "messages"),
            ("messages-unacknowledged", self.unacked, "messages"),
            ("consumers", self.consumers, "consumers"),
        ] {
            reading = reading.measure(name, float(value), unit);
        }
        if self.is_single {
            reading
        } else {
            reading.measure("queues", float(self.queues), "queues")
        }
    }
}

/// What alarms make of a reading.
pub(crate) fn judge_alarms(mut reading: Reading, alarms: &[Alarm], health: Health) -> Reading {
    for alarm in alarms.iter().take(NAMED) {
        let Alarm { node, resource } = alarm;
        reading = reading.worsen(health, format!("{resource} alarm of node {node}"));
    }
    reading.measure("alarms", float(alarms.len() as u64), "alarms")
}

fn counted(count: u64, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A count as a measurement.
#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 messages the last digits do not matter"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Thresholds;

    fn queue(name: &str, ready: u64, unacked: u64) -> Queue {
        Queue {
            name: name.to_owned(),
            state: Some("running".to_owned()),
            messages_ready: Some(ready),
            messages_unacknowledged: Some(unacked),
            consumers: Some(1),
        }
    }

    fn rules() -> Rules {
        Rules {
            ready: Thresholds {
                sick: Some(500),
                dead: Some(20_000),
            },
            unacked: Thresholds {
                sick: Some(100),
                dead: Some(5000),
            },
            consumers: Minimum::default(),
        }
    }

    fn judged(queues: &[Queue], rules: &Rules) -> (bool, String) {
        let mut look = Look::at_one();
        for queue in queues {
            look.add(queue, rules, true);
        }
        let loaded = look.loaded;
        let words = match look.verdict(Reading::healthy()) {
            Ok(reading) => format!(
                "{:?} {}",
                reading.health,
                reading.reason.unwrap_or_default()
            ),
            Err(stop) => format!("{stop:?}"),
        };
        (loaded, words)
    }

    /// The counts that Vigil was seen with, at these thresholds.
    #[test]
    fn the_comparisons_are_those_of_vigil() {
        for (ready, unacked, loaded, expected) in [
            (499, 99, false, "Health::Healthy "),
            (
                500,
                0,
                true,
                "Health::Sick queue a: 500 messages ready, sick from 500",
            ),
            (
                0,
                100,
                true,
                "Health::Sick queue a: 100 messages unacknowledged, sick from 100",
            ),
            (
                20_000,
                5000,
                true,
                "Health::Sick queue a: 20000 messages ready, sick from 500; \
                 queue a: 5000 messages unacknowledged, sick from 100",
            ),
            (
                20_001,
                0,
                true,
                "Health::Dead queue a: 20001 messages ready, dead above 20000",
            ),
            (
                499,
                5001,
                true,
                "Health::Dead queue a: 5001 messages unacknowledged, dead above 5000",
            ),
        ] {
            let found = judged(&[queue("a", ready, unacked)], &rules());
            assert_eq!(found, (loaded, expected.to_owned()), "{ready} {unacked}");
        }
    }

    #[test]
    fn one_message_can_be_too_many_and_none_too() {
        let none = Rules {
            ready: Thresholds {
                sick: Some(0),
                dead: Some(0),
            },
            ..Rules::default()
        };
        assert_eq!(
            judged(&[queue("a", 0, 0)], &none).1,
            "Health::Sick queue a: no messages ready, sick from 0"
        );
        assert_eq!(
            judged(&[queue("a", 1, 0)], &none).1,
            "Health::Dead queue a: 1 message ready, dead above 0"
        );
    }

    #[test]
    fn consumers_are_counted() {
        let rules = Rules {
            consumers: Minimum {
                sick_below: Some(2),
                dead_below: Some(1),
            },
            ..Rules::default()
        };
        let with = |consumers| Queue {
            consumers: Some(consumers),
            ..queue("a", 0, 0)
        };
        assert_eq!(judged(&[with(2)], &rules).1, "Health::Healthy ");
        let (loaded, words) = judged(&[with(1)], &rules);
        assert_eq!(
            (loaded, words.as_str()),
            (false, "Health::Sick queue a: 1 consumer, sick below 2")
        );
        assert_eq!(
            judged(&[with(0)], &rules).1,
            "Health::Dead queue a: no consumers, dead below 1"
        );
        // No figure is not none.
        let unknown = Queue {
            consumers: None,
            ..queue("a", 0, 0)
        };
        assert_eq!(
            judged(std::slice::from_ref(&unknown), &rules).1,
            "Undecided(\"the broker has no figures of queue a yet\")"
        );
        assert_eq!(judged(&[unknown], &Rules::default()).1, "Health::Healthy ");
    }

    #[test]
    fn a_queue_that_does_not_run_is_told_of_by_its_state() {
        for (state, expected) in [
            ("flow", "Health::Healthy "),
            ("down", "Health::Dead queue a is down"),
            ("minority", "Health::Dead queue a is minority"),
            ("syncing", "Health::Sick queue a is syncing"),
        ] {
            let queue = Queue {
                state: Some(state.to_owned()),
                ..queue("a", 1, 1)
            };
            assert_eq!(judged(&[queue], &rules()).1, expected);
        }
    }

    #[test]
    fn without_figures_there_is_no_verdict_unless_another_queue_gives_one() {
        let fresh = Queue {
            name: "new".to_owned(),
            ..Queue::default()
        };
        let undecided = "Undecided(\"the broker has no figures of queue new yet\")";
        assert_eq!(judged(std::slice::from_ref(&fresh), &rules()).1, undecided);
        assert_eq!(
            judged(&[fresh.clone(), queue("a", 0, 0)], &rules()).1,
            undecided
        );
        assert_eq!(
            judged(&[fresh.clone(), queue("a", 500, 0)], &rules()).1,
            "Health::Sick queue a: 500 messages ready, sick from 500"
        );
        let mut look = Look::default();
        look.add(&fresh, &rules(), false);
        look.add(&queue("a", 0, 0), &rules(), false);
        assert_eq!(
            look.verdict(Reading::healthy()).unwrap().health,
            Health::Healthy
        );
    }

    #[test]
    fn of_many_faults_the_first_of_the_worst_are_named() {
        let queues: Vec<Queue> = (0..8)
            .map(|number| {
                queue(
                    &format!("q{number}"),
                    if number == 0 { 500 } else { 20_001 },
                    0,
                )
            })
            .collect();
        let words = judged(&queues, &rules()).1;
        assert!(words.starts_with(
            "Health::Dead queue q1: 20001 messages ready, dead above 20000; queue q2"
        ));
        assert!(words.ends_with("queue q5: 20001 messages ready, dead above 20000; and 2 more"));
        let long = "ä".repeat(100);
        assert_eq!(shortened(&long), format!("{}…", "ä".repeat(60)));
    }
}

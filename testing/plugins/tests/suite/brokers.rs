//! What the tests of brokers share.

use std::time::Duration;

use plugin_tests::{Trial, of_check, skip};
use test_brokers::{Mosquitto, RabbitMq};
use watchkeeper_sandbox::{CheckOutcome, Run};

/// How long something may take that a broker was told and does in its own time.
/// Generous: it ends tests that would never end, and decides nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether RabbitMQ can be started; says so where it cannot.
pub(crate) fn has_rabbitmq() -> bool {
    let is_installed = RabbitMq::is_installed();
    if !is_installed {
        skip("rabbitmq: rabbitmq-server (Debian's rabbitmq-server) is missing");
    }
    is_installed
}

/// Whether Mosquitto can be started; says so where it cannot.
pub(crate) fn has_mosquitto() -> bool {
    let is_installed = Mosquitto::is_installed();
    if !is_installed {
        skip("mqtt: mosquitto (Debian's mosquitto) is missing");
    }
    is_installed
}

/// Checks again and again until the outcome is what `is_it` takes, and says which
/// it is.
///
/// # Panics
///
/// If it never is; says what it was last.
pub(crate) async fn until(
    trial: &Trial,
    target: &str,
    is_it: impl Fn(&Run<CheckOutcome>) -> bool,
) -> String {
    let mut last = String::new();
    let looking = async {
        loop {
            let run = trial.check(target).await.expect("the configuration fits");
            last = of_check(&run.outcome);
            if is_it(&run) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    assert!(found.is_ok(), "never; last: {last}");
    last
}

/// The measurement of that name, if there is a reading with it.
pub(crate) fn measured(run: &Run<CheckOutcome>, name: &str) -> Option<f64> {
    let CheckOutcome::Reading(reading) = &run.outcome else {
        return None;
    };
    let mut all = reading.measurements.iter();
    Some(all.find(|one| one.name == name)?.value)
}

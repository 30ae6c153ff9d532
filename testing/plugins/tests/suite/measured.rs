//! What a reading says besides its verdict.

use watchkeeper_sandbox::{CheckOutcome, Reading, Run};

/// The reading that a check ended with.
pub(crate) fn reading(run: &Run<CheckOutcome>) -> &Reading {
    match &run.outcome {
        CheckOutcome::Reading(reading) => reading,
        other => panic!("no reading: {}", plugin_tests::of_check(other)),
    }
}

/// The measurements as `name unit`, in their order.
pub(crate) fn names(run: &Run<CheckOutcome>) -> Vec<String> {
    let measurements = reading(run).measurements.iter();
    measurements
        .map(|measurement| format!("{} {}", measurement.name, measurement.unit))
        .collect()
}

/// The measurement of that name.
pub(crate) fn value(run: &Run<CheckOutcome>, name: &str) -> f64 {
    let measurements = &reading(run).measurements;
    let named = measurements
        .iter()
        .find(|measurement| measurement.name == name);
    named
        .unwrap_or_else(|| panic!("no {name} among {measurements:?}"))
        .value
}

/// Everything that a run shows to people, to look for secrets in.
pub(crate) fn shown<T: std::fmt::Debug>(run: &Run<T>) -> String {
    format!("{:?} {:?} {:?}", run.outcome, run.log, run.calls)
}

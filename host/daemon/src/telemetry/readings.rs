//! The last reading of each target as metrics, put into words only when somebody
//! asks for them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use watchkeeper_engine::id::TargetId;
use watchkeeper_sandbox::Measurement;

/// The last reading of each target.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<BTreeMap<TargetId, Last>>);

#[derive(Debug)]
struct Last {
    /// How many readings in a row were dead.
    failures: u32,
    latency: Option<Duration>,
    measurements: Vec<Measurement>,
}

/// A target in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetLabels {
    service: String,
    monitor: String,
    target: String,
}

/// A measurement in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MeasurementLabels {
    service: String,
    monitor: String,
    target: String,
    name: String,
    unit: String,
}

impl Readings {
    /// Takes the place of the reading before.
    pub(super) fn put(
        &self,
        target: &TargetId,
        failed: Option<bool>,
        latency: Option<Duration>,
        measurements: Vec<Measurement>,
    ) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = readings.get(target).map_or(0, |last| last.failures);
        let last = Last {
            failures: match failed {
                Some(true) => before.saturating_add(1),
                Some(false) => 0,
                None => before,
            },
            latency,
            measurements,
        };
        readings.insert(target.clone(), last);
    }

    /// Forgets one.
    pub(super) fn remove(&self, target: &TargetId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(target);
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latencies = encoder.encode_descriptor(
            "target_latency",
            "Latency of the target's last reading",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for (target, last) in readings.iter() {
            if let Some(latency) = last.latency {
                latencies
                    .encode_family(&labels(target))?
                    .encode_gauge(&latency.as_secs_f64())?;
            }
        }
        let mut failures = encoder.encode_descriptor(
            "target_failures",
            "Dead readings of the target in a row",
            None,
            MetricType::Gauge,
        )?;
        for (target, last) in readings.iter() {
            failures
                .encode_family(&labels(target))?
                .encode_gauge(&i64::from(last.failures))?;
        }
        let mut measured = encoder.encode_descriptor(
            "measurement",
            "What the target's last reading measured, in the unit that the label names",
            None,
            MetricType::Gauge,
        )?;
        for (target, last) in readings.iter() {
            let TargetLabels {
                service,
                monitor,
                target,
            } = labels(target);
            // A name that a probe gives twice counts once: the exposition format
            // has no place for two.
            let named: BTreeMap<&str, &Measurement> = last
                .measurements
                .iter()
                .map(|each| (each.name.as_str(), each))
                .collect();
            for each in named.into_values() {
                let labels = MeasurementLabels {
                    service: service.clone(),
                    monitor: monitor.clone(),
                    target: target.clone(),
                    name: each.name.clone(),
                    unit: each.unit.clone(),
                };
                measured.encode_family(&labels)?.encode_gauge(&each.value)?;
            }
        }
        Ok(())
    }
}

fn labels(target: &TargetId) -> TargetLabels {
    TargetLabels {
        service: target.monitor().service().to_string(),
        monitor: target.monitor().name().to_string(),
        target: target.public_address(),
    }
}

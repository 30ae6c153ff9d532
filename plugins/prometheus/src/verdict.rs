//! Values against thresholds.

use std::cmp::Ordering;

use watchkeeper_sdk::expect::excerpt;
use watchkeeper_sdk::{Health, Reading, Stop};

use crate::answer::Sample;
use crate::{Comparison, Config, Empty, Series};

/// How many series a reason names.
const NAMED: usize = 3;

/// What is too much, checked.
#[derive(Debug)]
pub(crate) struct Thresholds {
    op: Comparison,
    sick: Option<f64>,
    dead: Option<f64>,
    series: Series,
    empty: Empty,
    name: String,
    unit: String,
}

impl Thresholds {
    /// Checks that there is something to compare with; [`Stop::Misconfigured`] says
    /// what is missing.
    pub(crate) fn new(config: &Config) -> Result<Self, Stop> {
        if config.sick.is_none() && config.dead.is_none() {
            return Err(Stop::Misconfigured(
                "config: give sick or dead, or both".to_owned(),
            ));
        }
        Ok(Self {
            op: config.op,
            sick: config.sick,
            dead: config.dead,
            series: config.series,
            empty: config.empty,
            name: config.name.clone(),
            unit: config.unit.clone(),
        })
    }

    /// Judges what a query gave. Measures the value that is worst by the comparison,
    /// and how many series there are.
    pub(crate) fn judge(&self, samples: &[Sample]) -> Result<Reading, Stop> {
        // Division of nothing by nothing, as of the errors of no requests.
        let samples: Vec<&Sample> = samples
            .iter()
            .filter(|sample| !sample.value.is_nan())
            .collect();
        let mut reading = Reading::healthy();
        if let Some(worst) = self.worst(&samples)
            && worst.value.is_finite()
        {
            reading = reading.measure(&self.name, worst.value, &self.unit);
        }
        let count = u32::try_from(samples.len()).unwrap_or(u32::MAX);
        reading = reading.measure("series", f64::from(count), "series");
        if samples.is_empty() {
            let why = "the query gives nothing";
            return match self.empty {
                Empty::Healthy => Ok(reading),
                Empty::Sick => Ok(reading.worsen(Health::Sick, why)),
                Empty::Dead => Ok(reading.worsen(Health::Dead, why)),
                Empty::Undecided => Err(Stop::Undecided(format!(
                    "{why}; config.empty says what that means"
                ))),
            };
        }
        for (health, threshold) in [(Health::Dead, self.dead), (Health::Sick, self.sick)] {
            if let Some(why) = threshold.and_then(|threshold| self.fault(&samples, threshold)) {
                return Ok(reading.worsen(health, why));
            }
        }
        Ok(reading)
    }

    /// Which series are beyond the threshold; none where too few are.
    fn fault(&self, samples: &[&Sample], threshold: f64) -> Option<String> {
        let mut beyond: Vec<&Sample> = samples
            .iter()
            .copied()
            .filter(|sample| self.op.holds(sample.value, threshold))
            .collect();
        let is_fault = match self.series {
            Series::Any => !beyond.is_empty(),
            Series::All => beyond.len() == samples.len(),
        };
        if !is_fault {
            return None;
        }
        beyond.sort_by(|one, other| self.op.worse_first(one.value, other.value));
        let shown: Vec<String> = beyond
            .iter()
            .take(NAMED)
            .map(|sample| match sample.series.as_str() {
                "" => format!("{} is {}", self.name, shown(sample.value)),
                series => format!("{} is {}", excerpt(series), shown(sample.value)),
            })
            .collect();
        let more = match beyond.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!(
            "{}{more}: {} {}",
            shown.join(", "),
            self.op.words(),
            self::shown(threshold)
        ))
    }

    fn worst<'a>(&self, samples: &[&'a Sample]) -> Option<&'a Sample> {
        samples
            .iter()
            .copied()
            .min_by(|one, other| self.op.worse_first(one.value, other.value))
    }
}

impl Comparison {
    fn holds(self, value: f64, threshold: f64) -> bool {
        let order = value.partial_cmp(&threshold);
        match self {
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
        }
    }

    /// The largest first, where large is what is feared.
    fn worse_first(self, one: f64, other: f64) -> Ordering {
        match self {
            Self::Less | Self::LessOrEqual => one.total_cmp(&other),
            Self::Greater | Self::GreaterOrEqual | Self::Equal | Self::NotEqual => {
                other.total_cmp(&one)
            }
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Greater => "more than",
            Self::GreaterOrEqual => "at least",
            Self::Less => "less than",
            Self::LessOrEqual => "at most",
            Self::Equal => "equal to",
            Self::NotEqual => "not equal to",
        }
    }
}

/// A number as people read it: six decimals at most, powers of ten beyond.
fn shown(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && size.is_finite() && !(1e-6..1e15).contains(&size) {
        return format!("{value:e}");
    }
    let text = format!("{value:.6}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &str, values: &[f64], expected: &str) {
        let json = format!(r#"{{"query": "q", {config}}}"#);
        let config: Config = watchkeeper_sdk::config::parse(&json).unwrap();
        let samples: Vec<Sample> = values
            .iter()
            .enumerate()
            .map(|(index, &value)| Sample {
                series: format!("s{index}"),
                value,
            })
            .collect();
        let found = match Thresholds::new(&config).and_then(|it| it.judge(&samples)) {
            Ok(reading) => {
                let figures: Vec<String> = reading
                    .measurements
                    .iter()
                    .map(|figure| format!("{} {} {}", figure.name, figure.value, figure.unit))
                    .collect();
                format!(
                    "{:?} {} [{}]",
                    reading.health,
                    reading.reason.unwrap_or_default(),
                    figures.join(", ")
                )
            }
            Err(stop) => format!("{stop:?}"),
        };
        assert_eq!(found, expected, "{json} {values:?}");
    }

    #[test]
    fn any_series_or_all_of_them() {
        let any = r#""sick": 1, "dead": 2"#;
        check(
            any,
            &[0.5, 1.0],
            "Health::Healthy  [value 1 units, series 2 series]",
        );
        check(
            any,
            &[0.5, 1.5],
            "Health::Sick s1 is 1.5: more than 1 [value 1.5 units, series 2 series]",
        );
        check(
            any,
            &[2.5, 1.5],
            "Health::Dead s0 is 2.5: more than 2 [value 2.5 units, series 2 series]",
        );
        let all = r#""sick": 1, "dead": 2, "series": "all""#;
        check(
            all,
            &[0.5, 3.0],
            "Health::Healthy  [value 3 units, series 2 series]",
        );
        check(
            all,
            &[1.5, 3.0],
            "Health::Sick s1 is 3, s0 is 1.5: more than 1 [value 3 units, series 2 series]",
        );
    }

    #[test]
    fn operators_compare_as_they_say() {
        for (op, values, expected) in [
            (">=", [1.0, 0.0], "s0 is 1: at least 1"),
            ("<", [0.25, 2.0], "s0 is 0.25: less than 1"),
            ("<=", [1.0, 2.0], "s0 is 1: at most 1"),
            ("==", [1.0, 2.0], "s0 is 1: equal to 1"),
            ("!=", [1.0, 2.0], "s1 is 2: not equal to 1"),
        ] {
            let config = format!(r#""op": "{op}", "dead": 1, "name": "x", "unit": "jobs""#);
            let worst = if op.starts_with('<') {
                values[0]
            } else {
                f64::max(values[0], values[1])
            };
            check(
                &config,
                &values,
                &format!("Health::Dead {expected} [x {worst} jobs, series 2 series]"),
            );
        }
    }

    #[test]
    fn nothing_means_what_is_said() {
        for (empty, expected) in [
            ("healthy", "Health::Healthy  [series 0 series]"),
            (
                "sick",
                "Health::Sick the query gives nothing [series 0 series]",
            ),
            (
                "dead",
                "Health::Dead the query gives nothing [series 0 series]",
            ),
            (
                "undecided",
                r#"Undecided("the query gives nothing; config.empty says what that means")"#,
            ),
        ] {
            let config = format!(r#""dead": 1, "empty": "{empty}""#);
            check(&config, &[], expected);
            check(&config, &[f64::NAN], expected);
        }
        check(
            r#""op": ">""#,
            &[1.0],
            r#"Misconfigured("config: give sick or dead, or both")"#,
        );
    }

    #[test]
    fn reasons_are_short() {
        check(
            r#""sick": 0"#,
            &[1.0, 2.0, 3.0, 4.0, 5.0],
            "Health::Sick s4 is 5, s3 is 4, s2 is 3 and 2 more: more than 0 [value 5 units, series 5 series]",
        );
        check(
            r#""sick": 0"#,
            &[f64::INFINITY],
            "Health::Sick s0 is inf: more than 0 [series 1 series]",
        );
        assert_eq!(shown(1e20), "1e20");
        assert_eq!(shown(0.000_000_1), "1e-7");
        assert_eq!(shown(1.0 / 3.0), "0.333333");
    }
}

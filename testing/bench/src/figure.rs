//! What was measured, and what it should be.

/// One measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What it is of.
    pub(crate) name: String,
    /// The figure itself.
    pub(crate) value: f64,
    /// `µs`, `MiB`, `%`, `1/s`, `×`; empty for a count.
    pub(crate) unit: &'static str,
    /// What it should be, if anything was promised.
    pub(crate) goal: Option<Goal>,
    /// How it was measured.
    pub(crate) how: String,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// What one benchmark found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// In the order in which they should be read.
    pub(crate) figures: Vec<Figure>,
    /// What was left out, and why.
    pub(crate) notes: Vec<String>,
}

impl Figure {
    /// A figure without a goal.
    pub(crate) fn new(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        how: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            goal: None,
            how: how.into(),
        }
    }

    /// It should be this or less.
    pub(crate) fn at_most(mut self, goal: f64) -> Self {
        self.goal = Some(Goal::AtMost(goal));
        self
    }

    /// It should be this or more.
    pub(crate) fn at_least(mut self, goal: f64) -> Self {
        self.goal = Some(Goal::AtLeast(goal));
        self
    }

    /// Whether it is what it should be; `None` where nothing was promised.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::AtMost(most) => self.value <= most,
            Goal::AtLeast(least) => self.value >= least,
        })
    }
}

impl Findings {
    /// Adds a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Says what was left out.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// The middle one; of an even number, the lower of the two. Zero of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The smallest value that is at least as large as this share of all. Zero of none.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wanted = share * sorted.len() as f64;
    let place = (1_usize..)
        .zip(&sorted)
        .find(|(rank, _)| *rank as f64 >= wanted);
    place.map_or(0.0, |(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values = [5.0, 1.0, 3.0, 2.0, 4.0];
        assert_eq!(median(&values).to_bits(), 3.0_f64.to_bits());
        assert_eq!(quantile(&values, 0.99).to_bits(), 5.0_f64.to_bits());
        assert_eq!(quantile(&values, 0.2).to_bits(), 1.0_f64.to_bits());
        assert_eq!(median(&[]).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_goal_includes_its_bound() {
        let figure = Figure::new("x", 20.0, "µs", "");
        assert_eq!(figure.met(), None);
        assert_eq!(figure.clone().at_most(20.0).met(), Some(true));
        assert_eq!(figure.clone().at_most(19.9).met(), Some(false));
        assert_eq!(figure.at_least(20.1).met(), Some(false));
    }
}

//! What the files say of promises.

use serde_json::{Value as Json, json};
use watchkeeper_engine::sla::{SickCounts, Target};

use crate::read::scalar::{text, wrong};
use crate::read::{Context, FromNode, quoted, table};
use crate::sla::Period;
use crate::suggest::nearest;
use crate::tree::{Node, Value};

table! {
    /// How much of the time is promised.
    struct SlaTable {
        /// In percent, such as `99.9`: above 0 and at most 100, with at most four decimals.
        [required] target: Percent,
        /// For which time: a `day`, `week`, `month`, `quarter` or `year` of the calendar in the time
        /// zone of the page, or the time that has just passed, such as `30d`: 1 h to 400 d.
        [default "month"] period: PeriodText,
        /// Whether being sick is `up` or `down` for it.
        [default "up"] sick: SickWord,
    }
}

/// A share of time in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percent(pub(crate) Target);

impl FromNode for Percent {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let percent = match node.value {
            Value::Float(number) => number,
            Value::Integer(Some(number)) => i32::try_from(number).map_or(f64::MAX, f64::from),
            _ => {
                cx.mismatch(node, "a number such as 99.9", None);
                return None;
            }
        };
        let millionths = (percent * 10_000.0).round();
        // No target with four decimals is further from its own hundred-millionth.
        let is_exact = (percent * 10_000.0 - millionths).abs() < 1e-4;
        if is_exact && (1.0..=1_000_000.0).contains(&millionths) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and from 1 to 1,000,000"
            )]
            return Target::from_millionths(millionths as u32).map(Self);
        }
        let what = "must be a percentage above 0 and at most 100 with at most four decimals";
        wrong(node, what, None, cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 100 })
    }
}

/// A period by its name or its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeriodText(pub(crate) Period);

impl FromNode for PeriodText {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a period such as \"month\" or \"30d\"", cx)?;
        let period = Period::parse(&text);
        if period.is_none() {
            let instead =
                nearest(&text, Period::WORDS).map(|word| format!("did you mean \"{word}\"?"));
            let what = format!(
                "must be one of {}, or a span of time from 1h to 400d such as \"30d\"",
                quoted(&Period::WORDS)
            );
            wrong(node, what, instead, cx);
        }
        period.map(Self)
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "enum": Period::WORDS },
            { "type": "string", "minLength": 2, "pattern": crate::duration::PATTERN },
        ] })
    }
}

/// What being sick means for a promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SickWord(pub(crate) SickCounts);

impl FromNode for SickWord {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const ALL: [SickCounts; 2] = [SickCounts::Up, SickCounts::Down];
        let text = text(node, "\"up\" or \"down\"", cx)?;
        let found = ALL.into_iter().find(|sick| sick.as_str() == text);
        if found.is_none() {
            let what = format!("must be one of {}", quoted(&ALL.map(SickCounts::as_str)));
            wrong(node, what, None, cx);
        }
        found.map(Self)
    }

    fn schema() -> Json {
        json!({ "enum": ["up", "down"] })
    }
}

//! What the files say of a monitor's rhythm and of the rules it is judged by.

use serde_json::{Value as Json, json};

use super::{DAY, MINUTE, SECOND};
use crate::read::scalar::{Count, Span};
use crate::read::{Context, Finding, FromNode, table};
use crate::tree::{Node, Value};

table! {
    /// Rhythm and rules of a monitor. A nested table replaces only the keys that it has.
    struct RulesTable {
        /// The time from the start of one check of a target to the start of the next. Checks of one
        /// target never overlap.
        [default "30s"] every: Span<SECOND, DAY>,
        /// The whole time that one check has.
        [default "10s"] timeout: Span<100, { 5 * MINUTE }>,
        /// Repeats a dead check within the run before it counts.
        [optional] retry: RetryTable,
        /// Makes one reading of several checks: any dead one is dead, the latency is their median.
        [optional] attempts: AttemptsTable,
        /// How many readings in a row move the health.
        [optional] confirm: ConfirmTable,
        /// Whether dead readings show as sick until they are confirmed.
        [default false] degrade: bool,
        /// When a target changes too often, or `false` for never.
        [optional] flap: FlapSetting,
        /// So long after the last verdict the health is unknown. It must be longer than `every` and
        /// the longest run together. By default three times `every`, or that sum if it is longer.
        [optional] stale_after: Span<SECOND, { 30 * DAY }>,
        /// A latency above this is sick.
        [optional] sick_above: Span<1, { 5 * MINUTE }>,
        /// A latency above this is dead.
        [optional] dead_above: Span<1, { 5 * MINUTE }>,
        /// The monitor's health over its targets: as bad as the worst, as good as the best, or sick
        /// and dead from so many targets on.
        [default "worst"] health: HealthSetting,
    }
}

table! {
    /// Repeats a dead check within the run before it counts.
    struct RetryTable {
        /// How often.
        [default 1] times: Count<0, 10>,
        /// The pause before each.
        [default "2s"] wait: Span<0, { 5 * MINUTE }>,
    }
}

table! {
    /// Makes one reading of several checks.
    struct AttemptsTable {
        /// How many checks.
        [default 1] times: Count<1, 20>,
        /// The pause between two of them.
        [default "0s"] spacing: Span<0, MINUTE>,
    }
}

table! {
    /// How many readings in a row move the health.
    struct ConfirmTable {
        /// To become sick.
        [default 1] sick: Count<1, 100>,
        /// To become dead.
        [default 1] dead: Count<1, 100>,
        /// To become healthy.
        [default 1] healthy: Count<1, 100>,
    }
}

table! {
    /// When a target changes too often.
    struct FlapTable {
        /// More changes than this within the window are too many.
        [default 5] changes: Count<2, 100>,
        /// The window, and how long it must be steady to be believed again.
        [default "10m"] window: Span<MINUTE, DAY>,
    }
}

/// The table, or `false` for never.
#[derive(Clone, Debug)]
pub(crate) enum FlapSetting {
    Never,
    At(FlapTable),
}

impl FromNode for FlapSetting {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Bool(false) => Some(Self::Never),
            Value::Table(_) => FlapTable::read(node, cx).map(Self::At),
            _ => {
                let instead = "leave the key out for the default";
                cx.mismatch(node, "a table or `false`", Some(instead.to_owned()));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": false }, FlapTable::schema()] })
    }
}

/// How the healths of targets make a monitor's.
#[derive(Clone, Debug)]
pub(crate) enum HealthSetting {
    Worst,
    Best,
    Quorum(QuorumTable),
}

table! {
    /// A rule that counts targets.
    struct CountingTable {
        /// Sick and dead from so many targets on.
        [required] quorum: QuorumTable,
    }
}

table! {
    /// Sick and dead from so many targets on.
    struct QuorumTable {
        /// Sick if so many targets are sick or dead.
        [required] sick: Count<1, 1000>,
        /// Dead if so many targets are dead.
        [required] dead: Count<1, 1000>,
    }
}

impl FromNode for HealthSetting {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "\"worst\", \"best\" or { quorum = { sick = 1, dead = 2 } }";
        match &node.value {
            Value::Text(word) if word == "worst" => Some(Self::Worst),
            Value::Text(word) if word == "best" => Some(Self::Best),
            Value::Text(_) => {
                cx.report(Finding::new(
                    node.at,
                    format!("`{}` must be {EXPECTED}", cx.name()),
                ));
                None
            }
            Value::Table(_) => CountingTable::read(node, cx)?
                .quorum
                .map(|quorum| Self::Quorum(quorum.value)),
            _ => {
                cx.mismatch(node, EXPECTED, None);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "enum": ["worst", "best"] }, CountingTable::schema()] })
    }
}

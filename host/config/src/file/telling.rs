//! What the files say of how people are told.

use std::fmt;

use serde_json::{Value as Json, json};
use watchkeeper_engine::id::ChannelId;
use watchkeeper_engine::reminding::Backoff;

use super::{DAY, MINUTE, SECOND};
use crate::hours;
use crate::plugin_config::SecretText;
use crate::read::list::List;
use crate::read::scalar::{Count, Span, text, wrong};
use crate::read::{Context, Finding, FromNode, quoted, table};
use crate::suggest::nearest;
use crate::template::{Template, samples};
use crate::tree::{Node, Value};

/// The days of a week, as they are written.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

table! {
    /// When those who know of an outage are told again.
    struct RemindersTable {
        /// The pause between the first notice and the first reminder.
        [required] every: Span<SECOND, { 30 * DAY }>,
        /// How the pause grows: it is `every` times a counter to the power of 0, 1, 2 or 3. The
        /// counter is 1 before the first reminder and grows by 1 with each.
        [default "none"] backoff: BackoffWord,
        /// Up to which the counter grows.
        [default 3] limit: Count<1, 100>,
    }
}

table! {
    /// Who else is told of an outage that goes on.
    struct StepTable {
        /// How long after the route's first notice of the outage.
        [required] after: Span<SECOND, { 30 * DAY }>,
        /// The channels, by their ids. From then on they also hear reminders and the end.
        [required] to: List<ChannelId, 100>,
    }
}

table! {
    /// A span of times on some days of the week.
    struct DuringTable {
        /// On which days it begins: days, or spans of them such as `mon-fri`. By default all.
        [optional] days: List<Days, 7>,
        /// When it begins.
        [default "00:00"] from: ClockTime,
        /// When it ends: on the next day if that is earlier.
        [default "24:00"] to: ClockTime,
    }
}

table! {
    /// How many notices a channel gets. What is more becomes one summary.
    struct RateTable {
        /// At most so many, summaries included.
        [required] notices: Count<1, 1000>,
        /// In any span of this length.
        [required] per: Span<SECOND, DAY>,
    }
}

table! {
    /// What is called again and again while the host works.
    struct DeadManTable {
        /// Where: an `http` or `https` URL. As every secret `{ env = "NAME" }` or
        /// `{ file = "PATH" }`.
        [required] url: SecretText,
        /// How often.
        [default "1m"] every: Span<{ 5 * SECOND }, { 60 * MINUTE }>,
    }
}

/// How pauses grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffWord(pub(crate) Backoff);

impl FromNode for BackoffWord {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let words = Backoff::WORDS.map(|(word, _)| word);
        let text = text(node, "a word such as \"linear\"", cx)?;
        let found = Backoff::WORDS.into_iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let instead = nearest(&text, words).map(|word| format!("did you mean \"{word}\"?"));
            let what = format!("must be one of {}", quoted(&words));
            wrong(node, what, instead, cx);
        }
        found.map(|(_, backoff)| Self(backoff))
    }

    fn schema() -> Json {
        json!({ "enum": Backoff::WORDS.map(|(word, _)| word) })
    }
}

/// A day of the week, or several: `mon`, `mon-fri`, `fri-mon`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days {
    first: usize,
    last: usize,
}

impl Days {
    /// Each of them, from 0 for Monday.
    pub(crate) fn each(self) -> impl Iterator<Item = usize> {
        let count = (self.last + DAYS.len() - self.first) % DAYS.len() + 1;
        (self.first..self.first + count).map(|day| day % DAYS.len())
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DAYS[self.first])?;
        if self.first != self.last {
            write!(f, "-{}", DAYS[self.last])?;
        }
        Ok(())
    }
}

impl FromNode for Days {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(
            node,
            "a day such as \"mon\" or days such as \"mon-fri\"",
            cx,
        )?;
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        let day = |word: &str| DAYS.iter().position(|day| *day == word);
        if let (Some(first), Some(last)) = (day(first), day(last)) {
            return Some(Self { first, last });
        }
        let wrong_one = if day(first).is_some() { last } else { first };
        let short: String = wrong_one.to_lowercase().chars().take(3).collect();
        let instead = day(&short).map(|_| format!("write \"{short}\""));
        let what = format!(
            "must be one of {}, or a span of them such as `mon-fri`",
            quoted(&DAYS)
        );
        wrong(node, what, instead, cx);
        None
    }

    fn schema() -> Json {
        let day = DAYS.join("|");
        json!({ "type": "string", "pattern": format!("^({day})(-({day}))?$") })
    }
}

/// A time of the day by its minute, 24:00 included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockTime(pub(crate) u16);

impl FromNode for ClockTime {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a time such as \"08:00\"";
        let text = match &node.value {
            // TOML has times of its own, which end before midnight.
            Value::Datetime(text) => text.clone(),
            _ => self::text(node, EXPECTED, cx)?,
        };
        let mut parts = text.split(':');
        let part = |part: &str, most: u16| {
            let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            let number: Option<u16> = part.parse().ok().filter(|_| is_number);
            number.filter(|number| *number <= most)
        };
        let hour = parts.next().and_then(|hour| part(hour, 24));
        let minute = parts.next().and_then(|minute| part(minute, 59));
        let rest = parts.next().is_none_or(|seconds| seconds == "00") && parts.next().is_none();
        match hour.zip(minute).filter(|_| rest) {
            Some((hour, minute)) if hour * 60 + minute <= hours::DAY => {
                Some(Self(hour * 60 + minute))
            }
            _ => {
                wrong(node, format!("must be {EXPECTED}"), None, cx);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$" })
    }
}

/// The words of a notice.
#[derive(Clone, Debug)]
pub(crate) struct TemplateText(pub(crate) Template);

impl FromNode for TemplateText {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a template such as \"{{ title }}\"", cx)?;
        match Template::new(&text, &samples()) {
            Ok(template) => Some(Self(template)),
            Err(problem) => {
                let what = format!("`{}` {problem}", cx.name());
                let instead =
                    "the names, filters and blocks of templates stand in docs/configuration.md";
                cx.report(Finding::new(node.at, what).instead(instead));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": crate::template::MAX_SOURCE })
    }
}

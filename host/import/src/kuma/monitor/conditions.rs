//! Uptime Kuma's conditions: what must hold of a DNS record or a query's result.

use crate::context::Context;
use crate::draft::Keys;
use crate::fields::Field;
use crate::http;
use crate::node::Value;

/// Kinds of records that are one word, written as our probe writes them.
const PLAIN_RECORDS: &[&str] = &["A", "AAAA", "PTR", "TXT", "CNAME", "NS"];

/// A condition without others in it.
struct Condition {
    operator: String,
    value: String,
    is_or: bool,
}

/// Writes conditions as assertions of the probe; whether there was a way to.
pub(super) fn read(
    kind: &str,
    record: Option<&str>,
    list: &Field<'_>,
    config: &mut Keys,
    cx: &mut Context<'_>,
) -> bool {
    let Some(conditions) = flat(list, cx) else {
        return false;
    };
    let place = &list.place;
    match (kind, conditions.as_slice()) {
        ("dns", [first, others @ ..]) => {
            // One of the records has to be one of the values. Everything else is
            // asked of each record by itself, which there is no word for.
            let plain = PLAIN_RECORDS.contains(&record.unwrap_or("A"));
            let one_of = others.iter().all(|it| it.is_or && it.operator == "equals");
            if !plain || !one_of || first.operator != "equals" {
                return false;
            }
            for condition in &conditions {
                config.push("answers.any", cx.text(&condition.value, place));
            }
            true
        }
        ("mysql", [condition]) => {
            // A regular expression, as it compares numbers as the texts that
            // Uptime Kuma compares.
            let text = regex_lite::escape(&condition.value);
            let (op, value) = match condition.operator.as_str() {
                "equals" => ("matches", http::exactly(&condition.value)),
                "contains" => ("matches", text),
                "starts_with" => ("matches", format!("^{text}")),
                "ends_with" => ("matches", format!("{text}$")),
                _ => return false,
            };
            config.set("value.expect.op", op);
            config.set("value.expect.value", cx.text(&value, place));
            true
        }
        _ => false,
    }
}

/// The conditions, if none is a group of others.
fn flat(list: &Field<'_>, cx: &mut Context<'_>) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for field in list.list() {
        let mut fields = field.table(cx)?;
        if fields.text("type", cx)? != "expression" {
            return None;
        }
        let condition = Condition {
            operator: fields.text("operator", cx)?,
            value: fields.text("value", cx)?,
            is_or: fields.filled("andOr", cx).as_deref() == Some("or"),
        };
        conditions.push(condition);
    }
    Some(conditions)
}

/// Whether there are conditions at all.
pub(super) fn some(value: &Value) -> bool {
    matches!(value, Value::List(items) if !items.is_empty())
}

//! Lists of values and lists of tables.

use std::collections::HashMap;
use std::fmt::Display;

use serde_json::{Value as Json, json};

use crate::read::{Context, Finding, FromNode, Placed};
use crate::tree::{Node, Value};

/// A list of 1 to `MAX` different values.
#[derive(Clone, Debug)]
pub(crate) struct List<T, const MAX: usize>(pub(crate) Vec<Placed<T>>);

impl<T: FromNode + Display, const MAX: usize> FromNode for List<T, MAX> {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let Value::Array(nodes) = &node.value else {
            let instead = match &node.value {
                Value::Text(text) => Some(format!("write [{text:?}]")),
                _ => None,
            };
            cx.mismatch(node, "a list", instead);
            return None;
        };
        if nodes.is_empty() {
            let what = format!("`{}` must not be an empty list", cx.name());
            cx.report(Finding::new(node.at, what));
            return None;
        }
        if nodes.len() > MAX {
            let what = format!("`{}` must have at most {MAX} elements", cx.name());
            cx.report(Finding::new(node.at, what));
            return None;
        }
        let mut seen = HashMap::with_capacity(nodes.len());
        let mut list = Vec::with_capacity(nodes.len());
        for (number, node) in nodes.iter().enumerate() {
            cx.within_element(number, |cx| {
                let Some(value) = T::read(node, cx) else {
                    return;
                };
                if let Some(first) = seen.insert(value.to_string(), node.at) {
                    let finding = Finding::new(node.at, format!("`{value}` is listed twice"));
                    cx.report(finding.related(first, "first listed here"));
                    return;
                }
                list.push(Placed {
                    value,
                    at: node.at,
                    key: cx.path().to_owned(),
                });
            });
        }
        Some(Self(list))
    }

    fn schema() -> Json {
        json!({
            "type": "array",
            "items": T::schema(),
            "minItems": 1,
            "maxItems": MAX,
            "uniqueItems": true,
        })
    }
}

/// A list of tables, as `[[name]]` writes it.
#[derive(Clone, Debug)]
pub(crate) struct Rows<T>(pub(crate) Vec<Placed<T>>);

impl<T: FromNode> FromNode for Rows<T> {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let Value::Array(nodes) = &node.value else {
            let instead = format!("write `[[{}]]` for each", cx.name());
            cx.mismatch(node, "a list of tables", Some(instead));
            return None;
        };
        let read = |node: &Node, cx: &mut Context<'_>| {
            let key = cx.path().to_owned();
            Some(Placed {
                value: T::read(node, cx)?,
                at: node.at,
                key,
            })
        };
        let rows = nodes
            .iter()
            .enumerate()
            .filter_map(|(number, node)| match id(node) {
                Some(id) => cx.within_element(id, |cx| read(node, cx)),
                None => cx.within_element(format_args!("#{}", number + 1), |cx| read(node, cx)),
            });
        Some(Self(rows.collect()))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// The id that a table gives itself, if it reads well in a path.
fn id(node: &Node) -> Option<&str> {
    let Value::Table(table) = &node.value else {
        return None;
    };
    let Value::Text(id) = &table.get("id")?.node.value else {
        return None;
    };
    let reads_well = id.len() <= 64
        && !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    reads_well.then_some(id)
}

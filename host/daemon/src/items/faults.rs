//! Mistakes as programs read them.

use watchkeeper_config::Problem;
use watchkeeper_config::items::{ItemKind, SOURCE};
use watchkeeper_web::Fault;

/// The part that is to blame, as [`watchkeeper_config::items::ItemText::source`] names
/// it; `None` for a file's mistake.
pub(crate) fn blamed(problem: &Problem) -> Option<String> {
    if let Some(place) = &problem.place {
        return place
            .file
            .starts_with(SOURCE)
            .then(|| place.file.to_string());
    }
    // What could not even be written as TOML has no place: its key begins with it.
    let kind = ItemKind::ALL.iter().find(|kind| {
        let rest = problem.key.strip_prefix(kind.plural());
        rest.is_some_and(|rest| rest.starts_with('/'))
    })?;
    let end = problem.key.find(['.', '[']).unwrap_or(problem.key.len());
    let (item, _) = problem.key.split_at_checked(end)?;
    debug_assert!(item.starts_with(kind.plural()), "the key begins with it");
    Some(format!("{SOURCE}{item}"))
}

/// The mistakes as programs read them.
pub(crate) fn faults(problems: &[Problem]) -> Vec<Fault> {
    problems.iter().map(fault).collect()
}

fn fault(problem: &Problem) -> Fault {
    let item = blamed(problem);
    let item = item.as_deref().and_then(|item| item.strip_prefix(SOURCE));
    let key = match item {
        Some(item) => within(&problem.key, item),
        None => problem.key.clone(),
    };
    let what = match (&problem.place, item) {
        (Some(place), None) => format!("{place}: {}", problem.what),
        _ => problem.what.clone(),
    };
    Fault {
        item: item.unwrap_or_default().to_owned(),
        key,
        what,
        instead: problem.instead.clone(),
    }
}

/// The path of a key within the part that it belongs to: `targets[0]` of
/// `service[shop].monitor[web].targets[0]`.
fn within(key: &str, item: &str) -> String {
    if let Some(rest) = key.strip_prefix(item) {
        return rest.trim_start_matches('.').to_owned();
    }
    let mut rest = key;
    for list in ["service", "monitor", "channel", "route"] {
        let after = rest.strip_prefix(list).and_then(|it| it.strip_prefix('['));
        let Some((_, after)) = after.and_then(|after| after.split_once(']')) else {
            continue;
        };
        rest = after.trim_start_matches('.');
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_within_their_part() {
        for (key, item, expected) in [
            (
                "service[shop].monitor[web].config.expect.status[0]",
                "monitors/shop/web",
                "config.expect.status[0]",
            ),
            ("service[shop].label", "services/shop", "label"),
            ("channel[ops].timeout", "channels/ops", "timeout"),
            ("channels/ops.config.x", "channels/ops", "config.x"),
            ("targets", "monitors/shop/web", "targets"),
            ("route[night]", "routes/night", ""),
        ] {
            assert_eq!(within(key, item), expected, "{key}");
        }
    }
}

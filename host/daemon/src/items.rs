//! The parts of the configuration that were made while the host ran: kept in the
//! store, merged with the files, and changed as a whole or not at all.

mod faults;
mod masking;
mod posting;
mod wishes;

use std::collections::BTreeSet;

use tracing::error;
use watchkeeper_config::items::{ItemKey, ItemKind, ItemText};
use watchkeeper_config::{Loaded, Problem, Problems, load_merged};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{ItemRow, Store, StoreError};

pub(crate) use self::faults::{blamed, faults};
pub(crate) use self::masking::{Masks, mask, without_password as shown_address};
pub(crate) use self::posting::wishes_of;
pub(crate) use self::wishes::{Step, grant};

/// A part as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) text: ItemText,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Why it is not in use, though it is kept.
    pub(crate) trouble: Option<String>,
}

impl Kept {
    /// As the store keeps it.
    pub(crate) fn row(&self) -> ItemRow {
        ItemRow {
            kind: self.text.key.kind.as_str().to_owned(),
            id: self.text.key.id.clone(),
            text: self.text.json.to_string(),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// Reads what the store keeps. What cannot be read is named in the log and left out;
/// it stays in the store.
pub(crate) async fn read(store: &dyn Store) -> Result<Vec<Kept>, StoreError> {
    let rows = store.items().await?;
    let kept = rows.into_iter().filter_map(|row| {
        let kind = ItemKind::from_word(&row.kind);
        let json = serde_json::from_str(&row.text).ok();
        let (Some(kind), Some(json)) = (kind, json) else {
            error!(kind = %row.kind, id = %row.id, "a part of the configuration in the database cannot be read and is left out");
            return None;
        };
        let key = ItemKey { kind, id: row.id };
        Some(Kept {
            text: ItemText { key, json },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            trouble: None,
        })
    });
    Ok(kept.collect())
}

/// The kind, as the configuration calls it.
pub(crate) const fn kind_of(kind: watchkeeper_web::ItemKind) -> ItemKind {
    match kind {
        watchkeeper_web::ItemKind::Service => ItemKind::Service,
        watchkeeper_web::ItemKind::Monitor => ItemKind::Monitor,
        watchkeeper_web::ItemKind::Channel => ItemKind::Channel,
        watchkeeper_web::ItemKind::Route => ItemKind::Route,
    }
}

/// The kind, as the web calls it.
pub(crate) const fn web_kind(kind: ItemKind) -> watchkeeper_web::ItemKind {
    match kind {
        ItemKind::Service => watchkeeper_web::ItemKind::Service,
        ItemKind::Monitor => watchkeeper_web::ItemKind::Monitor,
        ItemKind::Channel => watchkeeper_web::ItemKind::Channel,
        ItemKind::Route => watchkeeper_web::ItemKind::Route,
    }
}

/// Which kept parts may be left out where the configuration would be wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaveOut {
    /// Any: the host has to start.
    Any,
    /// Those that were not in use before.
    Troubled,
}

/// Merges the texts of the files with what is kept, and leaves out what does not fit;
/// what is left out knows why, and what fits again has no trouble any more. Blocks
/// while secrets are read.
pub(crate) fn merge(
    texts: &[(String, String)],
    kept: &mut [Kept],
    leave_out: LeaveOut,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    let troubled: BTreeSet<_> = kept
        .iter()
        .filter(|kept| kept.trouble.is_some())
        .map(|kept| kept.text.key.clone())
        .collect();
    for kept in &mut *kept {
        kept.trouble = None;
    }
    loop {
        let used = kept.iter().filter(|kept| kept.trouble.is_none());
        let added: Vec<_> = used.map(|kept| kept.text.clone()).collect();
        let problems = match load_merged(texts.to_vec(), &added, env) {
            Ok(loaded) => return Ok(loaded),
            Err(problems) => problems,
        };
        let may_go = |key: &ItemKey| match leave_out {
            LeaveOut::Any => true,
            LeaveOut::Troubled => troubled.contains(key),
        };
        if !set_aside(kept, &problems.list, may_go) {
            return Err(problems);
        }
    }
}

/// Leaves out the kept parts that are to blame for `problems` and may go. Whether
/// there were any.
pub(crate) fn set_aside(
    kept: &mut [Kept],
    problems: &[Problem],
    may_go: impl Fn(&ItemKey) -> bool,
) -> bool {
    let mut any = false;
    for kept in kept.iter_mut().filter(|kept| kept.trouble.is_none()) {
        let source = kept.text.source();
        let own = problems
            .iter()
            .find(|problem| blamed(problem).is_some_and(|item| item == source));
        if let Some(problem) = own
            && may_go(&kept.text.key)
        {
            kept.trouble = Some(problem.what.clone());
            any = true;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(kind: ItemKind, json: serde_json::Value) -> Kept {
        Kept {
            text: ItemText {
                key: ItemKey::of(kind, &json).unwrap(),
                json,
            },
            version: 1,
            created_at: Timestamp::from_millis(1),
            updated_at: Timestamp::from_millis(1),
            trouble: None,
        }
    }

    const FILE: &str = "[[service]]\nid = \"shop\"\n[[service.monitor]]\nid = \"web\"\ntargets = [\"https://example.com\"]\n";

    fn texts(text: &str) -> Vec<(String, String)> {
        vec![("a.toml".to_owned(), text.to_owned())]
    }

    #[test]
    fn a_start_leaves_out_what_does_not_fit_and_what_needs_it() {
        let mut items = vec![
            kept(ItemKind::Service, json!({ "id": "shop" })),
            kept(
                ItemKind::Monitor,
                json!({ "service": "shop", "id": "api", "targets": ["tcp://example.com:1"] }),
            ),
            kept(
                ItemKind::Channel,
                json!({ "id": "ops", "notifier": "webhook", "timeout": "soon" }),
            ),
            kept(ItemKind::Route, json!({ "id": "r", "to": ["ops"] })),
        ];
        let loaded = merge(&texts(FILE), &mut items, LeaveOut::Any, &|_| None).unwrap();
        assert_eq!(loaded.config.monitors().count(), 2);
        let why: Vec<_> = items.iter().map(|kept| kept.trouble.as_deref()).collect();
        assert_eq!(why[1], None);
        for (index, word) in [(0, "twice"), (2, "span"), (3, "no channel")] {
            assert!(why[index].is_some_and(|why| why.contains(word)), "{why:?}");
        }
        // What was in use is not dropped behind anybody's back.
        items[2].trouble = None;
        let refused = merge(&texts(FILE), &mut items, LeaveOut::Troubled, &|_| None);
        assert_eq!(refused.unwrap_err().list.len(), 1);
        // And what is mended is in use again.
        items[2].text.json["timeout"] = "5s".into();
        items[0].trouble = Some("before".to_owned());
        merge(&texts(FILE), &mut items, LeaveOut::Troubled, &|_| None).unwrap();
        assert!(items[0].trouble.is_some() && items[3].trouble.is_none());
    }

    #[test]
    fn a_mistake_of_the_file_is_no_parts_fault() {
        let mut items = vec![kept(ItemKind::Service, json!({ "id": "a" }))];
        let broken = texts("[server]\nlisten = 1\n");
        assert!(merge(&broken, &mut items, LeaveOut::Any, &|_| None).is_err());
    }
}

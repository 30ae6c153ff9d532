//! What is wanted of the parts, carried out on a copy of them.

use serde_json::Value as Json;
use watchkeeper_config::items::{Item, ItemKey, ItemKind, ItemText, Made};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::ItemChange;
use watchkeeper_web::{Expected, Fault, NotEdited, Wish};

use super::masking::unmask;
use super::{Kept, kind_of};

/// What became of one part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) key: ItemKey,
    pub(crate) before: Option<Json>,
    pub(crate) after: Option<Json>,
    /// What the store has to do.
    pub(crate) change: ItemChange,
}

/// Carries out `wishes` on `kept` at `now`, beside what stands in files. Returns what
/// became of what; a wish for what is so already changes nothing. After an error `kept`
/// is of no use.
pub(crate) fn grant(
    wishes: Vec<Wish>,
    kept: &mut Vec<Kept>,
    written: &[Item],
    now: Timestamp,
) -> Result<Vec<Step>, NotEdited> {
    let mut steps = Vec::new();
    for wish in wishes {
        steps.extend(grant_one(wish, kept, written, now)?);
    }
    Ok(steps)
}

fn grant_one(
    wish: Wish,
    kept: &mut Vec<Kept>,
    written: &[Item],
    now: Timestamp,
) -> Result<Option<Step>, NotEdited> {
    match wish {
        Wish::Create { kind, mut config } => {
            let key = key_of(kind_of(kind), &config)?;
            if kept.iter().any(|kept| kept.text.key == key) {
                return Err(NotEdited::Exists(key.to_string()));
            }
            if let Some(item) = in_file(&key, written) {
                let name = format!("{key} at {}", item.place);
                return Err(NotEdited::Exists(name));
            }
            reveal(&key, &mut config, None)?;
            let made = Kept {
                text: ItemText {
                    key: key.clone(),
                    json: config.clone(),
                },
                version: next_version(kept, now),
                created_at: now,
                updated_at: now,
                trouble: None,
            };
            let change = ItemChange::Put(made.row());
            kept.push(made);
            Ok(Some(Step {
                key,
                before: None,
                after: Some(config),
                change,
            }))
        }
        Wish::Import {
            kind,
            config,
            created,
            updated,
        } => import(
            kind_of(kind),
            config,
            (created, updated),
            kept,
            written,
            now,
        ),
        Wish::Replace {
            kind,
            id,
            config,
            expected,
        } => {
            let key = named(kind_of(kind), id);
            let index = find(&key, &expected, kept, written)?;
            put(&key, index, config, kept, now)
        }
        Wish::Patch {
            kind,
            id,
            patch,
            expected,
        } => {
            let key = named(kind_of(kind), id);
            let index = find(&key, &expected, kept, written)?;
            let mut config = kept[index].text.json.clone();
            if !patch.is_object() {
                return Err(wrong(&key, "", "must be an object"));
            }
            merge_patch(&mut config, patch);
            put(&key, index, config, kept, now)
        }
        Wish::Remove { kind, id, expected } => {
            let key = named(kind_of(kind), id);
            let index = find(&key, &expected, kept, written)?;
            let gone = kept.remove(index);
            let change = ItemChange::Remove {
                kind: key.kind.as_str().to_owned(),
                id: key.id.clone(),
            };
            Ok(Some(Step {
                key,
                before: Some(gone.text.json),
                after: None,
                change,
            }))
        }
    }
}

/// Takes over what another host had.
fn import(
    kind: ItemKind,
    mut config: Json,
    (created, updated): (Timestamp, Timestamp),
    kept: &mut Vec<Kept>,
    written: &[Item],
    now: Timestamp,
) -> Result<Option<Step>, NotEdited> {
    let key = key_of(kind, &config)?;
    if let Some(item) = in_file(&key, written) {
        return Err(NotEdited::ReadOnly(key.to_string(), item.place.to_string()));
    }
    let index = kept.iter().position(|kept| kept.text.key == key);
    let before = index.map(|index| kept[index].text.json.clone());
    reveal(&key, &mut config, before.as_ref())?;
    let same = index.is_some_and(|index| {
        let known = &kept[index];
        known.text.json == config && known.created_at == created && known.updated_at == updated
    });
    if same {
        return Ok(None);
    }
    let taken = Kept {
        text: ItemText {
            key: key.clone(),
            json: config.clone(),
        },
        version: next_version(kept, now),
        created_at: created,
        updated_at: updated,
        trouble: None,
    };
    let change = ItemChange::Put(taken.row());
    match index {
        Some(index) => kept[index] = taken,
        None => kept.push(taken),
    }
    Ok(Some(Step {
        key,
        before,
        after: Some(config),
        change,
    }))
}

fn put(
    key: &ItemKey,
    index: usize,
    mut config: Json,
    kept: &mut [Kept],
    now: Timestamp,
) -> Result<Option<Step>, NotEdited> {
    let own = key_of(key.kind, &config)?;
    if own != *key {
        let what = "cannot be changed: it would be another one";
        let name = if key.kind == ItemKind::Monitor && !same_service(&own, key) {
            "service"
        } else {
            "id"
        };
        return Err(wrong(key, name, what));
    }
    let before = kept[index].text.json.clone();
    reveal(key, &mut config, Some(&before))?;
    if config == before {
        return Ok(None);
    }
    let version = next_version(kept, now);
    let changed = &mut kept[index];
    changed.text.json = config.clone();
    changed.version = version;
    changed.updated_at = now;
    changed.trouble = None;
    Ok(Some(Step {
        key: key.clone(),
        before: Some(before),
        after: Some(config),
        change: ItemChange::Put(changed.row()),
    }))
}

/// Where the part is that `expected` means.
fn find(
    key: &ItemKey,
    expected: &Expected,
    kept: &[Kept],
    written: &[Item],
) -> Result<usize, NotEdited> {
    let Some(index) = kept.iter().position(|kept| kept.text.key == *key) else {
        return Err(match in_file(key, written) {
            Some(item) => NotEdited::ReadOnly(key.to_string(), item.place.to_string()),
            None => NotEdited::Unknown(key.to_string()),
        });
    };
    let is_meant = match expected {
        Expected::Any => true,
        Expected::Tags(tags) => {
            let own = kept[index].version.to_string();
            tags.contains(&own)
        }
    };
    if is_meant {
        Ok(index)
    } else {
        Err(NotEdited::Stale(key.to_string()))
    }
}

fn in_file<'i>(key: &ItemKey, written: &'i [Item]) -> Option<&'i Item> {
    let mut of_files = written.iter().filter(|item| item.made == Made::File);
    of_files.find(|item| item.key == *key)
}

fn same_service(one: &ItemKey, other: &ItemKey) -> bool {
    let service = |key: &ItemKey| key.id.split_once('/').map(|(it, _)| it.to_owned());
    service(one) == service(other)
}

/// A version that no part had before: even what was removed had a smaller one, as
/// time goes on.
fn next_version(kept: &[Kept], now: Timestamp) -> i64 {
    let newest = kept.iter().map(|kept| kept.version).max().unwrap_or(0);
    now.as_millis().max(newest.saturating_add(1))
}

fn key_of(kind: ItemKind, config: &Json) -> Result<ItemKey, NotEdited> {
    ItemKey::of(kind, config).map_err(|no_item| {
        NotEdited::Wrong(vec![Fault {
            item: kind.plural().to_owned(),
            key: no_item.key.to_owned(),
            what: if no_item.key.is_empty() {
                no_item.what
            } else {
                format!("`{}` {}", no_item.key, no_item.what)
            },
            instead: None,
        }])
    })
}

fn reveal(key: &ItemKey, config: &mut Json, before: Option<&Json>) -> Result<(), NotEdited> {
    unmask(config, before).map_err(|at| {
        let mut fault = fault(
            key,
            &at,
            "`****` stands for a secret that was kept, and there is none",
        );
        fault.instead = Some("write the secret, or { \"env\": \"NAME\" }".to_owned());
        NotEdited::Wrong(vec![fault])
    })
}

fn fault(key: &ItemKey, at: &str, what: &str) -> Fault {
    Fault {
        item: key.to_string(),
        key: at.to_owned(),
        what: what.to_owned(),
        instead: None,
    }
}

fn wrong(key: &ItemKey, at: &str, what: &str) -> NotEdited {
    let what = if at.is_empty() {
        what.to_owned()
    } else {
        format!("`{at}` {what}")
    };
    NotEdited::Wrong(vec![fault(key, at, &what)])
}

const fn named(kind: ItemKind, id: String) -> ItemKey {
    ItemKey { kind, id }
}

/// RFC 7396. Recursion ends: whoever read the JSON refused more than 128 levels.
fn merge_patch(target: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Json::Object(serde_json::Map::new());
    }
    let Json::Object(map) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.remove(&key);
        } else {
            merge_patch(map.entry(key).or_insert(Json::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watchkeeper_web::ItemKind as Kind;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn written() -> Vec<Item> {
        let text = "[[service]]\nid = \"file\"\n[[service.monitor]]\nid = \"m\"\ntargets = [\"tcp://a:1\"]\n";
        let texts = vec![("a.toml".to_owned(), text.to_owned())];
        watchkeeper_config::load_texts(texts, &|_| None)
            .unwrap()
            .items
    }

    fn create(id: &str) -> Wish {
        Wish::Create {
            kind: Kind::Service,
            config: json!({ "id": id, "label": "L" }),
        }
    }

    #[test]
    fn parts_come_change_and_go() {
        let (mut kept, files) = (Vec::new(), written());
        let steps = grant(vec![create("a")], &mut kept, &files, at(5)).unwrap();
        assert_eq!((steps.len(), kept[0].version), (1, 5));
        let patch = |patch: Json, expected: Expected| Wish::Patch {
            kind: Kind::Service,
            id: "a".to_owned(),
            patch,
            expected,
        };
        let tag = |tag: &str| Expected::Tags(vec![tag.to_owned()]);
        // The clock was set back meanwhile.
        let again = patch(json!({ "label": null, "tags": ["x"] }), tag("5"));
        grant(vec![again], &mut kept, &files, at(3)).unwrap();
        assert_eq!(kept[0].text.json, json!({ "id": "a", "tags": ["x"] }));
        assert_eq!(kept[0].version, 6);
        let stale = patch(json!({}), tag("5"));
        let stale = grant(vec![stale], &mut kept, &files, at(9));
        assert_eq!(stale, Err(NotEdited::Stale("services/a".to_owned())));
        let same = patch(json!({}), Expected::Any);
        assert_eq!(grant(vec![same], &mut kept, &files, at(9)), Ok(vec![]));
        let remove = |id: &str| Wish::Remove {
            kind: Kind::Service,
            id: id.to_owned(),
            expected: Expected::Any,
        };
        grant(vec![remove("a")], &mut kept, &files, at(9)).unwrap();
        assert_eq!(kept, []);
        let gone = grant(vec![remove("a")], &mut kept, &files, at(9));
        assert_eq!(gone, Err(NotEdited::Unknown("services/a".to_owned())));
        let of_file = grant(vec![remove("file")], &mut kept, &files, at(9));
        let place = "a.toml:1:1".to_owned();
        assert_eq!(
            of_file,
            Err(NotEdited::ReadOnly("services/file".to_owned(), place))
        );
    }

    #[test]
    fn an_id_names_one_thing() {
        let (mut kept, files) = (Vec::new(), written());
        grant(vec![create("a")], &mut kept, &files, at(1)).unwrap();
        for id in ["a", "file"] {
            let twice = grant(vec![create(id)], &mut kept, &files, at(2));
            assert!(matches!(twice, Err(NotEdited::Exists(_))), "{id}");
        }
        let renamed = Wish::Replace {
            kind: Kind::Service,
            id: "a".to_owned(),
            config: json!({ "id": "b" }),
            expected: Expected::Any,
        };
        let renamed = grant(vec![renamed], &mut kept, &files, at(2));
        assert!(matches!(renamed, Err(NotEdited::Wrong(_))));
        let nameless = Wish::Create {
            kind: Kind::Monitor,
            config: json!({ "service": "a b", "id": "x" }),
        };
        let Err(NotEdited::Wrong(faults)) = grant(vec![nameless], &mut kept, &files, at(2)) else {
            panic!("it has no id")
        };
        assert_eq!(faults[0].key, "service");
    }
}

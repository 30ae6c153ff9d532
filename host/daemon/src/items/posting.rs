//! A whole configuration that was sent, as what is wanted of each part.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use watchkeeper_config::items::ItemKey;
use watchkeeper_web::{Expected, Fault, NotEdited, Notation, Posted, Wish};

use super::{Kept, kind_of, web_kind};

/// What has to be done for the kept parts to be those of `posted`.
pub(crate) fn wishes_of(posted: &Posted, kept: &[Kept]) -> Result<Vec<Wish>, NotEdited> {
    let root = parse(posted)?;
    let mut parts = Vec::new();
    for (key, value) in root {
        let kind = match key.as_str() {
            "service" => watchkeeper_web::ItemKind::Service,
            "channel" => watchkeeper_web::ItemKind::Channel,
            "route" => watchkeeper_web::ItemKind::Route,
            _ => {
                let what = format!("`{key}` cannot be applied");
                let instead = "send `service`, `channel` and `route`; everything else stands in the configuration file";
                return Err(wrong(&key, &what, Some(instead)));
            }
        };
        let Json::Array(list) = value else {
            let what = format!("`{key}` must be a list of tables");
            return Err(wrong(&key, &what, None));
        };
        for part in list {
            take(kind, part, &mut parts)?;
        }
    }
    let mut seen = BTreeSet::new();
    let mut wishes = Vec::new();
    // Services before what refers to them, so that each is told of in that order.
    parts.sort_by_key(|(kind, _)| *kind);
    for (kind, config) in parts {
        let key = ItemKey::of(kind_of(kind), &config).map_err(|no_item| {
            let what = format!("`{}` {}", no_item.key, no_item.what);
            wrong(kind.plural(), &what, None)
        })?;
        if !seen.insert(key.clone()) {
            let what = format!("the {} `{}` is written twice", kind.as_str(), key.id);
            return Err(wrong(&key.to_string(), &what, None));
        }
        let is_kept = kept.iter().any(|kept| kept.text.key == key);
        wishes.push(if is_kept {
            Wish::Replace {
                kind,
                id: key.id,
                config,
                expected: Expected::Any,
            }
        } else {
            Wish::Create { kind, config }
        });
    }
    if posted.prune {
        // What refers to something goes before it.
        let mut gone: Vec<_> = kept
            .iter()
            .map(|kept| &kept.text.key)
            .filter(|key| !seen.contains(*key))
            .collect();
        gone.sort_by(|a, b| b.cmp(a));
        wishes.extend(gone.into_iter().map(|key| Wish::Remove {
            kind: web_kind(key.kind),
            id: key.id.clone(),
            expected: Expected::Any,
        }));
    }
    Ok(wishes)
}

/// One part with the monitors in it.
fn take(
    kind: watchkeeper_web::ItemKind,
    mut part: Json,
    parts: &mut Vec<(watchkeeper_web::ItemKind, Json)>,
) -> Result<(), NotEdited> {
    let monitors = match &mut part {
        Json::Object(map) if kind == watchkeeper_web::ItemKind::Service => map.remove("monitor"),
        _ => None,
    };
    let service = part.get("id").cloned();
    parts.push((kind, part));
    let monitors = match monitors {
        None => return Ok(()),
        Some(Json::Array(monitors)) => monitors,
        Some(_) => {
            let what = "`monitor` must be a list of tables";
            return Err(wrong("service.monitor", what, None));
        }
    };
    for mut monitor in monitors {
        if let (Json::Object(map), Some(service)) = (&mut monitor, &service) {
            map.insert("service".to_owned(), service.clone());
        }
        parts.push((watchkeeper_web::ItemKind::Monitor, monitor));
    }
    Ok(())
}

fn parse(posted: &Posted) -> Result<Map<String, Json>, NotEdited> {
    let json: Json = match posted.language {
        Notation::Json => serde_json::from_str(&posted.text)
            .map_err(|error| wrong("", &format!("broken JSON: {error}"), None))?,
        Notation::Toml => toml::from_str(&posted.text)
            .map_err(|error| wrong("", &format!("broken TOML: {}", error.message()), None))?,
    };
    match json {
        Json::Object(map) => Ok(map),
        _ => Err(wrong("", "a configuration must be an object", None)),
    }
}

fn wrong(key: &str, what: &str, instead: Option<&str>) -> NotEdited {
    NotEdited::Wrong(vec![Fault {
        item: String::new(),
        key: key.to_owned(),
        what: what.to_owned(),
        instead: instead.map(str::to_owned),
    }])
}

#[cfg(test)]
mod tests {
    use watchkeeper_web::ItemKind as Kind;

    use super::*;

    fn posted(text: &str) -> Posted {
        Posted {
            text: text.to_owned(),
            language: Notation::Toml,
            prune: true,
        }
    }

    #[test]
    fn a_configuration_is_taken_apart() {
        let text = "[[route]]\nid = \"r\"\nto = [\"c\"]\n[[service]]\nid = \"s\"\n[[service.monitor]]\nid = \"m\"\ntargets = [\"tcp://a:1\"]\n";
        let wishes = wishes_of(&posted(text), &[]).unwrap();
        let kinds: Vec<_> = wishes
            .iter()
            .map(|wish| match wish {
                Wish::Create { kind, config } => (*kind, config["id"].as_str().unwrap()),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            (Kind::Service, "s"),
            (Kind::Monitor, "m"),
            (Kind::Route, "r"),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn what_is_the_files_alone_is_refused() {
        let refused = |text: &str| match wishes_of(&posted(text), &[]) {
            Err(NotEdited::Wrong(faults)) => faults[0].what.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused("[server]\n"), "`server` cannot be applied");
        assert_eq!(refused("service = 1"), "`service` must be a list of tables");
        assert!(refused("[[").starts_with("broken TOML"));
        assert_eq!(refused("[[channel]]\n"), "`id` is missing");
        let twice = "[[channel]]\nid = \"a\"\n[[channel]]\nid = \"a\"\n";
        assert_eq!(refused(twice), "the channel `a` is written twice");
    }
}

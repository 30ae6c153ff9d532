//! Parts as TOML.

use serde_json::{Map, Value as Json};
use toml::Value as Toml;

use super::{ItemKind, ItemText};
use crate::problem::Problem;

/// The TOML that a part amounts to, as a document of its own, or what keeps it
/// from being TOML.
pub(crate) fn rendition(item: &ItemText) -> Result<String, Problem> {
    let refuse = |(key, what): (String, String)| Problem {
        place: None,
        key: format!("{}{key}", item.key),
        what,
        instead: None,
        related: Vec::new(),
        snippet: None,
    };
    let table = table_of(&item.json).map_err(refuse)?;
    toml::to_string(&table).map_err(|error| refuse((String::new(), error.to_string())))
}

/// Parts as the TOML of a configuration file that says the same: services with
/// their monitors, channels and routes, each in the order given. A monitor whose
/// service is not among them is left out, as a file cannot say it; those are
/// returned beside it.
pub fn to_toml(items: &[ItemText]) -> (String, Vec<ItemText>) {
    let mut text = String::new();
    let mut left_out = Vec::new();
    let of = |kind: ItemKind| items.iter().filter(move |item| item.key.kind == kind);
    let add = |text: &mut String, header: &str, json: &Json| {
        let root = Json::Object(Map::from_iter([("x".to_owned(), json.clone())]));
        let Ok(table) = table_of(&root) else {
            return false;
        };
        let Ok(rendered) = toml::to_string(&table) else {
            return false;
        };
        // Only whole lines that are headers begin so.
        for line in rendered.lines() {
            let line = match line.strip_prefix("[x.") {
                Some(rest) => format!("[{header}.{rest}"),
                None if line == "[x]" => format!("[[{header}]]"),
                None => match line.strip_prefix("[[x.") {
                    Some(rest) => format!("[[{header}.{rest}"),
                    None => line.to_owned(),
                },
            };
            text.push_str(&line);
            text.push('\n');
        }
        text.push('\n');
        true
    };
    for service in of(ItemKind::Service) {
        if !add(&mut text, "service", &service.json) {
            left_out.push(service.clone());
            continue;
        }
        for monitor in of(ItemKind::Monitor) {
            if monitor.json.get("service").and_then(Json::as_str) != Some(&service.key.id) {
                continue;
            }
            let mut json = monitor.json.clone();
            if let Json::Object(map) = &mut json {
                map.remove("service");
            }
            if !add(&mut text, "service.monitor", &json) {
                left_out.push(monitor.clone());
            }
        }
    }
    for kind in [ItemKind::Channel, ItemKind::Route] {
        for item in of(kind) {
            if !add(&mut text, kind.as_str(), &item.json) {
                left_out.push(item.clone());
            }
        }
    }
    let is_alone = |monitor: &&ItemText| {
        let service = monitor.json.get("service").and_then(Json::as_str);
        !of(ItemKind::Service).any(|known| Some(known.key.id.as_str()) == service)
    };
    left_out.extend(of(ItemKind::Monitor).filter(is_alone).cloned());
    (text, left_out)
}

/// What cannot be written: which key, and why.
type Refused = (String, String);

fn table_of(json: &Json) -> Result<toml::Table, Refused> {
    match value_of(json)? {
        Toml::Table(table) => Ok(table),
        _ => Err((String::new(), "must be an object".to_owned())),
    }
}

// Recursion ends: whoever read the JSON refused more than 128 levels.
fn value_of(json: &Json) -> Result<Toml, Refused> {
    let below = |step: String, refused: Refused| (format!("{step}{}", refused.0), refused.1);
    Ok(match json {
        Json::Null => {
            let what = "null means nothing here: leave the key out".to_owned();
            return Err((String::new(), what));
        }
        Json::Bool(value) => Toml::Boolean(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Toml::Integer(number),
            (None, Some(number)) if !number.is_finite() || number.fract() != 0.0 => {
                Toml::Float(number)
            }
            (None, Some(number)) if number.abs() < 1e15 => Toml::Float(number),
            _ => {
                let what = "the number is too large for 64 bits".to_owned();
                return Err((String::new(), what));
            }
        },
        Json::String(text) => Toml::String(text.clone()),
        Json::Array(values) => {
            let each = values.iter().enumerate().map(|(index, value)| {
                value_of(value).map_err(|refused| below(format!("[{index}]"), refused))
            });
            Toml::Array(each.collect::<Result<_, _>>()?)
        }
        Json::Object(map) => {
            let each = map.iter().map(|(key, value)| {
                let value = value_of(value).map_err(|refused| below(format!(".{key}"), refused))?;
                Ok((key.clone(), value))
            });
            Toml::Table(each.collect::<Result<_, Refused>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::items::ItemKey;

    fn item(kind: ItemKind, json: Json) -> ItemText {
        let key = ItemKey::of(kind, &json).unwrap();
        ItemText { key, json }
    }

    #[test]
    fn parts_become_a_file_that_says_the_same() {
        let items = [
            item(ItemKind::Service, json!({ "id": "shop", "label": "Shop" })),
            item(
                ItemKind::Monitor,
                json!({
                    "service": "shop", "id": "web", "targets": ["https://shop.example.com"],
                    "config": { "expect": { "status": ["2xx"] } },
                    "retry": { "times": 1 },
                }),
            ),
            item(
                ItemKind::Channel,
                json!({ "id": "ops", "notifier": "webhook", "config": { "url": { "env": "URL" } } }),
            ),
            item(
                ItemKind::Route,
                json!({
                    "id": "night", "to": ["ops"],
                    "during": [{ "days": ["mon"], "from": "08:00", "to": "17:00" }],
                }),
            ),
            item(
                ItemKind::Monitor,
                json!({ "service": "files", "id": "x", "targets": ["tcp://a:1"] }),
            ),
        ];
        let (text, left_out) = to_toml(&items);
        assert_eq!(left_out, items[4..]);
        let env = |name: &str| (name == "URL").then(|| "https://h.example.com".to_owned());
        let loaded = crate::load_texts(vec![("a.toml".to_owned(), text.clone())], &env)
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        let written: Vec<_> = loaded.items.iter().map(|item| &item.json).collect();
        let expected: Vec<_> = items[..4].iter().map(|item| &item.json).collect();
        assert_eq!(written, expected, "{text}");
    }

    #[test]
    fn what_is_no_toml_is_named() {
        let refused = |json: Json| {
            let problem = rendition(&item(ItemKind::Channel, json)).unwrap_err();
            format!("{}: {}", problem.key, problem.what)
        };
        assert_eq!(
            refused(json!({ "id": "a", "config": { "x": [1, null] } })),
            "channels/a.config.x[1]: null means nothing here: leave the key out"
        );
        assert_eq!(
            refused(json!({ "id": "a", "timeout": u64::MAX })),
            "channels/a.timeout: the number is too large for 64 bits"
        );
    }
}

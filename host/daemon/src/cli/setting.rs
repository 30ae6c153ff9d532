//! Values given on the command line: `--set key=value`, `--timeout 10s`.

use std::time::Duration;

use serde_json::{Map, Value};
use watchkeeper_config::plugin_config::PluginConfig;

/// The configuration that `settings` (`expect.body=ok`) spell out; later ones
/// take the place of earlier ones.
pub(super) fn plugin_config(settings: &[String]) -> Result<PluginConfig, String> {
    let mut config = Map::new();
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("`{setting}` has no `=`: write `key=value`"))?;
        let keys: Vec<&str> = key.split('.').map(str::trim).collect();
        if keys.iter().any(|key| key.is_empty()) {
            return Err(format!("`{key}` is no key: write `key` or `table.key`"));
        }
        set(&mut config, &keys, parse(value)).map_err(|key| {
            format!("`{key}` was set to a value before, and cannot hold `{setting}`")
        })?;
    }
    Ok(PluginConfig::from_json(Value::Object(config), Vec::new()))
}

/// `500ms`, `10s`, `2m`: a duration above zero.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let count: u64 = digits.parse().ok()?;
    let millis = match text.strip_prefix(digits)? {
        "ms" => count,
        "s" => count.checked_mul(1_000)?,
        "m" => count.checked_mul(60_000)?,
        _ => return None,
    };
    (millis > 0).then(|| Duration::from_millis(millis))
}

fn set<'a>(table: &mut Map<String, Value>, keys: &[&'a str], value: Value) -> Result<(), &'a str> {
    match keys {
        [] => Ok(()),
        [last] => {
            table.insert((*last).to_owned(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let inner = table
                .entry((*first).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            let inner = inner.as_object_mut().ok_or(*first)?;
            set(inner, rest, value)
        }
    }
}

/// TOML where it is, and the text itself where it is not.
fn parse(text: &str) -> Value {
    let document = format!("value = {text}");
    let parsed = document
        .parse::<toml::Table>()
        .ok()
        .filter(|table| table.len() == 1);
    parsed
        .and_then(|mut table| serde_json::to_value(table.remove("value")?).ok())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &[&str], expected: &str) {
        let settings: Vec<String> = settings.iter().map(|text| (*text).to_owned()).collect();
        let said = match plugin_config(&settings) {
            Ok(config) => config.json().to_string(),
            Err(problem) => problem,
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn values_are_toml_or_text() {
        check(
            &["a=1", "b=true", "c=x y", r#"d="1""#],
            r#"{"a":1,"b":true,"c":"x y","d":"1"}"#,
        );
        check(
            &["expect.status=[200, 301]", "expect.body=ok"],
            r#"{"expect":{"status":[200,301],"body":"ok"}}"#,
        );
        check(&["url=http://h/?a=b"], r#"{"url":"http://h/?a=b"}"#);
        check(&["a=1\nb = 2"], r#"{"a":"1\nb = 2"}"#);
        check(&["a"], "`a` has no `=`: write `key=value`");
        check(&["a..b=1"], "`a..b` is no key: write `key` or `table.key`");
        check(
            &["a=1", "a.b=2"],
            "`a` was set to a value before, and cannot hold `a.b=2`",
        );
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Some(Duration::from_mins(2)));
        for wrong in [
            "",
            "10",
            "0s",
            "s",
            "1h1s",
            "-1s",
            "99999999999999999999s",
            "ä",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}

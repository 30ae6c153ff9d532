//! No text, however broken, does more than yield problems.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use watchkeeper_config::plugin_config::{
    PluginConfig, PluginSchema, check_plugin_config, uris, write_only,
};
use watchkeeper_config::{Problems, load_texts};

fn env(name: &str) -> Option<String> {
    name.len().is_multiple_of(2).then(|| "value".to_owned())
}

/// Reads the texts; whatever comes of it can be shown and points into a text.
fn survive(texts: &[String]) {
    let named: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| (format!("{n}.toml"), text.clone()))
        .collect();
    match load_texts(named, &env) {
        Ok(loaded) => {
            let schema = json!({
                "properties": { "a": { "type": "string", "format": "uri", "writeOnly": true } },
                "additionalProperties": false,
            });
            for monitor in loaded.config.monitors() {
                let problems = check_plugin_config(&monitor.config, &schema);
                let _shown = Problems::from(problems).to_string();
                let _found = (
                    uris(&monitor.config, &schema),
                    write_only(&monitor.config, &schema),
                );
            }
            let _shown = format!("{:?}", loaded.config);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(!problems.to_string().is_empty());
            for problem in &problems.list {
                let place = problem.place.as_ref().unwrap();
                let number: usize = place.file.trim_end_matches(".toml").parse().unwrap();
                assert!(place.line >= 1 && place.column >= 1, "{problem}");
                assert!(place.line <= texts[number].split('\n').count(), "{problem}");
            }
        }
    }
}

fn everything() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs/everything.toml");
    fs::read_to_string(path).unwrap()
}

/// Pieces of which TOML is made, good and bad.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "[server]",
        "[[service]]",
        "[[service.monitor]]",
        "[plugins]",
        "[plugins.a]",
        "[service]",
        "[a.b.c]",
        "[[a]]",
        "[a",
        "]]",
        "id = \"a\"",
        "id = \"a\"",
        "every = \"30s\"",
        "every.a = 1",
        "targets = [\"tcp://a:1\", \"b\"]",
        "config = { a = \"${AB}\", b = { env = \"A\" } }",
        "= 1",
        "config.a = \"x\"",
        "monitor = [{}]",
        "monitor = [{ id = \"b\", targets = [\"t://x\"] }]",
        "service = []",
        "a = '''",
        "\"\"\"",
        "{ a = 1",
        "}",
        "# c",
        "health = { quorum = {} }",
        "é = 1",
        "flap = false",
        "x = 1979-05-27T07:32:00Z",
        "x = inf",
        "x = 0xffffffffffffffffffff",
        "\u{0}",
        "depends_on = [\"a/b\"]",
        "\r",
        "\u{feff}",
        "[\"\"]",
        "\"\" = 1",
        "'a.b' = \"\\u00e9\"",
        "a.b = 1",
    ];
    prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_text(texts in proptest::collection::vec(any::<String>(), 1..3)) {
        survive(&texts);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survive(&[String::from_utf8_lossy(&bytes).into_owned()]);
    }

    #[test]
    fn pieces_of_toml(
        texts in proptest::collection::vec(proptest::collection::vec(piece(), 0..20), 1..3),
        separator in proptest::sample::select(vec!["\n", "\n", " ", ""]),
    ) {
        let texts: Vec<_> = texts.iter().map(|pieces| pieces.join(separator)).collect();
        survive(&texts);
    }

    #[test]
    fn a_good_file_with_a_part_replaced(
        start in 0.0..1.0_f64,
        length in 0_usize..40,
        replacement in piece(),
    ) {
        let chars: Vec<char> = everything().chars().collect();
        #[expect(
            clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
            reason = "a position within a short text"
        )]
        let start = (start * chars.len() as f64) as usize;
        let end = (start + length).min(chars.len());
        let text: String =
            chars[..start].iter().copied().chain(replacement.chars()).chain(chars[end..].iter().copied()).collect();
        survive(&[text]);
    }
}

#[test]
fn deep_and_wide_texts() {
    survive(&[format!(
        "a = {}{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    )]);
    survive(&[format!("a = {}", "{ a = ".repeat(100_000))]);
    survive(&[format!("{} = 1", vec!["a"; 100_000].join("."))]);
    survive(&[format!("[{}]", vec!["a"; 100_000].join("."))]);
    survive(&["x = 1\n".repeat(2_000)]);
    let wide: Vec<_> = (0..2_000).map(|n| format!("x{n} = 1")).collect();
    let wide = wide.join("\n");
    survive(std::slice::from_ref(&wide));
    let problems = load_texts(vec![("a.toml".to_owned(), wide)], &env).unwrap_err();
    assert_eq!(
        (problems.list.len(), problems.count()),
        (Problems::MAX, 2_000)
    );
}

/// A schema whose parts each hold the next one, as `part` makes them of it.
fn chain(length: usize, part: impl Fn(Json) -> Json) -> Json {
    let mut parts = serde_json::Map::new();
    for n in 0..length {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        parts.insert(format!("d{n}"), part(next));
    }
    parts.insert(format!("d{length}"), json!(true));
    json!({ "$ref": "#/$defs/d0", "$defs": parts })
}

#[test]
fn schemas_that_lead_far() {
    let config = PluginConfig::from_json(json!({ "a": { "a": "b" }, "c": ["d"] }), Vec::new());
    let nested = |part: Json| (0..40).fold(part, |part, _| json!({ "not": part }));
    let left = |part: Json| json!({ "if": part, "then": true, "unevaluatedProperties": false });
    for length in [4, 100, 600, 4_000] {
        for schema in [
            chain(length, |part| part),
            chain(length, |part| json!({ "allOf": [part] })),
            // Two ways at each step: as many ways through as there are numbers
            // of that many bits.
            chain(length, |part| json!({ "anyOf": [part, part] })),
            chain(
                length,
                |part| json!({ "properties": { "a": part }, "oneOf": [part, { "not": part }] }),
            ),
            chain(
                length,
                |part| json!({ "propertyNames": { "anyOf": [part, part] }, "items": part }),
            ),
            chain(length, left),
            chain(length, nested),
        ] {
            let problems = check_plugin_config(&config, &schema);
            let found = write_only(&config, &schema).len();
            let is_usable = PluginSchema::new(&schema).is_ok();
            match length {
                4 => assert!(is_usable && found == 0, "{schema}"),
                4_000 => assert!(
                    !is_usable && found == 2 && problems.len() == 1,
                    "{problems:?}"
                ),
                // Either it is checked, or nothing in it is taken for harmless.
                _ => assert!(is_usable && found == 0 || found == 2 && problems.len() == 1),
            }
        }
    }
    let circle =
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }] } } });
    assert_eq!(write_only(&config, &circle).len(), 2);
    let problems = check_plugin_config(&config, &circle);
    assert!(problems[0].what.contains("too intricate"), "{problems:?}");
}

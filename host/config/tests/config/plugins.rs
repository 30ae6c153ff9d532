//! Configurations of plugins against the schemas that plugins describe.

use serde_json::{Value as Json, json};
use watchkeeper_config::load_texts;
use watchkeeper_config::plugin_config::{
    Complaint, PluginConfig, PluginSchema, check_plugin_config, uris, write_only,
};

/// A schema as schemars writes one.
fn schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "url": { "type": "string", "format": "uri" },
            "mirrors": { "type": "array", "items": { "$ref": "#/$defs/Mirror" } },
            "password": { "type": ["string", "null"], "writeOnly": true },
            "method": { "oneOf": [
                { "const": "GET", "description": "reads" },
                { "const": "HEAD", "description": "asks" },
            ] },
            "auth": { "anyOf": [{ "$ref": "#/$defs/Auth" }, { "type": "null" }] },
            "count": { "type": "integer", "format": "uint32", "minimum": 1, "maximum": 9 },
            "kind": { "enum": ["quorum", "classic"] },
            "name": { "type": "string", "pattern": "^[a-z]+$", "maxLength": 5 },
            "flag": { "type": "boolean" },
            "range": { "anyOf": [{ "type": "string" }, { "type": "integer" }] },
        },
        "required": ["url"],
        "additionalProperties": false,
        "$defs": {
            "Mirror": {
                "type": "object",
                "properties": { "url": { "type": "string", "format": "uri" }, "next": { "$ref": "#/$defs/Mirror" } },
                "additionalProperties": false,
            },
            "Auth": {
                "type": "object",
                "properties": { "token": { "type": "string", "writeOnly": true, "minLength": 8 } },
                "required": ["token"],
                "additionalProperties": false,
            },
        },
    })
}

fn env(name: &str) -> Option<String> {
    name.is_ascii()
        .then(|| format!("the-{}", name.to_lowercase()))
}

/// The configuration of a channel whose `config` has these lines, the first of
/// them line 5.
fn config(lines: &str) -> PluginConfig {
    let text = format!("[[channel]]\nid = \"ops\"\nnotifier = \"x\"\n[channel.config]\n{lines}\n");
    let loaded = load_texts(vec![("a.toml".to_owned(), text)], &env);
    loaded.unwrap_or_else(|it| panic!("{it}")).config.channels[0]
        .config
        .clone()
}

#[track_caller]
fn check(lines: &str, expected: &str) {
    let problems = check_plugin_config(&config(lines), &schema());
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let said = said.join("\n\n");
    assert_eq!(
        said.trim(),
        expected.trim(),
        "\n--- said:\n{said}\n--- expected:\n{expected}\n"
    );
}

/// Checks the one thing that is said of a line, without its place.
#[track_caller]
fn check_one(line: &str, expected: &str) {
    let problems = check_plugin_config(&config(&format!("url = \"https://a\"\n{line}")), &schema());
    let said: Vec<_> = problems
        .iter()
        .map(|it| {
            format!(
                "{}: {} ({})",
                it.key,
                it.what,
                it.instead.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(said.join("\n"), expected);
    assert!(
        problems
            .iter()
            .all(|it| it.place.as_ref().unwrap().line == 6),
        "{said:?}"
    );
}

#[test]
fn a_good_configuration_has_no_problems() {
    check(
        "url = \"https://a\"\npassword = { env = \"PW\" }\nauth = { token = \"12345678\" }\n\
         method = \"GET\"\ncount = 9\nmirrors = [{ url = \"http://b\", next = { url = \"http://c\" } }]\n\
         range = 3",
        "",
    );
}

#[test]
fn violations_are_told_at_their_lines_without_values() {
    check(
        "pasword = \"hunter2\"\nmirrors = [{ ulr = \"http://b\" }, 3]\nauth = { token = \"short\", x = 1 }",
        r#"
error: `url` is missing
  --> a.toml:4:1
   |
 4 | [channel.config]
   | ^^^^^^^^^^^^^^^^
   = key: channel[ops].config.url

error: unknown key `pasword`
  --> a.toml:5:1
   |
 5 | pasword = "hunter2"
   | ^^^^^^^
   = key: channel[ops].config.pasword
   = help: did you mean `password`?

error: unknown key `ulr`
  --> a.toml:6:14
   |
 6 | mirrors = [{ ulr = "http://b" }, 3]
   |              ^^^
   = key: channel[ops].config.mirrors[0].ulr
   = help: did you mean `url`?

error: `mirrors[1]` must be a table, not a number
  --> a.toml:6:34
   |
 6 | mirrors = [{ ulr = "http://b" }, 3]
   |                                  ^
   = key: channel[ops].config.mirrors[1]

error: `token` is shorter than 8 characters
  --> a.toml:7:18
   |
 7 | auth = { token = ****, x = 1 }
   |                  ^^^^
   = key: channel[ops].config.auth.token

error: unknown key `x`
  --> a.toml:7:27
   |
 7 | auth = { token = ****, x = 1 }
   |                        ^
   = key: channel[ops].config.auth.x
   = help: the keys here are `token`
"#,
    );
}

#[test]
fn each_kind_of_violation_is_told_in_words() {
    for (line, expected) in [
        (
            "method = \"GTE\"",
            "method: `method` must be one of \"GET\", \"HEAD\" (did you mean \"GET\"?)",
        ),
        (
            "method = 3",
            "method: `method` must be one of \"GET\", \"HEAD\" (-)",
        ),
        (
            "kind = \"clasic\"",
            "kind: `kind` must be one of \"quorum\", \"classic\" (did you mean \"classic\"?)",
        ),
        (
            "count = 0",
            "count: `count` is less than the minimum of 1 (-)",
        ),
        (
            "count = 1.5",
            "count: `count` must be a whole number, not a fraction (-)",
        ),
        (
            "count = \"1\"",
            "count: `count` must be a whole number, not a text (-)",
        ),
        (
            "name = \"abcdef\"",
            "name: `name` is longer than 5 characters (-)",
        ),
        (
            "name = \"A\"",
            "name: `name` does not match \"^[a-z]+$\" (-)",
        ),
        (
            "flag = 1",
            "flag: `flag` must be true or false, not a number (-)",
        ),
        (
            "range = true",
            "range: `range` must be a text or a whole number, not true or false (-)",
        ),
        (
            "auth = { tokn = \"12345678\" }",
            "auth.token: `token` is missing (-)\n\
            channel[ops].config.auth.tokn: unknown key `tokn` (did you mean `token`?)",
        ),
        ("auth = 3", "auth: `auth` must be a table, not a number (-)"),
        (
            "mirrors = [{ url = \"no uri\" }]",
            "mirrors[0].url: `url` must be a URL such as \"https://example.com\" (-)",
        ),
    ] {
        check_one(line, &format!("channel[ops].config.{expected}"));
    }
}

#[test]
fn secrets_are_not_in_any_message() {
    let schema = json!({
        "properties": {
            "a": { "enum": ["x"] }, "b": { "pattern": "^x$" }, "c": { "const": 1 },
            "d": { "not": {} }, "e": { "type": "integer" }, "f": { "anyOf": [{ "maxLength": 1 }, { "type": "null" }] },
            "g": { "uniqueItems": true }, "h": { "propertyNames": { "maxLength": 1 } }, "i": false,
            "j": { "contains": { "const": 1 } }, "k": { "maxLength": 2 }, "l": { "oneOf": [{}, {}] },
        },
        "unevaluatedProperties": false,
    });
    let keys = ["a", "b", "c", "d", "e", "f", "i", "k", "l", "z"];
    let lines: Vec<_> = keys
        .iter()
        .map(|key| format!("{key} = {{ env = \"SECRET\" }}"))
        .collect();
    let lists =
        "g = [\"${SECRET}\", \"${SECRET}\"]\nh = { long = \"${SECRET}\" }\nj = [\"${SECRET}\"]";
    let config = config(&format!("{}\n{lists}", lines.join("\n")));
    let problems = check_plugin_config(&config, &schema);
    for key in keys.iter().chain(&["g", "h", "j"]) {
        let path = format!("channel[ops].config.{key}");
        assert!(
            problems.iter().any(|it| it.key.starts_with(&path)),
            "{key}: {problems:#?}"
        );
    }
    assert!(
        !format!("{problems:?}").contains("the-secret"),
        "{problems:#?}"
    );
}

#[test]
fn uris_and_secrets_are_found_wherever_the_schema_leads() {
    let config = config(
        "url = \"https://a\"\npassword = \"pw\"\nauth = { token = { env = \"T\" } }\nname = \"x\"\n\
         mirrors = [{ url = \"https://b\", next = { url = \"https://c\" } }, { url = \"https://a\" }]",
    );
    assert_eq!(
        uris(&config, &schema()),
        ["https://a", "https://b", "https://c"]
    );
    let found: Vec<_> = write_only(&config, &schema())
        .iter()
        .map(|it| it.expose().to_owned())
        .collect();
    assert_eq!(found, ["pw", "the-t"]);
}

#[test]
fn every_way_from_a_schema_to_a_value_is_followed() {
    let uri = json!({ "format": "uri" });
    for (schema, lines, expected) in [
        (
            json!({ "additionalProperties": uri }),
            "a = \"u:1\"",
            vec!["u:1"],
        ),
        (
            json!({ "patternProperties": { "^a": uri } }),
            "ab = \"u:1\"\nb = \"u:2\"",
            vec!["u:1"],
        ),
        (
            json!({ "properties": { "a": { "prefixItems": [uri], "items": true } } }),
            "a = [\"u:1\", \"u:2\"]",
            vec!["u:1"],
        ),
        (
            json!({ "allOf": [{ "if": { "properties": { "a": uri } } }] }),
            "a = \"u:1\"",
            vec!["u:1"],
        ),
        (
            json!({ "oneOf": [{ "properties": { "a": uri } }, { "properties": { "b": uri } }] }),
            "a = \"u:1\"\nb = \"u:2\"",
            vec!["u:1", "u:2"],
        ),
        (
            json!({ "properties": { "a~/b": uri } }),
            "\"a~/b\" = \"u:1\"",
            vec!["u:1"],
        ),
        (
            json!({ "$ref": "#/$defs/x", "$defs": { "x": { "$ref": "#/$defs/x", "properties": { "a": uri } } } }),
            "a = \"u:1\"",
            vec!["u:1"],
        ),
        (json!({ "properties": { "a": uri } }), "b = \"u:1\"", vec![]),
    ] {
        assert_eq!(uris(&config(lines), &schema), expected, "{schema}");
    }
}

#[test]
fn a_schema_that_leads_astray_hides_everything() {
    // A chain of references longer than anyone needs: what lies behind it may be
    // secret.
    let mut defs = serde_json::Map::new();
    for n in 0..300 {
        defs.insert(
            format!("d{n}"),
            json!({ "$ref": format!("#/$defs/d{}", n + 1) }),
        );
    }
    defs.insert(
        "d300".to_owned(),
        json!({ "properties": { "a": { "writeOnly": true } } }),
    );
    let chain = json!({ "$ref": "#/$defs/d0", "$defs": defs });
    let config = config("a = \"x\"\nb = [\"y\"]");
    let found = |schema: &Json| {
        write_only(&config, schema)
            .iter()
            .map(|it| it.expose().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&chain), ["x", "y"]);
    assert_eq!(
        found(&json!({ "$ref": "#anchor", "$anchor": "anchor" })),
        ["x", "y"]
    );
    assert_eq!(found(&json!({ "type": 3 })), ["x", "y"]);
    assert_eq!(found(&json!({})), [""; 0]);
}

#[test]
fn a_schema_that_cannot_be_used_is_a_problem() {
    for schema in [
        json!({ "type": 3 }),
        json!({ "pattern": "(" }),
        json!({ "$ref": "https://example.com/schema.json" }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!(3),
    ] {
        assert!(PluginSchema::new(&schema).is_err(), "{schema}");
        let problems = check_plugin_config(&config("a = \"hunter2\""), &schema);
        assert_eq!(problems.len(), 1, "{schema}");
        assert!(
            problems[0]
                .what
                .starts_with("the plugin's own schema cannot be used: ")
        );
        assert!(!problems[0].to_string().contains("hunter2"));
    }
}

#[test]
fn an_absent_configuration_is_an_empty_one_at_its_monitor() {
    let text = "[[channel]]\nid = \"ops\"\nnotifier = \"x\"\n";
    let loaded = load_texts(vec![("a.toml".to_owned(), text.to_owned())], &env).unwrap();
    let config = &loaded.config.channels[0].config;
    assert_eq!(config.json(), &json!({}));
    let problems = check_plugin_config(config, &schema());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].key, "channel[ops].config.url");
    assert_eq!(
        problems[0].place.as_ref().unwrap().to_string(),
        "a.toml:1:1"
    );
}

#[test]
fn a_configuration_without_a_file_has_no_places() {
    let config = PluginConfig::from_json(json!({ "url": 3 }), Vec::new());
    let problems = check_plugin_config(&config, &schema());
    assert_eq!(
        problems[0].to_string(),
        "error: `url` must be a text, not a number\n   = key: config.url"
    );
    assert_eq!(config.place("/url"), None);
    let placed = self::config("url = \"https://a\"");
    assert_eq!(
        placed.place("/url/deeper").unwrap().to_string(),
        "a.toml:5:7"
    );
}

#[test]
fn what_a_plugin_complains_of_is_shown_at_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("q.sh"), "echo a\nif true; then\n").unwrap();
    let name = folder.path().join("a.toml").display().to_string();
    let lines = "inline = '''\necho $${x}\n  fi\n'''\n\
                 escaped = \"a\\nb\"\n\
                 file = { file = \"q.sh\", secret = false }\n\
                 hidden = { file = \"q.sh\" }\n\
                 list = [{ pattern = \"(\" }]\n";
    let text = format!("[[channel]]\nid = \"ops\"\nnotifier = \"x\"\n[channel.config]\n{lines}");
    let loaded = load_texts(vec![(name.clone(), text)], &env).unwrap();
    let config = &loaded.config.channels[0].config;
    let schema = PluginSchema::new(&json!({ "type": "object" })).unwrap();
    let shown = |pointer: &str, position: Option<(usize, usize)>| {
        let complaint = Complaint {
            pointer,
            what: "is odd",
            instead: Some("be even"),
            position,
        };
        let problem = schema.problem(config, &complaint);
        let shown = problem.to_string();
        shown.replace(&folder.path().display().to_string(), ".")
    };
    assert_eq!(
        shown("/inline", Some((2, 3))),
        "error: is odd\n  --> ./a.toml:7:3\n   |\n 7 |   fi\n   |   ^\n   \
         = key: channel[ops].config.inline\n   = help: be even"
    );
    assert_eq!(
        shown("/file", Some((2, 1))),
        "error: is odd\n  --> ./q.sh:2:1\n   |\n 2 | if true; then\n   | ^\n   \
         = key: channel[ops].config.file\n   = read from here: ./a.toml:10:8\n   = help: be even"
    );
    assert_eq!(
        shown("/list/0/pattern", None),
        "error: is odd\n   --> ./a.toml:12:21\n    |\n 12 | list = [{ pattern = \"(\" }]\n    |                     ^^^\n    \
         = key: channel[ops].config.list[0].pattern\n    = help: be even"
    );
    let escaped = shown("/escaped", Some((2, 1)));
    assert!(
        escaped.starts_with("error: is odd (line 2, column 1 of the text)\n  --> ./a.toml:9:11"),
        "{escaped}"
    );
    let hidden = shown("/hidden", Some((2, 1)));
    assert!(
        hidden.starts_with("error: is odd (line 2, column 1 of ./q.sh)\n"),
        "{hidden}"
    );
    assert!(!hidden.contains("then"), "{hidden}");
    // What the configuration does not have is not repeated as a key.
    let unknown = shown("/list/0/\u{1b}[31mhunter2", Some((1, 1)));
    assert!(
        unknown.contains("= key: channel[ops].config.list[0]\n") && !unknown.contains("hunter2"),
        "{unknown}"
    );
    assert!(shown("hunter2", None).contains("= key: channel[ops].config\n"));
}

#[test]
fn a_complaint_does_not_show_a_secret_beside_it() {
    let text = "[[channel]]\nid = \"ops\"\nnotifier = \"x\"\n\
                config = { pattern = '(', password = 'hunter2' }\n";
    let loaded = load_texts(vec![("a.toml".to_owned(), text.to_owned())], &env).unwrap();
    let config = &loaded.config.channels[0].config;
    let schema = json!({ "properties": { "password": { "type": "string", "writeOnly": true } } });
    let complaint = Complaint {
        pointer: "/pattern",
        what: "is odd",
        instead: None,
        position: Some((1, 1)),
    };
    let problem = PluginSchema::new(&schema)
        .unwrap()
        .problem(config, &complaint);
    let shown = problem.to_string();
    assert!(
        shown.contains("a.toml:4:23") && shown.contains("pattern = '('"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

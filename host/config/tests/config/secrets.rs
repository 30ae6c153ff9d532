//! References to secrets, and that nothing shows what they hold.

use std::fs;

use watchkeeper_config::load_texts;
use watchkeeper_config::secret::Secret;

fn text(config: &str) -> String {
    format!("[[channel]]\nid = \"ops\"\nnotifier = \"x\"\nconfig = {config}\n")
}

fn env(name: &str) -> Option<String> {
    match name {
        "PW" => Some("hunter2".to_owned()),
        "_x1" => Some("0ther".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

#[test]
fn references_are_followed_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "s3cr3t\r\n").unwrap();
    let name = folder.path().join("a.toml").display().to_string();
    let text = text(
        r#"{ plain = "a", password = { env = "PW" }, deep = [{ token = { file = "token" } }],
             url = "https://u:${PW}@h/${_x1}?$${X}", env = { env = "a", more = 1 } }"#,
    );
    // An inline table over two lines is TOML 1.1.
    let config = load_texts(vec![(name, text)], &env).unwrap().config;
    let channel = &config.channels[0];
    assert_eq!(
        channel.config.json(),
        &serde_json::json!({
            "plain": "a",
            "password": "hunter2",
            "deep": [{ "token": "s3cr3t" }],
            "url": "https://u:hunter2@h/0ther?${X}",
            "env": { "env": "a", "more": 1 },
        })
    );
    let secrets: Vec<_> = channel
        .config
        .secrets()
        .iter()
        .map(Secret::expose)
        .collect();
    assert_eq!(secrets, ["hunter2", "s3cr3t", "hunter2", "0ther"]);
    let shown = format!("{config:?}");
    for secret in ["hunter2", "s3cr3t", "0ther"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn references_that_lead_nowhere_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
    fs::write(folder.path().join("large"), vec![b'a'; (64 << 10) + 1]).unwrap();
    fs::write(folder.path().join("blank"), "\n").unwrap();
    let name = folder.path().join("a.toml").display().to_string();
    for (value, expected) in [
        (
            "{ env = \"NONE\" }",
            "the environment variable `NONE` is not set",
        ),
        ("\"x${NONE}\"", "the environment variable `NONE` is not set"),
        (
            "{ env = \"EMPTY\" }",
            "the environment variable `EMPTY` is empty",
        ),
        (
            "{ env = \"A B\" }",
            "`A B` is no name of an environment variable",
        ),
        ("\"${}\"", "`` is no name of an environment variable"),
        ("\"${PW\"", "`${` has no `}` after it"),
        ("{ file = \"none\" }", "none cannot be read"),
        ("{ file = \"binary\" }", "is not UTF-8"),
        ("{ file = \"large\" }", "is larger than 64 KiB"),
        ("{ file = \"blank\" }", "is empty"),
        (
            "{ env = \"PW\", file = \"x\" }",
            "takes its secret from two places",
        ),
        ("nan", "must be finite"),
        ("99999999999999999999", "is too large for 64 bits"),
    ] {
        let text = text(&format!("{{ literal = \"visible?\", key = {value} }}"));
        let problems = load_texts(vec![(name.clone(), text)], &env).unwrap_err();
        assert_eq!(problems.count(), 1, "{problems}");
        let problem = &problems.list[0];
        assert!(problem.what.contains(expected), "{problem}");
        assert_eq!(problem.key, "channel[ops].config.key");
        assert_eq!(problem.place.as_ref().unwrap().line, 4);
        // Any text of a plugin's configuration may be a secret.
        assert!(!problem.to_string().contains("visible?"), "{problem}");
    }
}

#[test]
fn a_mistake_beside_a_literal_secret_does_not_show_it() {
    let text = "[[channel]]\nid = \"ops\"\nnotifier = \"x\"\n\
                config = { password = \"hunter2\" }\n\
                [[service]]\nid = \"a\"\nmonitor = [{ id = \"b\", targets = [\"tcp://a:1\"], \
                config = { pw = 'hunter3' }, evry = \"1s\" }]\n";
    let problems = load_texts(vec![("a.toml".to_owned(), text.to_owned())], &env).unwrap_err();
    let shown = problems.to_string();
    assert!(
        shown.contains("config = { pw = **** }, evry = \"1s\" }]"),
        "{shown}"
    );
    assert!(
        !format!("{shown}{problems:?}").contains("hunter"),
        "{shown}"
    );
}

#[test]
fn a_file_that_is_no_secret_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queue.sh"), "echo ${PW}\n\n").unwrap();
    let name = folder.path().join("a.toml").display().to_string();
    let load = |config: &str| load_texts(vec![(name.clone(), text(config))], &env);
    let loaded =
        load(r#"{ script = { secret = false, file = "queue.sh" }, key = { file = "queue.sh" } }"#);
    let config = loaded.unwrap().config.channels[0].config.clone();
    assert_eq!(
        config.json(),
        &serde_json::json!({ "script": "echo ${PW}\n\n", "key": "echo ${PW}\n" })
    );
    let secrets: Vec<_> = config.secrets().iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["echo ${PW}\n"]);
    let files: Vec<_> = config.files().collect();
    let script = folder.path().join("queue.sh");
    assert_eq!(files, [&script, &script]);
    // Whatever else stands in such a table, it is one of the plugin's own.
    let config =
        load(r#"{ a = { file = "x", secret = true }, b = { file = "x", public = false } }"#);
    let config = config.unwrap().config.channels[0].config.clone();
    assert_eq!(config.json()["a"]["file"], "x");
    assert_eq!(config.json()["b"]["file"], "x");
    fs::write(folder.path().join("large"), vec![b'a'; (256 << 10) + 1]).unwrap();
    for (file, expected) in [
        ("none", "none cannot be read"),
        ("large", "is larger than 256 KiB"),
    ] {
        let problems = load(&format!(
            r#"{{ s = {{ file = "{file}", secret = false }} }}"#
        ));
        let problems = problems.unwrap_err();
        let what = &problems.list[0].what;
        assert!(
            what.starts_with("the file ") && what.contains(expected),
            "{what}"
        );
    }
}

//! Scripts that reach for nothing, run natively.

use std::time::Duration;

use super::*;

fn run(script: &str) -> String {
    let config = Config {
        script: script.to_owned(),
        values: BTreeMap::from([("max".to_owned(), 3.into())]),
        urls: BTreeMap::from([("api".to_owned(), Uri::parse("https://a.test/x").unwrap())]),
    };
    let context = Context::new(Some("api/js".to_owned()), Duration::from_secs(10));
    let target = Target::new("https://b.test/");
    let found =
        engine::run(&config, &target, &context).and_then(|it| outcome::reading(it.as_ref()));
    match found {
        Ok(reading) => format!(
            "{:?} {}",
            reading.health,
            reading.reason.unwrap_or_default()
        ),
        Err(stop) => format!("{stop:?}"),
    }
}

fn check(script: &str, expected: &str) {
    assert_eq!(run(script), expected, "{script}");
}

#[test]
fn a_function_judges_the_target() {
    for script in [
        "function check(target) { return { health: 'sick', reason: target } }",
        "async function check(target) { await null; return { health: 'sick', reason: target } }",
        "const check = async (target) => ({ health: 'sick', reason: target });",
        "let check = (target) => Promise.all([target]).then(([reason]) => ({ health: 'sick', reason }));",
    ] {
        check(script, "Health::Sick https://b.test/");
    }
    check("function check() {}", "Health::Healthy ");
    check(
        "async function check() { return 'healthy' }",
        "Health::Healthy ",
    );
    check(
        "const check = (_, { monitor, timeout, values, urls }) => ({ health: 'dead', reason: [monitor, timeout, values.max, urls.api].join() })",
        "Health::Dead api/js,10000,3,https://a.test/x",
    );
    check(
        "const check = () => ({ health: 'dead', reason: btoa('a:é') + atob('YTpi') + new Date(0).toISOString() })",
        "Health::Dead YTrpa:b1970-01-01T00:00:00.000Z",
    );
    check(
        "function check() { if (Math.abs(Date.now() - new Date().getTime()) > 1000) throw 'clock' }",
        "Health::Healthy ",
    );
}

#[test]
fn what_is_thrown_is_dead_unless_it_says_otherwise() {
    check(
        "function check() { throw new Error('too deep') }",
        r#"Dead("too deep")"#,
    );
    check(
        "async function check() { throw 'too deep' }",
        r#"Dead("too deep")"#,
    );
    check(
        "function check() { throw {} }",
        r#"Dead("[object Object]")"#,
    );
    check(
        "function check() { throw new Error() }",
        r#"Dead("it threw an error without words")"#,
    );
    check(
        "class Odd extends Error {}\nfunction check() { throw new Odd('odd') }",
        r#"Dead("odd")"#,
    );
    check(
        "function check() { throw Object.assign(new Error('cannot say'), { verdict: 'undecided' }) }",
        r#"Undecided("cannot say")"#,
    );
    check(
        "function check() { throw Object.assign(new Error('no key'), { verdict: 'misconfigured' }) }",
        r#"Misconfigured("config.script: no key")"#,
    );
    let said = run("function check() {\n  const answer = {};\n  return answer.queue.depth;\n}");
    assert!(said.starts_with(r#"Dead("TypeError: "#), "{said}");
    assert!(said.contains("config.script:3:"), "{said}");
}

#[test]
fn mistakes_in_a_script_are_told_with_their_place() {
    check(
        "function check() {\n  return { health: 'sick' \n}",
        r#"Misconfigured("config.script: the script ends in the middle of something")"#,
    );
    check(
        "let x = 1;",
        r#"Misconfigured("config.script: it has no function check(target, context)")"#,
    );
    check(
        "const check = 5;",
        r#"Misconfigured("config.script: it has no function check(target, context)")"#,
    );
    let said = run("function check() {\n  return helath;\n}");
    assert!(
        said.starts_with(r#"Misconfigured("config.script: ReferenceError: helath is not defined"#),
        "{said}"
    );
    check(
        "const check = () => new Promise(() => {})",
        r#"Misconfigured("config.script: check waits for a promise that nothing keeps")"#,
    );
    let said = run("function check() { return check() }");
    assert!(said.contains("recursive calls"), "{said}");
    let said = run("throw new Error('at the top');");
    assert_eq!(said, r#"Dead("at the top")"#);
}

#[test]
fn syntax_is_checked_without_running_anything() {
    let config = |script: &str| Config {
        script: script.to_owned(),
        values: BTreeMap::new(),
        urls: BTreeMap::new(),
    };
    assert_eq!(
        validate(&config("for (;;) {}\nfunction check() {}")),
        Ok(())
    );
    let mistake = validate(&config("let a = 1;\nlet b = (2;")).unwrap_err();
    assert_eq!(mistake.key, "script");
    assert_eq!(mistake.position, Some((2, 11)), "{mistake:?}");
    let mistake = validate(&config("let a = 1;\nlet a = 2;")).unwrap_err();
    assert_eq!(mistake.what, "lexical name declared multiple times");
    let mistake = validate(&config("let a = 'é")).unwrap_err();
    assert_eq!(mistake.what, "unterminated string literal");
    let mistake = validate(&config("function check() {")).unwrap_err();
    assert!(!mistake.to_string().is_empty(), "{mistake:?}");
}

#[test]
fn calls_of_the_host_take_only_what_they_know() {
    let said = run("const check = () => fetch('https://b.test/', { methd: 'POST' })");
    assert!(
        said.contains("fetch: there is no option methd; there are method, headers"),
        "{said}"
    );
    for options in [
        "{ body: {} }",
        "{ body: 'a', json: 1 }",
        "{ headers: 5 }",
        "{ auth: {} }",
        "{ timeout: -1 }",
        "{ redirect: 'maybe' }",
        "5",
    ] {
        let said = run(&format!(
            "const check = () => fetch('https://b.test/', {options})"
        ));
        assert!(
            said.starts_with(r#"Dead("TypeError: fetch: "#),
            "{options}: {said}"
        );
    }
    let said = run("const check = () => tcp.connect('a', 0)");
    assert!(said.contains("the port is not from 1 to 65535"), "{said}");
}

#[test]
fn the_schema_in_the_file_is_the_derived_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
    watchkeeper_sdk::config::assert_schema_file::<Config>(file);
}

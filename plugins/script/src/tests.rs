//! Scripts against a world that is made up, and against bash.

mod bash;
mod fake;
mod json;
mod limits;
mod network;
mod snippets;

use watchkeeper_sdk::{Health, Stop};

use self::fake::Fake;

/// What a script writes to standard output.
fn output(script: &str) -> String {
    match Fake::default().run(script) {
        Ok(ended) => String::from_utf8_lossy(ended.transcript.output()).into_owned(),
        Err(stop) => format!("{stop:?}"),
    }
}

/// The verdict of a script, in words.
fn verdict(script: &str) -> String {
    match Fake::default().run(script) {
        Ok(ended) => {
            let health = match ended.reading.health {
                Health::Healthy => "healthy",
                Health::Sick => "sick",
                Health::Dead => "dead",
            };
            match ended.reading.reason {
                Some(reason) => format!("{health}: {reason}"),
                None => health.to_owned(),
            }
        }
        Err(Stop::Dead(why)) => format!("dead: {why}"),
        Err(Stop::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(Stop::Undecided(why)) => format!("undecided: {why}"),
    }
}

#[test]
fn the_exit_status_is_the_health_and_the_last_line_the_reason() {
    for (script, expected) in [
        ("echo fine", "healthy"),
        ("", "healthy"),
        (
            "echo first; echo; echo 'queue too deep: 42'; echo; exit 1",
            "sick: queue too deep: 42",
        ),
        ("echo gone; exit 2", "dead: gone"),
        ("echo gone; exit 255", "dead: gone"),
        ("exit 1", "sick: the script ended with status 1"),
        ("echo out; echo err >&2; exit 2", "dead: err"),
        ("set -x; echo said; exit 2", "dead: said"),
        ("trap 'echo cleaned up' EXIT; exit 1", "sick: cleaned up"),
        (
            "ls",
            "dead: line 1: ls: unknown command: nothing is run but . : [ awk base64 basename break \
             builtin cat command continue curl cut date declare dig dirname dns echo egrep eval \
             exec exit export false fgrep grep head host http jq json let local mapfile measure \
             mktemp nc ping printf read readarray readonly return rev rm sed seq set sha256 \
             sha256sum shift shopt sleep sort source state tac tail tcp tee test touch tr trap \
             true type typeset uniq unset wait wc xargs",
        ),
        (
            "echo $TARGET $TIMEOUT $MONITOR; exit 1",
            "sick: http://a.test/queue 10 api/queue",
        ),
        ("echo $1-$2; exit 1", "sick: one-two words"),
    ] {
        assert_eq!(verdict(script), expected, "{script}");
    }
}

#[test]
fn what_is_traced_and_measured_is_kept_apart() {
    let fake = Fake::default();
    let ended = fake
        .run("set -x; x='a b'; echo \"$x\" c; measure depth 42 messages; measure load 0.5 ratio")
        .unwrap();
    assert_eq!(
        ended.transcript.traced,
        [
            "+ x='a b'",
            "+ echo 'a b' c",
            "+ measure depth 42 messages",
            "+ measure load 0.5 ratio"
        ]
    );
    let measured: Vec<String> = ended
        .reading
        .measurements
        .iter()
        .map(|measured| format!("{} {} {}", measured.name, measured.value, measured.unit))
        .collect();
    assert_eq!(measured, ["depth 42 messages", "load 0.5 ratio"]);
    assert_eq!(output("measure 'Bad name' 1 x; echo $?"), "2\n");
    assert_eq!(output("measure depth many x; echo $?"), "2\n");
}

#[test]
fn what_is_kept_is_there_for_the_next_check() {
    let fake = Fake::default();
    fake.run("state get seen || echo none; state set seen 5")
        .unwrap();
    let ended = fake
        .run("echo $(( $(state get seen 0) + 1 )); state delete seen")
        .unwrap();
    assert_eq!(ended.transcript.output(), b"6\n");
    let ended = fake.run("state get seen 0").unwrap();
    assert_eq!(ended.transcript.output(), b"0\n");
}

#[test]
fn the_clock_is_the_worlds() {
    assert_eq!(
        output("date; date +%s; date -Is; date -d '2 hours ago' +%T; echo $EPOCHSECONDS"),
        "Sat Mar 14 15:09:26 UTC 2026\n1773500966\n2026-03-14T15:09:26+00:00\n13:09:26\n1773500966\n"
    );
    let fake = Fake::default();
    fake.run("sleep 0.5; sleep 2m; sleep 1 1").unwrap();
    assert_eq!(
        *fake.asked.borrow(),
        ["sleep 500ms", "sleep 120s", "sleep 2s"]
    );
}

#[test]
fn the_schema_in_the_file_is_the_derived_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
    watchkeeper_sdk::config::assert_schema_file::<crate::Config>(file);
}

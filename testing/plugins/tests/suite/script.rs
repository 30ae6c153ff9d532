//! The script probe: what a script reaches, and what ends one that has no end.

use std::time::Duration;

use plugin_tests::{ANY, Trial, check, run};
use serde_json::json;
use target_server::{DnsTarget, HttpTarget, TcpBehaviour, TcpTarget, TlsKind, Zone};
use watchkeeper_sandbox::CheckOutcome;

use crate::http::SHORT;
use crate::http_tls::server;
use crate::measured::names;

/// A configuration with this script.
pub(crate) fn script(text: &str) -> String {
    json!({ "script": text }).to_string()
}

async fn said(target: &str, text: &str) -> String {
    check("script", target, &script(text)).await
}

#[test]
fn the_exit_status_is_the_health() {
    run(async {
        for (text, expected) in [
            ("exit 0", "healthy"),
            ("echo slow; exit 1", "sick: slow"),
            ("echo broken; exit 2", "dead: broken"),
            ("exit 77", "dead: the script ended with status 77"),
            (
                "if",
                "misconfigured: config.script: line 1, column 1: `if` without `fi`",
            ),
            (
                "f() { f; }; f",
                "undecided: line 1: functions, subshells and eval are nested more than 60 deep",
            ),
        ] {
            assert_eq!(said("script:x", text).await, expected, "{text}");
        }
        let config = json!({
            "script": "echo \"$1 $GREETING $MONITOR $TIMEOUT $TARGET\"; exit 1",
            "args": ["first"],
            "env": { "GREETING": "hello" },
        });
        assert_eq!(
            check("script", "script:x", &config.to_string()).await,
            "sick: first hello service/monitor 60 script:x"
        );
        for (config, expected) in [
            (json!({}), "refused: config.script"),
            (json!({ "script": "" }), "refused: config.script"),
            (
                json!({ "script": ":", "env": { "A-B": "" } }),
                "misconfigured: config.env.A-B",
            ),
            (
                json!({ "script": ":", "reach": ["no url"] }),
                "refused: config.reach[0]",
            ),
        ] {
            let said = check("script", "script:x", &config.to_string()).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
    });
}

#[test]
fn requests_go_to_the_target() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let target = site.url("/json");
        for (text, expected) in [
            (
                "curl -sf $TARGET | jq -e '.status == \"up\"' >/dev/null",
                "healthy",
            ),
            (
                "d=$(http $TARGET | json .queue.depth); echo \"depth $d\"; exit 1",
                "sick: depth 0",
            ),
            (
                "b=${TARGET%/json}; curl -s -o /dev/null -w '%{http_code}' $b/status/503; exit 1",
                "sick: 503",
            ),
            (
                "b=${TARGET%/json}; curl -sf -u user:pass $b/basic >/dev/null && \
                 curl -sf -H 'Authorization: Bearer token' $b/bearer >/dev/null",
                "healthy",
            ),
            (
                "b=${TARGET%/json}; [ \"$(curl -s -d a=1 $b/echo)\" = a=1 ] || { echo other; exit 2; }",
                "healthy",
            ),
            (
                "b=${TARGET%/json}; curl -s -m 0.3 $b/hang; echo \"ended with $?\"; exit 1",
                "sick: ended with 28",
            ),
            (
                "b=${TARGET%/json}; curl -s -o /dev/null -w '%{http_code} ' $b/redirect?to=/ok; \
                 curl -sL $b/redirect?to=/ok; exit 1",
                "sick: 302 ok",
            ),
        ] {
            assert_eq!(said(&target, text).await, expected, "{text}");
        }
        let trial = Trial::new(
            "script",
            &script("curl -s $TARGET >/dev/null; measure depth 3 messages; measure load 0.5 ratio"),
        );
        let run = trial.check(&target).await.unwrap();
        assert_eq!(names(&run), ["depth messages", "load ratio"]);
        site.stop().await;
        let text = "curl -sS $TARGET";
        let found = said(&target, text).await;
        assert_eq!(found, "dead: line 1: curl: (7) connection refused");
    });
}

#[test]
fn certificates_are_checked_unless_a_script_says_otherwise() {
    run(async {
        for (kind, option, expected) in [
            (TlsKind::Valid, "", "healthy"),
            (TlsKind::Expired, "", "sick: ended with 60"),
            (TlsKind::Expired, "-k", "healthy"),
        ] {
            let server = server(kind).await;
            let text = format!(
                "curl -s {option} $TARGET | grep -q ok; \
                 e=${{PIPESTATUS[0]}}; [ $e = 0 ] || {{ echo \"ended with $e\"; exit 1; }}"
            );
            let found = said(&server.url("/"), &text).await;
            assert_eq!(found, expected, "{option}");
            // The next request of the same run is checked again.
            let again = format!("curl -sk $TARGET >/dev/null; {text}");
            let found = said(&server.url("/"), &again).await;
            assert_eq!(found, expected, "{option} after -k");
        }
    });
}

#[test]
fn other_ways_out_are_there_as_well() {
    run(async {
        let greeting = TcpTarget::start(ANY, TcpBehaviour::greeting())
            .await
            .unwrap();
        let port = format!("tcp://{}", greeting.address());
        for (text, expected) in [
            (
                "a=${TARGET#*://}; tcp $a --expect ready >/dev/null",
                "healthy",
            ),
            (
                "a=${TARGET#*://}; nc -z ${a%:*} ${a#*:} || exit 2",
                "healthy",
            ),
            (
                "a=${TARGET#*://}; tcp $a --expect 220 -t 0.3; exit $?",
                "sick: line 1: tcp: 127.0.0.1:PORT did not say `220`",
            ),
        ] {
            let found = said(&port, text).await;
            let shown = found.replace(&greeting.address().port().to_string(), "PORT");
            assert_eq!(shown, expected, "{text}");
        }
        let names = DnsTarget::start(ANY, Zone::demo()).await.unwrap();
        let target = format!("dns://{}/ok.demo.test", names.address());
        let text =
            "s=${TARGET#dns://}; dns ok.demo.test A @${s%%/*} | grep -qx 127.0.0.1 || exit 2";
        assert_eq!(said(&target, text).await, "healthy");
        let text = "s=${TARGET#dns://}; dns gone.demo.test @${s%%/*}";
        assert_eq!(
            said(&target, text).await,
            "sick: line 1: dns: gone.demo.test: NXDOMAIN"
        );
    });
}

#[test]
fn nothing_is_reached_that_was_not_granted() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let text = format!("curl -s {} | grep -q ok || exit 2", site.url("/ok"));
        let found = said("script:x", &text).await;
        assert!(found.starts_with("undecided: not granted: "), "{found}");
        let config = json!({ "script": text, "reach": [site.url("/")] });
        let found = check("script", "script:x", &config.to_string()).await;
        assert_eq!(found, "healthy");
        let trial = Trial::new("script", &script(&text)).allow(site.address().to_string());
        assert_eq!(trial.check_in_words("script:x").await, "healthy");
    });
}

#[test]
fn a_script_without_an_end_is_ended() {
    run(async {
        let trial = Trial::new("script", &script("while :; do :; done"));
        let found = trial.check_in_words("script:x").await;
        assert!(
            found.contains("CPU") || found.contains("cpu") || found.contains("processor"),
            "{found}"
        );
        let trial = Trial::new(
            "script",
            &script("x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done"),
        );
        let found = trial.check_in_words("script:x").await;
        assert!(found.contains("memory"), "{found}");
        let trial =
            Trial::new("script", &script("sleep 60; exit 1")).within(Duration::from_millis(300));
        let found = trial.check_in_words("script:x").await;
        assert!(!found.starts_with("sick") && found != "healthy", "{found}");
        let trial = Trial::new(
            "script",
            &script("curl -s -m 60 $TARGET; echo \"ended $?\"; exit 1"),
        );
        let site = HttpTarget::start(ANY).await.unwrap();
        let found = trial.within(SHORT).check_in_words(&site.url("/hang")).await;
        assert_eq!(found, "sick: ended 28");
    });
}

#[test]
fn a_secret_does_not_come_out() {
    run(async {
        let config = json!({ "script": "set -x; echo \"with $TOKEN\"; exit 1", "env": { "TOKEN": "hunter2" } });
        let trial = Trial::new("script", &config.to_string()).secret("hunter2");
        let run = trial.check("script:x").await.unwrap();
        let CheckOutcome::Reading(reading) = &run.outcome else {
            panic!("{:?}", run.outcome)
        };
        assert_eq!(reading.reason.as_deref(), Some("with ****"));
        let log: Vec<_> = run.log.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(log, ["+ echo 'with ****'", "+ exit 1", "with ****"]);
    });
}

/// What depends on the size of the stack in the sandbox, which native tests
/// have more of.
#[test]
fn what_is_nested_deep_fits_the_stack() {
    run(async {
        let nested = format!("{}exit 1{}", "if true; then ".repeat(20), "; fi".repeat(20));
        assert_eq!(
            said("script:x", &nested).await,
            "sick: the script ended with status 1"
        );
        let calls = "f() { if [ $1 -gt 0 ]; then case x in x) f $(( $1 - 1 ));; esac; fi; }; f 55; echo deep; exit 1";
        assert_eq!(said("script:x", calls).await, "sick: deep");
        let substitutions =
            "f() { [ $1 -le 0 ] && echo end || echo \"$(f $(( $1 - 1 )))\"; }; f 25; exit 1";
        assert_eq!(said("script:x", substitutions).await, "sick: end");
        let sums = format!("echo $(( {}1{} )); exit 1", "(".repeat(10), ")".repeat(10));
        assert_eq!(said("script:x", &sums).await, "sick: 1");
    });
}

//! Gatus.

use watchkeeper_import::{Input, Kind, Outcome};

use super::{check, check_input, environment, fixture, has, loads, refused, tells};

fn imported() -> watchkeeper_import::Imported {
    let input = Input::path(fixture("gatus/config.yaml"));
    let variables = environment(&[("BACKEND_HOST", "backend.harbour.example")]);
    check_input(Kind::Gatus, &input.with_environment(variables))
}

#[test]
fn everything_of_gatus_moves() {
    let imported = imported();
    has(
        &imported,
        &[
            "title = \"Harbour health\"",
            "listen = \"0.0.0.0:9090\"",
            "canaries = [\"tcp://1.1.1.1:53\"]",
            "id = \"core\"",
            "targets = [\"https://harbour.example/health\"]",
            "every = \"5m\"",
            "timeout = \"5s\"",
            "dead_above = \"300ms\"",
            "confirm = { dead = 2, healthy = 2 }",
            "targets = [\"https://backend.harbour.example/graphql\"]",
            "targets = [\"domain://harbour.example\"]",
            "targets = [\"dns://8.8.8.8/harbour.example?type=A\"]",
            "targets = [\"icmp://gateway.harbour.example\"]",
            "targets = [\"smtp://mail.harbour.example:587\"]",
            "targets = [\"wss://live.harbour.example/\"]",
            "targets = [\"ssh://bastion.harbour.example:22\"]",
            "targets = [\"grpcs://cart.harbour.example:443\"]",
            "passive = \"heartbeat\"",
            "period = \"30m\"",
            "reminders = { every = \"6h\" }",
            "on = [\"dead\"]",
            "cron = \"0 23 * * MON,THU\"",
            "cron = \"0 4 * * SUN\"",
            "monitors = [\"registration/registration\", \"registration/registration-domain\"]",
            "config = { routing_key = { env = \"PAGERDUTY_KEY\" } }",
        ],
    );
    tells(
        &imported,
        Outcome::Lost,
        "endpoints[0].conditions[3]",
        "len([BODY].items)",
    );
    tells(&imported, Outcome::Lost, "endpoints[10]", "`udp`");
    tells(&imported, Outcome::Lost, "endpoints[11]", "disabled");
    tells(&imported, Outcome::Lost, "alerting.clickup", "no notifier");
    tells(&imported, Outcome::Lost, "suites[0]", "steps");
    tells(
        &imported,
        Outcome::Different,
        "endpoints[1]",
        "BACKEND_HOST",
    );
    let mut lost = imported.report.of(Outcome::Lost);
    let line = lost
        .find(|it| it.place.path == "endpoints[0].conditions[3]")
        .unwrap();
    assert_eq!(line.place.line, Some(51));
}

#[test]
fn conditions_mean_the_same() {
    let imported = imported();
    let config = loads(&imported.toml);
    let of = |name: &str| {
        config
            .monitors()
            .find(|it| it.id.to_string() == name)
            .unwrap()
            .config
            .json()
            .clone()
    };
    let front = of("core/front-end");
    assert_eq!(front["expect"]["status"], serde_json::json!([200]));
    let expected = serde_json::json!([
        { "path": "$.status", "op": "==", "value": "UP" },
        { "path": "$.queue.depth", "op": "<", "value": 1000 },
        { "path": "$.errors", "op": "exists", "value": false },
        { "path": "$.mode", "op": "matches", "value": "^(ready|warm)$" },
    ]);
    assert_eq!(front["expect"]["json"], expected);
    assert_eq!(front["tls"]["dead_below"], "2d");
    assert_eq!(front["redirects"]["follow"], 0);
    let back = of("core/back-end");
    assert_eq!(back["expect"]["status"], serde_json::json!(["1xx", "2xx"]));
    assert_eq!(back["expect"]["body"], "ships");
    assert_eq!(back["body"], "{\"query\":\"{ ships { name } }\\n\"}");
    assert_eq!(
        of("registration/registration")["expect"]["status"],
        serde_json::json!([200, 301])
    );
    assert_eq!(of("registration/registration-domain")["dead_below"], "30d");
    assert_eq!(
        of("resolver/resolver")["answers"]["any"],
        serde_json::json!(["192.0.2.7"])
    );
    assert_eq!(of("cache/cache")["expect"]["contains"], "PONG");
}

#[test]
fn every_provider_has_its_notifier() {
    let imported = check(Kind::Gatus, "gatus/alerting.yaml");
    assert_eq!(imported.report.counts.channels, 22);
    let config = loads(&imported.toml);
    let of = |id: &str| {
        let channel = config.channels.iter().find(|it| it.id.as_str() == id);
        channel.unwrap().config.json().clone()
    };
    assert_eq!(of("discord")["mention"], "<@&987654321>");
    assert_eq!(of("rocketchat")["channel"], "#ops");
    assert_eq!(of("telegram")["thread_id"], 7);
    let email = of("email");
    assert_eq!(email["server"], "submission://mail.harbour.example");
    assert_eq!(email["encryption"], "opportunistic");
    assert_eq!(email["login"]["username"], "watch@harbour.example");
    assert_eq!(email["tls"]["allow_untrusted"], true);
    assert_eq!(of("zulip")["site"], "https://chat.harbour.example");
    assert_eq!(of("github")["repository"], "harbour/status");
    assert_eq!(of("incident-io")["source_id"], "01GW2G3V0S59R238FAHPDS1R66");
    assert_eq!(of("homeassistant")["to"]["action"]["name"], "notify.notify");
    for (provider, words) in [
        ("gitlab", "opens issues"),
        ("splunk", "event collector"),
        ("ifttt", "no notifier"),
        ("incident-io.metadata", "fields of their own"),
    ] {
        let path = format!("alerting.{provider}");
        tells(&imported, Outcome::Lost, &path, words);
    }
}

#[test]
fn a_folder_is_merged() {
    let imported = check(Kind::Gatus, "gatus/folder");
    assert_eq!(imported.report.counts.services, 2);
    assert_eq!(
        imported
            .toml
            .matches("confirm = { dead = 4, healthy = 2 }")
            .count(),
        2
    );
}

#[test]
fn what_is_no_configuration_of_gatus_is_refused() {
    refused(Kind::Gatus, "a.yaml", "endpoints: [\n", None, "is no YAML");
    refused(Kind::Gatus, "a.yaml", "a: 1\n", None, "has no `endpoints`");
    refused(Kind::Gatus, "a.yaml", "- a\n", Some(1), "has no keys");
}

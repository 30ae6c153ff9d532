//! Vigil.

use watchkeeper_import::{Kind, Outcome};

use super::{check, has, loads, refused, tells};

#[test]
fn everything_of_vigil_moves() {
    let imported = check(Kind::Vigil, "vigil/config.cfg");
    has(
        &imported,
        &[
            "listen = \"127.0.0.1:8090\"",
            "public_url = \"https://status.harbour.example/\"",
            "title = \"Harbour Status\"",
            "every = \"1m\"",
            "timeout = \"12s\"",
            "retry = { times = 3, wait = \"250ms\" }",
            "sick_above = \"4s\"",
            "targets = [\"icmp://edge-1.harbour.example\", \"icmp://edge-2.harbour.example\"]",
            "targets = [\"tcp://edge-1.harbour.example:80\", \"tcp://[2001:db8::7]:80\"]",
            "id = \"balancer-ssh\"",
            "passive = \"push\"",
            "dead_after = \"25s\"",
            "load = { cpu = 0.85, ram = 0.8 }",
            "queue = \"relay/socket-client-queue\"",
            "vhost = \"eu/mail\"",
            "ready = { sick = 400, dead = 9000 }",
            "unacked = { sick = 100, dead = 1000 }",
            "recheck = \"500ms\"",
            "passive = \"local\"",
            "dead_after = \"45s\"",
            "reporter_token = { env = \"VIGIL_REPORTER_TOKEN\" }",
            "reminders = { every = \"5m\", backoff = \"linear\", limit = 4 }",
            "reminders_only = true",
            "server = \"submission://mail.harbour.example\"",
            "encryption = \"opportunistic\"",
            "from = \"MG0123456789abcdef0123456789abcdef\"",
            "reach = [\"https://plugins.harbour.example/\"]",
        ],
    );
    assert_eq!(imported.report.counts.services, 3);
    assert_eq!(imported.report.counts.monitors, 10);
    assert_eq!(imported.report.counts.channels, 11);
    tells(
        &imported,
        Outcome::Lost,
        "probe.service[2].node[1].future_key",
        "no counterpart",
    );
    tells(
        &imported,
        Outcome::Lost,
        "probe.service[0].node[2].replicas[1]",
        "`token`",
    );
    tells(
        &imported,
        Outcome::Lost,
        "notify.reminder_escalate",
        "more people",
    );
    let reporter = imported
        .report
        .variables
        .iter()
        .find(|it| it.name == "VIGIL_REPORTER_TOKEN");
    assert!(reporter.unwrap().was_variable);
    let slack = imported
        .report
        .variables
        .iter()
        .find(|it| it.name == "SLACK_HOOK_URL")
        .unwrap();
    assert_eq!(slack.place.line, Some(79));
}

#[test]
fn checks_of_the_web_mean_the_same() {
    let imported = check(Kind::Vigil, "vigil/config.cfg");
    let config = loads(&imported.toml);
    let api = config
        .monitors()
        .find(|it| it.id.to_string() == "web/api")
        .unwrap();
    let json = api.config.json();
    assert_eq!(json["method"], "POST");
    assert_eq!(json["expect"]["status"][0], "2xx");
    assert_eq!(json["expect"]["body_regex"], "\"ok\"\\s*:\\s*true");
    assert_eq!(json["headers"]["X-Client"], "status");
    assert_eq!(
        json["headers"]["Authorization"],
        "0123456789-WEB_API_AUTHORIZATION"
    );
    assert_eq!(json["redirects"]["follow"], 0);
}

#[test]
fn scripts_keep_their_text() {
    let imported = check(Kind::Vigil, "vigil/config.cfg");
    let config = loads(&imported.toml);
    let first = config
        .monitors()
        .find(|it| it.id.to_string() == "internal/health-0")
        .unwrap();
    let script = first.config.json()["script"].as_str().unwrap().to_owned();
    assert!(
        script.contains("[ \"$status\" = \"${WANTED:-healthy}\" ] && exit 0"),
        "{script}"
    );
}

#[test]
fn what_is_no_configuration_of_vigil_is_refused() {
    refused(
        Kind::Vigil,
        "a.cfg",
        "[server]\ninet = \n",
        Some(2),
        "is no TOML",
    );
    refused(
        Kind::Vigil,
        "a.cfg",
        "[metrics]\npoll_interval = ${X}\n",
        Some(2),
        "write its value in",
    );
    refused(Kind::Vigil, "a.cfg", "[server]\n", None, "has no `probe`");
}

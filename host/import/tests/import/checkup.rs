//! Checkup.

use watchkeeper_import::{Kind, Outcome};

use super::{check, has, loads, refused, tells};

#[test]
fn everything_of_checkup_moves() {
    let imported = check(Kind::Checkup, "checkup/checkup.json");
    has(
        &imported,
        &[
            "attempts = { times = 5, spacing = \"1s\" }",
            "sick_above = \"500ms\"",
            "targets = [\"tcp://redis.internal:6379\"]",
            "timeout = \"3s\"",
            "targets = [\"tls://ldap.internal:636\"]",
            "targets = [\"dns://ns.example.com/www.example.com?type=A\"]",
            "targets = [\"tls://www.example.com:443\"]",
            "config = { expiry = { sick_below = \"14d\" } }",
            "on = [\"dead\", \"sick\", \"recovered\"]",
        ],
    );
    let config = loads(&imported.toml);
    let site = config
        .monitors()
        .find(|it| it.id.to_string() == "website/http")
        .unwrap();
    assert_eq!(
        site.config.json()["expect"]["status"],
        serde_json::json!([200])
    );
    assert_eq!(site.config.json()["expect"]["body_not"], "Error");
    assert_eq!(
        site.config.json()["headers"]["Accept"],
        "text/html, text/plain"
    );
    tells(&imported, Outcome::Lost, "checkers[5]", "heartbeat");
    tells(&imported, Outcome::Lost, "notifiers[2]", "no notifier");
    tells(&imported, Outcome::Lost, "storage", "history");
}

#[test]
fn what_is_no_configuration_of_checkup_is_refused() {
    refused(
        Kind::Checkup,
        "a.json",
        "{\n\"checkers\": [,]\n}",
        Some(2),
        "is no JSON",
    );
    refused(Kind::Checkup, "a.json", "{}", None, "has no `checkers`");
}

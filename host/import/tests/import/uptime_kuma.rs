//! Uptime Kuma: the backup of version 1 and the database.

use std::path::Path;

use rusqlite::Connection;
use watchkeeper_import::{Imported, Input, Kind, Outcome};

use super::{MARK, check, check_input, has, loads, refused, tells};

#[test]
fn everything_of_a_backup_moves() {
    let imported = check(Kind::UptimeKuma, "uptime-kuma/backup.json");
    has(
        &imported,
        &[
            "id = \"core\"",
            "id = \"website\"",
            "confirm = { dead = 3 }",
            "targets = [\"https://www.example.com/\"]",
            "targets = [\"tcp://db.internal:5432\"]",
            "targets = [\"icmp://192.0.2.1\"]",
            "targets = [\"dns://1.1.1.1/example.com?type=MX\", \"dns://8.8.8.8/example.com?type=MX\"]",
            "passive = \"heartbeat\"",
            "period = \"1h\"",
            "grace = \"1m\"",
            "targets = [\"mqtt://mqtt.example.com:1883\"]",
            "targets = [\"http://rabbit-1.internal:15672/\", \"http://rabbit-2.internal:15672/\"]",
            "targets = [\"postgres://db.internal:5432/shop\"]",
            "targets = [\"mysql://reports.internal:3306/reports\"]",
            "targets = [\"rediss://cache.internal:6379\"]",
            "targets = [\"grpcs://cart.example.com:443\"]",
            "reminders = { every = \"10m\" }",
            "monitors = [\"core/website\"]",
            "monitors = [\"core/api\"]",
        ],
    );
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
    let website = of("core/website");
    assert_eq!(website["expect"]["body"], "Welcome");
    assert_eq!(website["expect"]["status"], serde_json::json!(["2xx", 301]));
    assert_eq!(website["headers"]["X-Token"], "0123456789-WEBSITE_X_TOKEN");
    assert_eq!(website["tls"]["sick_below"], "0s");
    let reports = of("reports/reports");
    assert_eq!(reports["value"]["expect"]["op"], "matches");
    assert_eq!(reports["value"]["expect"]["value"], "^ok \\(");
    let address = of("address/address");
    let either = serde_json::json!(["192.0.2.7", "192.0.2.8"]);
    assert_eq!(address["answers"]["any"], either);
    let api = of("core/api");
    assert_eq!(api["method"], "POST");
    assert_eq!(api["auth"]["basic"]["username"], "api");
    assert_eq!(api["expect"]["json"][0]["path"], "$.data.state");
    for (monitor, words) in [
        ("monitors[7]", "beside the host"),
        ("monitors[14]", "paused"),
        ("monitors[15]", "upside down"),
        ("monitors[16]", "`telepathy`"),
        ("monitors[18].anewoption", "no counterpart"),
        ("monitors[5].conditions", "what must hold"),
        ("notifications[2]", "no notifier"),
        ("monitors[1].tags", "no tags"),
    ] {
        tells(&imported, Outcome::Lost, monitor, words);
    }
}

#[test]
fn every_notification_has_its_notifier() {
    let imported = check(Kind::UptimeKuma, "uptime-kuma/notifications.json");
    assert_eq!(imported.report.counts.channels, 22);
    let config = loads(&imported.toml);
    let of = |id: &str| {
        let channel = config.channels.iter().find(|it| it.id.as_str() == id);
        channel.unwrap().config.json().clone()
    };
    assert_eq!(of("my-discord")["thread_id"], "12345");
    assert!(of("my-discord-2").get("thread_id").is_none());
    assert_eq!(of("my-telegram")["silent"], true);
    assert_eq!(of("my-telegram")["api_url"], "https://telegram.example.com");
    let mail = of("my-smtp");
    assert_eq!(mail["server"], "smtps://mail.example.com");
    assert_eq!(mail["cc"], serde_json::json!(["d@example.com"]));
    assert_eq!(mail["login"]["password"], "0123456789-MY_SMTP_PASSWORD");
    let relay = of("my-smtp-2");
    assert_eq!(relay["server"], "smtp://relay.internal");
    assert_eq!(relay["encryption"], "none");
    assert!(relay.get("login").is_none());
    assert_eq!(of("my-webhook")["method"], "PUT");
    assert_eq!(of("my-webhook")["headers"]["X-Kind"], "kuma");
    assert_eq!(of("my-ntfy")["login"]["username"], "kuma");
    assert!(of("my-ntfy").get("token").is_none());
    assert_eq!(
        of("my-pagerduty")["api_url"],
        "https://events.eu.pagerduty.com"
    );
    assert_eq!(of("my-opsgenie")["dead"], "P2");
    assert_eq!(of("my-signal")["url"], "http://signal.internal:8080");
    assert_eq!(
        of("my-twilio")["from"],
        "MG0123456789abcdef0123456789abcdef"
    );
    let home = of("my-homeassistant");
    assert_eq!(home["to"]["action"]["name"], "notify.mobile_app_phone");
    tells(
        &imported,
        Outcome::Lost,
        "notifications[5].config.smtpBCC",
        "hidden copies",
    );
}

fn database(folder: &Path) -> Imported {
    let path = folder.join("kuma.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            r#"
            CREATE TABLE monitor (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN, user_id INTEGER, interval INTEGER,
                url TEXT, type TEXT, weight INTEGER, hostname TEXT, port INTEGER, keyword TEXT, maxretries INTEGER,
                ignore_tls BOOLEAN, upside_down BOOLEAN, maxredirects INTEGER, accepted_statuscodes_json TEXT,
                retry_interval INTEGER, push_token TEXT, method TEXT, headers TEXT, basic_auth_user TEXT,
                basic_auth_pass TEXT, expiry_notification BOOLEAN, parent INTEGER, invert_keyword BOOLEAN,
                timeout DOUBLE, resend_interval INTEGER, packet_size INTEGER, conditions TEXT, proxy_id INTEGER);
            INSERT INTO monitor (id, name, active, interval, type, upside_down) VALUES (1, 'Core', 1, 60, 'group', 0);
            INSERT INTO monitor VALUES (2, 'Website', 1, 1, 60, 'https://www.example.com/', 'keyword', 2000, NULL, NULL,
                'Error', 0, 1, 0, 5, '["200-204"]', 60, NULL, 'GET', '{"X-Token": "header-secret-0001"}', NULL, NULL, 1, 1, 1,
                48.0, 0, 56, '[]', 7);
            INSERT INTO monitor (id, name, active, interval, type, push_token, parent) VALUES
                (3, 'Backup', 1, 3600, 'push', 'push-secret-0002-abcdefgh', NULL);
            CREATE TABLE notification (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN, user_id INTEGER, is_default BOOLEAN, config TEXT);
            INSERT INTO notification VALUES (1, 'Telegram', 1, 1, 1,
                '{"type": "telegram", "telegramBotToken": "1:bot-secret-0003", "telegramChatID": "-100"}');
            CREATE TABLE monitor_notification (id INTEGER PRIMARY KEY, monitor_id INTEGER, notification_id INTEGER);
            INSERT INTO monitor_notification VALUES (1, 2, 1), (2, 3, 1);
            CREATE TABLE maintenance (id INTEGER PRIMARY KEY, title TEXT, description TEXT, user_id INTEGER, active BOOLEAN,
                strategy TEXT, start_date DATETIME, end_date DATETIME, start_time TIME, end_time TIME, weekdays TEXT,
                days_of_month TEXT, interval_day INTEGER, cron TEXT, timezone TEXT, duration INTEGER);
            INSERT INTO maintenance VALUES
                (1, 'Once', '', 1, 1, 'single', '2026-12-01 02:00:00', '2026-12-01 03:30:00', NULL, NULL, '[]', '[]', NULL, NULL, 'Europe/Stockholm', NULL),
                (2, 'Weekly', 'Restarts', 1, 1, 'recurring-weekday', NULL, NULL, '22:30', '01:00', '[1,4]', '[]', NULL, NULL, 'Europe/Stockholm', 9000),
                (3, 'By hand', '', 1, 1, 'manual', NULL, NULL, NULL, NULL, '[]', '[]', NULL, NULL, 'UTC', NULL),
                (4, 'Nightly', '', 1, 1, 'cron', NULL, NULL, NULL, NULL, '[]', '[]', NULL, '0 3 * * *', 'UTC', 3600);
            CREATE TABLE monitor_maintenance (id INTEGER PRIMARY KEY, monitor_id INTEGER, maintenance_id INTEGER);
            INSERT INTO monitor_maintenance VALUES (1, 2, 1), (2, 2, 2), (3, 2, 3), (4, 2, 4);
            CREATE TABLE status_page (id INTEGER PRIMARY KEY, slug TEXT, title TEXT, description TEXT, published BOOLEAN, footer_text TEXT);
            INSERT INTO status_page VALUES (1, 'main', 'Example Status', 'How it goes', 1, 'Bye');
            CREATE TABLE monitor_group (id INTEGER PRIMARY KEY, monitor_id INTEGER, group_id INTEGER);
            INSERT INTO monitor_group VALUES (1, 2, 1);
            "#,
        )
        .unwrap();
    drop(connection);
    check_input(Kind::UptimeKuma, &Input::path(&path))
}

#[test]
fn everything_of_a_database_moves() {
    let folder = tempfile::tempdir().unwrap();
    let imported = database(folder.path());
    has(
        &imported,
        &[
            "title = \"Example Status\"",
            "id = \"core\"",
            "targets = [\"https://www.example.com/\"]",
            "timeout = \"48s\"",
            "passive = \"heartbeat\"",
            "title = \"Weekly\"",
            "description = \"Restarts\"",
            "monitors = [\"core/website\"]",
            "starts = 2026-12-01T01:00:00Z",
            "lasts = \"1h30m\"",
            "cron = \"30 22 * * 1,4\"",
            "lasts = \"2h30m\"",
            "cron = \"0 3 * * *\"",
            "monitors = [\"core/website\", \"backup/backup\"]",
        ],
    );
    tells(
        &imported,
        Outcome::Lost,
        "maintenances[2]",
        "no counterpart",
    );
    tells(&imported, Outcome::Lost, "monitors[1].proxyid", "proxies");
    tells(
        &imported,
        Outcome::Different,
        "",
        "1 monitors are on no status page",
    );
    // The data folder stands for the database in it.
    let again = check_input(Kind::UptimeKuma, &Input::path(folder.path()));
    assert_eq!(again.toml, imported.toml);
    assert!(!again.toml.contains(MARK));
}

#[test]
fn what_is_neither_is_refused() {
    refused(Kind::UptimeKuma, "a.json", "{}", None, "kuma.db");
    refused(Kind::UptimeKuma, "a.json", "[1]", Some(1), "no keys");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.db");
    std::fs::write(&path, b"SQLite format 3\0 and then nothing of a database").unwrap();
    let error = watchkeeper_import::import(Kind::UptimeKuma, &Input::path(&path)).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    let error =
        watchkeeper_import::import(Kind::UptimeKuma, &Input::path(folder.path())).unwrap_err();
    assert!(error.to_string().contains("without `kuma.db`"), "{error}");
}

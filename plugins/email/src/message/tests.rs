use watchkeeper_sdk::{Affected, Health, Occasion, Timestamp};

use super::*;

fn config(keys: &str) -> Config {
    let json = format!(
        r#"{{"server":"smtp://a.test","from":"w@acme.test","to":["ops@acme.test"]{keys}}}"#
    );
    watchkeeper_sdk::config::parse(&json).unwrap()
}

fn notice(title: &str) -> Notice {
    Notice {
        id: "0192f3a1-notice".to_owned(),
        occasion: Occasion::Changed,
        health: Health::Dead,
        previous: None,
        at: Timestamp::from_seconds(1_700_000_000),
        title: title.to_owned(),
        body: "first\n.\nlast".to_owned(),
        affected: vec![Affected {
            id: "api:health:https://a.test/".to_owned(),
            service: "API".to_owned(),
            monitor: "Health".to_owned(),
            health: Health::Dead,
            reason: Some("<b>refused</b>".to_owned()),
            since: Timestamp::from_seconds(1_700_000_000),
        }],
        lasted: None,
        reminder: 0,
        page_title: "Acme, Status".to_owned(),
        page_url: "https://status.test/".to_owned(),
        incident_url: None,
        thread: "api/health@1".to_owned(),
        started: None,
        acknowledge_url: None,
    }
}

fn mail(keys: &str, title: &str) -> String {
    let message = Message::new(&config(keys), &notice(title));
    String::from_utf8(message.bytes().to_vec()).expect("the mail is ASCII")
}

fn headers(mail: &str) -> Vec<&str> {
    mail.split("\r\n\r\n")
        .next()
        .unwrap()
        .split("\r\n")
        .collect()
}

#[test]
fn headers_say_from_whom_to_whom_and_about_what() {
    let mail = mail(
        r#","cc":["Ätna <b@acme.test>"],"reply_to":"desk@acme.test""#,
        "API is dead",
    );
    let found = headers(&mail);
    for expected in [
        "From: \"Acme, Status\" <w@acme.test>",
        "To: <ops@acme.test>",
        "Cc: =?utf-8?B?w4R0bmE=?= <b@acme.test>",
        "Reply-To: <desk@acme.test>",
        "Subject: API is dead",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "Message-ID: <0192f3a1-notice@acme.test>",
        "In-Reply-To: <thread.api=2Fhealth=401@acme.test>",
        "References: <thread.api=2Fhealth=401@acme.test>",
        "Auto-Submitted: auto-generated",
        "Importance: high",
    ] {
        assert!(found.contains(&expected), "{expected} in {found:#?}");
    }
    assert!(mail.contains("Content-Type: multipart/alternative;"));
    let (_, html) = mail.split_once("Content-Type: text/html").unwrap();
    let cause = "&lt;b&gt;refused&lt;/b&gt;";
    assert!(html.contains(cause) && !html.contains("<b>"), "{html}");
}

#[test]
fn the_senders_name_is_the_operators_where_given() {
    let json = r#"{"server":"smtp://a.test","from":"Watch <w@acme.test>","to":["o@acme.test"]}"#;
    let config = watchkeeper_sdk::config::parse(json).unwrap();
    let message = Message::new(&config, &notice("x"));
    let mail = String::from_utf8_lossy(message.bytes()).into_owned();
    assert_eq!(
        headers(&mail).first(),
        Some(&"From: \"Watch\" <w@acme.test>")
    );
}

#[test]
fn no_title_makes_another_header() {
    for title in [
        "a\r\nBcc: x@evil.test\r\n\r\nbody",
        "a\nBcc: x@evil.test",
        "a\u{2028}Bcc: x\u{202E}\u{0}\u{1b}",
        "=?utf-8?Q?a=0D=0ABcc:_x?=",
        &"ä".repeat(5000),
        "",
    ] {
        let mail = mail("", title);
        let names: Vec<&str> = headers(&mail)
            .into_iter()
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        let known = [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "In-Reply-To",
            "References",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "Importance",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(names, known, "{title:?}");
        for line in mail.split("\r\n") {
            assert!(line.len() <= 998 && line.is_ascii(), "{line:?}");
            assert!(!line.contains(['\r', '\n', '\0', '\u{1b}']), "{line:?}");
            assert!(!line.contains("=?utf-8?Q?a=0D"), "{line:?}");
        }
    }
}

#[test]
fn dots_and_line_ends_are_as_the_wire_wants_them() {
    for (text, expected) in [
        ("a\r\n.b\r\n", "a\r\n..b\r\n.\r\n"),
        (".", "..\r\n.\r\n"),
        ("a\nb", "a\r\nb\r\n.\r\n"),
        ("a\r\n.\r\nb\r\n\r\n", "a\r\n..\r\nb\r\n\r\n.\r\n"),
    ] {
        let stuffed = Message::of_bytes(text).stuffed();
        assert_eq!(String::from_utf8(stuffed).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn ids_are_of_few_characters_and_bounded() {
    assert_eq!(as_id("a.b@c>\r\n"), "a=2Eb=40c=3E=0D=0A");
    assert_eq!(as_id(""), "");
    assert!(as_id(&"é".repeat(1000)).len() <= LONGEST_ID + 2);
}

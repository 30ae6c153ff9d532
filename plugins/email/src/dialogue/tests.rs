use super::*;
use crate::script::Script;

const TIMEOUT: Duration = Duration::from_secs(10);

fn dialogue(says: &str) -> Dialogue<Script> {
    Dialogue::new(Script::saying(says), TIMEOUT)
}

fn words(failure: Failure) -> String {
    match failure {
        Failure::Temporary { reason, wait: None } => format!("temporary: {reason}"),
        Failure::Temporary { reason, wait } => format!("temporary: {reason} {wait:?}"),
        Failure::Permanent(reason) => format!("permanent: {reason}"),
    }
}

const WATCH: &str = r#"{"username":"watch","password":"secret"}"#;

fn check_login(says: &str, config: &str, offers: &str, expected: &str, heard: &str) {
    let login: Login = serde_json::from_str(config).unwrap();
    let offer = Reply::new(250, &format!("mail.test\n{offers}"));
    let mut dialogue = dialogue(says);
    let found = dialogue.login(&login, &Offer::of(&offer));
    assert_eq!(found.map_or_else(words, |()| "in".to_owned()), expected);
    assert_eq!(dialogue.stream().heard(), heard);
}

#[test]
fn a_login_uses_what_is_offered() {
    let plain = "AUTH PLAIN AHdhdGNoAHNlY3JldA==\r\n";
    let one_by_one = "AUTH LOGIN\r\nd2F0Y2g=\r\nc2VjcmV0\r\n";
    let asks = "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n";
    check_login("235 ok\r\n", WATCH, "AUTH LOGIN PLAIN", "in", plain);
    check_login(asks, WATCH, "AUTH LOGIN", "in", one_by_one);
    let chosen = r#"{"username":"watch","password":"secret","mechanism":"login"}"#;
    check_login(asks, chosen, "AUTH PLAIN LOGIN", "in", one_by_one);
    check_login(
        "",
        chosen,
        "AUTH PLAIN",
        "permanent: the server offers no login by LOGIN, only by PLAIN",
        "",
    );
    check_login(
        "",
        WATCH,
        "SIZE",
        "permanent: the server offers no login by PLAIN or LOGIN, only by none",
        "",
    );
}

#[test]
fn a_refused_login_says_what_was_said() {
    let plain = "AUTH PLAIN AHdhdGNoAHNlY3JldA==\r\n";
    check_login(
        "535 5.7.8 no\r\n",
        WATCH,
        "AUTH PLAIN",
        r#"permanent: the server refuses the login of watch: "535 5.7.8 no""#,
        plain,
    );
    check_login(
        "454 4.7.0 later\r\n",
        WATCH,
        "AUTH PLAIN",
        r#"temporary: the server refuses the login of watch: "454 4.7.0 later""#,
        plain,
    );
    // The password does not follow where it was not asked for.
    check_login(
        "504 no\r\n",
        WATCH,
        "AUTH LOGIN",
        r#"permanent: the server refuses the login of watch: "504 no""#,
        "AUTH LOGIN\r\n",
    );
}

#[test]
fn hello_falls_back_to_the_old_way() {
    let mut old = dialogue("502 what?\r\n250 mail.test\r\n");
    assert_eq!(old.hello("me.test").unwrap(), Offer::default());
    assert_eq!(old.stream().heard(), "EHLO me.test\r\nHELO me.test\r\n");
    let refused = dialogue("550 go away\r\n").hello("me.test").unwrap_err();
    assert_eq!(
        words(refused),
        r#"permanent: the server answers EHLO with "550 go away""#
    );
    let full = dialogue("421 too many, wait 30 s\r\n")
        .greeting()
        .unwrap_err();
    assert_eq!(
        words(full),
        r#"temporary: the server greets with "421 too many, wait 30 s" Some(30s)"#
    );
    let gone = dialogue("").greeting().unwrap_err();
    assert_eq!(
        words(gone),
        "temporary: connection closed before the greeting"
    );
}

#[test]
fn what_follows_the_answer_to_starttls_is_not_trusted() {
    struct AtOnce;
    impl Stream for AtOnce {
        fn read(&self, _: usize) -> Result<Vec<u8>, Error> {
            Ok(b"220 go ahead\r\n250 injected\r\n".to_vec())
        }

        fn write(&self, _: &[u8]) -> Result<(), Error> {
            Ok(())
        }
    }
    assert_eq!(
        words(Dialogue::new(AtOnce, TIMEOUT).start_tls().unwrap_err()),
        "temporary: the server sends more in the clear after its answer to STARTTLS"
    );
    let mut clean = dialogue("220 go ahead\r\n");
    assert_eq!(clean.start_tls(), Ok(()));
}

fn check_send(says: &str, offers: &str, expected: &str, heard: &str) {
    let message = Message::of_bytes("Subject: a\r\n\r\n.dot\r\n");
    let offer = Offer::of(&Reply::new(250, &format!("mail.test\n{offers}")));
    let mut dialogue = dialogue(says);
    let found = dialogue.send("w@acme.test", &["a@x.test", "b@x.test"], &message, &offer);
    let found = found.map_or_else(words, |round| {
        let one = |(recipient, outcome): (String, Result<(), Failure>)| {
            let outcome = outcome.map_or_else(words, |()| "ok".to_owned());
            format!("{recipient} {outcome}")
        };
        round.into_iter().map(one).collect::<Vec<_>>().join("; ")
    });
    assert_eq!(found, expected);
    assert_eq!(dialogue.stream().heard(), heard);
}

#[test]
fn those_get_the_mail_whom_the_server_takes_it_for() {
    let start = "MAIL FROM:<w@acme.test> SIZE=20\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<b@x.test>\r\n";
    let whole = format!("{start}DATA\r\nSubject: a\r\n\r\n..dot\r\n.\r\n");
    check_send(
        "250 ok\r\n250 ok\r\n251 will forward\r\n354 go\r\n250 queued\r\n",
        "SIZE 1000",
        "a@x.test ok; b@x.test ok",
        &whole,
    );
    check_send(
        "250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n250 queued\r\n",
        "SIZE",
        r#"a@x.test permanent: the server refuses the recipient: "550 no"; b@x.test ok"#,
        &whole,
    );
    check_send(
        "250 ok\r\n450 later\r\n550 no\r\n",
        "SIZE",
        concat!(
            r#"a@x.test temporary: the server refuses the recipient: "450 later"; "#,
            r#"b@x.test permanent: the server refuses the recipient: "550 no""#
        ),
        start,
    );
    check_send(
        "250 ok\r\n250 ok\r\n421 bye\r\n",
        "SIZE",
        r#"temporary: the server ends the conversation: "421 bye""#,
        start,
    );
    check_send(
        "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n554 5.7.1 spam\r\n",
        "SIZE",
        r#"permanent: the server refuses the mail: "554 5.7.1 spam""#,
        &whole,
    );
    check_send(
        "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n",
        "SIZE",
        "temporary: connection closed before the server's word that it has the mail",
        &whole,
    );
}

#[test]
fn a_sender_or_a_size_can_be_refused() {
    check_send(
        "553 not yours\r\n",
        "HELP",
        r#"permanent: the server refuses the sender w@acme.test: "553 not yours""#,
        "MAIL FROM:<w@acme.test>\r\n",
    );
    check_send(
        "",
        "SIZE 10",
        "permanent: the server takes no more than 10 bytes, and the mail has 20",
        "",
    );
}

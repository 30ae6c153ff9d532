//! The smtp probe, against Exim.

use std::process::Command;

use plugin_tests::{ANY, Inetd, Trial, Workplace, authority, check, find, is_root, run, skip};
use target_server::{TcpBehaviour, TcpTarget, TlsKind};

use crate::http::SHORT;
use crate::http_tls::in_ten_days;
use crate::measured::{names, shown};

/// What the server takes.
const LOGIN: &str = r#""login": {"username": "watch", "password": "right"}"#;

/// How TLS begins at a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    InTheClear,
    WithTls,
}

/// Exim with a certificate of that kind; none: without TLS. It lets `watch` in with
/// `right`, over TLS only, where it has TLS.
pub(crate) fn exim(kind: Option<TlsKind>, begins: Begins) -> Option<Inetd> {
    exim_with(kind, begins, |_| String::new())
}

/// The same with `more` in its configuration: main options, and sections behind
/// them.
pub(crate) fn exim_with(
    kind: Option<TlsKind>,
    begins: Begins,
    more: impl Fn(&Workplace) -> String,
) -> Option<Inetd> {
    let Some(program) = find("exim4") else {
        skip("smtp: exim4 (Debian's exim4-daemon-light) is missing");
        return None;
    };
    if !is_root() {
        skip("smtp: exim4 takes connections for root only");
        return None;
    }
    let place = Workplace::new();
    let (spool, log) = (place.folder("spool"), place.folder("log"));
    let tls = kind.map_or_else(
        || "tls_advertise_hosts =".to_owned(),
        |kind| {
            let issued = authority()
                .identity(kind)
                .expect("a certificate can be made");
            let certificate = place.write("chain.pem", &issued.chain_pem);
            let key = place.write("key.pem", &issued.key_pem);
            format!(
                "tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}",
                certificate.display(),
                key.display()
            )
        },
    );
    let condition = if kind.is_some() {
        "  server_advertise_condition = ${if def:tls_in_cipher}\n"
    } else {
        ""
    };
    let more = more(&place);
    let file = place.write(
        "exim.conf",
        &format!(
            "primary_hostname = mail.test\n\
             smtp_banner = mail.test ESMTP ready\n\
             keep_environment =\n\
             spool_directory = {}\n\
             log_file_path = {}/%slog\n\
             {tls}\n\
             {more}\n\
             begin authenticators\n\
             plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  \
             server_condition = ${{if and{{{{eq{{$auth2}}{{watch}}}}{{eq{{$auth3}}{{right}}}}}}}}\n  \
             server_set_id = $auth2\n{condition}\
             login:\n  driver = plaintext\n  public_name = LOGIN\n  \
             server_prompts = <| Username: | Password:\n  \
             server_condition = ${{if and{{{{eq{{$auth1}}{{watch}}}}{{eq{{$auth2}}{{right}}}}}}}}\n  \
             server_set_id = $auth1\n{condition}",
            spool.display(),
            log.display(),
        ),
    );
    Some(Inetd::start(place, move || {
        let mut command = Command::new(&program);
        command.arg("-C").arg(&file).arg("-bs");
        if begins == Begins::WithTls {
            command.arg("-tls-on-connect");
        }
        command
    }))
}

/// By name, so that certificates can be for it.
fn target(scheme: &str, server: &Inetd) -> String {
    format!("{scheme}://localhost:{}", server.address().port())
}

#[test]
fn a_server_with_a_good_certificate_is_healthy() {
    run(async {
        let Some(server) = exim(Some(TlsKind::Valid), Begins::InTheClear) else {
            return;
        };
        let target = target("smtp", &server);
        for (config, expected) in [
            ("{}", "healthy"),
            (r#"{"starttls": "required"}"#, "healthy"),
            (r#"{"starttls": "never"}"#, "healthy"),
            (r#"{"greeting": "^mail\\.test ESMTP"}"#, "healthy"),
            (
                r#"{"greeting": "Postfix"}"#,
                r#"dead: expected a greeting that matches Postfix, got "220 mail.test ESMTP ready""#,
            ),
            (r#"{"extensions": ["size", "PIPELINING"]}"#, "healthy"),
            (
                r#"{"extensions": ["DSN", "SIZE"]}"#,
                "dead: does not offer DSN",
            ),
            (r#"{"mechanisms": ["PLAIN", "LOGIN"]}"#, "healthy"),
            (
                r#"{"mechanisms": ["SCRAM-SHA-256"]}"#,
                "dead: offers no login by SCRAM-SHA-256, only by PLAIN, LOGIN",
            ),
            (
                r#"{"mechanisms": ["PLAIN"], "starttls": "never"}"#,
                "dead: offers no login by PLAIN, only by none",
            ),
            (
                r#"{"hello": "[127.0.0.1]", "tls": {"server_name": "other.test"}}"#,
                "dead: certificate name does not match: names are localhost, 127.0.0.1, ::1",
            ),
            (r#"{"hello": "a b"}"#, "refused: config.hello"),
            (r#"{"starttls": "maybe"}"#, "refused: config.starttls"),
        ] {
            let said = check("smtp", &target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let run = Trial::new("smtp", "{}").check(&target).await.unwrap();
        assert_eq!(
            names(&run),
            [
                "connect seconds",
                "greeting seconds",
                "tls seconds",
                "certificate-expiry days"
            ]
        );
        let log = server.workplace().read("log/mainlog");
        assert!(!log.contains("without QUIT"), "{log}");
    });
}

#[test]
fn tls_from_the_start() {
    run(async {
        let Some(server) = exim(Some(TlsKind::Valid), Begins::WithTls) else {
            return;
        };
        let config = format!("{{{LOGIN}}}");
        let secure = target("smtps", &server);
        assert_eq!(check("smtp", &secure, &config).await, "healthy");
        let in_the_clear = Trial::new("smtp", "{}").within(SHORT);
        let said = in_the_clear.check_in_words(&target("smtp", &server)).await;
        assert_eq!(said, "dead: waited 1 s for the greeting");
        let both = check("smtp", &secure, r#"{"starttls": "required"}"#).await;
        assert_eq!(
            both,
            "misconfigured: config.starttls: a target smtps:// speaks TLS from the start"
        );
        let Some(clear) = exim(None, Begins::InTheClear) else {
            return;
        };
        assert_eq!(
            check("smtp", &target("smtps", &clear), "{}").await,
            "dead: the server does not speak TLS"
        );
    });
}

#[test]
fn a_bad_certificate_is_judged() {
    run(async {
        let login = format!("{{{LOGIN}}}");
        for (kind, config, expected) in [
            (
                TlsKind::SelfSigned,
                login.as_str(),
                "dead: certificate is self-signed",
            ),
            (
                TlsKind::SelfSigned,
                r#"{"tls": {"allow_untrusted": true}}"#,
                "healthy",
            ),
            (
                TlsKind::WrongName,
                "{}",
                "dead: certificate name does not match: names are other.test",
            ),
            (TlsKind::Expired, "{}", "dead: certificate expired "),
            (
                TlsKind::ValidUntil(in_ten_days()),
                "{}",
                "sick: certificate expires in 10 days",
            ),
            (
                TlsKind::ValidUntil(in_ten_days()),
                r#"{"tls": {"expiry": {"sick_below": "9d"}}}"#,
                "healthy",
            ),
        ] {
            let Some(server) = exim(Some(kind), Begins::InTheClear) else {
                return;
            };
            let said = check("smtp", &target("smtp", &server), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            let log = server.workplace().read("log/mainlog");
            assert!(!log.contains("watch"), "it was told the password: {log}");
        }
    });
}

#[test]
fn a_login_is_tried() {
    run(async {
        let Some(server) = exim(Some(TlsKind::Valid), Begins::InTheClear) else {
            return;
        };
        let secure = target("smtp", &server);
        for mechanism in ["plain", "login"] {
            let config = format!(
                r#"{{"login": {{"username": "watch", "password": "right", "mechanism": "{mechanism}"}}}}"#
            );
            assert_eq!(check("smtp", &secure, &config).await, "healthy");
            let wrong = config.replace("right", "wr0ng-one");
            let trial = Trial::new("smtp", &wrong).secret("wr0ng-one");
            let run = trial.check(&secure).await.unwrap();
            assert_eq!(
                plugin_tests::of_check(&run.outcome),
                r#"dead: refuses the login of watch: "535 Incorrect authentication data""#
            );
            assert!(!shown(&run).contains("wr0ng-one"));
        }
        let Some(clear) = exim(None, Begins::InTheClear) else {
            return;
        };
        let clear = target("smtp", &clear);
        let allowed = LOGIN.replace('}', r#", "in_the_clear": true}"#);
        for (config, expected) in [
            ("{}".to_owned(), "healthy"),
            (
                r#"{"starttls": "required"}"#.to_owned(),
                "dead: does not offer STARTTLS",
            ),
            (
                format!("{{{LOGIN}}}"),
                "undecided: the server offers no TLS to log in over: allow it with config.login.in_the_clear = true",
            ),
            (
                format!(r#"{{"starttls": "never", {LOGIN}}}"#),
                "misconfigured: config.login: starttls = \"never\" would send the password in the clear: allow it with in_the_clear = true",
            ),
            (format!("{{{allowed}}}"), "healthy"),
            (
                format!("{{{}}}", allowed.replace("right", "wrong")),
                r#"dead: refuses the login of watch: "535 Incorrect authentication data""#,
            ),
        ] {
            assert_eq!(check("smtp", &clear, &config).await, expected, "{config}");
        }
    });
}

#[test]
fn what_is_no_mail_server_is_dead() {
    run(async {
        let mut server = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let target = format!("smtp://{}", server.address());
        let silent = Trial::new("smtp", "{}").within(SHORT);
        assert_eq!(
            silent.check_in_words(&target).await,
            "dead: waited 1 s for the greeting"
        );
        server.set(TcpBehaviour::greeting());
        assert_eq!(
            check("smtp", &target, "{}").await,
            r#"dead: the server does not speak SMTP: "target-server ready""#
        );
        let says = |line: &str| TcpBehaviour::Echo {
            banner: Some(line.to_owned()),
        };
        server.set(says("554 no service here"));
        assert_eq!(
            check("smtp", &target, "{}").await,
            r#"dead: greets with "554 no service here""#
        );
        // What comes back is what was said.
        server.set(says("220 echo.test"));
        assert_eq!(
            check("smtp", &target, "{}").await,
            r#"dead: the server does not speak SMTP: "EHLO localhost""#
        );
        server.set(TcpBehaviour::Close);
        assert_eq!(
            check("smtp", &target, "{}").await,
            "dead: connection closed before the greeting"
        );
        server.stop().await;
        assert_eq!(
            check("smtp", &target, "{}").await,
            "dead: connection refused"
        );
        assert_eq!(
            check("smtp", "smtp://gone.test", "{}").await,
            "dead: no such host: gone.test"
        );
        let ungranted = Trial::new("smtp", "{}").ungranted();
        let said = ungranted.check_in_words(&target).await;
        assert!(said.starts_with("undecided: "), "{said}");
    });
}

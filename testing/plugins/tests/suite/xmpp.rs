//! The xmpp notifier, against Prosody, and with slixmpp as who is told.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plugin_tests::{
    ANY, Program, Trial, Workplace, authority, find, is_root, notice, of_delivery, run, skip,
};
use serde_json::{Value, json};
use target_server::{TcpBehaviour, TcpTarget, TlsKind};
use tokio::time::{Instant, sleep};
use watchkeeper_sandbox::Notice;

use crate::email::merge;
use crate::http::SHORT;
use crate::measured::shown;

/// Long, for a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nobody, as whom the server runs.
const NOBODY: u32 = 65_534;

/// When TLS begins at a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    StartTls,
    AtOnce,
}

/// Prosody for `localhost` with more options; `watch` and `ops` have accounts, and
/// anybody may open a room at `rooms.localhost`.
pub(crate) async fn prosody(kind: TlsKind, begins: Begins, options: &str) -> Option<Program> {
    let (Some(server), Some(control)) = (find("prosody"), find("prosodyctl")) else {
        skip("xmpp: prosody (Debian's prosody) is missing");
        return None;
    };
    let issued = authority()
        .identity(kind)
        .expect("a certificate can be made");
    let ports = match begins {
        Begins::StartTls => "c2s_ports = { PORT }\nc2s_direct_tls_ports = {}",
        Begins::AtOnce => "c2s_ports = {}\nc2s_direct_tls_ports = { PORT }",
    };
    let command = |port: u16, place: &Workplace| {
        let data = place.folder("data");
        let certificate = place.write("chain.pem", &issued.chain_pem);
        let key = place.write("key.pem", &issued.key_pem);
        let ports = ports.replace("PORT", &port.to_string());
        let file = place.write(
            "prosody.cfg.lua",
            &format!(
                "pidfile = \"{0}/pid\"\ndata_path = \"{1}\"\nlog = {{ info = \"*console\" }}\n\
                 modules_enabled = {{ \"roster\"; \"saslauth\"; \"tls\"; \"disco\"; \"offline\" }}\n\
                 modules_disabled = {{ \"s2s\" }}\ninterfaces = {{ \"127.0.0.1\" }}\n{ports}\n\
                 s2s_ports = {{}}\nhttp_ports = {{}}\nhttps_ports = {{}}\n\
                 authentication = \"internal_hashed\"\nc2s_require_encryption = true\n\
                 ssl = {{ key = \"{2}\"; certificate = \"{3}\" }}\n{options}\n\
                 VirtualHost \"localhost\"\nComponent \"rooms.localhost\" \"muc\"\n\
                 muc_room_locking = false\n",
                place.path().display(),
                data.display(),
                key.display(),
                certificate.display(),
            ),
        );
        for (user, password) in [("watch", "right"), ("ops", "let-me-read")] {
            let mut register = Command::new(&control);
            register.arg("--config").arg(&file);
            register.args(["register", user, "localhost", password]);
            if is_root() {
                register.uid(NOBODY).gid(NOBODY);
            }
            let output = register.output().expect("prosodyctl runs");
            assert!(output.status.success(), "{output:?}");
        }
        let mut command = Command::new(&server);
        command.arg("--config").arg(&file).arg("-F");
        command
    };
    Some(Program::start(command, Program::takes_connections).await)
}

/// Who is told: `ops`, in the room of that name where it is not empty. Ends with
/// its handle.
struct Reader {
    child: Child,
    place: Workplace,
}

impl Reader {
    /// One that is there; none where Debian's slixmpp is not.
    async fn start(server: &Program, room: &str) -> Option<Self> {
        const READ: &str = "
import json, ssl, sys
import slixmpp
port, room = sys.argv[1:3]
client = slixmpp.ClientXMPP('ops@localhost', 'let-me-read')
client.register_plugin('xep_0045')
async def begin(_):
    client.send_presence()
    await client.get_roster()
    if room:
        await client.plugin['xep_0045'].join_muc_wait(room, 'reader', maxstanzas=0)
    print('true', flush=True)
def told(message):
    if message['body']:
        print(json.dumps({'from': str(message['from']), 'type': message['type'], 'id': message['id'],
                          'body': message['body'], 'thread': message['thread']}), flush=True)
client.add_event_handler('session_start', begin)
client.add_event_handler('message', told)
client.ssl_context.check_hostname = False
client.ssl_context.verify_mode = ssl.CERT_NONE
client.connect(('127.0.0.1', int(port)))
client.process(forever=True)
";
        let python = |arguments: &[&str]| {
            let mut command = Command::new("/usr/bin/python3");
            command.arg("-c").args(arguments).stdin(Stdio::null());
            command
        };
        let has_slixmpp = python(&["import slixmpp"]).stderr(Stdio::null()).status();
        if !has_slixmpp.is_ok_and(|status| status.success()) {
            skip("xmpp: slixmpp (Debian's python3-slixmpp) is missing");
            return None;
        }
        let place = Workplace::new();
        let file = |name| File::create(place.path().join(name)).expect("the folder is ours");
        let port = server.address().port().to_string();
        let child = python(&[READ, &port, room])
            .stdout(file("told"))
            .stderr(file("errors"))
            .spawn()
            .expect("Python starts");
        let mut reader = Self { child, place };
        reader.lines(1).await;
        Some(reader)
    }

    /// The messages that came; waits for `count`.
    async fn told(&mut self, count: usize) -> Vec<Value> {
        let mut lines = self.lines(count + 1).await;
        lines.remove(0);
        lines
    }

    async fn lines(&mut self, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.place.read("told");
            let lines: Vec<Value> = told
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            if lines.len() >= count {
                assert_eq!(lines.len(), count, "{lines:?}");
                return lines;
            }
            let errors = || self.place.read("errors");
            assert!(Instant::now() < deadline, "{told} {}", errors());
            let ended = self.child.try_wait().expect("it is ours");
            assert!(ended.is_none(), "{ended:?} {told} {}", errors());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn trial(server: &Program, keys: Value) -> Trial {
    let mut config = json!({
        "server": format!("xmpp://localhost:{}", server.address().port()),
        "jid": "watch@localhost", "password": "right", "to": ["ops@localhost"],
    });
    merge(&mut config, keys);
    Trial::new("xmpp", &config.to_string())
}

async fn deliver(server: &Program, keys: Value) -> String {
    trial(server, keys).deliver_in_words(notice()).await
}

#[test]
fn people_are_told() {
    run(async {
        let Some(server) = prosody(TlsKind::Valid, Begins::StartTls, "").await else {
            return;
        };
        let Some(mut reader) = Reader::start(&server, "").await else {
            return;
        };
        assert_eq!(deliver(&server, json!({})).await, "delivered");
        let told = reader.told(1).await;
        let [message] = &told[..] else {
            panic!("one message came");
        };
        let from = message["from"].as_str().unwrap();
        assert!(from.starts_with("watch@localhost/"), "{from}");
        assert_eq!(message["type"], "chat");
        assert_eq!(message["id"], "0192f3a1-notice");
        assert_eq!(message["thread"], "api/health@1700000000000");
        let body = message["body"].as_str().unwrap();
        let start = "❌ API is dead: \"<refused>\" & more\nfirst line\nsecond \\ line\n";
        assert!(body.starts_with(start), "{body}");
        assert!(
            body.ends_with("Status page: https://status.test/?a=1&b=2"),
            "{body}"
        );
    });
}

#[test]
fn rooms_are_told() {
    run(async {
        let Some(server) = prosody(TlsKind::Valid, Begins::StartTls, "").await else {
            return;
        };
        let room = "lounge@rooms.localhost";
        let Some(mut reader) = Reader::start(&server, room).await else {
            return;
        };
        let keys = json!({"to": [], "rooms": [room], "nick": "the <watch>"});
        assert_eq!(deliver(&server, keys).await, "delivered");
        let told = reader.told(1).await;
        let [message] = &told[..] else {
            panic!("one message came");
        };
        assert_eq!(message["from"], "lounge@rooms.localhost/the <watch>");
        assert_eq!(message["type"], "groupchat");
        let taken = json!({"to": [], "rooms": [room], "nick": "reader"});
        let said = deliver(&server, taken).await;
        let expected = "permanent: the room lets nobody in as reader: conflict";
        assert!(said.starts_with(expected), "{said}");
    });
}

#[test]
fn nothing_that_targets_say_means_anything() {
    run(async {
        let Some(server) = prosody(TlsKind::Valid, Begins::StartTls, "").await else {
            return;
        };
        let Some(mut reader) = Reader::start(&server, "").await else {
            return;
        };
        let hostile = "</body></message><message to='ops@localhost'><body>evil\r\n\0\u{1b}[31m\
                       \u{202E}\u{FFFF}]]>&lt;&evil; é \u{1F600}";
        for times in [1, 500] {
            let text = hostile.repeat(times);
            let notice = Notice {
                id: text.chars().take(100).collect(),
                title: text.clone(),
                body: text.clone(),
                page_title: text.clone(),
                thread: text,
                ..notice()
            };
            let said = trial(&server, json!({})).deliver_in_words(notice).await;
            assert_eq!(said, "delivered");
        }
        for message in reader.told(2).await {
            let body = message["body"].as_str().unwrap();
            let start = "❌ </body></message><message to='ops@localhost'><body>evil [31m";
            assert!(body.starts_with(start), "{body}");
            let bad = body
                .chars()
                .find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202A}'..='\u{202E}'));
            assert_eq!(bad, None, "{body:?}");
            assert!(body.chars().count() <= 5000);
        }
    });
}

#[test]
fn logins_are_made_in_every_way() {
    run(async {
        const NO_SCRAM: &str = "disable_sasl_mechanisms = { \"SCRAM-SHA-1\"; \"SCRAM-SHA-256\"; \
            \"SCRAM-SHA-1-PLUS\"; \"SCRAM-SHA-256-PLUS\" }";
        for options in [
            "password_hash = \"SHA-1\"",
            "password_hash = \"SHA-256\"",
            NO_SCRAM,
        ] {
            let Some(server) = prosody(TlsKind::Valid, Begins::StartTls, options).await else {
                return;
            };
            assert_eq!(deliver(&server, json!({})).await, "delivered", "{options}");
            for (jid, password) in [
                ("watch@localhost", "wr0ng-one"),
                ("none@localhost", "right"),
            ] {
                let keys = json!({"jid": jid, "password": password});
                let run = trial(&server, keys).deliver(notice()).await.unwrap();
                let said = of_delivery(&run.outcome);
                let expected =
                    format!("permanent: the server refuses the login of {jid}: not-authorized");
                assert!(said.starts_with(&expected), "{said}");
                assert!(!shown(&run).contains("wr0ng-one"));
            }
        }
    });
}

#[test]
fn who_can_be_told_is_told() {
    run(async {
        let Some(server) = prosody(TlsKind::Valid, Begins::StartTls, "").await else {
            return;
        };
        let Some(mut reader) = Reader::start(&server, "").await else {
            return;
        };
        let refused = "the server does not take the message: service-unavailable";
        let said = deliver(&server, json!({"to": ["nobody@localhost"]})).await;
        assert!(said.starts_with(&format!("permanent: {refused}")), "{said}");
        let keys = json!({
            "to": ["nobody@localhost", "ops@localhost"], "rooms": ["ops@gone.test"],
        });
        // Nobody is told twice, whoever cannot be told.
        let trial = trial(&server, keys).remembering();
        for _ in 0..2 {
            let said = trial.deliver_in_words(notice()).await;
            let expected = format!(
                "permanent: nobody@localhost: {refused}; ops@gone.test: the room lets nobody in \
                 as watchkeeper: not-allowed"
            );
            assert!(said.starts_with(&expected), "{said}");
        }
        assert_eq!(deliver(&server, json!({})).await, "delivered");
        assert_eq!(reader.told(2).await.len(), 2);
    });
}

#[test]
fn nothing_is_said_without_good_tls() {
    run(async {
        let clear = "c2s_require_encryption = false\nmodules_disabled = { \"s2s\"; \"tls\" }";
        let direct = |server: &Program| {
            let server = format!("xmpps://localhost:{}", server.address().port());
            json!({ "server": server })
        };
        let Some(server) = prosody(TlsKind::Valid, Begins::AtOnce, "").await else {
            return;
        };
        assert_eq!(deliver(&server, direct(&server)).await, "delivered");
        let Some(own) = prosody(TlsKind::SelfSigned, Begins::StartTls, "").await else {
            return;
        };
        for (keys, expected) in [
            (json!({}), "temporary: certificate is self-signed"),
            (json!({"tls": {"allow_untrusted": true}}), "delivered"),
        ] {
            assert_eq!(deliver(&own, keys).await, expected);
        }
        assert_eq!(
            deliver(&own, direct(&own)).await,
            "temporary: the server does not speak TLS"
        );
        let Some(none) = prosody(TlsKind::Valid, Begins::StartTls, clear).await else {
            return;
        };
        assert_eq!(
            deliver(&none, json!({})).await,
            "temporary: the server does not offer STARTTLS: nothing is said without TLS"
        );
        let Some(valid) = prosody(TlsKind::Valid, Begins::StartTls, "").await else {
            return;
        };
        let other = json!({"tls": {"server_name": "other.test"}});
        assert_eq!(
            deliver(&valid, other).await,
            "temporary: certificate name does not match: names are localhost, 127.0.0.1, ::1"
        );
        let said = deliver(&valid, json!({"jid": "watch@else.test"})).await;
        let expected = "permanent: the server ends the stream: host-unknown";
        assert!(said.starts_with(expected), "{said}");
    });
}

#[test]
fn what_is_no_xmpp_server_is_tried_again() {
    run(async {
        let mut server = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let to = |host: &str, keys: Value| {
            let mut json = json!({
                "server": format!("xmpp://{host}"), "jid": "watch@localhost", "password": "right",
                "to": ["ops@localhost"],
            });
            merge(&mut json, keys);
            Trial::new("xmpp", &json.to_string())
        };
        let here = to(&server.address().to_string(), json!({}));
        let silent = here.clone().within(SHORT);
        assert_eq!(
            silent.deliver_in_words(notice()).await,
            "temporary: no greeting in 1 s"
        );
        server.set(TcpBehaviour::greeting());
        assert_eq!(
            here.deliver_in_words(notice()).await,
            "temporary: the server does not speak XMPP: \"target-server ready\""
        );
        server.set(TcpBehaviour::Close);
        assert_eq!(
            here.deliver_in_words(notice()).await,
            "temporary: connection closed before the server's greeting"
        );
        server.stop().await;
        assert_eq!(
            here.deliver_in_words(notice()).await,
            "temporary: connection refused"
        );
        for (keys, expected) in [
            (json!({"to": []}), "permanent: config.to: nobody to tell"),
            (
                json!({"jid": "localhost"}),
                "permanent: config.jid: localhost has no user name",
            ),
            (json!({"to": ["a b@c"]}), "refused: config.to"),
            (
                json!({"server": "http://a.test"}),
                "permanent: config.server: http:// is not for XMPP",
            ),
        ] {
            let said = to("localhost:1", keys.clone())
                .deliver_in_words(notice())
                .await;
            assert!(said.starts_with(expected), "{keys}: {said}");
        }
    });
}

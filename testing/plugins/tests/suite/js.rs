//! The js probe.

use std::net::Ipv4Addr;

use plugin_tests::{ANY, Trial, run};
use serde_json::json;
use target_server::{Answer, DnsTarget, Receiver, TcpBehaviour, TcpTarget, TlsKind, Zone};
use watchkeeper_sandbox::Level;

use crate::http::{SHORT, site};
use crate::http_tls;
use crate::measured::{names, reading, value};

fn trial(script: &str) -> Trial {
    Trial::new("js", &json!({ "script": script }).to_string())
}

async fn check(script: &str, target: &str) -> String {
    trial(script).check_in_words(target).await
}

#[test]
fn a_script_fetches_and_judges() {
    run(async {
        let site = site().await;
        site.set_depth(42);
        let script = "async function check(target, { values }) {
            const answer = await fetch(target);
            if (!answer.ok) return { health: 'dead', reason: `status ${answer.status}` };
            const { status, queue } = await answer.json();
            return {
                health: queue.depth > values.max ? 'sick' : 'healthy',
                reason: `${queue.depth} jobs wait, ${status}`,
                latency: answer.timing.total,
                measurements: { 'jobs-waiting': [queue.depth, 'jobs'], 'first-byte': [answer.timing.firstByte / 1000, 'seconds'] },
            };
        }";
        for (max, expected) in [(100, "healthy"), (10, "sick: 42 jobs wait, up")] {
            let config = json!({ "script": script, "values": { "max": max } });
            let run = Trial::new("js", &config.to_string())
                .check(&site.url("/json"))
                .await
                .unwrap();
            assert_eq!(plugin_tests::of_check(&run.outcome), expected);
            assert_eq!(names(&run), ["jobs-waiting jobs", "first-byte seconds"]);
            assert!((value(&run, "jobs-waiting") - 42.0).abs() < f64::EPSILON);
            let latency = reading(&run).latency.expect("the script gives one");
            assert!(latency.as_secs_f64() >= value(&run, "first-byte"));
        }
        let config = json!({ "script": script, "values": { "max": 1 } });
        let said = Trial::new("js", &config.to_string())
            .check_in_words(&site.url("/status/503"))
            .await;
        assert_eq!(said, "dead: status 503");
    });
}

#[test]
fn a_request_is_what_the_script_says() {
    run(async {
        let server = Receiver::start(ANY).await.unwrap();
        let script = "async function check(target) {
            await fetch(target + 'a', { method: 'put', headers: { 'X-Key': 'k', 'x-n': 7 }, body: 'text é' });
            await fetch(target + 'b', { method: 'POST', headers: [['accept', 'a/b']], json: { a: [1, null] } });
            await fetch(target + 'c', { auth: { username: 'u', password: 'p' } });
            await fetch(target + 'd', { auth: { bearer: 't' }, maxBody: 10 });
        }";
        assert_eq!(check(script, &server.url("/")).await, "healthy");
        let received = server.received();
        let lines: Vec<String> = received
            .iter()
            .map(|it| format!("{} {} {}", it.method, it.path, it.text()))
            .collect();
        assert_eq!(
            lines,
            [
                "PUT /a text é",
                r#"POST /b {"a":[1,null]}"#,
                "GET /c ",
                "GET /d "
            ]
        );
        assert_eq!(received[0].header("x-key"), Some("k"));
        assert_eq!(received[0].header("x-n"), Some("7"));
        assert_eq!(received[1].header("accept"), Some("a/b"));
        assert_eq!(received[1].header("content-type"), Some("application/json"));
        assert_eq!(received[2].header("authorization"), Some("Basic dTpw"));
        assert_eq!(received[3].header("authorization"), Some("Bearer t"));
    });
}

#[test]
fn an_answer_is_read_as_the_script_likes() {
    run(async {
        let server = Receiver::start(ANY).await.unwrap();
        server.at(
            "/answer",
            Answer::status(201)
                .header("x-depth", "42")
                .body("[1, 2.5, \"é\"]"),
        );
        server.at("/there", Answer::status(302).header("location", "/answer"));
        let script = r#"async function check(target) {
            const same = (found, expected) => {
                found = JSON.stringify(found);
                if (found !== JSON.stringify(expected)) throw new Error(`${found}, not ${JSON.stringify(expected)}`);
            };
            const answer = await fetch(target + 'there');
            same([answer.ok, answer.status, answer.redirected, answer.url], [true, 201, true, target + 'answer']);
            same(await answer.text(), '[1, 2.5, "é"]');
            same(await answer.json(), [1, 2.5, 'é']);
            same((await answer.bytes()).length, 14);
            same([answer.headers.get('X-Depth'), answer.headers.has('x-depth'), answer.headers.get('x')], ['42', true, null]);
            same(answer.headers.entries().filter(([name]) => name === 'x-depth'), [['x-depth', '42']]);
            same(answer.certificate, null);
            const manual = await fetch(target + 'there', { redirect: 'manual' });
            same([manual.status, manual.redirected, manual.headers.get('location')], [302, false, '/answer']);
            const refused = await fetch(target + 'there', { redirect: 'error' }).catch((error) => error.message);
            same(refused, 'status 302: a redirect');
            const both = await Promise.all([fetch(target + 'answer'), fetch(target + 'other')]);
            same(both.map((one) => one.status), [201, 200]);
        }"#;
        assert_eq!(check(script, &server.url("/")).await, "healthy");
        let secure = http_tls::server(TlsKind::Valid).await;
        let script = "async function check(target) {
            const { certificate } = await fetch(target);
            const days = (certificate.notAfter - Date.now()) / 86_400_000;
            if (!(days > 20_000) || !certificate.names.includes('localhost')) throw new Error(JSON.stringify(certificate));
        }";
        let target = format!("https://localhost:{}/", secure.address().port());
        assert_eq!(check(script, &target).await, "healthy");
    });
}

#[test]
fn a_target_that_does_not_answer_is_dead() {
    run(async {
        let fetching = "const check = (target) => fetch(target).then(() => 'healthy');";
        let site = site().await;
        assert_eq!(
            check(fetching, &site.url("/reset")).await,
            "dead: connection reset"
        );
        let trial_in_time = trial(fetching).within(SHORT);
        let said = trial_in_time.check_in_words(&site.url("/hang")).await;
        assert!(said.starts_with("dead: no answer in "), "{said}");
        let impatient = "const check = (target) => fetch(target, { timeout: 250 });";
        assert_eq!(
            check(impatient, &site.url("/hang")).await,
            "dead: no answer in 250 ms"
        );
        site.stop().await;
        assert_eq!(
            check(fetching, &site.url("/")).await,
            "dead: connection refused"
        );
        // What a script catches is its own to judge.
        let catching = "async function check(target) {
            try { await fetch(target) } catch (error) {
                return { health: 'sick', reason: `${error.name} ${error.verdict}: ${error.message}` };
            }
        }";
        assert_eq!(
            check(catching, &site.url("/")).await,
            "sick: TypeError dead: connection refused"
        );
        let malformed = "const check = async (target) => { await (await fetch(target)).json() }";
        site.restart().await.unwrap();
        assert_eq!(
            check(malformed, &site.url("/ok")).await,
            "dead: the answer is not the JSON expected: expected value at line 1 column 1"
        );
    });
}

#[test]
fn what_is_not_granted_is_no_verdict() {
    run(async {
        let (site, other) = (site().await, site().await);
        let address = other.address();
        let script = format!("const check = () => fetch('{}');", other.url("/ok"));
        assert_eq!(
            check(&script, &site.url("/")).await,
            format!(
                "undecided: not granted: {address}; add allow = [\"{address}\"] under [plugins.js]"
            )
        );
        // A refusal that is caught is none the less.
        let hushed = format!(
            "const check = () => fetch('{}').catch(() => 'dead');",
            other.url("/ok")
        );
        let said = check(&hushed, &site.url("/")).await;
        assert!(said.starts_with("undecided: not granted: "), "{said}");
        assert_eq!(other.hits(), 0);
        let config = json!({
            "script": "const check = (_, { urls }) => fetch(urls.other).then(() => 'healthy');",
            "urls": { "other": other.url("/ok") },
        });
        let said = Trial::new("js", &config.to_string())
            .check_in_words(&site.url("/"))
            .await;
        assert_eq!(said, "healthy");
        assert_eq!(other.hits(), 1);
        let script = "const check = () => tcp.connect('169.254.169.254', 80);";
        let said = check(script, &site.url("/")).await;
        assert!(said.starts_with("undecided: not granted: "), "{said}");
        assert_eq!(
            check("const check = () => fetch('not a URL');", &site.url("/")).await,
            "misconfigured: config.script: URL: no scheme: write it like https://host/path"
        );
    });
}

#[test]
fn state_outlives_a_run() {
    run(async {
        let site = site().await;
        let script = "function check() {
            const runs = (state.get('runs') ?? 0) + 1;
            state.set('runs', runs);
            state.set('gone', { a: 1 });
            state.delete('gone');
            if (state.get('gone') !== undefined) throw new Error('still there');
            return { health: 'healthy', measurements: { runs: [runs, 'runs'] } };
        }";
        let trial = trial(script);
        let first = trial.check(&site.url("/")).await.unwrap();
        assert!((value(&first, "runs") - 1.0).abs() < f64::EPSILON);
        let trial = trial.state(first.state.clone().unwrap());
        let second = trial.check(&site.url("/")).await.unwrap();
        assert!((value(&second, "runs") - 2.0).abs() < f64::EPSILON);
        let full = "function check() { state.set('big', 'x'.repeat(70_000)) }";
        assert_eq!(
            check(full, &site.url("/")).await,
            "undecided: state big: the space is full"
        );
    });
}

#[test]
fn scripts_speak_tcp_and_dns() {
    run(async {
        let echo = TcpTarget::start(ANY, TcpBehaviour::greeting())
            .await
            .unwrap();
        let script = "async function check(target, { values }) {
            const connection = await tcp.connect('127.0.0.1', values.port, { timeout: 5000 });
            const greeting = await connection.read();
            await connection.write('ping\\r\\n');
            const echo = await connection.read();
            connection.close();
            const closed = await connection.read().catch((error) => error.message);
            return { health: 'sick', reason: [greeting.trim(), echo.trim(), closed].join(', ') };
        }";
        let config = json!({ "script": script, "values": { "port": echo.address().port() } });
        let said = Trial::new("js", &config.to_string())
            .check_in_words(&format!("tcp://{}", echo.address()))
            .await;
        assert_eq!(
            said,
            "sick: target-server ready, ping, the connection was closed"
        );

        let zone = Zone::new().with_a("acme.test", &[Ipv4Addr::new(192, 0, 2, 7)]);
        let names = DnsTarget::start(ANY, zone).await.unwrap();
        let script = "async function check(target, { values }) {
            const answer = await dns.query('acme.test', 'A', { server: values.server });
            return { health: 'sick', reason: `${answer.code} ${answer.records.map((it) => it.data)}` };
        }";
        let config =
            json!({ "script": script, "values": { "server": names.address().to_string() } });
        let said = Trial::new("js", &config.to_string())
            .check_in_words(&format!("dns://{}/acme.test", names.address()))
            .await;
        assert_eq!(said, "sick: NOERROR 192.0.2.7");
    });
}

#[test]
fn the_console_is_the_log() {
    run(async {
        let site = site().await;
        let script = "async function check() {
            console.log('one', 2, [3]);
            console.warn('hot');
            console.debug('fine');
            console.error(new Error('bad').message);
            const before = Date.now();
            await sleep(20);
            if (Date.now() - before < 15) throw new Error('it did not sleep');
        }";
        let run = trial(script).check(&site.url("/")).await.unwrap();
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
        let log: Vec<(Level, &str)> = run
            .log
            .iter()
            .map(|line| (line.level, line.text.as_str()))
            .collect();
        assert_eq!(
            log,
            [
                (Level::Info, "one 2 [ 3 ]"),
                (Level::Warn, "hot"),
                (Level::Debug, "fine"),
                (Level::Error, "bad"),
            ]
        );
    });
}

#[test]
fn a_script_can_do_no_harm() {
    run(async {
        let site = site().await;
        for (script, expected) in [
            (
                "const check = () => { for (;;) {} }",
                "limit: the plugin used more than 1 s of processor time (limit `cpu`)",
            ),
            (
                "const check = () => { let text = 'x'; for (;;) text += text + '!' }",
                "",
            ),
            (
                "const check = () => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)) }",
                "limit: the plugin used more than ",
            ),
            ("function check() { return [1].map(check) }", ""),
            (
                "const check = () => /(a+)+$/.test('a'.repeat(40) + 'b')",
                "limit: the plugin used more than 1 s of processor time (limit `cpu`)",
            ),
        ] {
            let said = check(script, &site.url("/")).await;
            assert!(said.starts_with(expected), "{script}: {said}");
            assert!(
                !said.starts_with("healthy") && !said.starts_with("sick"),
                "{script}: {said}"
            );
        }
        // The next one runs as if nothing had been.
        assert_eq!(
            check("const check = () => 'healthy'", &site.url("/")).await,
            "healthy"
        );
    });
}

#[test]
fn mistakes_are_told_with_their_place() {
    run(async {
        let site = site().await;
        for (script, expected) in [
            (
                "function check() {\n  return {{ health: 'sick' };\n}",
                "misconfigured: config.script: line 2, column ",
            ),
            (
                "function chek() {}",
                "misconfigured: config.script: it has no function check(target, context)",
            ),
            (
                "const check = () => ({ helath: 'sick' })",
                "misconfigured: config.script: check returned \"helath\", which means nothing",
            ),
            (
                "const check = () => process.exit(1)",
                "misconfigured: config.script: ReferenceError: process is not defined",
            ),
            (
                "const check = () => require('fs')",
                "misconfigured: config.script: ReferenceError: require is not defined",
            ),
        ] {
            let said = check(script, &site.url("/")).await;
            assert!(said.starts_with(expected), "{script}: {said}");
        }
        for config in ["{}", r#"{"script": ""}"#, r#"{"script": "x", "code": 1}"#] {
            let said = Trial::new("js", config)
                .check_in_words(&site.url("/"))
                .await;
            assert!(said.starts_with("refused: "), "{config}: {said}");
        }
    });
}

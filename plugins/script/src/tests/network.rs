//! What goes out of a script.

use super::fake::Fake;
use super::output;

#[test]
fn curl_does_as_scripts_expect() {
    for (script, expected) in [
        ("curl -s http://a.test/", "fine"),
        (
            "curl -s -o /dev/null -w '%{http_code}' http://a.test/404",
            "404",
        ),
        ("curl -sf http://a.test/404; echo $?", "22\n"),
        ("curl -s http://a.test/404; echo; echo $?", "not here\n0\n"),
        (
            "curl -sS http://refused.test 2>&1; echo $?",
            "line 1: curl: (7) connection refused\n7\n",
        ),
        ("curl -s http://refused.test; echo $?", "7\n"),
        ("curl -s http://gone.test; echo $?", "6\n"),
        ("curl -s -m 2 http://slow.test; echo $?", "28\n"),
        (
            "curl -s -o out -w '%{http_code} %{time_total} %{time_connect} %{time_starttransfer} %{size_download}\\n' a.test; cat out",
            "200 0.120000 0.030000 0.100000 4\nfine",
        ),
        (
            "code=$(curl -s -o /dev/null -w '%{http_code}' http://refused.test); echo $code",
            "000\n",
        ),
        (
            "n=$(curl -s http://a.test/queue | jq .messages); [ \"$n\" -gt 40 ] && echo \"deep: $n\"",
            "deep: 42\n",
        ),
        (
            "curl -sI a.test",
            "HTTP/1.1 200\r\ncontent-type: text/plain\r\n\r\n",
        ),
        (
            "http http://a.test/404 2>&1; echo $?",
            "line 1: http: (22) the server answered 404\n22\n",
        ),
        (
            "http --status http://a.test/404; http --time a.test; http --status http://refused.test 2>/dev/null; echo $?",
            "404\n0.120000\n000\n7\n",
        ),
        ("curl 2>&1; echo $?", "line 1: curl: a URL is missing\n2\n"),
        (
            "curl a.test b.test 2>&1",
            "line 1: curl: one URL at a time\n",
        ),
        (
            "curl -H broken a.test 2>&1",
            "line 1: curl: -H broken: write `Name: value`\n",
        ),
    ] {
        assert_eq!(output(script), expected, "{script}");
    }
}

#[test]
fn requests_are_put_together() {
    let fake = Fake::default();
    fake.run(
        "curl -s -X PUT -H 'X-A: 1' -d a=1 --data-urlencode 'b=c d' -u me:secret http://a.test\n\
         curl -s --json '{\"a\":1}' -L a.test\n\
         curl -s -G -d q=1 'http://a.test/?p=2'\n\
         http --bearer tok -m 1.5 a.test\n\
         echo body | curl -s --data-binary @- a.test",
    )
    .unwrap();
    let requests = fake.requests.borrow();
    let lines: Vec<String> = requests
        .iter()
        .map(|request| {
            let headers: Vec<String> = request
                .headers
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let body = request.body.as_deref().map(String::from_utf8_lossy);
            format!(
                "{} {} {headers:?} {body:?} {:?} {} {:?}",
                request.method, request.url, request.basic, request.redirects, request.timeout
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "PUT http://a.test [\"X-A=1\", \"content-type=application/x-www-form-urlencoded\"] \
             Some(\"a=1&b=c%20d\") Some((\"me\", \"secret\")) 0 9.5s",
            "POST http://a.test [\"content-type=application/json\", \"accept=application/json\"] \
             Some(\"{\\\"a\\\":1}\") None 10 9.5s",
            "GET http://a.test/?p=2&q=1 [] None None 0 9.5s",
            "GET http://a.test [\"authorization=Bearer tok\"] None None 10 1.5s",
            "POST http://a.test [\"content-type=application/x-www-form-urlencoded\"] \
             Some(\"body\\n\") None 0 9.5s",
        ]
    );
}

#[test]
fn names_ports_and_echoes() {
    for (script, expected) in [
        ("dns a.test", "192.0.2.1\n192.0.2.2\n"),
        (
            "dns gone.test 2>&1; echo $?",
            "line 1: dns: gone.test: NXDOMAIN\n1\n",
        ),
        (
            "dig +short a.test AAAA @192.0.2.53 | head -1",
            "192.0.2.1\n",
        ),
        ("dig +short gone.test; echo $?", "0\n"),
        (
            "host a.test | head -n1; host gone.test; echo $?",
            "a.test has address 192.0.2.1\nHost gone.test not found: NXDOMAIN\n1\n",
        ),
        (
            "tcp a.test 6379 --send 'PING\\r\\n' --expect PONG",
            "+PONG\r\n",
        ),
        ("tcp a.test:6379; echo $?", "0\n"),
        (
            "tcp a.test 1 2>&1; echo $?",
            "line 1: tcp: connection refused\n1\n",
        ),
        (
            "tcp a.test 6379 --expect READY 2>&1",
            "+PONG\r\nline 1: tcp: a.test:6379 did not say `READY`\n",
        ),
        (
            "nc -z a.test 80 && echo open; nc -z a.test 1 || echo closed",
            "open\nclosed\n",
        ),
        (
            "nc -zv -w 2 a.test 80 2>&1",
            "Connection to a.test 80 port [tcp/*] succeeded!\n",
        ),
        ("printf 'PING\\r\\n' | nc -w1 a.test 6379", "+PONG\r\n"),
        (
            "ping -c 1 a.test | grep -o 'time=[0-9.]*'; ping -c1 -q a.test >/dev/null && echo up",
            "time=1.500\nup\n",
        ),
        (
            "ping -c1 silent.test >/dev/null 2>&1; echo $?; ping gone.test 2>&1; echo $?",
            "1\nline 1: ping: no such host: gone.test\n2\n",
        ),
        (
            "ping -c 2 -W 1 a.test | tail -1",
            "rtt min/avg/max = 1.500/1.500/1.500 ms\n",
        ),
    ] {
        assert_eq!(output(script), expected, "{script}");
    }
    let fake = Fake::default();
    fake.run("printf 'QUIT\\n' | nc a.test 25; dig @192.0.2.53 -t mx a.test; tcp '[::1]:22'")
        .unwrap();
    assert_eq!(
        *fake.asked.borrow(),
        [
            "tcp a.test:25 \"QUIT\\n\"",
            "dns a.test MX Some(\"192.0.2.53:53\")",
            "tcp ::1:22 \"\""
        ]
    );
}

//! `http` and `curl`: HTTP requests.

use std::fmt::Write as _;
use std::time::Duration;

use watchkeeper_sdk::Error;

use super::options::{Given, Takes, span};
use super::{failed, misused};
use crate::shell::{Interrupt, Outcome, Shell};
use crate::world::{HttpAnswer, HttpRequest};

/// How many redirects are followed, as by curl.
const MAX_REDIRECTS: u32 = 10;

const TAKES: Takes = Takes::new("sSfLkIiGgNqZ46", "XHduowmAebctrJDFRBV").long(&[
    ("silent", 's'),
    ("show-error", 'S'),
    ("fail", 'f'),
    ("fail-with-body", 'Z'),
    ("location", 'L'),
    ("insecure", 'k'),
    ("head", 'I'),
    ("include", 'i'),
    ("get", 'G'),
    ("globoff", 'g'),
    ("no-buffer", 'N'),
    ("disable", 'q'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("request", 'X'),
    ("method", 'X'),
    ("header", 'H'),
    ("data", 'd'),
    ("data-ascii", 'd'),
    ("data-raw", 'D'),
    ("data-binary", 'B'),
    ("data-urlencode", 'F'),
    ("json", 'J'),
    ("user", 'u'),
    ("output", 'o'),
    ("write-out", 'w'),
    ("max-time", 'm'),
    ("timeout", 'm'),
    ("connect-timeout", 'c'),
    ("user-agent", 'A'),
    ("referer", 'e'),
    ("cookie", 'b'),
    ("oauth2-bearer", 'V'),
    ("bearer", 'V'),
    ("url", 'R'),
]);

/// `http`: a request that fails where the answer is a failure, and follows
/// redirects.
pub(super) fn http(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let mut shown = Shown::Body;
    let words: Vec<String> = words
        .iter()
        .filter(|word| {
            shown = match word.as_str() {
                "--status" => Shown::Status,
                "--time" => Shown::Time,
                _ => return true,
            };
            false
        })
        .cloned()
        .collect();
    let how = How {
        name: "http",
        fails: shown == Shown::Body,
        follows: true,
        shown,
    };
    run(shell, &words, &how)
}

/// `curl`, with the options that scripts use most.
pub(super) fn curl(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let how = How {
        name: "curl",
        fails: false,
        follows: false,
        shown: Shown::Body,
    };
    run(shell, words, &how)
}

/// What is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Body,
    Status,
    Time,
}

struct How {
    name: &'static str,
    fails: bool,
    follows: bool,
    shown: Shown,
}

fn run(shell: &mut Shell<'_>, words: &[String], how: &How) -> Outcome {
    let given = match TAKES.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, how.name, &what),
    };
    let request = match request(shell, &given, how) {
        Ok(request) => request,
        Err(what) => return misused(shell, how.name, &what),
    };
    let quiet = given.has('s') && !given.has('S');
    let answer = match shell.world.http(&request) {
        Ok(answer) => answer,
        Err(error) => {
            let status = status_of(&error);
            if let Some(format) = given.value('w') {
                let text = written(format, &HttpAnswer::default(), &request);
                shell.out(&text)?;
            }
            if how.shown == Shown::Status {
                shell.out("000\n")?;
            }
            if quiet {
                return Ok(status);
            }
            return failed(shell, how.name, &format!("({status}) {error}"), status);
        }
    };
    let refused = answer.status >= 400 && (how.fails || given.has('f') || given.has('Z'));
    match how.shown {
        Shown::Body if !refused || given.has('Z') => {
            if let Some(status) = put_body(shell, &given, &answer, how.name)? {
                return Ok(status);
            }
        }
        Shown::Body => {}
        Shown::Status => shell.out(&format!("{}\n", answer.status))?,
        Shown::Time => shell.out(&format!("{:.6}\n", answer.took.as_secs_f64()))?,
    }
    if let Some(format) = given.value('w') {
        let text = written(format, &answer, &request);
        shell.out(&text)?;
    }
    if refused {
        let what = format!("(22) the server answered {}", answer.status);
        if !quiet {
            return failed(shell, how.name, &what, 22);
        }
        return Ok(22);
    }
    Ok(0)
}

/// Writes headers and body to where they are wanted; a status if it cannot be.
fn put_body(
    shell: &mut Shell<'_>,
    given: &Given,
    answer: &HttpAnswer,
    name: &str,
) -> Result<Option<u8>, Interrupt> {
    let mut bytes = Vec::new();
    if given.has('i') || given.has('I') {
        let mut head = format!("HTTP/1.1 {}\r\n", answer.status);
        for (name, value) in &answer.headers {
            // Writing to a string cannot fail.
            _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        bytes.extend_from_slice(head.as_bytes());
    }
    if !given.has('I') {
        bytes.extend_from_slice(&answer.body);
    }
    match given.value('o') {
        None | Some("-") => shell.out_bytes(&bytes)?,
        Some(file) => match shell.open_file(file, false) {
            Ok(stream) => shell.write_to(&stream, &bytes)?,
            Err(what) => return Ok(Some(failed(shell, name, &what, 23)?)),
        },
    }
    Ok(None)
}

fn request(shell: &mut Shell<'_>, given: &Given, how: &How) -> Result<HttpRequest, String> {
    let mut urls = given
        .rest
        .iter()
        .map(String::as_str)
        .chain(given.values('R'));
    let url = urls.next().ok_or("a URL is missing")?;
    if urls.next().is_some() {
        return Err("one URL at a time".to_owned());
    }
    let mut url = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let mut headers = Vec::new();
    for header in given.values('H') {
        match header.split_once(':') {
            // `Name:` takes a header away that curl would have added.
            Some((_, value)) if value.trim().is_empty() => {}
            Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
            None => return Err(format!("-H {header}: write `Name: value`")),
        }
    }
    for (letter, name) in [('A', "user-agent"), ('e', "referer"), ('b', "cookie")] {
        if let Some(value) = given.value(letter) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    if let Some(token) = given.value('V') {
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    let has = |headers: &[(String, String)], name: &str| {
        headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let mut body = body(shell, given)?;
    if let Some(data) = &body
        && given.has('G')
    {
        let joint = if url.contains('?') { '&' } else { '?' };
        url = format!("{url}{joint}{}", String::from_utf8_lossy(data));
        body = None;
    }
    if body.is_some() && !has(&headers, "content-type") {
        let kind = if given.has('J') {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    if given.has('J') && !has(&headers, "accept") {
        headers.push(("accept".to_owned(), "application/json".to_owned()));
    }
    let method = match given.value('X') {
        Some(method) => method.to_ascii_uppercase(),
        None if given.has('I') => "HEAD".to_owned(),
        None if body.is_some() => "POST".to_owned(),
        None => "GET".to_owned(),
    };
    // Some of the check's time is left for the script to say what happened.
    let mut timeout = shell.world.remaining().mul_f64(0.95);
    for letter in ['m', 't'] {
        if let Some(text) = given.value(letter) {
            let span = span(text).ok_or_else(|| format!("{text}: no span of time"))?;
            if !span.is_zero() {
                timeout = timeout.min(span);
            }
        }
    }
    let basic = given.value('u').map(|pair| match pair.split_once(':') {
        Some((user, password)) => (user.to_owned(), password.to_owned()),
        None => (pair.to_owned(), String::new()),
    });
    Ok(HttpRequest {
        method,
        url,
        headers,
        body,
        basic,
        redirects: if how.follows || given.has('L') {
            MAX_REDIRECTS
        } else {
            0
        },
        timeout,
        insecure: given.has('k'),
    })
}

fn body(shell: &mut Shell<'_>, given: &Given) -> Result<Option<Vec<u8>>, String> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for text in given.values('D') {
        parts.push(text.as_bytes().to_vec());
    }
    for (letter, keeps_lines) in [('d', false), ('B', true), ('J', true)] {
        for text in given.values(letter) {
            parts.push(match text.strip_prefix('@') {
                None => text.as_bytes().to_vec(),
                Some(file) => {
                    let mut bytes = shell.read_file(file)?;
                    if !keeps_lines {
                        bytes.retain(|byte| !matches!(byte, b'\r' | b'\n'));
                    }
                    bytes
                }
            });
        }
    }
    for text in given.values('F') {
        let (name, value) = text.split_once('=').unwrap_or(("", text));
        let equals = if name.is_empty() { "" } else { "=" };
        parts.push(format!("{name}{equals}{}", encoded(value)).into_bytes());
    }
    Ok((!parts.is_empty()).then(|| {
        let joint: &[u8] = if given.has('J') { b"" } else { b"&" };
        parts.join(joint)
    }))
}

/// A text as part of a query (RFC 3986).
fn encoded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            result.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            _ = write!(result, "%{byte:02X}");
        }
    }
    result
}

/// `-w`: `%{http_code}` and the like. Times are summed up, as curl's are.
fn written(format: &str, answer: &HttpAnswer, request: &HttpRequest) -> String {
    let mut result = String::new();
    let mut rest = format;
    let part = |span: Option<Duration>| span.unwrap_or_default();
    let look_up = part(answer.resolve);
    let connect = look_up + part(answer.connect);
    let secure = connect + part(answer.tls);
    let first_byte = secure + part(answer.first_byte);
    let seconds = |span: Duration| format!("{:.6}", span.as_secs_f64());
    while let Some((before, after)) = rest.split_once("%{") {
        result.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            result.push_str("%{");
            rest = after;
            break;
        };
        rest = after;
        let text = match name {
            "http_code" | "response_code" => format!("{:03}", answer.status),
            "time_total" => seconds(answer.took),
            "time_namelookup" => seconds(look_up),
            "time_connect" => seconds(connect),
            "time_appconnect" if answer.tls.is_none() => seconds(Duration::ZERO),
            "time_appconnect" | "time_pretransfer" => seconds(secure),
            "time_starttransfer" => seconds(first_byte),
            "size_download" => answer.body.len().to_string(),
            "url" => request.url.clone(),
            "url_effective" => answer.url.clone(),
            "method" => request.method.clone(),
            "remote_ip" => answer.address.clone().unwrap_or_default(),
            "content_type" => answer
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            "redirect_url" => answer
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("location"))
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            _ => String::new(),
        };
        result.push_str(&text);
    }
    result.push_str(rest);
    result
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\r", "\r")
        .replace("%%", "%")
}

/// The status that curl ends with.
fn status_of(error: &Error) -> u8 {
    match error {
        Error::Invalid(_) => 3,
        Error::Unresolved(_) => 6,
        Error::Refused | Error::Unreachable | Error::Denied(_) => 7,
        Error::TimedOut(_) => 28,
        Error::Handshake(_) => 35,
        Error::Closed => 52,
        Error::Untrusted(_) => 60,
        Error::TooLarge(_) => 63,
        _ => 56,
    }
}

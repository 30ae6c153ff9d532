//! A small HTTP/1.1 server that answers as a table says, and also what is no HTTP.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::stage::{Record, Request};
use super::table::{HttpAnswer, span};

/// The longest line of a head, and the largest body, in bytes. What a plugin may
/// send is bounded in the sandbox; this bounds what a mistake here could take.
const LONGEST_LINE: u64 = 64 << 10;
const LARGEST_BODY: u64 = 16 << 20;

/// The most header lines of a request.
const MOST_HEADERS: usize = 256;

/// What is answered, and how much of it has been.
pub(super) struct Answers {
    list: Vec<HttpAnswer>,
    used: Mutex<Vec<bool>>,
}

impl Answers {
    pub(super) fn new(list: Vec<HttpAnswer>) -> Self {
        Self {
            used: Mutex::new(vec![false; list.len()]),
            list,
        }
    }

    /// The first answer to such a request that was not given yet, or else the last
    /// one.
    fn to(&self, request: &Request) -> Option<&HttpAnswer> {
        let fits = |answer: &HttpAnswer| {
            let method = answer.method.as_ref();
            let path = answer.path.as_ref();
            method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
                && path.is_none_or(|path| *path == request.path)
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        for (answer, used) in self.list.iter().zip(used.iter_mut()) {
            if fits(answer) {
                last = Some(answer);
                if !*used {
                    *used = true;
                    break;
                }
            }
        }
        last
    }
}

/// Serves one request; the host opens a connection for each.
pub(super) async fn serve(stream: TcpStream, answers: Arc<Answers>, record: Record) {
    let mut stream = BufReader::new(stream);
    // Whoever does not finish its request, or is not there for the answer, ends
    // nothing but this connection.
    if let Some(request) = read(&mut stream).await {
        _ = answer(stream.get_mut(), &request, &answers, &record).await;
    }
}

async fn answer(
    stream: &mut TcpStream,
    request: &Request,
    answers: &Answers,
    record: &Record,
) -> std::io::Result<()> {
    let answer = answers.to(request);
    {
        let mut seen = record.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.is_none() {
            seen.unexpected
                .push(format!("{} {}", request.method, request.path));
        }
        seen.requests.push(request.clone());
    }
    let Some(answer) = answer else {
        let nothing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return stream.write_all(nothing).await;
    };
    // Checked when the table was read.
    if let Some(delay) = answer.delay.as_deref().and_then(|delay| span(delay).ok()) {
        tokio::time::sleep(delay).await;
    }
    if answer.close {
        return stream.shutdown().await;
    }
    if let Some(garbage) = &answer.garbage {
        stream.write_all(garbage.as_bytes()).await?;
        return stream.shutdown().await;
    }
    stream
        .write_all(&spelled_out(answer, &request.method))
        .await?;
    stream.shutdown().await
}

fn spelled_out(answer: &HttpAnswer, method: &str) -> Vec<u8> {
    let status = answer.status.unwrap_or(200);
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unnamed");
    let json = answer.json.as_ref();
    let body = match json.and_then(|json| serde_json::to_string(json).ok()) {
        Some(json) => json,
        None => answer.body.clone().unwrap_or_default(),
    };
    let mut head = format!("HTTP/1.1 {status} {reason}\r\nconnection: close\r\n");
    let has = |name: &str| {
        answer
            .headers
            .keys()
            .any(|own| own.eq_ignore_ascii_case(name))
    };
    if json.is_some() && !has("content-type") {
        head.push_str("content-type: application/json\r\n");
    }
    if !has("content-length") && status != 204 && status != 304 {
        head.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
    }
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if method != "HEAD" && status != 204 && status != 304 {
        bytes.extend_from_slice(body.as_bytes());
    }
    bytes
}

/// A request, if one arrives whole.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(stream).await?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line(stream).await?;
        if line.is_empty() {
            break;
        }
        if headers.len() == MOST_HEADERS {
            return None;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| {
        let mut headers = headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    let body = if header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        chunked(stream).await?
    } else {
        let length = header("content-length").map_or(Some(0), |length| length.parse().ok())?;
        sized(stream, length).await?
    };
    Some(Request {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut bytes = Vec::new();
    stream
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut bytes)
        .await
        .ok()?;
    let line = bytes.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(String::from_utf8_lossy(line).into_owned())
}

async fn sized(stream: &mut BufReader<TcpStream>, length: u64) -> Option<Vec<u8>> {
    if length > LARGEST_BODY {
        return None;
    }
    let mut body = Vec::new();
    let read = stream.take(length).read_to_end(&mut body).await.ok()?;
    (read as u64 == length).then_some(body)
}

async fn chunked(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream).await?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).ok()?;
        if size == 0 {
            // Trailers, and the empty line after them.
            while !line(stream).await?.is_empty() {}
            return Some(body);
        }
        if size > LARGEST_BODY - body.len() as u64 {
            return None;
        }
        body.extend(sized(stream, size).await?);
        line(stream).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Request {
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    #[test]
    fn answers_are_given_in_order_and_the_last_goes_on() {
        let to = |path: &str, status: u16| HttpAnswer {
            path: Some(path.to_owned()),
            status: Some(status),
            ..HttpAnswer::default()
        };
        let answers = Answers::new(vec![to("/a", 500), to("/b", 404), to("/a", 200)]);
        let status = |path: &str| {
            answers
                .to(&request("GET", path))
                .and_then(|each| each.status)
        };
        assert_eq!(
            [
                status("/a"),
                status("/a"),
                status("/a"),
                status("/b"),
                status("/c")
            ],
            [Some(500), Some(200), Some(200), Some(404), None]
        );
    }

    #[test]
    fn an_answer_is_whole() {
        let answer = HttpAnswer {
            json: Some(toml::Value::Boolean(true)),
            ..HttpAnswer::default()
        };
        let text = String::from_utf8(spelled_out(&answer, "GET")).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\ntrue"
        );
        assert!(
            !String::from_utf8(spelled_out(&answer, "HEAD"))
                .unwrap()
                .ends_with("true")
        );
    }
}

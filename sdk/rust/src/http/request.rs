//! A request, from its first header to its answer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, HeaderError, IncomingBody, Method, OutgoingBody,
    OutgoingRequest, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;

use super::auth::Auth;
use super::cookies::Cookies;
use super::failure::translate;
use super::response::Response;
use crate::bindings::http_settings;
use crate::tls::Verify;
use crate::url::encode_component;
use crate::wait::Deadline;
use crate::{Error, Url};

/// How much of a body is kept unless the request says otherwise.
const BODY_LIMIT: u64 = 1 << 20;

/// How much one call to the host carries at most: what it takes without waiting.
const CHUNK: usize = 4096;

/// What may follow a redirect to another origin: nothing that could be a secret.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// A request that is being put together.
///
/// A mistake on the way, such as a URL that is none, comes out of [`send`](Self::send).
#[derive(Clone, Debug)]
#[must_use]
pub struct Request {
    method: String,
    url: Result<Url, Error>,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    timeout: Option<Duration>,
    body_limit: u64,
    redirects: u32,
    verify: Verify,
}

impl Request {
    /// A request of any method.
    pub fn new(method: &str, url: impl AsRef<str>) -> Self {
        let url = url.as_ref();
        let parsed = Url::parse(url).map_err(|error| Error::Invalid(format!("URL: {error}")));
        Self::to(method, parsed)
    }

    /// A request of any method to a URL that was parsed.
    pub fn to_url(method: &str, url: Url) -> Self {
        Self::to(method, Ok(url))
    }

    /// A GET request.
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::new("GET", url)
    }

    /// A POST request.
    pub fn post(url: impl AsRef<str>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header; one of the same name stays. `Connection` and the like are
    /// the host's to set; what `Host` names must be granted as the URL is.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers
            .push((name.into().to_ascii_lowercase(), value.into()));
        self
    }

    /// Sends a user name and password.
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        self.header("authorization", format!("Basic {encoded}"))
    }

    /// Sends a token.
    pub fn bearer_auth(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sends what the configuration has as credentials.
    pub fn auth(self, auth: &Auth) -> Self {
        match auth {
            Auth::Basic(basic) => self.basic_auth(&basic.username, basic.password.expose()),
            Auth::Bearer(token) => self.bearer_auth(token.expose()),
        }
    }

    /// Sends bytes as they are.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.header("content-type", "application/json").body(body),
            Err(error) => {
                self.url = Err(Error::Invalid(format!("the body cannot be JSON: {error}")));
                self
            }
        }
    }

    /// Sends names and values as a form.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: &[(N, V)]) -> Self {
        let mut body = String::new();
        for (name, value) in fields {
            if !body.is_empty() {
                body.push('&');
            }
            encode_component(name.as_ref(), &mut body);
            body.push('=');
            encode_component(value.as_ref(), &mut body);
        }
        self.header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// Gives up when all of it, redirects and body included, takes longer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Keeps so many bytes of the body and reads no further (1 MiB unless
    /// given). The host lets 4 MiB through unless the operator says otherwise.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Follows up to so many redirects. To another origin it goes without any
    /// header that could be a secret.
    pub fn redirects(mut self, times: u32) -> Self {
        self.redirects = times;
        self
    }

    /// Whether a certificate that is not trusted fails this request and its
    /// redirects ([`Verify::Required`], unless given). With [`Verify::Reported`]
    /// it goes on, and [`exchanges`](super::exchanges) says why the certificate
    /// is not trusted: whoever is on the way can then read and change all of it.
    pub fn verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// Sends the request and reads the answer.
    pub fn send(self) -> Result<Response, Error> {
        self.follow(None)
    }

    /// As [`send`](Self::send), with the cookies that fit; keeps what is set, by the
    /// redirects on the way too. A header `Cookie` of the request's own is sent
    /// instead.
    pub fn send_with(self, cookies: &mut Cookies) -> Result<Response, Error> {
        self.follow(Some(cookies))
    }

    fn follow(self, mut cookies: Option<&mut Cookies>) -> Result<Response, Error> {
        let deadline = Deadline::after(self.timeout);
        let (mut request, mut url) = match self.url.clone() {
            Ok(url) => (self, url),
            Err(error) => return Err(error),
        };
        if !request.has("user-agent") {
            request = request.header(
                "user-agent",
                concat!("Watchkeeper/", env!("CARGO_PKG_VERSION")),
            );
        }
        if !request.has("authorization")
            && let Some((user, password)) = url.credentials()
        {
            request = request.basic_auth(user, password);
        }
        // The host keeps it for the run: an earlier request may have changed it.
        http_settings::verify(request.verify);
        let mut is_redirected = false;
        loop {
            let response = request
                .with_cookies(&url, deadline, cookies.as_deref_mut())
                .map_err(|error| match error {
                    // Whoever wrote the first URL is not to blame for the next.
                    Error::Invalid(why) if is_redirected => {
                        let why = why.strip_prefix("URL: ").unwrap_or(&why);
                        Error::Malformed(format!("redirected to {url}: {why}"))
                    }
                    error => error,
                })?;
            let location = match response.status {
                301 | 302 | 303 | 307 | 308 => response.header("location"),
                _ => None,
            };
            let Some(location) = location else {
                return Ok(response);
            };
            if request.redirects == 0 {
                return Ok(response);
            }
            let next = url.join(&location).map_err(|error| {
                Error::Malformed(format!(
                    "redirected to {location}, which is no URL: {error}"
                ))
            })?;
            request = request.redirected(response.status, url.same_origin(&next));
            url = next;
            is_redirected = true;
        }
    }

    /// One exchange, with the cookies that `url` may see; keeps those that it sets.
    fn with_cookies(
        &self,
        url: &Url,
        deadline: Deadline,
        cookies: Option<&mut Cookies>,
    ) -> Result<Response, Error> {
        let Some(cookies) = cookies else {
            return self.exchange(url, deadline);
        };
        let mut request = self.clone();
        if let (false, Some(cookie)) = (self.has("cookie"), cookies.header(url)) {
            request = request.header("cookie", cookie);
        }
        let response = request.exchange(url, deadline)?;
        for (_, set) in response.headers().filter(|(name, _)| *name == "set-cookie") {
            cookies.take(url, &set);
        }
        Ok(response)
    }

    fn to(method: &str, url: Result<Url, Error>) -> Self {
        Self {
            method: method.to_ascii_uppercase(),
            url,
            headers: Vec::new(),
            body: None,
            timeout: None,
            body_limit: BODY_LIMIT,
            redirects: 0,
            verify: Verify::Required,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other == name)
    }

    /// The request that follows a redirect of `status` (RFC 9110 section 15.4).
    fn redirected(mut self, status: u16, same_origin: bool) -> Self {
        self.redirects -= 1;
        let becomes_get = match status {
            303 => self.method != "HEAD",
            301 | 302 => self.method == "POST",
            _ => false,
        };
        if becomes_get {
            "GET".clone_into(&mut self.method);
            self.body = None;
            self.headers
                .retain(|(name, _)| !name.starts_with("content-"));
        }
        if !same_origin {
            self.headers
                .retain(|(name, _)| HARMLESS.contains(&name.as_str()));
        }
        self
    }

    fn exchange(&self, url: &Url, deadline: Deadline) -> Result<Response, Error> {
        let outgoing = self.outgoing(url)?;
        let body = outgoing
            .body()
            .map_err(|()| Error::Host("no body to write".to_owned()))?;
        let future =
            outgoing_handler::handle(outgoing, None).map_err(|code| translate(code, url))?;
        // The host reads the body only once it has the request. A server may
        // answer or close before it read all: its answer then says more than
        // the failed write.
        send_body(body, self.body.as_deref().unwrap_or_default(), deadline)?;
        self.receive(&future, url, deadline)
    }

    fn outgoing(&self, url: &Url) -> Result<OutgoingRequest, Error> {
        let fields = Fields::new();
        for (name, value) in &self.headers {
            fields.append(name, value).map_err(|error| match error {
                HeaderError::Forbidden => {
                    Error::Invalid(format!("header {name}: is the host's to set"))
                }
                HeaderError::InvalidSyntax | HeaderError::Immutable => {
                    Error::Invalid(format!("header {name}: no header can be so"))
                }
            })?;
        }
        if let Some(body) = &self.body {
            let length = body.len().to_string();
            fields
                .append("content-length", length.as_bytes())
                .map_err(|_| Error::Invalid("header content-length: given twice".to_owned()))?;
        }
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => {
                return Err(Error::Invalid(format!(
                    "URL: {other} is neither http nor https"
                )));
            }
        };
        let outgoing = OutgoingRequest::new(fields);
        let unfit = |()| Error::Invalid(format!("{} {url}: cannot be asked for", self.method));
        outgoing.set_method(&method(&self.method)).map_err(unfit)?;
        outgoing.set_scheme(Some(&scheme)).map_err(unfit)?;
        outgoing
            .set_authority(Some(&url.authority()))
            .map_err(unfit)?;
        outgoing
            .set_path_with_query(Some(&url.path_and_query()))
            .map_err(unfit)?;
        Ok(outgoing)
    }

    fn receive(
        &self,
        future: &FutureIncomingResponse,
        url: &Url,
        deadline: Deadline,
    ) -> Result<Response, Error> {
        deadline.wait(&future.subscribe())?;
        let incoming = match future.get() {
            Some(Ok(Ok(incoming))) => incoming,
            Some(Ok(Err(code))) => return Err(translate(code, url)),
            Some(Err(())) | None => {
                return Err(Error::Host("no answer though it is ready".to_owned()));
            }
        };
        let mut response = Response {
            status: incoming.status(),
            headers: incoming.headers().entries(),
            body: Vec::new(),
            cut: None,
            url: url.clone(),
        };
        let body = incoming
            .consume()
            .map_err(|()| Error::Host("no body to read".to_owned()))?;
        read_body(&body, &mut response, self.body_limit, deadline)?;
        Ok(response)
    }
}

fn send_body(body: OutgoingBody, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
    if !bytes.is_empty()
        && let Ok(stream) = body.write()
    {
        let mut rest = bytes;
        while !rest.is_empty() {
            deadline.wait(&stream.subscribe())?;
            let Ok(room) = stream.check_write() else {
                return Ok(());
            };
            let room = usize::try_from(room)
                .unwrap_or(CHUNK)
                .min(CHUNK)
                .min(rest.len());
            let (now, later) = rest.split_at(room);
            if stream.write(now).is_err() {
                return Ok(());
            }
            rest = later;
        }
        if stream.flush().is_err() {
            return Ok(());
        }
        deadline.wait(&stream.subscribe())?;
    }
    // An unfinished body shows in the answer.
    drop(OutgoingBody::finish(body, None));
    Ok(())
}

fn read_body(
    body: &IncomingBody,
    response: &mut Response,
    limit: u64,
    deadline: Deadline,
) -> Result<(), Error> {
    let stream = body
        .stream()
        .map_err(|()| Error::Host("no body to read".to_owned()))?;
    loop {
        deadline.wait(&stream.subscribe())?;
        match stream.read(64 * 1024) {
            Ok(bytes) => response.body.extend_from_slice(&bytes),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => translate(code, &response.url),
                    None => Error::Closed,
                });
            }
        }
        if response.body.len() as u64 > limit {
            response
                .body
                .truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            response.cut = Some(limit);
            return Ok(());
        }
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(request: &Request, name: &str) -> Option<String> {
        let found = request.headers.iter().find(|(other, _)| other == name)?;
        Some(String::from_utf8_lossy(&found.1).into_owned())
    }

    #[test]
    fn credentials_and_bodies_are_encoded() {
        let request = Request::post("http://a.test")
            .basic_auth("me", "päss")
            .form(&[("a b", "c&d")]);
        assert_eq!(
            header(&request, "authorization").unwrap(),
            "Basic bWU6cMOkc3M="
        );
        assert_eq!(request.body.unwrap(), b"a%20b=c%26d");
    }

    #[test]
    fn a_redirect_elsewhere_takes_no_secret_along() {
        let request = Request::post("http://a.test")
            .redirects(1)
            .bearer_auth("t")
            .header("X-Key", "k")
            .header("Accept", "*/*")
            .json(&1);
        let same = request.clone().redirected(307, true);
        assert_eq!((same.method.as_str(), same.body.is_some()), ("POST", true));
        assert!(same.has("authorization") && same.has("x-key"));
        let other = request.redirected(302, false);
        assert_eq!(
            (other.method.as_str(), other.body.is_some()),
            ("GET", false)
        );
        assert_eq!(other.headers, [("accept".to_owned(), b"*/*".to_vec())]);
    }

    #[test]
    fn a_mistake_comes_out_of_send() {
        let error = Request::get("a.test").send().unwrap_err();
        assert_eq!(
            error,
            Error::Invalid("URL: no scheme: write it like https://host/path".to_owned())
        );
    }
}

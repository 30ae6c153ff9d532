//! What a server answered.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::answers::Answers;
use crate::{Error, Failure, Url};

/// What a server answered, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// The limit that the body went past, if it did.
    pub(super) cut: Option<u64>,
    pub(super) url: Url,
}

impl Response {
    /// An answer that no server gave, for tests.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_ascii_lowercase(), value.into()))
                .collect(),
            body: body.into(),
            cut: None,
            url: Url::parse("http://test.invalid/").expect("is a URL"),
        }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status code is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The URL that gave this answer, after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The first header of that name, in any case; what is no UTF-8 in it
    /// becomes U+FFFD.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers in the order they came; names may come more than once.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value)))
    }

    /// The body; [`Error::TooLarge`] where it went past the request's limit.
    pub fn bytes(&self) -> Result<&[u8], Error> {
        match self.cut {
            Some(limit) => Err(Error::TooLarge(limit)),
            None => Ok(&self.body),
        }
    }

    /// The body up to the request's limit.
    pub fn start(&self) -> &[u8] {
        &self.body
    }

    /// The body as UTF-8; what is none becomes U+FFFD.
    pub fn text(&self) -> Result<Cow<'_, str>, Error> {
        self.bytes().map(String::from_utf8_lossy)
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes()?).map_err(|error| {
            Error::Malformed(format!("the answer is not the JSON expected: {error}"))
        })
    }

    /// This answer if its status is 2xx; otherwise [`Error::Malformed`], which
    /// names the status.
    pub fn success(self) -> Result<Self, Error> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(Error::Malformed(format!("status {}", self.status)))
        }
    }

    /// Whether this answer says that a notice was taken: any 2xx does. After 408,
    /// 425, 429 and 5xx trying again may help, after the time that the receiver
    /// names in `Retry-After`; after any other status it cannot. [`Answers`] knows
    /// of services that say more.
    pub fn delivered(&self) -> Result<(), Failure> {
        Answers::default().judge(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_was_cut_is_no_whole_answer() {
        let mut response = Response::new(200, &[("A", "b")], "{\"a\":1");
        assert_eq!(response.header("a").as_deref(), Some("b"));
        assert!(matches!(response.json::<i32>(), Err(Error::Malformed(_))));
        response.cut = Some(7);
        assert_eq!(response.text(), Err(Error::TooLarge(7)));
        assert_eq!(response.start(), b"{\"a\":1");
    }
}

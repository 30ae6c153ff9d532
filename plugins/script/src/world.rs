//! What a script can reach besides itself: the grants, a clock, what it keeps.
//!
//! The evaluator knows this trait alone, so that it is tested without a sandbox.

mod sandboxed;

use std::time::Duration;

use watchkeeper_sdk::Error;

pub(crate) use sandboxed::Sandboxed;

/// The way out of a script.
pub(crate) trait World {
    /// Makes an HTTP request.
    fn http(&self, request: &HttpRequest) -> Result<HttpAnswer, Error>;

    /// Connects, sends, and reads until the peer closes, `until` has come, or the
    /// time is over; that it is over is no error once connected.
    fn tcp(&self, talk: &Talk<'_>) -> Result<Heard, Error>;

    /// The records of `kind` at `name`: a response code and their data.
    fn dns(
        &self,
        name: &str,
        kind: &str,
        server: Option<&str>,
        timeout: Duration,
    ) -> Result<(String, Vec<Record>), Error>;

    /// Each address of `host` and how long its echo took.
    fn ping(&self, host: &str, timeout: Duration) -> Result<Vec<(String, Duration)>, Error>;

    /// Does nothing for so long.
    fn sleep(&self, span: Duration);

    /// Nanoseconds since 1970.
    fn now(&self) -> u64;

    /// What is left of the check's time.
    fn remaining(&self) -> Duration;

    /// What was kept under `key` by a check before this.
    fn recall(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps a value for the checks after this; none forgets it.
    fn keep(&self, key: &str, value: Option<&[u8]>) -> Result<(), Error>;
}

/// An HTTP request, as a script puts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) basic: Option<(String, String)>,
    pub(crate) redirects: u32,
    pub(crate) timeout: Duration,
    /// Goes on where the server's certificate is not trusted.
    pub(crate) insecure: bool,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Where it came from, redirects followed.
    pub(crate) url: String,
    /// From the request to the last byte.
    pub(crate) took: Duration,
    /// The parts of that, where known.
    pub(crate) resolve: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) tls: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    /// The address that answered.
    pub(crate) address: Option<String>,
}

/// One conversation over TCP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) send: &'a [u8],
    /// A text that ends the conversation when it comes.
    pub(crate) until: Option<&'a str>,
    /// Whether anything is waited for.
    pub(crate) listen: bool,
    pub(crate) timeout: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    pub(crate) connect: Duration,
}

/// A DNS record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) ttl_seconds: u32,
    pub(crate) data: String,
}

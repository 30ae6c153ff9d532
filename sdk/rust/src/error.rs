//! Why a call to the network had no result, in words for people.

use std::fmt;
use std::time::Duration;

use crate::time::in_words;

/// Why a call to the network had no result.
///
/// By `?` it becomes a [`Stop`](crate::Stop) in a probe and a
/// [`Failure`](crate::Failure) in a notifier; each variant says as what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The host refused the call: the plugin did not ask for it, or the operator
    /// did not grant it. Undecided; permanent.
    Denied(String),
    /// The call cannot be made as it was put, such as a malformed URL.
    /// Misconfigured; permanent.
    Invalid(String),
    /// The name leads to no address; says so with the name. Dead; temporary.
    Unresolved(String),
    /// Nothing listens there. Dead; temporary.
    Refused,
    /// No way leads there. Dead; temporary.
    Unreachable,
    /// The peer ended the connection too early. Dead; temporary.
    Closed,
    /// No answer came in time: how long that was, where known. Dead; temporary.
    TimedOut(Option<Duration>),
    /// The certificate is not trusted; says why, to be read after the word
    /// certificate: `is self-signed`. Dead; temporary.
    Untrusted(String),
    /// TLS could not be agreed upon; says why. Dead; temporary.
    Handshake(String),
    /// More bytes came than the given limit. Undecided; permanent.
    TooLarge(u64),
    /// The answer is not what it claims to be, such as text that is no JSON.
    /// Dead; temporary.
    Malformed(String),
    /// The host itself failed or is at a limit. Undecided; temporary.
    Host(String),
    /// Anything else that went wrong on the way. Dead; temporary.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) => write!(f, "denied: {why}"),
            Self::Refused => f.write_str("connection refused"),
            Self::Unreachable => f.write_str("no route to the host"),
            Self::Closed => f.write_str("connection closed before the answer was complete"),
            Self::TimedOut(Some(after)) => write!(f, "no answer in {}", in_words(*after)),
            Self::TimedOut(None) => f.write_str("no answer in time"),
            Self::Untrusted(why) => write!(f, "certificate {why}"),
            Self::TooLarge(limit) => write!(f, "the answer is larger than {limit} bytes"),
            Self::Invalid(why)
            | Self::Unresolved(why)
            | Self::Handshake(why)
            | Self::Malformed(why)
            | Self::Host(why)
            | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The host's words for a failed look-up seldom have the name in them.
    pub(crate) fn unresolved(host: &str, why: &str) -> Self {
        Self::Unresolved(match why {
            "" | "NXDOMAIN" | "no such host" => format!("no such host: {host}"),
            why => format!("{host}: {why}"),
        })
    }
}

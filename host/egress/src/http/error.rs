//! Why an exchange failed.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::gate::{DialError, Gate, Limit, limit_of};
use crate::reason;
use crate::tls::TlsError;

/// Why an exchange failed, in the words that people expect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// There was no connection.
    #[error(transparent)]
    Dial(DialError),
    /// There was no TLS.
    #[error(transparent)]
    Tls(TlsError),
    /// The other side fell silent.
    #[error("no answer in {}", reason::duration(*.after))]
    NoAnswer {
        /// When.
        phase: Phase,
        /// For how long.
        after: Duration,
    },
    /// The connection broke off; says how.
    #[error("{0}")]
    Broken(String),
    /// What came is no HTTP; says why.
    #[error("not an HTTP response: {0}")]
    NotHttp(String),
    /// The request cannot be sent; says why.
    #[error("{0}")]
    BadRequest(String),
    /// The run's budget is spent.
    #[error("limit reached: {0}")]
    Limit(#[from] Limit),
}

/// A part of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Look-up, TCP and TLS.
    Connect,
    /// Waiting for the response's head.
    FirstByte,
    /// Waiting for more of its body.
    Body,
}

impl HttpError {
    pub(super) fn from_dial(error: DialError, limit: Duration) -> Self {
        match error {
            DialError::Limit(limit) => Self::Limit(limit),
            DialError::TimedOut(_) => Self::NoAnswer {
                phase: Phase::Connect,
                after: limit,
            },
            error => Self::Dial(error),
        }
    }

    pub(super) fn from_tls(error: TlsError, limit: Duration) -> Self {
        match error {
            TlsError::Limit(limit) => Self::Limit(limit),
            TlsError::TimedOut(_) => Self::NoAnswer {
                phase: Phase::Connect,
                after: limit,
            },
            error => Self::Tls(error),
        }
    }

    pub(super) fn from_hyper(error: &hyper::Error, gate: &Gate) -> Self {
        if let Some(io) = io_of(error) {
            return match limit_of(io) {
                Some(limit) => Self::Limit(limit),
                None => Self::Broken(reason::of_io(io)),
            };
        }
        // hyper hides the cause of some errors; a spent budget is then the cause.
        if let Some(limit @ Limit::Traffic(_)) = gate.limit_hit() {
            return Self::Limit(limit);
        }
        if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            return Self::Broken(reason::of_io(&io::ErrorKind::UnexpectedEof.into()));
        }
        if error.is_parse() {
            return Self::NotHttp(error.to_string());
        }
        if error.is_user() {
            return Self::BadRequest(chain_text(error));
        }
        Self::Broken(chain_text(error))
    }
}

fn io_of(error: &hyper::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = error.source();
    }
    None
}

fn chain_text(error: &hyper::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

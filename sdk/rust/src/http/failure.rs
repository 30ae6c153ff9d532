//! The host's error codes in words.

use wasip2::http::types::ErrorCode;

use crate::{Error, Url};

/// What `code` means for a request to `url`.
pub(super) fn translate(code: ErrorCode, url: &Url) -> Error {
    let unresolved = |why| Error::unresolved(url.host().unwrap_or_default(), why);
    match code {
        ErrorCode::DnsError(payload) => unresolved(payload.rcode.as_deref().unwrap_or_default()),
        ErrorCode::DnsTimeout => unresolved("the resolver did not answer"),
        ErrorCode::DestinationNotFound => unresolved(""),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            Error::Unreachable
        }
        ErrorCode::HttpRequestDenied => Error::Denied(format!(
            "HTTP to {}, which the plugin did not ask for or the configuration does not grant",
            destination(url)
        )),
        ErrorCode::DestinationIpProhibited => {
            Error::Denied(format!("HTTP to the address of {}", destination(url)))
        }
        ErrorCode::ConnectionRefused => Error::Refused,
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => Error::Closed,
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Error::TimedOut(None),
        ErrorCode::ConnectionLimitReached => Error::Host("at the limit of connections".to_owned()),
        // Where the host knows why, it says so in words, below.
        ErrorCode::TlsCertificateError => {
            Error::Untrusted("is not trusted for this name".to_owned())
        }
        ErrorCode::TlsAlertReceived(payload) => Error::Handshake(match payload.alert_message {
            Some(alert) => format!("the server sent the alert {alert}"),
            None => "the server sent an alert".to_owned(),
        }),
        ErrorCode::TlsProtocolError => {
            Error::Handshake("the server does not speak TLS as it should".to_owned())
        }
        ErrorCode::HttpResponseBodySize(Some(limit)) => Error::TooLarge(limit),
        ErrorCode::HttpResponseBodySize(None) => {
            Error::Host("the body is larger than the host lets through".to_owned())
        }
        ErrorCode::HttpRequestMethodInvalid => Error::Invalid("no such HTTP method".to_owned()),
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => {
            Error::Invalid(format!("{url} is no URL to ask for"))
        }
        ErrorCode::HttpResponseHeaderSectionSize(_) | ErrorCode::HttpResponseHeaderSize(_) => {
            Error::Malformed("the answer's headers are too long".to_owned())
        }
        ErrorCode::HttpProtocolError
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_)
        | ErrorCode::HttpUpgradeFailed => Error::Malformed("the answer is no HTTP".to_owned()),
        ErrorCode::LoopDetected => {
            Error::Failed("the request came back to where it started".to_owned())
        }
        ErrorCode::ConfigurationError => Error::Host("the host's HTTP is misconfigured".to_owned()),
        ErrorCode::InternalError(Some(why)) => match why.strip_prefix("certificate ") {
            Some(why) => Error::Untrusted(why.to_owned()),
            None => Error::Failed(why),
        },
        ErrorCode::InternalError(None) => Error::Host("the host failed".to_owned()),
        ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_) => {
            Error::Invalid("the request is larger than the host lets through".to_owned())
        }
    }
}

fn destination(url: &Url) -> String {
    let port = url.port_or_default().map(|port| format!(":{port}"));
    format!(
        "{}{}",
        url.host().unwrap_or_default(),
        port.unwrap_or_default()
    )
}

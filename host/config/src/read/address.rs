//! Where things are: addresses, paths, URLs.

use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use crate::read::scalar::{text, wrong};
use crate::read::{Context, FromNode};
use crate::tree::Node;

/// An address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) SocketAddr);

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl FromNode for Address {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str =
            "an IP address and port such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
        let text = text(node, EXPECTED, cx)?;
        if let Ok(address) = text.parse() {
            return Some(Self(address));
        }
        let instead = match text.rsplit_once(':') {
            Some(("", port)) => format!("write \"0.0.0.0:{port}\" for every IPv4 address"),
            Some(("localhost", port)) => format!("write \"127.0.0.1:{port}\""),
            _ => "write the port after a colon, an IPv6 address in brackets".to_owned(),
        };
        wrong(node, format!("must be {EXPECTED}"), Some(instead), cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^.+:[0-9]{1,5}$" })
    }
}

/// A path of a file or folder; a relative one starts at the folder of the file
/// it is written in.
#[derive(Clone, Debug)]
pub(crate) struct PathText(pub(crate) String);

impl FromNode for PathText {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a path", cx)?;
        if text.is_empty() || text.contains('\0') {
            wrong(node, "must be the path of a file or folder", None, cx);
            return None;
        }
        Some(Self(text))
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// An `http` or `https` URL, without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct WebUrl(pub(crate) String);

impl FromNode for WebUrl {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a URL such as \"https://example.com\"";
        let text = text(node, EXPECTED, cx)?;
        if !is_web_url(&text) {
            wrong(node, format!("must be {EXPECTED}"), None, cx);
            return None;
        }
        Some(Self(text.trim_end_matches('/').to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^https?://" })
    }
}

/// Where to ask for help: a web page or a `mailto:` address.
#[derive(Clone, Debug)]
pub(crate) struct SupportUrl(pub(crate) String);

impl FromNode for SupportUrl {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str =
            "a URL such as \"https://example.com/help\" or \"mailto:help@example.com\"";
        let text = text(node, EXPECTED, cx)?;
        let is_mail = |text: &str| {
            let address = text
                .strip_prefix("mailto:")
                .and_then(|rest| rest.split_once('@'));
            address.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
                && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if is_web_url(&text) || is_mail(&text) {
            return Some(Self(text));
        }
        let instead = text
            .contains('@')
            .then(|| format!("write \"mailto:{text}\""));
        wrong(node, format!("must be {EXPECTED}"), instead, cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(https?://|mailto:.+@)" })
    }
}

/// Whether `text` is an absolute `http` or `https` URL with a host.
pub(crate) fn is_web_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// The address of something to check: no white space, no control characters, at
/// most 2,048 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TargetAddress(pub(crate) String);

/// The longest target, in characters: what browsers and proxies take as a URL.
const MAX_TARGET: usize = 2048;

impl std::fmt::Display for TargetAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromNode for TargetAddress {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a text such as \"https://example.com\"", cx)?;
        let problem = if text.is_empty() {
            "must not be empty"
        } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            "must not contain white space or control characters"
        } else if text.chars().count() > MAX_TARGET {
            "must have at most 2048 characters"
        } else {
            return Some(Self(text));
        };
        wrong(node, problem, None, cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX_TARGET, "pattern": "^[^\\s]+$" })
    }
}

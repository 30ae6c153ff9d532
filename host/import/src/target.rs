//! Addresses: what of them may stand in a target, and what must not.

use std::fmt::Write as _;

use crate::context::Context;
use crate::draft::Keys;
use crate::report::Place;
use crate::secrets::sounds_secret;

/// The longest target, in bytes.
const MAX_TARGET: usize = 2_048;

/// The parts of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Host and port, as they are written.
    pub(crate) authority: String,
    /// Path, query and fragment.
    pub(crate) rest: String,
}

impl Url {
    /// Takes a URL apart; none where it has no `scheme://host`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, behind) = text.trim().split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(is_scheme) {
            return None;
        }
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at(end);
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, authority),
        };
        let (user, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
            Some(Ok((user, password))) => (Some(decoded(user)), Some(decoded(password))),
            Some(Err(user)) => (Some(decoded(user)), None),
            None => (None, None),
        };
        if authority.is_empty() {
            return None;
        }
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            user: user.filter(|user| !user.is_empty()),
            password: password.filter(|password| !password.is_empty()),
            authority: authority.to_owned(),
            rest: rest.to_owned(),
        })
    }

    /// The host without its port, an IPv6 address in brackets.
    pub(crate) fn host(&self) -> &str {
        split_port(&self.authority).0
    }

    /// The URL without user and password.
    pub(crate) fn without_user(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.rest)
    }
}

/// Host and port of an authority.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !host.is_empty() => {
            // An IPv6 address without brackets has no port.
            if host.contains(':') && !host.starts_with('[') {
                (authority, None)
            } else {
                (host, Some(port))
            }
        }
        _ => (authority, None),
    }
}

/// A host as it stands in an authority: IPv6 addresses in brackets.
pub(crate) fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// An address of the web as a target. User and password go to `auth.basic`;
/// parameters that look like secrets are taken out and reported, as targets are
/// shown to people.
pub(crate) fn web(
    address: &str,
    words: &str,
    config: &mut Keys,
    place: &Place,
    cx: &mut Context<'_>,
) -> Option<String> {
    let address = cx.plain(address, place);
    let Some(url) = Url::parse(&address) else {
        cx.lost(place, "no address with a scheme and a host");
        return None;
    };
    if let Some(user) = &url.user {
        config.set("auth.basic.username", user.as_str());
        let secret = url.password.as_deref();
        let secret = secret.and_then(|it| cx.secret(&format!("{words} password"), it, place));
        config.set("auth.basic.password", secret.unwrap_or_else(|| "".into()));
    }
    shown(&url, place, cx)
}

/// A URL without user as a target that may be shown.
pub(crate) fn shown(url: &Url, place: &Place, cx: &mut Context<'_>) -> Option<String> {
    let (before, fragment) = match url.rest.split_once('#') {
        Some((before, _)) => (before, true),
        None => (url.rest.as_str(), false),
    };
    if fragment {
        cx.differs(place, "the part behind `#` is left out: it is never sent");
    }
    let mut rest = before.to_owned();
    if let Some((path, query)) = before.split_once('?') {
        let mut parameters = Vec::new();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if sounds_secret(name) && !value.is_empty() {
                cx.lost(place, format!("the parameter `{name}` looks like a secret, and targets are shown in notices: its value is left out. Send it in a header instead, or write it into the target"));
                parameters.push(format!("{name}=REMOVED"));
            } else {
                parameters.push(parameter.to_owned());
            }
        }
        rest = format!("{path}?{}", parameters.join("&"));
    }
    let bare = Url {
        rest,
        ..url.clone()
    };
    checked(&bare.without_user(), place, cx)
}

/// A target that has no white space and is not too long; reported otherwise.
pub(crate) fn checked(target: &str, place: &Place, cx: &mut Context<'_>) -> Option<String> {
    let written: String = target
        .trim()
        .chars()
        .map(|c| {
            if c == ' ' {
                "%20".to_owned()
            } else {
                c.to_string()
            }
        })
        .collect();
    if written.chars().any(|c| c.is_whitespace() || c.is_control()) {
        cx.lost(
            place,
            "the address has white space or control characters in it",
        );
        return None;
    }
    if written.len() > MAX_TARGET || written.is_empty() {
        cx.lost(
            place,
            format!("an address must have 1 to {MAX_TARGET} characters"),
        );
        return None;
    }
    Some(written)
}

/// A text for a part of a URL, everything but letters, digits and `-._~`
/// percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut result = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            result.push(char::from(byte));
        } else {
            write!(result, "%{byte:02X}").expect("a string takes everything");
        }
    }
    result
}

/// A percent-encoded text; as it is where that makes no UTF-8.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = (ahead.next(), ahead.next());
        if let (b'%', (Some(high), Some(low))) = (byte, digits)
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            bytes.push(high * 16 + low);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::{Url, decoded, encoded, split_port};

    #[test]
    fn urls_come_apart() {
        let url = Url::parse("HTTPS://me:p%40ss@[::1]:8443/a?b=c").unwrap();
        assert_eq!(url.user.as_deref(), Some("me"));
        assert_eq!(url.password.as_deref(), Some("p@ss"));
        assert_eq!((url.host(), url.rest.as_str()), ("[::1]", "/a?b=c"));
        assert_eq!(url.without_user(), "https://[::1]:8443/a?b=c");
        for wrong in ["", "example.com", "://x", "http://", "ht tp://x"] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
        assert_eq!(split_port("a:1"), ("a", Some("1")));
        assert_eq!(split_port("::1"), ("::1", None));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
    }

    #[test]
    fn encoding_goes_both_ways() {
        assert_eq!(encoded("a/b ö"), "a%2Fb%20%C3%B6");
        assert_eq!(decoded("a%2Fb%20%C3%B6"), "a/b ö");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%ff"), "%ff");
        assert_eq!(decoded("%2"), "%2");
    }
}

//! What browsers show, and what follows from it.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use sha2::{Digest as _, Sha256};

/// The cookie of who is signed in.
pub(super) const SESSION: &str = "watchkeeper";

/// The cookie of who is about to sign in.
pub(super) const STRANGER: &str = "watchkeeper-form";

/// The longest value of a cookie that is looked at, in bytes.
const LONGEST_COOKIE: usize = 200;

/// What a browser shows in a cookie.
pub(super) fn shown(headers: &HeaderMap, name: &str) -> Option<Arc<str>> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, value)| *known == name && !value.is_empty() && value.len() <= LONGEST_COOKIE)
        .map(|(_, value)| value.into())
}

pub(super) fn cookie(name: &str, value: &str, seconds: u32, is_encrypted: bool) -> HeaderValue {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let cookie = format!(
        "{name}={value}; Path=/admin; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    let mut cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    cookie.set_sensitive(true);
    cookie
}

/// What the forms of a browser that shows this must hold. Who knows it does not know
/// what the browser shows.
pub(super) fn token_of(shown: &str) -> Arc<str> {
    let mut hash = Sha256::new();
    hash.update(b"watchkeeper form\0");
    hash.update(shown.as_bytes());
    hex(&hash.finalize())
}

/// 256 bits that nobody can guess; `None` where the system has none.
pub(super) fn random() -> Option<Arc<str>> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

fn hex(bytes: &[u8]) -> Arc<str> {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a `String` cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found() {
        let headers = HeaderMap::from_iter([(
            COOKIE,
            "a=b; watchkeeper-form=1; watchkeeper=xyz".parse().unwrap(),
        )]);
        assert_eq!(shown(&headers, SESSION).as_deref(), Some("xyz"));
        assert_eq!(shown(&headers, STRANGER).as_deref(), Some("1"));
        assert_eq!(shown(&HeaderMap::new(), SESSION), None);
    }

    #[test]
    fn what_forms_hold_does_not_tell_the_cookie() {
        let shown = random().unwrap();
        assert_eq!(token_of(&shown), token_of(&shown));
        assert!(!token_of(&shown).contains(&*shown) && token_of(&shown).len() == 64);
    }
}

//! Cookies, from one request of a run to the next (RFC 6265).

use std::time::{Duration, UNIX_EPOCH};

use crate::{Timestamp, Url};

/// How many cookies are kept: as many as RFC 6265 section 6.1 wants for a domain.
/// Beyond it the oldest goes.
const KEPT: usize = 50;

/// The longest cookie that is kept, name and value together, in bytes (RFC 6265
/// section 6.1). A longer one is left out.
const LONGEST: usize = 4096;

/// The cookies of one run, as a browser keeps those of one session.
///
/// [`Request::send_with`](super::Request::send_with) sends what fits the URL and
/// keeps what the answer sets, of every redirect on the way too. A cookie for a
/// whole domain (`Domain=`) is sent to the hosts below it; there is no list of
/// public suffixes, so that a server could set one for `co.uk`, which reaches no
/// host that the run was not granted.
#[derive(Clone, Debug, Default)]
pub struct Cookies {
    /// The oldest first.
    kept: Vec<Cookie>,
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether it is for the domain itself and no host below it.
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<Timestamp>,
}

impl Cookies {
    /// The value of the cookie of that name that would be sent to `url`.
    pub fn get(&self, url: &Url, name: &str) -> Option<&str> {
        self.fitting(url, Timestamp::now())
            .into_iter()
            .find(|cookie| cookie.name == name)
            .map(|cookie| cookie.value.as_str())
    }

    /// What a request to `url` has as `Cookie`; none where none fits.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let pairs: Vec<String> = self
            .fitting(url, Timestamp::now())
            .into_iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer of `url` sets with one `Set-Cookie`.
    pub(super) fn take(&mut self, url: &Url, set_cookie: &str) {
        self.take_at(url, set_cookie, Timestamp::now());
    }

    fn take_at(&mut self, url: &Url, set_cookie: &str, now: Timestamp) {
        let Some(cookie) = Cookie::parse(url, set_cookie, now) else {
            return;
        };
        self.kept.retain(|other| {
            other.name != cookie.name || other.domain != cookie.domain || other.path != cookie.path
        });
        // One that is over already was sent to delete the one before it.
        if cookie.expires.is_some_and(|expires| expires <= now) {
            return;
        }
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(cookie);
    }

    /// Those with the longest path first (RFC 6265 section 5.4).
    fn fitting(&self, url: &Url, now: Timestamp) -> Vec<&Cookie> {
        let mut fitting: Vec<&Cookie> = self
            .kept
            .iter()
            .filter(|cookie| cookie.fits(url, now))
            .collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        fitting
    }
}

impl Cookie {
    /// RFC 6265 sections 5.2 and 5.3; none where it is to be ignored.
    fn parse(url: &Url, set_cookie: &str, now: Timestamp) -> Option<Self> {
        let host = url.host()?;
        let mut parts = set_cookie.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || name.len() + value.len() > LONGEST {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: host.to_owned(),
            host_only: true,
            path: default_path(url),
            secure: false,
            expires: None,
        };
        let mut max_age = None;
        for attribute in parts {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => {
                    let domain = value.strip_prefix('.').unwrap_or(value);
                    cookie.domain = domain.to_ascii_lowercase();
                    cookie.host_only = cookie.domain == host && is_address(host);
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "expires" => {
                    // A date that cannot be read makes it last as long as the run.
                    cookie.expires = httpdate::parse_http_date(value).ok().map(|date| {
                        let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
                        Timestamp::from_seconds(since.as_secs())
                    });
                }
                "max-age" => max_age = value.parse::<i64>().ok(),
                _ => {}
            }
        }
        if let Some(seconds) = max_age {
            let span = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            let end = u128::from(now.nanos()) + span.as_nanos();
            cookie.expires = Some(Timestamp::from_nanos(
                u64::try_from(end).unwrap_or(u64::MAX),
            ));
        }
        // Nobody sets cookies for others.
        (cookie.domain == host || is_below(host, &cookie.domain)).then_some(cookie)
    }

    fn fits(&self, url: &Url, now: Timestamp) -> bool {
        let host = url.host().unwrap_or_default();
        let is_here = self.domain == host || (!self.host_only && is_below(host, &self.domain));
        let is_secret = self.secure && !matches!(url.scheme(), "https" | "wss");
        is_here
            && !is_secret
            && self.expires.is_none_or(|expires| expires > now)
            && path_matches(url.path(), &self.path)
    }
}

/// RFC 6265 section 5.1.4.
fn default_path(url: &Url) -> String {
    match url.path().rsplit_once('/') {
        None | Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}

fn path_matches(path: &str, of_cookie: &str) -> bool {
    path.strip_prefix(of_cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || of_cookie.ends_with('/'))
}

/// RFC 6265 section 5.1.3.
fn is_below(host: &str, domain: &str) -> bool {
    !is_address(host)
        && !domain.is_empty()
        && host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn check(set: &[(&str, &str)], url: &str, expected: &str) {
        let mut cookies = Cookies::default();
        for (from, cookie) in set {
            cookies.take_at(&Url::parse(from).unwrap(), cookie, NOW);
        }
        let url = Url::parse(url).unwrap();
        let found: Vec<String> = cookies
            .fitting(&url, NOW)
            .into_iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        assert_eq!(found.join("; "), expected, "{set:?} at {url}");
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let set = [("http://a.test/x/y", "id=1; HttpOnly")];
        check(&set, "http://a.test/x/z", "id=1");
        check(&set, "http://a.test/x", "id=1");
        check(&set, "http://a.test/xy", "");
        check(&set, "http://b.test/x/z", "");
        check(&set, "http://w.a.test/x/z", "");
        let set = [("http://w.a.test/x/y", "id=1; Domain=.A.test; Path=/")];
        check(&set, "http://a.test/", "id=1");
        check(&set, "http://v.a.test/q", "id=1");
        check(&set, "http://ba.test/q", "");
        let set = [("https://a.test/", "id=a=b; Secure")];
        check(&set, "https://a.test/", "id=a=b");
        check(&set, "http://a.test/", "");
        check(
            &[("http://a.test/", "id=1; Domain=b.test")],
            "http://b.test/",
            "",
        );
        check(
            &[("http://127.0.0.1/", "id=1; Domain=0.0.1")],
            "http://127.0.0.1/",
            "",
        );
    }

    #[test]
    fn a_later_one_takes_the_place_of_an_earlier() {
        let at = "http://a.test/";
        check(&[(at, "id=1"), (at, "id=2"), (at, "k=v")], at, "id=2; k=v");
        check(&[(at, "id=1"), (at, "id=; Max-Age=0")], at, "");
        let past = "id=; Expires=Wed, 21 Oct 2015 07:28:00 GMT";
        check(&[(at, "id=1"), (at, past)], at, "");
        check(&[(at, &format!("{past}; Max-Age=60"))], at, "id=");
        check(
            &[(at, "a=1; Path=/"), (at, "b=2; Path=/long")],
            "http://a.test/long/x",
            "b=2; a=1",
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut cookies = Cookies::default();
        let url = Url::parse("http://a.test/").unwrap();
        for index in 0..1000 {
            cookies.take_at(&url, &format!("c{index}=1"), NOW);
        }
        cookies.take_at(&url, &format!("big={}", "x".repeat(5000)), NOW);
        assert_eq!(cookies.kept.len(), KEPT);
        assert_eq!(cookies.kept.last().unwrap().name, "c999");
    }
}

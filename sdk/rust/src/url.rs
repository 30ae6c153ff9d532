//! URLs as far as monitoring needs them: `scheme://[user[:password]@]host[:port]/path?query`
//! and `scheme:path`. Host names are ASCII (`xn--…`): plugins stay a third of
//! the size without the tables that translate others.

use std::fmt;

/// A URL that was parsed. The fragment is left out.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    credentials: Option<(String, String)>,
    host: Option<String>,
    port: Option<u16>,
    path: String,
    query: Option<String>,
}

/// Why a text is no URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with a scheme and a colon.
    NoScheme,
    /// `//` is not followed by a host.
    NoHost,
    /// The host holds what no host can.
    BadHost,
    /// The port is not a number from 1 to 65535.
    BadPort,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "no scheme: write it like https://host/path",
            Self::NoHost => "no host after the scheme",
            Self::BadHost => {
                "the host is neither a name in ASCII (xn--… for others), an IPv4 address nor an IPv6 address in brackets"
            }
            Self::BadPort => "the port is not a number from 1 to 65535",
        })
    }
}

impl std::error::Error for UrlError {}

impl Url {
    /// Parses an absolute URL. Characters that may not stand in a path or query
    /// are percent-encoded; scheme and host become lower case.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::NoScheme)?;
        if !is_scheme(scheme) {
            return Err(UrlError::NoScheme);
        }
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            credentials: None,
            host: None,
            port: None,
            path: String::new(),
            query: None,
        };
        let Some(rest) = rest.strip_prefix("//") else {
            url.set_path_and_query(rest);
            return Ok(url);
        };
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(split);
        url.set_authority(authority)?;
        url.set_path_and_query(path);
        if !url.path.starts_with('/') {
            url.path.insert(0, '/');
        }
        Ok(url)
    }

    /// In lower case, without the colon.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host in lower case, an IPv6 address without its brackets; none in
    /// `scheme:path`.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port as written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port as written, or the one that the scheme implies (`http`, `https`,
    /// `ws`, `wss`).
    pub fn port_or_default(&self) -> Option<u16> {
        self.port.or(match self.scheme.as_str() {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        })
    }

    /// `host` or `host:port`, an IPv6 address in brackets; empty without a host.
    pub fn authority(&self) -> String {
        let host = self.host.as_deref().unwrap_or_default();
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// User name and password, percent-decoded.
    pub fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials
            .as_ref()
            .map(|(user, password)| (user.as_str(), password.as_str()))
    }

    /// The path; begins with `/` where there is a host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path's segments, percent-decoded, without empty ones.
    pub fn segments(&self) -> impl Iterator<Item = String> {
        let segments = self.path.split('/').filter(|segment| !segment.is_empty());
        segments.map(decode)
    }

    /// What follows the `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Path and query as a request sends them.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Appends `name=value` to the query, percent-encoded.
    pub fn append_query(&mut self, name: &str, value: &str) {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() {
            query.push('&');
        }
        encode_component(name, query);
        query.push('=');
        encode_component(value, query);
    }

    /// Puts one more segment at the path's end, percent-encoded as a whole: a
    /// `/` in it does not divide.
    pub fn push_path(&mut self, segment: &str) {
        if !self.path.ends_with('/') {
            self.path.push('/');
        }
        encode_component(segment, &mut self.path);
    }

    /// The URL that `reference` means on a page at this one (RFC 3986 section
    /// 5.2), as in a `Location` header.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = reference.trim();
        if reference
            .split_once(':')
            .is_some_and(|(scheme, _)| is_scheme(scheme))
        {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme));
        }
        let reference = reference
            .split_once('#')
            .map_or(reference, |(before, _)| before);
        let mut url = self.clone();
        if reference.is_empty() {
            return Ok(url);
        }
        if let Some(query) = reference.strip_prefix('?') {
            url.query = Some(encode(query));
            return Ok(url);
        }
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let merged = if path.starts_with('/') {
            path.to_owned()
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{path}")
        };
        url.path = encode(&without_dots(&merged));
        url.query = query.map(encode);
        Ok(url)
    }

    /// Whether both have the same scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.host == other.host
            && self.port_or_default() == other.port_or_default()
    }

    fn set_authority(&mut self, authority: &str) -> Result<(), UrlError> {
        let address = match authority.rsplit_once('@') {
            Some((credentials, address)) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                self.credentials = Some((decode(user), decode(password)));
                address
            }
            None => authority,
        };
        let (host, port) = if let Some(rest) = address.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(UrlError::BadHost)?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(UrlError::BadHost);
            }
            match rest.strip_prefix(':') {
                None if !rest.is_empty() => return Err(UrlError::BadHost),
                port => (host, port),
            }
        } else {
            let (host, port) = match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            };
            if !host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
            {
                return Err(UrlError::BadHost);
            }
            (host, port)
        };
        if host.is_empty() {
            return Err(UrlError::NoHost);
        }
        self.host = Some(host.to_ascii_lowercase());
        self.port = match port {
            None | Some("") => None,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(UrlError::BadPort),
                Ok(port) => Some(port),
            },
        };
        Ok(())
    }

    fn set_path_and_query(&mut self, text: &str) {
        match text.split_once('?') {
            Some((path, query)) => {
                self.path = encode(path);
                self.query = Some(encode(query));
            }
            None => self.path = encode(text),
        }
    }
}

/// Without the password.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if self.host.is_some() {
            f.write_str("//")?;
            if let Some((user, _)) = &self.credentials {
                let mut encoded = String::new();
                encode_component(user, &mut encoded);
                write!(f, "{encoded}@")?;
            }
            f.write_str(&self.authority())?;
        }
        f.write_str(&self.path_and_query())
    }
}

/// Without the password.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl TryFrom<&str> for Url {
    type Error = UrlError;

    fn try_from(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl TryFrom<&String> for Url {
    type Error = UrlError;

    fn try_from(text: &String) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl TryFrom<&Self> for Url {
    type Error = UrlError;

    fn try_from(url: &Self) -> Result<Self, UrlError> {
        Ok(url.clone())
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Encodes what may stand nowhere in a URL; leaves `%` and delimiters alone, so
/// that what was encoded already stays as it is.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
        {
            out.push(char::from(byte));
        } else {
            push_encoded(byte, &mut out);
        }
    }
    out
}

/// Encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode_component(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            push_encoded(byte, out);
        }
    }
}

fn push_encoded(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Percent-decodes; what is no UTF-8 after that becomes U+FFFD.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are at most 255.
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match Url::parse(text) {
            Ok(url) => format!(
                "{} {:?} {:?} {} {:?}",
                url.scheme(),
                url.host(),
                url.port_or_default(),
                url.path(),
                url.query()
            ),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn urls_are_taken_apart() {
        check(
            "https://Example.com",
            r#"https Some("example.com") Some(443) / None"#,
        );
        check(
            "http://[::1]:8080/a b?q=ü#x",
            r#"http Some("::1") Some(8080) /a%20b Some("q=%C3%BC")"#,
        );
        check(
            "https://a.test?x",
            r#"https Some("a.test") Some(443) / Some("x")"#,
        );
        check("tcp://db:5432", r#"tcp Some("db") Some(5432) / None"#);
        check(
            "dns:example.com?type=MX",
            r#"dns None None example.com Some("type=MX")"#,
        );
        check("example.com", "NoScheme");
        check("http://", "NoHost");
        check("http://:80", "NoHost");
        check("http://a:0", "BadPort");
        check("http://a:b", "BadPort");
        check("http://bücher.example", "BadHost");
        check("http://[1.2.3.4]", "BadHost");
        check("http://[::1]x", "BadHost");
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let url = Url::parse("https://me%40home:p%3As@a.test/x").unwrap();
        assert_eq!(url.credentials(), Some(("me@home", "p:s")));
        assert_eq!(url.to_string(), "https://me%40home@a.test/x");
        assert!(!format!("{url:?}").contains("p%3As"));
    }

    #[test]
    fn segments_are_decoded() {
        let segments = |url| Url::parse(url).unwrap().segments().collect::<Vec<_>>();
        assert_eq!(segments("postgres://a/b%2Fc//d/"), ["b/c", "d"]);
        assert_eq!(segments("postgres://a"), [""; 0]);
    }

    #[test]
    fn references_resolve_as_rfc_3986_says() {
        let base = Url::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("./../g", "http://a/b/g"),
            ("g/../h", "http://a/b/c/h"),
        ] {
            assert_eq!(
                base.join(reference).unwrap().to_string(),
                expected,
                "{reference}"
            );
        }
    }

    #[test]
    fn queries_and_paths_grow_encoded() {
        let mut url = Url::parse("http://a/api").unwrap();
        url.push_path("%2f/é");
        url.append_query("a b", "c&d");
        url.append_query("e", "");
        assert_eq!(
            url.to_string(),
            "http://a/api/%252f%2F%C3%A9?a%20b=c%26d&e="
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_parses_parses_again(text in "\\PC{0,40}", reference in "\\PC{0,20}") {
            let texts = [text.clone(), format!("http://{text}"), format!("http://h/{text}")];
            for text in &texts {
                if let Ok(url) = Url::parse(text) {
                    if url.credentials().is_none() {
                        prop_assert_eq!(&Url::parse(&url.to_string()).unwrap(), &url);
                    }
                    drop(url.join(&reference));
                }
            }
        }
    }
}

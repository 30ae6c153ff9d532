//! Which form of a body a client wants, and whether it has it already
//! (RFC 9110, sections 12.5.3 and 13.1.2).

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, IF_NONE_MATCH};

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

impl Encoding {
    pub(crate) const ALL: [Self; 3] = [Self::Identity, Self::Gzip, Self::Brotli];

    /// The word of the `Content-Encoding` header, which plain bodies lack.
    pub(crate) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// The best that the client takes. Where it takes none of ours, it gets the
    /// plain body: a page that it may not have asked for is better than none.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let (mut gzip, mut brotli, mut any) = (None, None, None);
        for line in headers.get_all(ACCEPT_ENCODING) {
            for item in line.to_str().unwrap_or_default().split(',') {
                let (coding, weight) = weighted(item);
                let slot = match coding {
                    "gzip" | "x-gzip" => &mut gzip,
                    "br" => &mut brotli,
                    "*" => &mut any,
                    _ => continue,
                };
                *slot = Some(weight);
            }
        }
        let weight = |named: Option<f32>| named.or(any).unwrap_or(0.0);
        let (gzip, brotli) = (weight(gzip), weight(brotli));
        if brotli > 0.0 && brotli >= gzip {
            Self::Brotli
        } else if gzip > 0.0 {
            Self::Gzip
        } else {
            Self::Identity
        }
    }
}

/// Whether the client says that it has the body of this tag.
pub(crate) fn has(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Whether a person reads the answer: browsers name HTML, programs do not.
pub(crate) fn reads_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .any(|line| line.contains("text/html"))
}

/// `gzip;q=0.5` as its two parts. A weight that is none counts as zero.
pub(crate) fn weighted(item: &str) -> (&str, f32) {
    let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = parameters
        .split(';')
        .find_map(|parameter| parameter.trim().strip_prefix("q="))
        .map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
    (coding.trim(), weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
        Encoding::wanted(&headers).word().unwrap_or("plain")
    }

    #[test]
    fn the_best_that_is_taken() {
        assert_eq!(Encoding::wanted(&HeaderMap::new()), Encoding::Identity);
        for (accept, expected) in [
            ("", "plain"),
            ("identity", "plain"),
            ("gzip", "gzip"),
            ("gzip, deflate, br, zstd", "br"),
            ("gzip;q=1.0, br;q=0.5", "gzip"),
            ("br;q=0, gzip", "gzip"),
            ("br;q=0,gzip;q=0", "plain"),
            ("*", "br"),
            ("*;q=0", "plain"),
            ("br;q=0, *", "gzip"),
            ("gzip;q=nonsense", "plain"),
            ("gzip ; q=0.1", "gzip"),
        ] {
            assert_eq!(wanted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn tags() {
        let has = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, given.parse().unwrap());
            super::has(&headers, "\"7-br\"")
        };
        assert!(has("\"7-br\"") && has("W/\"7-br\"") && has("\"6\", \"7-br\"") && has("*"));
        assert!(!has("\"7\"") && !has("7-br") && !has(""));
    }
}

//! Host text: what a name, an address or a strange spelling of an address is.
//!
//! Anything that some resolver would read as an address is read as that address
//! here, so that no spelling passes the address rules by looking like a name:
//! decimal, octal, hexadecimal and short IPv4 forms, IPv4 inside IPv6, full-width
//! digits and ideographic dots.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// The other side of a connection, in one spelling only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name: ASCII, lower case, without the root's dot.
    Name(String),
    /// An address; never an IPv4-mapped IPv6 address.
    Address(IpAddr),
}

/// Why a text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// There is no text.
    #[error("the host is empty")]
    Empty,
    /// Neither a DNS name nor an address.
    #[error("`{0}` is no host name")]
    NotAName(String),
    /// The last label is a number, so that resolvers disagree on what it is.
    #[error("`{0}` ends in a number but is no IPv4 address")]
    NotAnAddress(String),
    /// An IPv6 address with a zone (`fe80::1%eth0`).
    #[error("`{0}` has a zone, which names an interface of this machine only")]
    Zone(String),
}

impl Host {
    /// Reads a host as written in a URL, a `host:port` or a guest's call, IPv6
    /// with or without brackets.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        let inner = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if inner.is_some() || text.contains(':') {
            let address = inner.unwrap_or(text);
            if address.contains('%') {
                return Err(HostError::Zone(shortened(text)));
            }
            return address
                .parse::<Ipv6Addr>()
                .map(|address| Self::from(IpAddr::V6(address)))
                .map_err(|_| HostError::NotAName(shortened(text)));
        }
        let ascii = Uts46::new()
            .to_ascii(
                text.as_bytes(),
                AsciiDenyList::URL,
                Hyphens::Allow,
                DnsLength::VerifyAllowRootDot,
            )
            .map_err(|_| HostError::NotAName(shortened(text)))?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
        if !is_name {
            return Err(HostError::NotAName(shortened(text)));
        }
        if ends_in_number(name) {
            return inet_aton(name)
                .map(|address| Self::Address(IpAddr::V4(address)))
                .ok_or_else(|| HostError::NotAnAddress(shortened(text)));
        }
        Ok(Self::Name(name.to_owned()))
    }

    /// The host with a port, as people write it: `[::1]:443`.
    pub fn with_port(&self, port: u16) -> String {
        format!("{self}:{port}")
    }

    /// Whether this is `localhost` or a name below it (RFC 6761 section 6.3).
    pub fn is_localhost(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::Address(_) => false,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(formatter, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

/// Splits `host:port`, `[v6]:port`, `host` or `[v6]` into host text and port
/// text. A bare IPv6 address has no port.
pub(crate) fn split_port(text: &str) -> (&str, Option<&str>) {
    if text.starts_with('[') {
        return match text.rsplit_once("]:") {
            Some((_, port)) => (text.strip_suffix(port).map_or(text, trim_colon), Some(port)),
            None => (text, None),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    }
}

/// A text short enough to be shown: at most 100 characters.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

fn trim_colon(text: &str) -> &str {
    text.strip_suffix(':').unwrap_or(text)
}

/// The rule by which browsers tell IPv4 from names (WHATWG URL section 3.5).
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return !last.is_empty();
    }
    last.strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// IPv4 in each form that `inet_aton` takes: one to four parts, each decimal,
/// octal (`0…`) or hexadecimal (`0x…`); the last fills the bytes that remain.
fn inet_aton(name: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = name.split('.').map(number).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 255) {
        return None;
    }
    let free_bits = 8 * (4 - u32::try_from(leading.len()).ok()?);
    if *last >= 1_u64 << free_bits {
        return None;
    }
    let high = leading
        .iter()
        .fold(0_u64, |address, part| (address << 8) | part);
    u32::try_from((high << free_bits) | last)
        .ok()
        .map(Ipv4Addr::from)
}

fn number(part: &str) -> Option<u64> {
    if let Some(digits) = part.strip_prefix("0x") {
        return if digits.is_empty() {
            Some(0)
        } else {
            u64::from_str_radix(digits, 16).ok()
        };
    }
    match part.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
        _ if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match Host::parse(text) {
            Ok(host) => host.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn one_spelling() {
        check("Example.COM", "example.com");
        check("example.com.", "example.com");
        check("bücher.example", "xn--bcher-kva.example");
        check("XN--Bcher-KVA.example", "xn--bcher-kva.example");
        check("_dmarc.example.com", "_dmarc.example.com");
        check("1.1.1.1.example", "1.1.1.1.example");
        check("[::1]", "[::1]");
        check("::1", "[::1]");
        check("[::ffff:10.0.0.1]", "10.0.0.1");
        check("127.1", "127.0.0.1");
        check("0x7f000001", "127.0.0.1");
        check("017700000001", "127.0.0.1");
        check("0", "0.0.0.0");
        check("１２７．０．０．１", "127.0.0.1");
        check("127。0。0。1", "127.0.0.1");
    }

    #[test]
    fn what_is_no_host() {
        check("", "error: the host is empty");
        check(".", "error: `.` is no host name");
        check("a b", "error: `a b` is no host name");
        check("a..b", "error: `a..b` is no host name");
        check("user@host", "error: `user@host` is no host name");
        check("*.example.com", "error: `*.example.com` is no host name");
        check("%31.example", "error: `%31.example` is no host name");
        check(
            "fe80::1%eth0",
            "error: `fe80::1%eth0` has a zone, which names an interface of this machine only",
        );
        check(
            "256.1.1.1",
            "error: `256.1.1.1` ends in a number but is no IPv4 address",
        );
        check(
            "1.2.3.4.5",
            "error: `1.2.3.4.5` ends in a number but is no IPv4 address",
        );
        check(
            "127.0.0.08",
            "error: `127.0.0.08` ends in a number but is no IPv4 address",
        );
        check(
            "4294967296",
            "error: `4294967296` ends in a number but is no IPv4 address",
        );
        assert!(Host::parse(&"a".repeat(64)).is_err(), "label over 63");
        assert!(Host::parse(&"a.".repeat(130)).is_err(), "name over 253");
    }

    #[test]
    fn ports_are_split_off() {
        assert_eq!(split_port("a:80"), ("a", Some("80")));
        assert_eq!(split_port("a"), ("a", None));
        assert_eq!(split_port("[::1]:80"), ("[::1]", Some("80")));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
        assert_eq!(split_port("::1"), ("::1", None));
        assert_eq!(split_port("a:"), ("a", Some("")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            drop(Host::parse(&text));
            split_port(&text);
        }

        #[test]
        fn parsing_is_idempotent(text in "[a-zA-Z0-9._\\-:\\[\\]x]{0,40}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
            }
        }

        #[test]
        fn every_spelling_of_an_address_is_that_address(bits: u32, style in 0..6_u8) {
            let [a, b, c, d] = bits.to_be_bytes();
            let text = match style {
                0 => format!("{a}.{b}.{c}.{d}"),
                1 => bits.to_string(),
                2 => format!("0x{bits:X}"),
                3 => format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
                4 => format!("{a}.{b}.{}", u16::from_be_bytes([c, d])),
                _ => format!("[::ffff:{a}.{b}.{c}.{d}]"),
            };
            prop_assert_eq!(
                Host::parse(&text),
                Ok(Host::Address(IpAddr::from([a, b, c, d])))
            );
        }
    }
}

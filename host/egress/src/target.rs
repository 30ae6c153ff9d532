//! Targets and configuration URIs: which hosts and ports they name.

use crate::grants::{GrantError, HostPattern, parse_port};
use crate::host::{Host, shortened, split_port};

/// The patterns that one target or URI stands for.
pub(crate) fn patterns(url: &str) -> Result<Vec<HostPattern>, GrantError> {
    let url = url.trim();
    if let Some((scheme, rest)) = url.split_once("://") {
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        if scheme == "dns" {
            return dns(url, authority, path);
        }
        return authority_patterns(url, &scheme, authority);
    }
    if let Some((scheme, name)) = url.split_once(':')
        && scheme.eq_ignore_ascii_case("dns")
        && parse_port(name).is_none()
    {
        return dns(url, "", name);
    }
    bare(url)
}

/// The port of a scheme, as registered with IANA or, for schemes that are not,
/// as the software that made them up has it.
fn default_port(scheme: &str) -> Option<u16> {
    let port = match scheme {
        "ftp" => 21,
        "sftp" | "ssh" => 22,
        "telnet" => 23,
        "smtp" => 25,
        "dns" => 53,
        "http" | "ws" => 80,
        "pop3" => 110,
        "ntp" => 123,
        "imap" => 143,
        "ldap" => 389,
        "https" | "wss" | "tls" => 443,
        "smtps" => 465,
        "submission" => 587,
        "ldaps" => 636,
        "ftps" => 990,
        "imaps" => 993,
        "pop3s" => 995,
        "mqtt" => 1883,
        "mysql" | "mariadb" => 3306,
        "nats" => 4222,
        "xmpp" => 5222,
        "xmpps" => 5223,
        "postgres" | "postgresql" => 5432,
        "amqps" => 5671,
        "amqp" => 5672,
        "redis" | "rediss" => 6379,
        "mqtts" => 8883,
        "memcached" => 11_211,
        "mongodb" => 27_017,
        _ => return None,
    };
    Some(port)
}

fn authority_patterns(
    url: &str,
    scheme: &str,
    authority: &str,
) -> Result<Vec<HostPattern>, GrantError> {
    // The last `@` ends the user information: `http://granted.example@real.example`.
    let hosts = authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    if hosts.is_empty() {
        return Err(GrantError::NoHost(shortened(url)));
    }
    hosts
        .split(',')
        .map(|host_and_port| {
            let (host, port) = split_port(host_and_port);
            let host = Host::parse(host)?;
            if matches!(scheme, "icmp" | "ping") {
                return match port {
                    None => Ok(HostPattern::host_only(host)),
                    Some(_) => Err(GrantError::BadPort(shortened(url))),
                };
            }
            let port = match port {
                None | Some("") => {
                    default_port(scheme).ok_or_else(|| GrantError::NoPort(shortened(url)))?
                }
                Some(port) => {
                    parse_port(port).ok_or_else(|| GrantError::BadPort(shortened(url)))?
                }
            };
            Ok(HostPattern::exactly(host, port))
        })
        .collect()
}

fn dns(url: &str, server: &str, path: &str) -> Result<Vec<HostPattern>, GrantError> {
    let mut patterns = Vec::new();
    if !server.is_empty() {
        patterns.extend(authority_patterns(url, "dns", server)?);
    }
    let name = path
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_start_matches('/')
        .trim_end_matches('/');
    if !name.is_empty() {
        patterns.push(HostPattern::host_only(Host::parse(name)?));
    }
    if patterns.is_empty() {
        return Err(GrantError::NoHost(shortened(url)));
    }
    Ok(patterns)
}

fn bare(text: &str) -> Result<Vec<HostPattern>, GrantError> {
    let (host, port) = split_port(text);
    let pattern = match port {
        None => HostPattern::host_only(Host::parse(host)?),
        Some(port) => HostPattern::exactly(
            Host::parse(host)?,
            parse_port(port).ok_or_else(|| GrantError::BadPort(shortened(text)))?,
        ),
    };
    Ok(vec![pattern])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let found = match patterns(url) {
            Ok(patterns) => patterns
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn schemes_have_ports() {
        check("https://a.example/x?y#z", "a.example:443");
        check("HTTP://A.example", "a.example:80");
        check("http://a.example:8080/", "a.example:8080");
        check("http://a.example:/", "a.example:80");
        check("wss://a.example/socket", "a.example:443");
        check("tls://a.example", "a.example:443");
        check("tls://a.example:8443", "a.example:8443");
        check("tcp://a.example:9000", "a.example:9000");
        check("smtp://a.example", "a.example:25");
        check("amqp://user:pass@a.example/vhost", "a.example:5672");
        check("redis://a.example", "a.example:6379");
        check("mqtt://a.example", "a.example:1883");
        check("ssh://a.example", "a.example:22");
        check("mysql://a.example/db", "a.example:3306");
        check("postgres://u:p@a,b:6432/db", "a:5432 b:6432");
        check("http://[2001:db8::1]/", "[2001:db8::1]:80");
        check("http://[2001:db8::1]:81/", "[2001:db8::1]:81");
    }

    #[test]
    fn hosts_without_ports() {
        check("icmp://a.example", "a.example");
        check("icmp://[::1]", "[::1]");
        check("a.example", "a.example");
        check("a.example:53", "a.example:53");
        check("10.0.0.1:53", "10.0.0.1:53");
        check("dns:53", "dns:53");
        check(
            "icmp://a.example:7",
            "error: `icmp://a.example:7` has no valid port: 1 to 65535",
        );
    }

    #[test]
    fn dns_names_a_server_a_name_or_both() {
        check("dns://1.1.1.1", "1.1.1.1:53");
        check(
            "dns://1.1.1.1:5353/example.com?type=MX",
            "1.1.1.1:5353 example.com",
        );
        check("dns:example.com?type=A", "example.com");
        check("dns:///example.com", "example.com");
        check("dns://", "error: `dns://` names no host");
    }

    #[test]
    fn no_disguise() {
        check("http://granted.example@evil.example/", "evil.example:80");
        check(
            "http://granted.example:80@evil.example:81/",
            "evil.example:81",
        );
        check("http://evil.example#@granted.example/", "evil.example:80");
        check("http://evil.example?@granted.example/", "evil.example:80");
        check(
            "http://evil.example\\@granted.example/",
            "granted.example:80",
        );
        check(
            "http://a%2eexample/",
            "error: `a%2eexample` is no host name",
        );
    }

    #[test]
    fn what_names_nothing() {
        check(
            "tcp://a.example",
            "error: `tcp://a.example` has no port: write `host:port`",
        );
        check(
            "gopher://a.example",
            "error: `gopher://a.example` has no port: write `host:port`",
        );
        check(
            "file:///etc/passwd",
            "error: `file:///etc/passwd` names no host",
        );
        check("", "error: the host is empty");
        check(
            "http://a:99999/",
            "error: `http://a:99999/` has no valid port: 1 to 65535",
        );
        check("a.example/path", "error: `a.example/path` is no host name");
    }
}

//! Which server knows which domains: the list that IANA publishes (RFC 9224).

use serde::Deserialize;
use watchkeeper_sdk::{Context, Error, Stop, Url};

use crate::{Problem, RAREST, get};

/// The list, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct List {
    /// Domains, and the servers that know them.
    services: Vec<(Vec<String>, Vec<String>)>,
}

/// Fetches the list.
pub(crate) fn fetch(url: &Url, context: &Context) -> Result<List, Problem> {
    let host = url.host().unwrap_or_default();
    let response = get(url, context)?;
    if !response.is_success() {
        let why = format!(
            "{host}: status {} for the list of servers",
            response.status()
        );
        return Err(Problem::Later(why, RAREST));
    }
    response.json().map_err(|error| match error {
        Error::TooLarge(_) => Problem::Stop(Stop::from(error)),
        error => Problem::Later(format!("{host}: {error}"), RAREST),
    })
}

/// The server for a domain: that of the entry with the most labels, over HTTPS if
/// there is one so.
pub(crate) fn server_for(name: &str, list: &List) -> Option<Url> {
    let labels = |entry: &str| entry.split('.').count();
    let (_, servers) = list
        .services
        .iter()
        .flat_map(|(entries, servers)| entries.iter().map(move |entry| (entry, servers)))
        .filter(|(entry, _)| is_within(name, entry))
        .max_by_key(|(entry, _)| labels(entry))?;
    let servers: Vec<Url> = servers
        .iter()
        .filter_map(|server| Url::parse(server).ok())
        .filter(|server| server.host().is_some())
        .collect();
    let secure = servers.iter().find(|server| server.scheme() == "https");
    secure.or_else(|| servers.first()).cloned()
}

fn is_within(name: &str, entry: &str) -> bool {
    let entry = entry.to_ascii_lowercase();
    name.strip_suffix(&entry)
        .is_some_and(|rest| !entry.is_empty() && rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_has_the_server() {
        let list: List = serde_json::from_str(
            r#"{"version": "1.0", "publication": "2026-01-01T00:00:00Z", "services": [
                [["com", "net"], ["http://rdap.test/com/", "https://rdap.test/com/v1/"]],
                [["uk"], ["https://rdap.uk.test/"]],
                [["CO.uk"], ["https://co.uk.test/"]],
                [["bad"], ["no URL"]]
            ]}"#,
        )
        .unwrap();
        for (name, expected) in [
            ("example.com", Some("https://rdap.test/com/v1/")),
            ("example.net", Some("https://rdap.test/com/v1/")),
            ("example.uk", Some("https://rdap.uk.test/")),
            ("example.co.uk", Some("https://co.uk.test/")),
            ("notcom", None),
            ("example.telecom", None),
            ("example.bad", None),
        ] {
            let found = server_for(name, &list).map(|server| server.to_string());
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }
}

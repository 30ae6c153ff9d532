//! What a server says is wrong, and whether trying again can help.

use watchkeeper_sdk::Failure;
use watchkeeper_sdk::wording::{Limit, line};

use crate::xml::Element;

/// How much of a server's own words a failure tells.
const QUOTED: Limit = Limit::chars(200);

/// Conditions of streams (RFC 6120 section 4.9.3) and logins (section 6.5) that
/// the operator must do something about.
const FOR_EVER: [&str; 16] = [
    "account-disabled",
    "credentials-expired",
    "encryption-required",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "incorrect-encoding",
    "invalid-authzid",
    "invalid-from",
    "invalid-mechanism",
    "malformed-request",
    "mechanism-too-weak",
    "not-authorized",
    "see-other-host",
    "unsupported-version",
    "unsupported-encoding",
];

/// Conditions of stanzas (section 8.3.3) that pass, whatever type of error the
/// server takes them for: another server may be down, or this one short of
/// something.
const FOR_NOW: [&str; 5] = [
    "internal-server-error",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
    "undefined-condition",
];

/// Of a stream that ends with an error, or a login that fails.
pub(crate) fn of_stream(what: &str, error: &Element) -> Failure {
    let reason = format!("{what}: {}", words(error));
    if FOR_EVER.contains(&condition(error)) {
        Failure::Permanent(reason)
    } else {
        Failure::temporary(reason)
    }
}

/// Of a stanza that comes back.
pub(crate) fn of_stanza(what: &str, stanza: &Element) -> Failure {
    let Some(error) = stanza.child("error") else {
        return Failure::temporary(format!("{what}: without a reason"));
    };
    let reason = format!("{what}: {}", words(error));
    if error.attribute("type") == Some("wait") || FOR_NOW.contains(&condition(error)) {
        Failure::temporary(reason)
    } else {
        Failure::Permanent(reason)
    }
}

/// The condition's name, and the server's own words where it has any.
fn words(error: &Element) -> String {
    let mut out = condition(error).to_owned();
    if let Some(text) = error.child("text") {
        let text = line(&text.text);
        if !text.is_empty() {
            out.push_str(" (");
            out.push_str(&text);
            out.push(')');
        }
    }
    QUOTED.cut(&line(&out))
}

fn condition(error: &Element) -> &str {
    let mut children = error.children.iter();
    let condition = children.find(|child| child.name != "text");
    condition.map_or("no reason", |child| child.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Piece, piece};

    fn element(xml: &str) -> Element {
        match piece(xml.as_bytes()) {
            Ok(Some((Piece::Stanza(element), _))) => element,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn some_troubles_pass() {
        let stream = |xml| of_stream("x", &element(xml));
        let stanza = |xml: &str| {
            let xml = format!("<message type='error'>{xml}</message>");
            of_stanza("x", &element(&xml))
        };
        let never = |why: &str| Failure::Permanent(format!("x: {why}"));
        let later = |why: &str| Failure::temporary(format!("x: {why}"));
        assert_eq!(
            stream("<failure><not-authorized/><text>No\n way\u{202E}.</text></failure>"),
            never("not-authorized (No way.)")
        );
        assert_eq!(
            stream("<failure><temporary-auth-failure/></failure>"),
            later("temporary-auth-failure")
        );
        assert_eq!(stream("<failure/>"), later("no reason"));
        assert_eq!(
            stanza("<error type='cancel'><service-unavailable/></error>"),
            never("service-unavailable")
        );
        assert_eq!(
            stanza("<error type='cancel'><remote-server-not-found/></error>"),
            later("remote-server-not-found")
        );
        assert_eq!(
            stanza("<error type='wait'><recipient-unavailable/></error>"),
            later("recipient-unavailable")
        );
        assert_eq!(stanza(""), later("without a reason"));
    }
}

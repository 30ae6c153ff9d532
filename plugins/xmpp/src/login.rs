//! The login: SASL (RFC 6120 section 6) by the best of the ways that the server
//! offers. All of it is within TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use watchkeeper_sdk::Failure;
use watchkeeper_sdk::config::Secret;

use crate::jid::Jid;
use crate::scram::{Hash, Scram};
use crate::stream::Stream;
use crate::trouble;
use crate::xml::Element;

/// Best first.
const MECHANISMS: [(&str, Option<Hash>); 3] = [
    ("SCRAM-SHA-256", Some(Hash::Sha256)),
    ("SCRAM-SHA-1", Some(Hash::Sha1)),
    ("PLAIN", None),
];

const NAMESPACE: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Logs in, and begins the stream anew.
pub(crate) fn login(stream: &mut Stream, jid: &Jid, password: &Secret) -> Result<(), Failure> {
    let username = jid.local().unwrap_or_default();
    match choose(stream.features())? {
        (name, Some(hash)) => {
            let scram = Scram::new(hash, username, password.expose(), nonce()?);
            by_scram(stream, jid, name, &scram)?;
        }
        (name, None) => {
            let both = format!("\0{username}\0{}", password.expose());
            begin(stream, name, &both)?;
            success(stream, jid)?;
        }
    }
    stream.begin()
}

fn choose(features: &Element) -> Result<(&'static str, Option<Hash>), Failure> {
    let offered: Vec<&str> = features
        .child("mechanisms")
        .map(|mechanisms| {
            let mechanisms = mechanisms.children.iter();
            mechanisms.map(|mechanism| mechanism.text.trim()).collect()
        })
        .unwrap_or_default();
    let best = MECHANISMS
        .into_iter()
        .find(|(name, _)| offered.contains(name));
    best.ok_or_else(|| {
        let offered = if offered.is_empty() {
            "none".to_owned()
        } else {
            offered.join(", ")
        };
        Failure::permanent(format!(
            "the server offers no login by SCRAM or PLAIN, only by {offered}"
        ))
    })
}

fn by_scram(stream: &mut Stream, jid: &Jid, name: &str, scram: &Scram) -> Result<(), Failure> {
    begin(stream, name, &scram.first())?;
    let challenge = decoded(&answer(stream, jid, "challenge")?)?;
    let (last, proven) = scram.last(&challenge).map_err(Failure::temporary)?;
    let last = STANDARD.encode(last);
    stream.say(&format!("<response xmlns='{NAMESPACE}'>{last}</response>"))?;
    let verdict = success(stream, jid)?;
    if proven.by(&verdict) {
        Ok(())
    } else {
        Err(Failure::temporary(
            "the server does not prove that it knows the password",
        ))
    }
}

fn begin(stream: &mut Stream, mechanism: &str, first: &str) -> Result<(), Failure> {
    let first = STANDARD.encode(first);
    stream.say(&format!(
        "<auth xmlns='{NAMESPACE}' mechanism='{mechanism}'>{first}</auth>"
    ))
}

/// What the server adds to a success.
fn success(stream: &mut Stream, jid: &Jid) -> Result<String, Failure> {
    decoded(&answer(stream, jid, "success")?)
}

fn answer(stream: &mut Stream, jid: &Jid, expected: &str) -> Result<Element, Failure> {
    let answer = stream.stanza("answer to the login")?;
    if answer.name == expected {
        return Ok(answer);
    }
    let what = format!("the server refuses the login of {jid}");
    Err(trouble::of_stream(&what, &answer))
}

fn decoded(element: &Element) -> Result<String, Failure> {
    // RFC 6120 section 6.4.2: an equals sign alone is nothing.
    let text = match element.text.trim() {
        "=" => "",
        text => text,
    };
    let bytes = STANDARD.decode(text).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Failure::temporary("the server's part of the login is no Base64"))
}

/// Printable, and another every time.
fn nonce() -> Result<String, Failure> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::temporary(format!("no random numbers: {error}")))?;
    Ok(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Piece, piece};

    fn chosen(mechanisms: &str) -> Result<&'static str, Failure> {
        let offers: Vec<String> = mechanisms
            .split_whitespace()
            .map(|name| format!("<mechanism>{name}</mechanism>"))
            .collect();
        let offers = offers.concat();
        let xml = format!("<features><mechanisms>{offers}</mechanisms></features>");
        let Ok(Some((Piece::Stanza(features), _))) = piece(xml.as_bytes()) else {
            panic!("{xml}");
        };
        choose(&features).map(|(name, _)| name)
    }

    #[test]
    fn the_best_mechanism_is_chosen() {
        assert_eq!(
            chosen("PLAIN SCRAM-SHA-1 SCRAM-SHA-256"),
            Ok("SCRAM-SHA-256")
        );
        assert_eq!(
            chosen("SCRAM-SHA-1-PLUS PLAIN SCRAM-SHA-1"),
            Ok("SCRAM-SHA-1")
        );
        assert_eq!(chosen("PLAIN"), Ok("PLAIN"));
        for (offered, expected) in [("EXTERNAL X", "EXTERNAL, X"), ("", "none")] {
            let why = format!("the server offers no login by SCRAM or PLAIN, only by {expected}");
            assert_eq!(chosen(offered), Err(Failure::permanent(why)));
        }
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(nonce(), nonce());
        assert!(!nonce().unwrap().contains(','));
    }
}

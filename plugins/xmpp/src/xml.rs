//! The XML of a stream: what of it is whole is read, element by element, and text
//! is written so that it means nothing but itself.

use quick_xml::escape;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// How deep elements may be within each other. Stanzas are seldom deeper than five.
const DEEPEST: usize = 32;

/// An element with all that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Without a prefix.
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Self>,
    pub(crate) text: String,
}

/// What comes on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The stream's own start tag.
    Open(Element),
    /// A whole element of the stream.
    Stanza(Element),
    /// The stream's end tag.
    Close,
}

impl Element {
    /// The attribute of that name, in full.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let (_, value) = attributes.find(|(other, _)| other == name)?;
        Some(value)
    }

    /// The first element of that name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// `text` for within an element or an attribute in either quotes. Characters that
/// XML 1.0 has no place for become U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let allowed: String = text
        .chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => c,
            _ => '\u{FFFD}',
        })
        .collect();
    escape::escape(allowed).into_owned()
}

/// The first whole piece of what came, and its length in bytes; none while there
/// is more to come. The error says what is wrong with it.
pub(crate) fn piece(bytes: &[u8]) -> Result<Option<(Piece, usize)>, String> {
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'>') else {
        let is_blank = |byte: &u8| byte.is_ascii_whitespace();
        let start = bytes.iter().position(|byte| !is_blank(byte));
        return match start.and_then(|start| bytes.get(start)) {
            None | Some(b'<') => Ok(None),
            Some(_) => Err(no_xmpp(bytes)),
        };
    };
    let whole = bytes.get(..=end).unwrap_or_default();
    let text = str::from_utf8(whole).map_err(|_| no_xmpp(bytes))?;
    if let Some(length) = closing(text) {
        return Ok(Some((Piece::Close, length)));
    }
    read(text)
}

/// The length of a stream's end tag, if that comes first.
fn closing(text: &str) -> Option<usize> {
    let tag = text.trim_start();
    let rest = tag.strip_prefix("</stream:stream")?;
    let behind = rest.trim_start().strip_prefix('>')?;
    Some(text.len() - behind.len())
}

fn read(text: &str) -> Result<Option<(Piece, usize)>, String> {
    let mut reader = Reader::from_str(text);
    // Outermost first.
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            // What ends within a tag goes on in the next bytes.
            Err(quick_xml::Error::Syntax(_)) => return Ok(None),
            Err(_) => return Err(no_xmpp(text.as_bytes())),
        };
        let done = match event {
            Event::Start(tag) => {
                let element = element(&tag)?;
                if open.is_empty() && tag.name().as_ref() == "stream:stream" {
                    return Ok(Some((Piece::Open(element), position(&reader))));
                }
                if open.len() == DEEPEST {
                    return Err(format!(
                        "the server sends XML deeper than {DEEPEST} elements"
                    ));
                }
                open.push(element);
                None
            }
            Event::Empty(tag) => Some(element(&tag)?),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                add(&mut open, &text.xml10_content())?;
                None
            }
            Event::CData(text) => {
                add(&mut open, &text.xml10_content())?;
                None
            }
            Event::GeneralRef(reference) => {
                add(&mut open, &resolved(&reference)?)?;
                None
            }
            Event::Decl(_) => None,
            // RFC 6120 section 11.1.
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {
                return Err("the server sends XML that XMPP forbids".to_owned());
            }
            Event::Eof => return Ok(None),
        };
        if let Some(done) = done {
            match open.last_mut() {
                Some(parent) => parent.children.push(done),
                None => return Ok(Some((Piece::Stanza(done), position(&reader)))),
            }
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn element(tag: &BytesStart<'_>) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| bad_tag(tag))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|_| bad_tag(tag))?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element {
        name: tag.local_name().as_ref().to_owned(),
        attributes,
        ..Element::default()
    })
}

fn bad_tag(tag: &BytesStart<'_>) -> String {
    format!("the server sends a broken tag {}", tag.name().as_ref())
}

/// One of XML's five entities or a character's number. A stream has no others: it
/// can declare none.
fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    let name: &str = reference;
    let whole = format!("&{name};");
    let text = escape::unescape(&whole);
    text.map(std::borrow::Cow::into_owned)
        .map_err(|_| format!("the server sends the unknown entity {whole}"))
}

fn add(open: &mut [Element], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(no_xmpp(text.as_bytes())),
    }
    Ok(())
}

fn no_xmpp(bytes: &[u8]) -> String {
    use watchkeeper_sdk::wording::{Limit, line};

    let start = bytes.get(..bytes.len().min(400)).unwrap_or_default();
    let start = Limit::chars(100).cut(&line(&String::from_utf8_lossy(start)));
    format!("the server does not speak XMPP: {start:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "<?xml version='1.0'?>\n<stream:stream id='a&amp;b' xmlns='jabber:client'>";

    #[test]
    fn pieces_come_whole_however_they_are_cut() {
        let stanza =
            "<message to='a&#33;b'><body>x &lt;y&gt;<![CDATA[<z>]]> é</body><empty/></message>";
        let all = format!("{OPEN}{stanza} </stream:stream>");
        for cut in 0..all.len() {
            let mut received = Vec::new();
            let mut found = Vec::new();
            for part in [&all.as_bytes()[..cut], &all.as_bytes()[cut..]] {
                received.extend_from_slice(part);
                while let Some((piece, length)) = piece(&received).unwrap() {
                    received.drain(..length);
                    found.push(piece);
                }
            }
            let [Piece::Open(open), Piece::Stanza(message), Piece::Close] = found.as_slice() else {
                panic!("{cut}: {found:?}");
            };
            assert_eq!(open.attribute("id"), Some("a&b"));
            assert_eq!(message.attribute("to"), Some("a!b"));
            assert_eq!(message.child("body").unwrap().text, "x <y><z> é");
            assert!(message.child("empty").is_some() && received.is_empty());
        }
    }

    #[test]
    fn what_is_no_xmpp_is_told() {
        for (text, expected) in [
            (
                "SSH-2.0-x\r\n",
                "the server does not speak XMPP: \"SSH-2.0-x\"",
            ),
            ("HTTP/1.1 400 <b>", "the server does not speak XMPP"),
            ("<a></b>", "the server does not speak XMPP"),
            (
                "<a>&evil;</a>",
                "the server sends the unknown entity &evil;",
            ),
            (
                "<!DOCTYPE a [<!ENTITY b 'c'>]>",
                "the server sends XML that XMPP forbids",
            ),
            ("<!-- x -->", "the server sends XML that XMPP forbids"),
            ("<a b='&c;'>", "the server sends a broken tag a"),
            (
                &"<a>".repeat(1000),
                "the server sends XML deeper than 32 elements",
            ),
        ] {
            let found = piece(text.as_bytes()).unwrap_err();
            assert!(found.starts_with(expected), "{text}: {found}");
        }
        assert!(piece(b"\xff<a/>").is_err());
        for unfinished in ["", " \n", "<", "<a", "<a b='>", "<a><b/>"] {
            assert_eq!(piece(unfinished.as_bytes()), Ok(None), "{unfinished}");
        }
    }

    #[test]
    fn text_means_nothing_but_itself() {
        assert_eq!(
            escaped("<a b=\"c\" d='e'>&\u{1b}\u{FFFE}"),
            "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;\u{FFFD}\u{FFFD}"
        );
    }
}

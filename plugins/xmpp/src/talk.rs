//! A session: messages to people and rooms, and what comes of them.

use watchkeeper_sdk::Failure;
use watchkeeper_sdk::recipients::Round;

use crate::jid::Jid;
use crate::message::Message;
use crate::stream::Stream;
use crate::trouble;
use crate::xml::{Element, escaped};

/// The most stanzas that are read while one is waited for. What comes in between
/// is the presence of others in a room, seldom more than some hundred.
const MOST_STANZAS: usize = 10_000;

/// A session that began.
pub(crate) struct Talk {
    stream: Stream,
}

impl Talk {
    /// Begins a session on a stream that is logged in (RFC 6120 section 7). The
    /// server chooses the resource: each run has one of its own.
    pub(crate) fn begin(stream: Stream) -> Result<Self, Failure> {
        let mut talk = Self { stream };
        talk.ask(
            "bind",
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
            "the server begins no session",
        )?;
        // What RFC 3921 demanded; newer servers say that it may be left out.
        let session = talk.stream.features().child("session");
        if session.is_some_and(|session| session.child("optional").is_none()) {
            talk.ask(
                "session",
                "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>",
                "the server begins no session",
            )?;
        }
        Ok(talk)
    }

    /// Tells each of `people`. The server answers what it is asked in the order in
    /// which it was asked: what it cannot deliver came back before it answers the
    /// question behind. What another server cannot deliver may come back later,
    /// when nobody hears of it.
    pub(crate) fn tell_people(
        &mut self,
        people: &[Jid],
        message: &Message,
    ) -> Result<Round, Failure> {
        if people.is_empty() {
            return Ok(Round::new());
        }
        for jid in people {
            self.stream.say(&message.stanza(jid.as_str(), "chat"))?;
        }
        let domain = escaped(self.stream.domain());
        self.stream.say(&format!(
            "<iq type='get' id='told' to='{domain}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ))?;
        let mut told: Vec<(&Jid, _)> = people.iter().map(|jid| (jid, Ok(()))).collect();
        self.until("answer to the messages", |stanza| {
            if stanza.name == "message" && stanza.attribute("type") == Some("error") {
                let from = stanza.attribute("from").unwrap_or_default();
                for (_, outcome) in told.iter_mut().filter(|(jid, _)| jid.is(from)) {
                    let what = "the server does not take the message";
                    *outcome = Err(trouble::of_stanza(what, stanza));
                }
            }
            // Whether it knows pings or not, it has come to this one.
            let is_answer = stanza.name == "iq" && stanza.attribute("id") == Some("told");
            Ok(is_answer.then_some(()))
        })?;
        let told = told.into_iter();
        Ok(told
            .map(|(jid, outcome)| (jid.to_string(), outcome))
            .collect())
    }

    /// Enters `room` as `nick`, tells it, and leaves (XEP-0045). A room sends its
    /// messages to all who are in it: ours has arrived when it comes back.
    pub(crate) fn tell_room(
        &mut self,
        room: &Jid,
        nick: &str,
        message: &Message,
    ) -> Result<(), Failure> {
        let place = escaped(&format!("{room}/{nick}"));
        self.stream.say(&format!(
            "<presence to='{place}'><x xmlns='http://jabber.org/protocol/muc'>\
             <history maxstanzas='0'/></x></presence>"
        ))?;
        self.until("word that it lets us into the room", |stanza| {
            let is_ours = stanza.name == "presence" && is_from(stanza, room);
            match stanza.attribute("type") {
                Some("error") if is_ours => {
                    let what = format!("the room lets nobody in as {nick}");
                    Err(trouble::of_stanza(&what, stanza))
                }
                None if is_ours && is_self(stanza) => Ok(Some(())),
                _ => Ok(None),
            }
        })?;
        self.stream
            .say(&message.stanza(room.as_str(), "groupchat"))?;
        let told = self.until("echo of the message to the room", |stanza| {
            let is_ours = stanza.name == "message"
                && is_from(stanza, room)
                && stanza.attribute("id") == Some(message.id());
            match stanza.attribute("type") {
                Some("error") if is_ours => {
                    let what = "the room does not take the message";
                    Err(trouble::of_stanza(what, stanza))
                }
                _ => Ok(is_ours.then_some(())),
            }
        });
        self.stream
            .say(&format!("<presence to='{place}' type='unavailable'/>"))?;
        told
    }

    /// Takes leave.
    pub(crate) fn close(self) {
        self.stream.close();
    }

    /// Asks for a session or what belongs to one; `what` is told where it fails.
    fn ask(&mut self, id: &str, question: &str, what: &str) -> Result<(), Failure> {
        self.stream
            .say(&format!("<iq type='set' id='{id}'>{question}</iq>"))?;
        self.until("session", |stanza| {
            if stanza.name != "iq" || stanza.attribute("id") != Some(id) {
                return Ok(None);
            }
            match stanza.attribute("type") {
                Some("result") => Ok(Some(())),
                _ => Err(trouble::of_stanza(what, stanza)),
            }
        })
    }

    /// Reads stanzas until `judge` finds the one that is `awaited`.
    fn until<T>(
        &mut self,
        awaited: &'static str,
        mut judge: impl FnMut(&Element) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        for _ in 0..MOST_STANZAS {
            let stanza = self.stream.stanza(awaited)?;
            if let Some(found) = judge(&stanza)? {
                return Ok(found);
            }
        }
        Err(Failure::temporary(format!(
            "the server sends {MOST_STANZAS} stanzas before its {awaited}"
        )))
    }
}

fn is_from(stanza: &Element, jid: &Jid) -> bool {
    jid.is(stanza.attribute("from").unwrap_or_default())
}

/// Whether a presence is our own: status 110 (XEP-0045 section 7.2.2).
fn is_self(presence: &Element) -> bool {
    presence
        .children
        .iter()
        .flat_map(|child| &child.children)
        .any(|status| status.name == "status" && status.attribute("code") == Some("110"))
}

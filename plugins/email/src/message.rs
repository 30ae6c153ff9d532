//! The mail: headers, the same in text and in HTML, and what threads it.

use std::fmt::Write as _;

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};

use crate::config::Config;
use crate::mailbox::Mailbox;

mod html;

/// The longest subject: what a list of mails shows of it.
const SUBJECT: Limit = Limit::chars(150);

/// The longest name of the sender, where it is the page's title.
const NAME: Limit = Limit::chars(100);

/// The longest text. Servers take megabytes; nobody reads more than this.
const TEXT: Limit = Limit::chars(20_000);

/// The longest part of a message id that is made of a notice's, in bytes, so that
/// the header fits the 998 of a line (RFC 5322 section 2.1.1) with a domain.
const LONGEST_ID: usize = 200;

/// A mail as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// The mail about a notice. Every attempt to deliver the same notice makes a
    /// mail with the same id and date.
    pub(crate) fn new(config: &Config, notice: &Notice) -> Self {
        let wording = Wording::of(notice);
        let domain = config.from.domain();
        let root = format!("thread.{}@{domain}", as_id(&notice.thread));
        let subject = [&wording.title, &wording.page]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or_else(|| "Notice".to_owned(), |text| literal(text, SUBJECT));
        let page = literal(&wording.page, NAME);
        let sender = config.from.name().unwrap_or(&page);
        let mut builder = MessageBuilder::new()
            .from(address(sender, config.from.address()))
            .to(addresses(&config.to));
        if !config.cc.is_empty() {
            builder = builder.cc(addresses(&config.cc));
        }
        if let Some(mailbox) = &config.reply_to {
            builder = builder.reply_to(named(mailbox));
        }
        builder = builder
            .subject(subject)
            .date(notice.at.seconds())
            .message_id(MessageId::new(format!("{}@{domain}", as_id(&notice.id))));
        if !notice.thread.is_empty() {
            builder = builder
                .in_reply_to(MessageId::new(root.clone()))
                .references(MessageId::new(root));
        }
        // Vacation responders keep quiet: RFC 3834 section 5, and Exchange.
        builder = builder
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("X-Auto-Response-Suppress", Raw::new("All"));
        if wording.severity == Severity::Dead {
            builder = builder.header("Importance", Raw::new("high"));
        }
        let mut bytes = Vec::new();
        builder
            .text_body(wording.render(Markup::Plain, TEXT))
            .html_body(html::page(&wording))
            .serialize(&mut bytes);
        Self(bytes)
    }

    #[cfg(test)]
    pub(crate) fn of_bytes(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// All of it as the command DATA wants it: every line ends with CR and LF, one
    /// that begins with a dot has another before it, and a dot alone ends the mail
    /// (RFC 5321 section 4.5.2).
    pub(crate) fn stuffed(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + self.0.len() / 64 + 8);
        let text = self.0.strip_suffix(b"\n").unwrap_or(&self.0);
        for line in text.split(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        out
    }
}

/// `text` for a header, where it must not look like what others encoded (RFC 2047):
/// a mail program would decode it, line breaks and all.
fn literal(text: &str, limit: Limit) -> String {
    limit.cut(&text.replace("=?", "= ?"))
}

fn address<'a>(name: &'a str, address: &'a str) -> Address<'a> {
    Address::new_address((!name.is_empty()).then_some(name), address)
}

fn named(mailbox: &Mailbox) -> Address<'_> {
    address(mailbox.name().unwrap_or_default(), mailbox.address())
}

fn addresses(mailboxes: &[Mailbox]) -> Address<'_> {
    Address::new_list(mailboxes.iter().map(named).collect())
}

/// `text` as part of a message id: what is not a letter, a digit or a hyphen
/// becomes `=` and two hexadecimal digits, so that two texts never become one.
fn as_id(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            out.push(char::from(byte));
        } else {
            write!(out, "={byte:02X}").expect("a text takes all that is written");
        }
        if out.len() >= LONGEST_ID {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests;

//! Questions and replies as bytes.

use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use hickory_proto::serialize::binary::BinEncodable;

use crate::dns::presentation;
use crate::dns::{Answer, DnsError, Record};
use crate::host::{Host, shortened};

/// The largest datagram asked for: it passes every network without being split
/// (DNS flag day 2020).
const LARGEST_DATAGRAM: u16 = 1_232;

/// One question, ready to be sent.
pub(super) struct Question {
    id: u16,
    query: Query,
    bytes: Vec<u8>,
}

/// A message that answers a question.
pub(super) struct Reply(Message);

impl Question {
    pub(super) fn new(id: u16, name: &str, kind: &str) -> Result<Self, DnsError> {
        let query = Query::query(parse_name(name)?, parse_kind(kind)?);
        let mut message = Message::query();
        message.metadata.id = id;
        message.metadata.recursion_desired = true;
        // Asks to be told whether the answer was validated (RFC 6840 section 5.7).
        message.metadata.authentic_data = true;
        let mut edns = Edns::new();
        edns.set_max_payload(LARGEST_DATAGRAM);
        message.set_edns(edns);
        message.add_query(query.clone());
        let bytes = message
            .to_bytes()
            .map_err(|error| DnsError::Invalid(error.to_string()))?;
        Ok(Self { id, query, bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads a reply to this question; none for anything else. A server that
    /// could not read the question may leave it out (FORMERR, NOTIMP).
    pub(super) fn reply(&self, bytes: &[u8]) -> Option<Reply> {
        let message = Message::from_vec(bytes).ok()?;
        let is_reply = message.metadata.id == self.id
            && message.metadata.message_type == hickory_proto::op::MessageType::Response;
        let echoes = match message.queries.as_slice() {
            [query] => {
                query.query_type == self.query.query_type
                    && query.query_class == self.query.query_class
                    && query.name.eq_ignore_root_case(&self.query.name)
            }
            [] => matches!(
                message.metadata.response_code,
                ResponseCode::FormErr | ResponseCode::NotImp
            ),
            _ => false,
        };
        (is_reply && echoes).then_some(Reply(message))
    }
}

impl Reply {
    /// Whether the answer did not fit into the datagram.
    pub(super) fn is_cut(&self) -> bool {
        self.0.metadata.truncation
    }

    pub(super) fn into_answer(self, took: Duration) -> Answer {
        Answer {
            code: code_text(self.0.metadata.response_code),
            authenticated: self.0.metadata.authentic_data,
            records: self
                .0
                .answers
                .iter()
                .map(|record| Record {
                    name: presentation::owner(&record.name),
                    kind: presentation::kind(record.record_type()),
                    ttl_seconds: record.ttl,
                    data: presentation::data(&record.data),
                })
                .collect(),
            took,
        }
    }
}

/// Names that are no hosts, such as an address's reverse name in parts, are
/// names in DNS all the same.
fn parse_name(text: &str) -> Result<Name, DnsError> {
    let ascii = match Host::parse(text) {
        Ok(Host::Name(name)) => name,
        _ => text.to_owned(),
    };
    let mut name = Name::from_ascii(&ascii)
        .map_err(|_| DnsError::Invalid(format!("`{}` is no DNS name", shortened(text))))?;
    name.set_fqdn(true);
    Ok(name)
}

fn parse_kind(text: &str) -> Result<RecordType, DnsError> {
    let upper = text.to_ascii_uppercase();
    let unknown = || DnsError::Invalid(format!("`{}` is no DNS record type", shortened(text)));
    let kind = match upper.strip_prefix("TYPE") {
        Some(number) => RecordType::from(number.parse::<u16>().map_err(|_| unknown())?),
        None => upper.parse().map_err(|_| unknown())?,
    };
    match kind {
        RecordType::AXFR | RecordType::IXFR => Err(DnsError::Invalid(
            "zone transfers are not supported".to_owned(),
        )),
        RecordType::OPT | RecordType::TSIG | RecordType::ZERO => Err(unknown()),
        kind => Ok(kind),
    }
}

fn code_text(code: ResponseCode) -> String {
    let text = match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::YXDomain => "YXDOMAIN",
        ResponseCode::YXRRSet => "YXRRSET",
        ResponseCode::NXRRSet => "NXRRSET",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        ResponseCode::BADVERS => "BADVERS",
        ResponseCode::BADCOOKIE => "BADCOOKIE",
        other => return format!("RCODE{}", u16::from(other)),
    };
    text.to_owned()
}

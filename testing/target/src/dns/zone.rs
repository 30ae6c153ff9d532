//! The table that a name server answers from.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, TXT};
use hickory_proto::rr::{Name, RData};

/// The longest string within a TXT record, in bytes.
const LONGEST_TEXT: usize = 255;

/// One record's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchange.
    Mx {
        /// Lower is preferred.
        preference: u16,
        /// Its host name.
        exchange: String,
    },
    /// A text; cut into strings of 255 bytes.
    Txt(String),
    /// An alias; it is followed within the table.
    Cname(String),
}

/// What the server does when asked for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Answers with those of the records that are of the type asked for.
    Records(Vec<Data>),
    /// The name does not exist; so it is with all names that are not in the table.
    NxDomain,
    /// The server failed.
    ServFail,
    /// The server does not wish to answer.
    Refused,
    /// No answer, ever.
    Silent,
    /// Over UDP only the request to come again over TCP; over TCP these records.
    Truncated(Vec<Data>),
    /// The first query of each type sees one set of records, all later ones the other.
    Rebinding {
        /// What is checked.
        first: Vec<Data>,
        /// What is connected to, if one asks twice.
        then: Vec<Data>,
    },
}

/// A table of names. Names are compared without regard to case and a final dot.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    pub(super) entries: HashMap<String, Entry>,
}

impl Zone {
    /// An empty table: every name is NXDOMAIN.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this name as well; a second entry for a name takes the first one's place.
    #[must_use]
    pub fn with(mut self, name: &str, entry: Entry) -> Self {
        self.entries.insert(key(name), entry);
        self
    }

    /// With this name for these IPv4 addresses.
    #[must_use]
    pub fn with_a(self, name: &str, addresses: &[Ipv4Addr]) -> Self {
        self.with(
            name,
            Entry::Records(addresses.iter().copied().map(Data::A).collect()),
        )
    }

    /// `demo.test` (127.0.0.1), and below it one name for each kind of answer: `ok` (A, AAAA, MX, TXT),
    /// `alias` (CNAME of `ok`), `gone` (NXDOMAIN), `broken` (SERVFAIL), `refused`,
    /// `silent`, `long` (truncated over UDP) and `rebind` (127.0.0.1, then 169.254.169.254).
    pub fn demo() -> Self {
        Self::new()
            .with_a("demo.test", &[Ipv4Addr::LOCALHOST])
            .with(
                "ok.demo.test",
                Entry::Records(vec![
                    Data::A(Ipv4Addr::LOCALHOST),
                    Data::Aaaa(Ipv6Addr::LOCALHOST),
                    Data::Mx {
                        preference: 10,
                        exchange: "mail.demo.test".into(),
                    },
                    Data::Txt("v=spf1 -all".into()),
                ]),
            )
            .with(
                "alias.demo.test",
                Entry::Records(vec![Data::Cname("ok.demo.test".into())]),
            )
            .with("gone.demo.test", Entry::NxDomain)
            .with("broken.demo.test", Entry::ServFail)
            .with("refused.demo.test", Entry::Refused)
            .with("silent.demo.test", Entry::Silent)
            .with(
                "long.demo.test",
                Entry::Truncated(vec![Data::Txt("x".repeat(2000))]),
            )
            .with(
                "rebind.demo.test",
                Entry::Rebinding {
                    first: vec![Data::A(Ipv4Addr::LOCALHOST)],
                    then: vec![Data::A(Ipv4Addr::new(169, 254, 169, 254))],
                },
            )
    }
}

/// How a name is written in the table.
pub(super) fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The record's content for the wire; `None` where a name in it is none.
pub(super) fn encode(data: &Data) -> Option<RData> {
    let name = |name: &str| {
        let mut name = Name::from_ascii(name).ok()?;
        name.set_fqdn(true);
        Some(name)
    };
    Some(match data {
        Data::A(address) => RData::A(A(*address)),
        Data::Aaaa(address) => RData::AAAA(AAAA(*address)),
        Data::Mx {
            preference,
            exchange,
        } => RData::MX(MX::new(*preference, name(exchange)?)),
        Data::Txt(text) => {
            let strings = text.as_bytes().chunks(LONGEST_TEXT);
            let strings = strings.map(|string| String::from_utf8_lossy(string).into_owned());
            RData::TXT(TXT::new(strings.collect()))
        }
        Data::Cname(target) => RData::CNAME(CNAME(name(target)?)),
    })
}

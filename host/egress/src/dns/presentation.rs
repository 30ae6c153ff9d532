//! Records as text (RFC 1035 section 5, RFC 3597 section 5).

use std::fmt::Write as _;

use hickory_proto::rr::{Name, RData, RecordType};
use hickory_proto::serialize::binary::BinEncodable;

/// A name without the root's dot, as operators write it.
pub(super) fn owner(name: &Name) -> String {
    let text = name.to_ascii();
    match text.strip_suffix('.') {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => text,
    }
}

pub(super) fn kind(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

pub(super) fn data(data: &RData) -> String {
    match data {
        RData::TXT(text) => text
            .txt_data
            .iter()
            .map(|part| quoted(part))
            .collect::<Vec<_>>()
            .join(" "),
        RData::HINFO(info) => format!("{} {}", quoted(&info.cpu), quoted(&info.os)),
        RData::CAA(authority) => format!(
            "{} {} {}",
            authority.flags(),
            authority.tag,
            quoted(&authority.value)
        ),
        RData::NAPTR(pointer) => format!(
            "{} {} {} {} {} {}",
            pointer.order,
            pointer.preference,
            quoted(&pointer.flags),
            quoted(&pointer.services),
            quoted(&pointer.regexp),
            pointer.replacement
        ),
        RData::Unknown { .. } | RData::NULL(_) => generic(data),
        // They stand outside the answer section, and have no text.
        RData::OPT(_) | RData::Update0(_) => String::new(),
        known => known.to_string(),
    }
}

/// A character string: printable ASCII as it is, the rest as `\DDD`.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                write!(text, "\\{other:03}").expect("writing to a string cannot fail");
            }
        }
    }
    text.push('"');
    text
}

fn generic(data: &RData) -> String {
    let bytes = data.to_bytes().unwrap_or_default();
    let mut text = format!("\\# {}", bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { " " } else { "" };
        write!(text, "{separator}{byte:02X}").expect("writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::rr::rdata::{A, MX, NULL, TXT};

    use super::*;

    #[test]
    fn data_is_written_as_in_a_zone_file() {
        let name = Name::from_ascii("Mail.Example.com.").unwrap();
        for (value, text) in [
            (RData::A(A(Ipv4Addr::new(192, 0, 2, 1))), "192.0.2.1"),
            (RData::MX(MX::new(10, name.clone())), "10 Mail.Example.com."),
            (
                RData::TXT(TXT::from_bytes(vec![b"a \"b\" \\", b"\xc3\xa4;\n"])),
                "\"a \\\"b\\\" \\\\\" \"\\195\\164;\\010\"",
            ),
            (
                RData::Unknown {
                    code: RecordType::Unknown(65_280),
                    rdata: NULL::with(vec![1, 0xab]),
                },
                "\\# 2 01AB",
            ),
        ] {
            assert_eq!(data(&value), text);
        }
        assert_eq!(owner(&name), "Mail.Example.com");
        assert_eq!(owner(&Name::root()), ".");
        assert_eq!(kind(RecordType::Unknown(65_280)), "TYPE65280");
    }
}

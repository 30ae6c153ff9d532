//! Echo requests and replies as bytes.

use std::net::IpAddr;

/// Bytes of the random token by which a reply is known: the identifier of a
/// datagram socket is the kernel's, and a raw socket sees every reply.
pub(super) const TOKEN_LENGTH: usize = 16;

const HEADER_LENGTH: usize = 8;

/// Which ICMP it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    fn request_type(self) -> u8 {
        match self {
            Self::V4 => 8,
            Self::V6 => 128,
        }
    }

    fn reply_type(self) -> u8 {
        match self {
            Self::V4 => 0,
            Self::V6 => 129,
        }
    }
}

/// An echo request: type, code, checksum, identifier, sequence, token. The
/// checksum of `ICMPv6` is the kernel's to fill in (RFC 3542 section 3.1).
pub(super) fn request(family: Family, token: &[u8; TOKEN_LENGTH]) -> Vec<u8> {
    let [identifier_high, identifier_low, ..] = *token;
    let header = |sum: u16| {
        let [sum_high, sum_low] = sum.to_be_bytes();
        [
            family.request_type(),
            0,
            sum_high,
            sum_low,
            identifier_high,
            identifier_low,
            0,
            1,
        ]
    };
    let mut packet = Vec::with_capacity(HEADER_LENGTH + TOKEN_LENGTH);
    packet.extend(header(0));
    packet.extend(token);
    if family == Family::V4 {
        let sum = checksum(&packet);
        packet.splice(..HEADER_LENGTH, header(sum));
    }
    packet
}

/// Whether these bytes, with an IPv4 header in front of them or not, are the
/// reply to the request with this token.
pub(super) fn is_reply(family: Family, packet: &[u8], token: &[u8; TOKEN_LENGTH]) -> bool {
    let message = match (family, packet.first()) {
        // A raw IPv4 socket gives the header too; no ICMP type is 0x45 to 0x4f.
        (Family::V4, Some(first @ 0x45..=0x4f)) => {
            let header = usize::from(first & 0x0f) * 4;
            packet.get(header..).unwrap_or_default()
        }
        _ => packet,
    };
    message.first() == Some(&family.reply_type())
        && message.get(1) == Some(&0)
        && message.get(HEADER_LENGTH..) == Some(token.as_slice())
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => u32::from(u16::from_be_bytes([high, low])),
            [high] => u32::from(u16::from_be_bytes([high, 0])),
            _ => 0,
        })
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reply_is_known_by_its_token() {
        let token = [7; TOKEN_LENGTH];
        let mut reply = request(Family::V4, &token);
        assert!(
            !is_reply(Family::V4, &reply, &token),
            "a request is no reply"
        );
        reply[0] = 0;
        assert!(is_reply(Family::V4, &reply, &token));
        assert!(!is_reply(Family::V4, &reply, &[8; TOKEN_LENGTH]));
        let mut raw = vec![0x45; 20];
        raw.extend(&reply);
        assert!(is_reply(Family::V4, &raw, &token));
        assert!(!is_reply(Family::V6, &raw, &token));
    }

    proptest! {
        #[test]
        fn a_packet_with_its_checksum_sums_to_nothing(token: [u8; TOKEN_LENGTH]) {
            prop_assert_eq!(checksum(&request(Family::V4, &token)), 0);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            is_reply(Family::V4, &bytes, &[0; TOKEN_LENGTH]);
            is_reply(Family::V6, &bytes, &[0; TOKEN_LENGTH]);
        }
    }
}

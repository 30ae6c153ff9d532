//! What a server says first: its version, what it can, and what to log in by.

use watchkeeper_sdk::Stop;

use crate::packet::{Fields, malformed, stop_of};

/// What either side can: bits of the protocol's capability flags.
pub(crate) mod capability {
    pub(crate) const LONG_PASSWORD: u32 = 1;
    pub(crate) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(crate) const PROTOCOL_41: u32 = 1 << 9;
    pub(crate) const SSL: u32 = 1 << 11;
    pub(crate) const TRANSACTIONS: u32 = 1 << 13;
    pub(crate) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(crate) const PLUGIN_AUTH: u32 = 1 << 19;
}

/// How many bytes of what the server made up a login is scrambled with.
pub(crate) const NONCE_LENGTH: usize = 20;

/// What a server says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// `8.0.36`, `10.11.6-MariaDB-0+deb12u1`.
    pub(crate) version: String,
    pub(crate) capabilities: u32,
    pub(crate) nonce: Vec<u8>,
    /// The way to log in that the server would rather have.
    pub(crate) plugin: String,
}

impl Greeting {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Stop> {
        let mut fields = Fields(payload);
        match fields.u8() {
            Some(10) => {}
            // Too many connections, or this host is blocked.
            Some(0xff) => return Err(stop_of(fields)),
            _ => return Err(malformed("no greeting of protocol 10")),
        }
        Self::of(fields).ok_or_else(|| malformed("the greeting is too short"))
    }

    fn of(mut fields: Fields<'_>) -> Option<Self> {
        let version = String::from_utf8_lossy(fields.until_zero()?).into_owned();
        let _connection = fields.bytes(4)?;
        let mut nonce = fields.bytes(8)?.to_vec();
        let _filler = fields.u8()?;
        let low = fields.u16()?;
        let _collation_and_status = fields.bytes(3)?;
        let high = fields.u16()?;
        let capabilities = u32::from(high) << 16 | u32::from(low);
        let length = usize::from(fields.u8()?);
        let _reserved = fields.bytes(10)?;
        if capabilities & capability::SECURE_CONNECTION != 0 {
            // The second part of the nonce; what is longer than it has to be ends
            // with a zero.
            let rest = fields.bytes(length.saturating_sub(8).max(13))?;
            nonce.extend_from_slice(rest);
            nonce.truncate(NONCE_LENGTH);
        }
        let plugin = if capabilities & capability::PLUGIN_AUTH == 0 {
            "mysql_native_password".to_owned()
        } else {
            // Some servers leave out the zero at the end.
            let name = fields.until_zero().unwrap_or(fields.0);
            String::from_utf8_lossy(name).into_owned()
        };
        Some(Self {
            version,
            capabilities,
            nonce,
            plugin,
        })
    }

    pub(crate) fn can(&self, capability: u32) -> bool {
        self.capabilities & capability != 0
    }

    pub(crate) fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As MySQL 8.0 sends it.
    fn greeting() -> Vec<u8> {
        let mut bytes = b"\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15".to_vec();
        bytes.extend_from_slice(&[0; 10]);
        bytes.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
        bytes
    }

    #[test]
    fn a_greeting_is_taken_apart() {
        let found = Greeting::parse(&greeting()).unwrap();
        assert_eq!(found.version, "8.0.36");
        assert_eq!(found.nonce, b"abcdefghijklmnopqrst");
        assert_eq!(found.plugin, "caching_sha2_password");
        assert!(found.can(capability::SSL) && found.can(capability::PLUGIN_AUTH));
        assert!(!found.is_mariadb());
    }

    #[test]
    fn what_is_no_greeting_is_said_to_be_none() {
        let stop = |payload: &[u8]| Greeting::parse(payload).unwrap_err();
        assert_eq!(
            stop(b"\xff\x6a\x04Host 'x' is blocked"),
            Stop::Dead("error 1130: Host 'x' is blocked".to_owned())
        );
        assert_eq!(
            stop(b"\x09old"),
            Stop::Dead("this is not MySQL: no greeting of protocol 10".to_owned())
        );
        assert_eq!(
            stop(b"\x0a8.0\0"),
            Stop::Dead("this is not MySQL: the greeting is too short".to_owned())
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(cut in 0_usize..90, at in 0_usize..90, byte: u8) {
            let mut bytes = greeting();
            bytes.truncate(cut);
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            drop(Greeting::parse(&bytes));
        }
    }
}

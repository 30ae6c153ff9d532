//! The methods of AMQP's class `connection` (section 1.4 of its reference) that
//! open and close a connection.

/// The class of all of them.
const CONNECTION: u16 = 10;

/// What this client says of itself, and that it wants to be told why a login is
/// refused instead of only being cut off.
const PROPERTIES: [(&str, Property); 4] = [
    ("product", Property::Text("Watchkeeper")),
    ("version", Property::Text(env!("CARGO_PKG_VERSION"))),
    ("information", Property::Text("checks whether logins work")),
    (
        "capabilities",
        Property::Able("authentication_failure_close"),
    ),
];

/// A value in the client's properties.
#[derive(Clone, Copy)]
enum Property {
    Text(&'static str),
    /// A table in which this capability is true.
    Able(&'static str),
}

/// What a broker says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// The first, with the mechanisms to log in by, divided by spaces.
    Start { mechanisms: String },
    /// A further question of a mechanism.
    Secure,
    /// The login is good; what is proposed for the connection.
    Tune { channels: u16, frame: u32 },
    /// The virtual host is open.
    OpenOk,
    /// The broker ends the connection, and says why.
    Close { code: u16, text: String },
    /// The broker agrees to an end.
    CloseOk,
    /// A method that is none of these.
    Other { class: u16, method: u16 },
}

impl Method {
    /// Takes a method apart; none where it is cut short. What stands behind the
    /// last field that is needed is not looked at.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        let (class, method) = (fields.short()?, fields.short()?);
        if class != CONNECTION {
            return Some(Self::Other { class, method });
        }
        Some(match method {
            10 => {
                // Both numbers of the version, then the server's properties.
                fields.take(2)?;
                fields.long_text()?;
                Self::Start {
                    mechanisms: text(fields.long_text()?),
                }
            }
            20 => Self::Secure,
            30 => Self::Tune {
                channels: fields.short()?,
                frame: fields.long()?,
            },
            41 => Self::OpenOk,
            50 => Self::Close {
                code: fields.short()?,
                text: text(fields.short_text()?),
            },
            51 => Self::CloseOk,
            method => Self::Other { class, method },
        })
    }
}

/// The answer to `start`: PLAIN (RFC 4616).
pub(crate) fn start_ok(name: &str, password: &str) -> Vec<u8> {
    let mut payload = method(11);
    let mut table = Vec::new();
    for (key, value) in PROPERTIES {
        push_short_text(&mut table, key);
        match value {
            Property::Text(text) => {
                table.push(b'S');
                push_long(&mut table, text.as_bytes());
            }
            Property::Able(capability) => {
                let mut able = Vec::new();
                push_short_text(&mut able, capability);
                able.extend(b"t\x01");
                table.push(b'F');
                push_long(&mut table, &able);
            }
        }
    }
    push_long(&mut payload, &table);
    push_short_text(&mut payload, "PLAIN");
    push_long(&mut payload, format!("\0{name}\0{password}").as_bytes());
    push_short_text(&mut payload, "en_US");
    payload
}

/// Agrees to what was proposed, without heartbeats: the connection is short.
pub(crate) fn tune_ok(channels: u16, frame: u32) -> Vec<u8> {
    let mut payload = method(31);
    payload.extend(channels.to_be_bytes());
    payload.extend(frame.to_be_bytes());
    payload.extend(0_u16.to_be_bytes());
    payload
}

/// Opens a virtual host, of at most 255 bytes.
pub(crate) fn open(vhost: &str) -> Vec<u8> {
    let mut payload = method(40);
    push_short_text(&mut payload, vhost);
    // Two fields that have no meaning any more.
    payload.extend([0, 0]);
    payload
}

/// Ends the connection.
pub(crate) fn close() -> Vec<u8> {
    let mut payload = method(50);
    payload.extend(200_u16.to_be_bytes());
    push_short_text(&mut payload, "checked");
    // The method that was at fault: none.
    payload.extend([0, 0, 0, 0]);
    payload
}

/// Agrees to the broker's end.
pub(crate) fn close_ok() -> Vec<u8> {
    method(51)
}

fn method(number: u16) -> Vec<u8> {
    let mut payload = CONNECTION.to_be_bytes().to_vec();
    payload.extend(number.to_be_bytes());
    payload
}

fn push_short_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).expect("what is sent so is at most 255 bytes long"));
    bytes.extend(text.as_bytes());
}

fn push_long(bytes: &mut Vec<u8>, content: &[u8]) {
    let length = u32::try_from(content.len()).expect("a configuration is shorter than 4 GiB");
    bytes.extend(length.to_be_bytes());
    bytes.extend(content);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The rest of a method's fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn short_text(&mut self) -> Option<&'a [u8]> {
        let length = self.octet()?;
        self.take(length.into())
    }

    /// A long text, or a table: both begin with their length.
    fn long_text(&mut self) -> Option<&'a [u8]> {
        let length = self.long()?;
        self.take(usize::try_from(length).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_taken_apart() {
        let start = b"\0\x0a\0\x0a\0\x09\0\0\0\x02??\0\0\0\x0ePLAIN AMQPLAIN\0\0\0\x05en_US";
        let expected = Method::Start {
            mechanisms: "PLAIN AMQPLAIN".to_owned(),
        };
        assert_eq!(Method::parse(start), Some(expected));
        let close = b"\0\x0a\0\x32\x01\x93\x0eACCESS_REFUSED\0\0\0\0";
        let expected = Method::Close {
            code: 403,
            text: "ACCESS_REFUSED".to_owned(),
        };
        assert_eq!(Method::parse(close), Some(expected));
        let tune = tune_ok(2047, 131_072);
        assert_eq!(tune, b"\0\x0a\0\x1f\x07\xff\0\x02\0\0\0\0");
        assert_eq!(Method::parse(&close_ok()), Some(Method::CloseOk));
        for cut in 0..30 {
            assert_eq!(Method::parse(&start[..cut]), None, "{cut}");
        }
        let other = Method::Other {
            class: 20,
            method: 11,
        };
        assert_eq!(Method::parse(b"\0\x14\0\x0b"), Some(other));
    }

    #[test]
    fn a_login_names_the_user_after_a_nul() {
        let payload = start_ok("me", "päss");
        let sent = payload
            .windows(9)
            .any(|window| window == "\0me\0päss".as_bytes());
        assert!(sent, "{payload:?}");
        assert_eq!(open("/"), b"\0\x0a\0\x28\x01/\0\0");
    }
}

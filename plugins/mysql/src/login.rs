//! Logging in, in the ways that need no more than a password.

use watchkeeper_sdk::Stop;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::database::Address;

use crate::Config;
use crate::greeting::{Greeting, NONCE_LENGTH, capability};
use crate::packet::{Fields, LONGEST, malformed, stop_of};
use crate::scramble::{caching_sha2, native};
use crate::server::Server;

/// Who logs in where nobody is named.
const USER: &str = "root";

/// `utf8mb4_general_ci`, which every version knows.
const COLLATION: u8 = 45;

const NATIVE: &str = "mysql_native_password";
const CACHING_SHA2: &str = "caching_sha2_password";

/// What `caching_sha2_password` says besides what every way says.
mod sha2_says {
    /// The server remembers this user's password and knows that it is right.
    pub(super) const KNOWN: u8 = 3;
    /// It does not: it needs the password itself.
    pub(super) const FULL: u8 = 4;
}

/// What this side can, given what the server can; `with_tls` and `with_database`
/// are what is asked for.
pub(crate) fn capabilities(greeting: &Greeting, with_tls: bool, with_database: bool) -> u32 {
    let asked = |capability, is_asked| if is_asked { capability } else { 0 };
    capability::LONG_PASSWORD
        | capability::PROTOCOL_41
        | capability::TRANSACTIONS
        | capability::SECURE_CONNECTION
        | (greeting.capabilities & capability::PLUGIN_AUTH)
        | asked(capability::SSL, with_tls)
        | asked(capability::CONNECT_WITH_DB, with_database)
}

/// The part of a login that is also the request for TLS.
pub(crate) fn head(capabilities: u32) -> Vec<u8> {
    let mut payload = capabilities.to_le_bytes().to_vec();
    let longest = u32::try_from(LONGEST).unwrap_or(u32::MAX);
    payload.extend_from_slice(&longest.to_le_bytes());
    payload.push(COLLATION);
    payload.extend_from_slice(&[0; 23]);
    payload
}

impl Server {
    /// Logs in and waits until the server has agreed.
    pub(crate) fn log_in(
        &mut self,
        greeting: &Greeting,
        address: &Address,
        config: &Config,
    ) -> Result<(), Stop> {
        let password = config.password.as_ref().map_or("", Secret::expose);
        let login = Login {
            password: password.as_bytes(),
            is_encrypted: self.session.is_some(),
            may_be_clear: config.allow_cleartext,
        };
        self.conversation.await_next("answer to the login");
        self.send(&login.request(greeting, address))?;
        let mut plugin = first_plugin(greeting).to_owned();
        loop {
            let payload = self.receive()?;
            let mut fields = Fields(&payload);
            match fields.u8() {
                Some(0) => return Ok(()),
                Some(1) if plugin == CACHING_SHA2 => match fields.u8() {
                    Some(sha2_says::KNOWN) => {}
                    Some(sha2_says::FULL) => self.send(&login.in_full(&plugin)?)?,
                    _ => return Err(malformed("caching_sha2_password with another answer")),
                },
                Some(0xfe) => {
                    // Without a name it is the way of MySQL 4.0.
                    let name = fields.until_zero().unwrap_or(b"mysql_old_password");
                    plugin = String::from_utf8_lossy(name).into_owned();
                    let nonce = fields.bytes(NONCE_LENGTH).unwrap_or(fields.0);
                    let proof = login.proof(&plugin, nonce)?;
                    self.send(&proof)?;
                }
                Some(0xff) => return Err(stop_of(fields)),
                _ => return Err(malformed("no answer to the login")),
            }
        }
    }
}

/// What logs in, and how well it is kept from listeners.
struct Login<'a> {
    password: &'a [u8],
    is_encrypted: bool,
    may_be_clear: bool,
}

impl Login<'_> {
    fn request(&self, greeting: &Greeting, address: &Address) -> Vec<u8> {
        let plugin = first_plugin(greeting);
        let proof = if plugin == CACHING_SHA2 {
            caching_sha2(self.password, &greeting.nonce)
        } else {
            native(self.password, &greeting.nonce)
        };
        let database = address.database.as_deref();
        let capabilities = capabilities(greeting, self.is_encrypted, database.is_some());
        let mut payload = head(capabilities);
        payload.extend_from_slice(address.user.as_deref().unwrap_or(USER).as_bytes());
        payload.push(0);
        // Both proofs are shorter than 33 bytes.
        payload.push(u8::try_from(proof.len()).unwrap_or_default());
        payload.extend_from_slice(&proof);
        if let Some(database) = database {
            payload.extend_from_slice(database.as_bytes());
            payload.push(0);
        }
        if greeting.can(capability::PLUGIN_AUTH) {
            payload.extend_from_slice(plugin.as_bytes());
            payload.push(0);
        }
        payload
    }

    /// What the server wants to see in the way that it changed to.
    fn proof(&self, plugin: &str, nonce: &[u8]) -> Result<Vec<u8>, Stop> {
        match plugin {
            NATIVE => Ok(native(self.password, nonce)),
            CACHING_SHA2 => Ok(caching_sha2(self.password, nonce)),
            "sha256_password" => self.in_full(plugin),
            "mysql_clear_password" if self.is_encrypted || self.may_be_clear => {
                Ok(self.with_zero())
            }
            "mysql_clear_password" => Err(Stop::Misconfigured(
                "config.allow_cleartext: the server asks for the password itself, and the \
                 connection is not encrypted"
                    .to_owned(),
            )),
            other => Err(Stop::Undecided(format!(
                "the server wants to be logged in to by {}, which this probe cannot",
                watchkeeper_sdk::expect::excerpt(other)
            ))),
        }
    }

    /// The password itself, for a way that never takes it as it is without TLS.
    fn in_full(&self, plugin: &str) -> Result<Vec<u8>, Stop> {
        if self.is_encrypted {
            return Ok(self.with_zero());
        }
        Err(Stop::Misconfigured(format!(
            "config.tls.mode: {plugin} needs an encrypted connection for a password that the \
             server has not seen since it started"
        )))
    }

    fn with_zero(&self) -> Vec<u8> {
        [self.password, b"\0"].concat()
    }
}

/// The way that is tried first: the server's, if it is one that shows no more than
/// a hash to whoever pretends to be the server.
fn first_plugin(greeting: &Greeting) -> &'static str {
    if greeting.plugin == CACHING_SHA2 {
        CACHING_SHA2
    } else {
        NATIVE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(is_encrypted: bool, may_be_clear: bool) -> Login<'static> {
        Login {
            password: b"secret",
            is_encrypted,
            may_be_clear,
        }
    }

    #[test]
    fn the_password_itself_needs_tls_or_leave() {
        let clear = |login: Login<'_>| login.proof("mysql_clear_password", b"");
        assert_eq!(clear(login(true, false)).unwrap(), b"secret\0");
        assert_eq!(clear(login(false, true)).unwrap(), b"secret\0");
        let Err(Stop::Misconfigured(why)) = clear(login(false, false)) else {
            panic!("it was sent");
        };
        assert!(why.starts_with("config.allow_cleartext: "), "{why}");
        // Servers take no such password in the clear, so that leave does not help.
        assert_eq!(
            login(true, false).in_full(CACHING_SHA2).unwrap(),
            b"secret\0"
        );
        let Err(Stop::Misconfigured(why)) = login(false, true).in_full(CACHING_SHA2) else {
            panic!("it was sent");
        };
        assert!(why.starts_with("config.tls.mode: "), "{why}");
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        assert_eq!(
            login(true, true).proof("client_ed25519", b"").unwrap_err(),
            Stop::Undecided(
                "the server wants to be logged in to by client_ed25519, which this probe cannot"
                    .to_owned()
            )
        );
    }
}

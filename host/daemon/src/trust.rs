//! Which component files may be loaded: those that the lock names, if it has to,
//! and those that a trusted key signed, if there are any.
//!
//! Both are decided from the bytes of the file, before anything of it is
//! compiled or run. The bundled plugins are part of the program and need neither.

pub(crate) mod lock;
pub(crate) mod signature;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use watchkeeper_config::config::{MinisignKey, Plugins as Settings};

use self::lock::Lock;

/// What the operator demands of component files, and what the lock says now.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    locked: bool,
    keys: Vec<MinisignKey>,
    path: PathBuf,
    /// The lock, or why it cannot be used.
    lock: Result<Lock, String>,
}

/// What is known of where a component file came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vouch {
    /// The trusted key that signed it.
    pub(crate) signer: Option<MinisignKey>,
    /// What the lock says that it was installed from, if it names these bytes.
    pub(crate) source: Option<String>,
}

impl Trust {
    /// Reads the lock that `settings` name. Blocks while reading.
    pub(crate) fn read(settings: &Settings) -> Self {
        Self {
            locked: settings.locked,
            keys: settings.trusted_keys.clone(),
            path: settings.lock.clone(),
            lock: Lock::read(&settings.lock),
        }
    }

    /// Whether a component file called `file` with these bytes may be loaded, or
    /// why not. `signature` is what `FILE.minisig` beside it holds.
    pub(crate) fn judge(
        &self,
        file: &str,
        bytes: &[u8],
        signature: Option<&str>,
    ) -> Result<Vouch, String> {
        let found = sha256_hex(bytes);
        let source = match &self.lock {
            Ok(lock) => lock
                .of_file(file)
                .filter(|entry| entry.sha256 == found)
                .map(|entry| entry.source.clone()),
            Err(_) => None,
        };
        if self.locked {
            self.demand_lock(file, &found)?;
        }
        let signer = if self.keys.is_empty() {
            None
        } else {
            Some(signature::demand(&self.keys, file, bytes, signature)?)
        };
        Ok(Vouch { signer, source })
    }

    /// Whether what was loaded earlier from `file` may stay in use although the
    /// file holds something else now. A lock that cannot be read takes nothing
    /// away: it lets nothing new in.
    pub(crate) fn keeps(&self, file: &str, sha256: &str, vouch: &Vouch) -> bool {
        let named = match &self.lock {
            Ok(lock) if self.locked => lock
                .of_file(file)
                .is_some_and(|entry| entry.sha256 == sha256),
            _ => true,
        };
        let signed = self.keys.is_empty()
            || vouch
                .signer
                .as_ref()
                .is_some_and(|signer| self.keys.contains(signer));
        named && signed
    }

    fn demand_lock(&self, file: &str, found: &str) -> Result<(), String> {
        let path = self.path.display();
        let lock = self.lock.as_ref().map_err(|problem| {
            format!("plugins are locked, and {path} {problem}: `watchkeeper plugin lock` writes it")
        })?;
        let Some(entry) = lock.of_file(file) else {
            return Err(format!(
                "plugins are locked, and {path} does not name it (found sha256:{found}): install \
                 it with `watchkeeper plugin install`, or accept what lies there with `watchkeeper plugin lock`"
            ));
        };
        if entry.sha256 == found {
            return Ok(());
        }
        Err(format!(
            "is not what {path} names: expected sha256:{}, found sha256:{found}",
            entry.sha256
        ))
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

/// Where the signature of a component file lies: `NAME.wasm.minisig`.
pub(crate) fn signature_path(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::lock::Locked;
    use super::*;

    fn locked(path: &Path, file: &str, bytes: &[u8]) -> Trust {
        let mut lock = Lock::default();
        lock.put(Locked {
            name: "queue".to_owned(),
            version: "1.0.0".to_owned(),
            file: file.to_owned(),
            sha256: sha256_hex(bytes),
            source: "https://example.com/queue.wasm".to_owned(),
            asks: vec!["http".to_owned()],
            hosts: Vec::new(),
            signer: None,
        });
        Trust {
            locked: true,
            keys: Vec::new(),
            path: path.to_owned(),
            lock: Ok(lock),
        }
    }

    #[test]
    fn only_what_the_lock_names_is_let_in() {
        let trust = locked(Path::new("plugins.lock"), "queue.wasm", b"good");
        let vouch = trust.judge("queue.wasm", b"good", None).unwrap();
        assert_eq!(
            vouch.source.as_deref(),
            Some("https://example.com/queue.wasm")
        );
        assert_eq!(
            trust.judge("queue.wasm", b"evil", None).unwrap_err(),
            format!(
                "is not what plugins.lock names: expected sha256:{}, found sha256:{}",
                sha256_hex(b"good"),
                sha256_hex(b"evil")
            )
        );
        let unnamed = trust.judge("other.wasm", b"good", None).unwrap_err();
        assert!(unnamed.contains("does not name it"), "{unnamed}");
        assert!(trust.keeps("queue.wasm", &sha256_hex(b"good"), &vouch));
        assert!(!trust.keeps("queue.wasm", &sha256_hex(b"old"), &vouch));
    }

    #[test]
    fn a_lock_that_cannot_be_read_lets_nothing_in_and_takes_nothing_away() {
        let trust = Trust {
            lock: Err("is missing".to_owned()),
            ..locked(Path::new("plugins.lock"), "queue.wasm", b"good")
        };
        let said = trust.judge("queue.wasm", b"good", None).unwrap_err();
        assert!(said.contains("plugins.lock is missing"), "{said}");
        assert!(trust.keeps("queue.wasm", &sha256_hex(b"good"), &Vouch::default()));
    }

    #[test]
    fn nothing_is_demanded_where_nothing_was_configured() {
        let trust = Trust {
            locked: false,
            ..locked(Path::new("plugins.lock"), "queue.wasm", b"good")
        };
        assert_eq!(
            trust.judge("queue.wasm", b"other", None),
            Ok(Vouch::default())
        );
    }

    #[test]
    fn a_digest_is_written_as_sha256sum_does() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}

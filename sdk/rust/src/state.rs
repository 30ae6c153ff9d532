//! Small values that outlive a run, one space a monitor or channel. Needs
//! [`Capability::State`](crate::Capability::State).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::bindings::state;

/// The value under `key`; none where there is none, or where it is not a `T`, as
/// after an update of the plugin that keeps another.
pub fn get<T: DeserializeOwned>(key: &str) -> Option<T> {
    serde_json::from_slice(&state::get(key)?).ok()
}

/// Keeps `value` under `key`, of at most 128 bytes, as JSON. Fails when the
/// space is full: 64 KiB unless the operator granted more.
pub fn set<T: Serialize>(key: &str, value: &T) -> Result<(), Error> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Error::Invalid(format!("state {key}: {error}")))?;
    set_bytes(key, &bytes)
}

/// The bytes under `key`.
pub fn get_bytes(key: &str) -> Option<Vec<u8>> {
    state::get(key)
}

/// Keeps bytes as they are; as [`set`] otherwise.
pub fn set_bytes(key: &str, bytes: &[u8]) -> Result<(), Error> {
    state::set(key, bytes).map_err(|error| match error {
        state::Error::Full => Error::Host(format!("state {key}: the space is full")),
        state::Error::BadKey => Error::Invalid(format!("state {key}: longer than 128 bytes")),
    })
}

/// Forgets the value under `key`, if any.
pub fn delete(key: &str) {
    state::delete(key);
}

//! What a notifier remembers of threads of notices, such as the number of the
//! issue that it opened for one. Needs
//! [`Capability::State`](crate::Capability::State).
//!
//! Threads end by [`forget`]; of those that never do, the oldest go when there are
//! more than 64 or when the space is full.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, state};

/// The key of all of them.
const KEY: &str = "threads";

/// So many threads are remembered.
const KEPT: usize = 64;

/// What was kept for `thread`, the [`thread`](crate::Notice::thread) of a notice;
/// none where nothing was, or where it is not a `T`.
pub fn recall<T: DeserializeOwned>(thread: &str) -> Option<T> {
    serde_json::from_value(load().get(thread)?.clone()).ok()
}

/// Keeps `value` for `thread` until it is forgotten.
pub fn keep<T: Serialize>(thread: &str, value: &T) -> Result<(), Error> {
    let value = serde_json::to_value(value)
        .map_err(|error| Error::Invalid(format!("thread {thread}: {error}")))?;
    let mut threads = load();
    threads.put(thread, value);
    loop {
        match state::set(KEY, &threads) {
            Err(Error::Host(_)) if threads.drop_oldest() => {}
            other => return other,
        }
    }
}

/// Forgets what was kept for `thread`, if anything.
pub fn forget(thread: &str) -> Result<(), Error> {
    let mut threads = load();
    if threads.remove(thread) {
        state::set(KEY, &threads)
    } else {
        Ok(())
    }
}

fn load() -> Threads {
    state::get(KEY).unwrap_or_default()
}

/// What is kept, oldest first.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
struct Threads(Vec<(String, Value)>);

impl Threads {
    fn get(&self, thread: &str) -> Option<&Value> {
        let (_, value) = self.0.iter().find(|(kept, _)| kept == thread)?;
        Some(value)
    }

    fn put(&mut self, thread: &str, value: Value) {
        self.remove(thread);
        self.0.push((thread.to_owned(), value));
        while self.0.len() > KEPT {
            self.drop_oldest();
        }
    }

    fn remove(&mut self, thread: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(kept, _)| kept != thread);
        self.0.len() != before
    }

    /// Whether there was another than the newest.
    fn drop_oldest(&mut self) -> bool {
        let is_more = self.0.len() > 1;
        if is_more {
            self.0.remove(0);
        }
        is_more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut threads = Threads::default();
        for number in 0..KEPT {
            threads.put(&number.to_string(), number.into());
        }
        threads.put("0", 7.into());
        threads.put("new", 1.into());
        assert_eq!(threads.get("1"), None);
        assert_eq!(threads.get("0"), Some(&7.into()));
        assert_eq!(threads.0.len(), KEPT);
        assert!(threads.remove("0") && !threads.remove("0"));
    }

    #[test]
    fn the_newest_is_never_dropped() {
        let mut threads = Threads::default();
        threads.put("a", 1.into());
        threads.put("b", 2.into());
        assert!(threads.drop_oldest());
        assert!(!threads.drop_oldest());
        assert_eq!(threads.get("b"), Some(&2.into()));
    }

    #[test]
    fn they_outlive_a_run_as_json() {
        let mut threads = Threads::default();
        threads.put("a/b@1", 12.into());
        let text = serde_json::to_string(&threads).unwrap();
        assert_eq!(text, r#"[["a/b@1",12]]"#);
        let again: Threads = serde_json::from_str(&text).unwrap();
        assert_eq!(again.get("a/b@1"), Some(&12.into()));
    }
}

//! The values that outlive a run.

use crate::description::Capability;
use crate::host::Host;
use crate::limits::fixed;
use crate::run::StateSpace;

/// Why a value is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The space is full.
    Full,
    /// The key is too long.
    BadKey,
}

/// The space of one monitor or channel, as one run sees it.
#[derive(Debug)]
pub(crate) struct State {
    space: StateSpace,
    /// Bytes of keys and values.
    size: usize,
    most: usize,
    changed: bool,
}

impl State {
    pub(crate) fn new(space: StateSpace, most: usize) -> Self {
        let size = space
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        Self {
            space,
            size,
            most,
            changed: false,
        }
    }

    /// The space, if the run changed it.
    pub(crate) fn into_changed(self) -> Option<StateSpace> {
        self.changed.then_some(self.space)
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Refusal> {
        if key.len() > fixed::STATE_KEY_BYTES {
            return Err(Refusal::BadKey);
        }
        let old = self.space.get(&key);
        if old == Some(&value) {
            return Ok(());
        }
        let freed = old.map_or(0, |old| key.len() + old.len());
        let size = self.size - freed + key.len() + value.len();
        // What an operator's smaller limit makes too much may still shrink.
        if size > self.most && size > self.size {
            return Err(Refusal::Full);
        }
        self.size = size;
        self.changed = true;
        self.space.insert(key, value);
        Ok(())
    }

    fn delete(&mut self, key: &str) {
        if let Some(old) = self.space.remove(key) {
            self.size -= key.len() + old.len();
            self.changed = true;
        }
    }
}

impl Host {
    pub(crate) fn state_get(&self, key: &str) -> Option<Vec<u8>> {
        self.asked(Capability::State).ok()?;
        self.state.space.get(key).cloned()
    }

    pub(crate) fn state_set(&mut self, key: String, value: Vec<u8>) -> Result<(), Refusal> {
        // The contract has no word for a refusal here: a plugin without a space
        // finds it full, and the log says why.
        self.asked(Capability::State)
            .map_err(|_denied| Refusal::Full)?;
        self.state.set(key, value)
    }

    pub(crate) fn state_delete(&mut self, key: &str) {
        if self.asked(Capability::State).is_ok() {
            self.state.delete(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_has_a_size() {
        let mut state = State::new(StateSpace::from([("a".into(), vec![0; 9])]), 20);
        assert_eq!(state.set("b".into(), vec![0; 10]), Err(Refusal::Full));
        assert_eq!(state.set("b".into(), vec![0; 9]), Ok(()));
        assert_eq!(state.set("a".into(), vec![0; 10]), Err(Refusal::Full));
        assert_eq!(state.set("a".into(), vec![1; 9]), Ok(()));
        state.delete("b");
        assert_eq!(state.set("a".into(), vec![0; 19]), Ok(()));
        assert_eq!(
            state.into_changed(),
            Some(StateSpace::from([("a".into(), vec![0; 19])]))
        );
    }

    #[test]
    fn a_key_has_a_length() {
        let mut state = State::new(StateSpace::new(), 1000);
        assert_eq!(state.set("k".repeat(129), vec![]), Err(Refusal::BadKey));
        assert_eq!(state.set("k".repeat(128), vec![]), Ok(()));
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        let space = StateSpace::from([("a".into(), vec![1])]);
        let mut state = State::new(space, 100);
        state.set("a".into(), vec![1]).unwrap();
        state.delete("b");
        assert_eq!(state.into_changed(), None);
    }

    #[test]
    fn a_space_beyond_its_limit_may_shrink() {
        let mut state = State::new(StateSpace::from([("a".into(), vec![0; 50])]), 10);
        assert_eq!(state.set("a".into(), vec![0; 40]), Ok(()));
        assert_eq!(state.set("a".into(), vec![0; 41]), Err(Refusal::Full));
    }
}

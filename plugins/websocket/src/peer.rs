//! The other side, for tests: bytes that are known beforehand.

use std::cell::RefCell;

use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::Stream;

pub(crate) struct Peer(RefCell<Vec<u8>>);

impl Peer {
    pub(crate) fn saying(bytes: &[u8]) -> Self {
        Self(RefCell::new(bytes.to_vec()))
    }
}

impl Stream for Peer {
    fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
        let mut rest = self.0.borrow_mut();
        let count = max.min(rest.len());
        Ok(rest.drain(..count).collect())
    }

    fn write(&self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

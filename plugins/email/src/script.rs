//! The other side of a conversation, for tests: it says one line after another,
//! and notes what it is told.

use std::cell::RefCell;

use watchkeeper_sdk::Error;
use watchkeeper_sdk::stream::Stream;

pub(crate) struct Script {
    rest: RefCell<Vec<u8>>,
    heard: RefCell<String>,
}

impl Script {
    pub(crate) fn saying(text: &str) -> Self {
        Self {
            rest: RefCell::new(text.as_bytes().to_vec()),
            heard: RefCell::default(),
        }
    }

    pub(crate) fn heard(&self) -> String {
        self.heard.borrow().clone()
    }
}

impl Stream for Script {
    /// No more than a line at a time, so that nothing comes before it is due.
    fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
        let mut rest = self.rest.borrow_mut();
        let line = rest.iter().position(|byte| *byte == b'\n');
        let count = line.map_or(rest.len(), |end| end + 1).min(max);
        Ok(rest.drain(..count).collect())
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.heard
            .borrow_mut()
            .push_str(&String::from_utf8_lossy(bytes));
        Ok(())
    }
}

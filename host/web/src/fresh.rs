//! Answers that many ask for and that are made at most once in a while: feeds and
//! reports that have to be put together of what is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::page::Representation;

/// How many different answers are kept. At the bound all are forgotten, and those
/// that are asked for again are made again.
const MOST: usize = 256;

/// Answers that were made lately.
#[derive(Default)]
pub(crate) struct Fresh {
    made: Mutex<HashMap<String, (Instant, Arc<Representation>)>>,
}

impl Fresh {
    /// The answer that was made under this name less than `grace` ago.
    pub(crate) fn get(&self, name: &str, grace: Duration) -> Option<Arc<Representation>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = made.get(name)?;
        (at.elapsed() < grace).then(|| Arc::clone(answer))
    }

    /// Keeps an answer.
    pub(crate) fn put(&self, name: String, answer: Representation) -> Arc<Representation> {
        let answer = Arc::new(answer);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST {
            made.clear();
        }
        made.insert(name, (Instant::now(), Arc::clone(&answer)));
        answer
    }
}

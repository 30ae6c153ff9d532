//! What stands behind the numbers 0, 1 and 2: memory.

use std::cell::RefCell;
use std::rc::Rc;

use super::Shared;

/// The highest descriptor that a script can use, plus one.
const DESCRIPTORS: usize = 10;

/// What a pipe, a `$( … )` or a file holds at most, in bytes.
const MAX_HELD: usize = 1 << 20;

/// How much of a script's output is kept, in bytes: the end of it.
const MAX_OUTPUT: usize = 64 << 10;

/// Where bytes come from or go to. Cheap to clone; clones share a position.
#[derive(Clone)]
pub(crate) enum Stream {
    /// `/dev/null`
    Null,
    /// The script's own output or, with `error`, its standard error.
    Script { error: bool },
    /// Something that is read.
    Input(Rc<RefCell<Reader>>),
    /// Something that is written.
    Buffer(Rc<RefCell<Vec<u8>>>),
}

/// Bytes, and how far they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

impl Reader {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    /// Everything that was not read yet.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default().to_vec();
        self.at = self.bytes.len();
        rest
    }

    /// Up to and with the next `end`; none at the end.
    pub(crate) fn until(&mut self, end: u8) -> Option<Vec<u8>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let length = rest
            .iter()
            .position(|byte| *byte == end)
            .map_or(rest.len(), |at| at + 1);
        let taken = rest.get(..length).unwrap_or_default().to_vec();
        self.at += length;
        Some(taken)
    }

    /// At most so many characters.
    pub(crate) fn characters(&mut self, count: usize) -> Vec<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let text = String::from_utf8_lossy(rest);
        let length: usize = text.chars().take(count).map(char::len_utf8).sum();
        let taken = rest.get(..length).unwrap_or(rest).to_vec();
        self.at += taken.len();
        taken
    }
}

impl Stream {
    pub(crate) fn input(bytes: Vec<u8>) -> Self {
        Self::Input(Rc::new(RefCell::new(Reader::new(bytes))))
    }

    /// Writes, or says what cannot be held.
    pub(super) fn write(&self, bytes: &[u8], shared: &Shared) -> Result<(), String> {
        match self {
            Self::Null | Self::Input(_) => Ok(()),
            Self::Script { error } => {
                shared.transcript.borrow_mut().add(bytes, *error);
                Ok(())
            }
            Self::Buffer(buffer) => {
                let mut buffer = buffer.borrow_mut();
                if buffer.len().saturating_add(bytes.len()) > MAX_HELD {
                    return Err(format!(
                        "a pipe, file or `$( )` would hold more than {} KiB",
                        MAX_HELD >> 10
                    ));
                }
                buffer.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

/// The streams of a command, by their numbers.
#[derive(Clone)]
pub(crate) struct Streams([Option<Stream>; DESCRIPTORS]);

impl Streams {
    /// Nothing to read, and the script's own output.
    pub(super) fn of_shell() -> Self {
        let mut streams = Self([const { None }; DESCRIPTORS]);
        streams.set(0, Some(Stream::Null));
        streams.set(1, Some(Stream::Script { error: false }));
        streams.set(2, Some(Stream::Script { error: true }));
        streams
    }

    pub(crate) fn get(&self, descriptor: usize) -> Option<&Stream> {
        self.0.get(descriptor)?.as_ref()
    }

    /// False where there is no such descriptor.
    pub(crate) fn set(&mut self, descriptor: usize, stream: Option<Stream>) -> bool {
        match self.0.get_mut(descriptor) {
            Some(place) => {
                *place = stream;
                true
            }
            None => false,
        }
    }

    /// The same with another stream for `descriptor`.
    pub(crate) fn with(&self, descriptor: usize, stream: Stream) -> Self {
        let mut streams = self.clone();
        streams.set(descriptor, Some(stream));
        streams
    }
}

/// What a script wrote: the end of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript {
    /// Standard output alone.
    output: Vec<u8>,
    /// Both, in the order in which they were written.
    both: Vec<u8>,
    /// Lines of `set -x`.
    pub(crate) traced: Vec<String>,
}

/// How many lines of `set -x` are kept: as many as the host keeps of a run's log.
const MAX_TRACED: usize = 90;

impl Transcript {
    fn add(&mut self, bytes: &[u8], error: bool) {
        if !error {
            keep_end(&mut self.output, bytes);
        }
        keep_end(&mut self.both, bytes);
    }

    pub(super) fn trace(&mut self, line: String) {
        if self.traced.len() < MAX_TRACED {
            self.traced.push(line);
        }
    }

    /// Standard output.
    #[cfg(test)]
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }

    /// The last line that says something.
    pub(crate) fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.both);
        let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
        Some(line.trim().to_owned())
    }

    /// The last lines, as many as fit into a log.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.both);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let skipped = lines.len().saturating_sub(count);
        lines.into_iter().skip(skipped).map(str::to_owned).collect()
    }
}

/// Adds bytes; what is too much goes at the front, seldom, so that it is cheap.
fn keep_end(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    if kept.len() > 2 * MAX_OUTPUT {
        let surplus = kept.len() - MAX_OUTPUT;
        kept.drain(..surplus);
    }
}

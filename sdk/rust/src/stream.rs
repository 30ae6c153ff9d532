//! Reading answers that come in pieces, over TCP or TLS alike: lines, and exact
//! numbers of bytes.

use crate::{Error, tcp, tls};

/// How much is read at once where more may come than is asked for.
const PIECE: usize = 4096;

/// What bytes come from and go to: [`tcp::Connection`], [`tls::Connection`], and
/// in tests whatever plays the other side.
pub trait Stream {
    /// Up to `max` bytes, as soon as there are any; empty at the end.
    fn read(&self, max: usize) -> Result<Vec<u8>, Error>;

    /// Writes all of `bytes`.
    fn write(&self, bytes: &[u8]) -> Result<(), Error>;
}

impl Stream for tcp::Connection {
    fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
        self.read(max)
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.write(bytes)
    }
}

impl Stream for tls::Connection {
    fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
        self.read(u32::try_from(max).unwrap_or(u32::MAX))
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.write(bytes)
    }
}

/// A stream with what came of it and was not taken yet. It holds no more than was
/// asked for and one piece of 4 KiB.
#[derive(Debug)]
pub struct Buffered<S> {
    stream: S,
    waiting: Vec<u8>,
}

impl<S: Stream> Buffered<S> {
    /// Begins to read from `stream`.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            waiting: Vec::new(),
        }
    }

    /// The stream itself, as for [`tls::Connection::start_tls`].
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// What came and was not taken yet. Before a handshake it must be empty:
    /// whatever came in the clear is no part of what is said after it.
    pub fn waiting(&self) -> &[u8] {
        &self.waiting
    }

    /// Writes all of `bytes`.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write(bytes)
    }

    /// The next line, of at most `limit` bytes, without its line feed and a
    /// carriage return before it. [`Error::Closed`] where the stream ends before,
    /// [`Error::Malformed`] where the line is longer.
    pub fn line(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut searched = 0;
        loop {
            let unsearched = self.waiting.get(searched..).unwrap_or_default();
            if let Some(found) = unsearched.iter().position(|byte| *byte == b'\n') {
                let mut line = self.take(searched + found + 1);
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if line.len() > limit {
                    return Err(too_long(limit));
                }
                return Ok(line);
            }
            searched = self.waiting.len();
            // A line of the limit may have a carriage return and still lack its
            // line feed.
            if searched > limit + 1 {
                return Err(too_long(limit));
            }
            self.more(PIECE)?;
        }
    }

    /// The next `count` bytes. [`Error::Closed`] where the stream ends before.
    pub fn exactly(&mut self, count: usize) -> Result<Vec<u8>, Error> {
        while self.waiting.len() < count {
            self.more(count - self.waiting.len())?;
        }
        Ok(self.take(count))
    }

    /// What is there, at most `max` bytes; waits for some where nothing is. Empty
    /// at the end.
    pub fn some(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        if self.waiting.is_empty() {
            return self.stream.read(max);
        }
        Ok(self.take(max.min(self.waiting.len())))
    }

    fn more(&mut self, max: usize) -> Result<(), Error> {
        let bytes = self.stream.read(max)?;
        if bytes.is_empty() {
            return Err(Error::Closed);
        }
        self.waiting.extend(bytes);
        Ok(())
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.waiting.split_off(count);
        std::mem::replace(&mut self.waiting, rest)
    }
}

fn too_long(limit: usize) -> Error {
    Error::Malformed(format!(
        "the server sends a line of more than {limit} bytes"
    ))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;

    struct Pieces(RefCell<VecDeque<Vec<u8>>>);

    impl Stream for Pieces {
        fn read(&self, max: usize) -> Result<Vec<u8>, Error> {
            let mut pieces = self.0.borrow_mut();
            let mut piece = pieces.pop_front().unwrap_or_default();
            if piece.len() > max {
                pieces.push_front(piece.split_off(max));
            }
            Ok(piece)
        }

        fn write(&self, _: &[u8]) -> Result<(), Error> {
            Err(Error::Closed)
        }
    }

    fn pieces(pieces: &[&str]) -> Buffered<Pieces> {
        let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec());
        Buffered::new(Pieces(RefCell::new(pieces.collect())))
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut stream = pieces(&["22", "0 a\r", "\n2", "50\nrest"]);
        assert_eq!(stream.line(100).unwrap(), b"220 a");
        assert_eq!(stream.line(100).unwrap(), b"250");
        assert_eq!(stream.waiting(), b"rest");
        assert_eq!(stream.line(100), Err(Error::Closed));
    }

    #[test]
    fn a_line_has_a_limit() {
        assert_eq!(pieces(&["abc\r\n"]).line(3).unwrap(), b"abc");
        assert_eq!(pieces(&["abc", "\r", "\n"]).line(3).unwrap(), b"abc");
        let error = Error::Malformed("the server sends a line of more than 3 bytes".to_owned());
        assert_eq!(pieces(&["abcd\r\n"]).line(3), Err(error.clone()));
        assert_eq!(pieces(&["abcde", "\n"]).line(3), Err(error));
    }

    #[test]
    fn bytes_come_in_the_number_asked_for() {
        let mut stream = pieces(&["ab", "cdef"]);
        assert_eq!(stream.exactly(3).unwrap(), b"abc");
        assert_eq!(stream.some(2).unwrap(), b"de");
        assert_eq!(stream.exactly(0).unwrap(), b"");
        assert_eq!(stream.exactly(2), Err(Error::Closed));
        assert_eq!(stream.some(2).unwrap(), b"f");
        assert_eq!(stream.some(2).unwrap(), b"");
    }
}

//! A stream on which the other side is heard after it was asked, and to its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream for one request and its response. It takes luck out of two races:
///
/// - A server that speaks before it is asked speaks no HTTP, or HTTP out of turn.
///   Whether its words are there before the request is sent must not matter, so
///   that nothing is read before something was written.
/// - A server may answer and go before it has read the whole request. Whether the
///   rest can still be sent must not matter: a write that it refuses counts as
///   done, and what it said is read. If that is nothing, the read fails as the
///   write did.
#[derive(Debug)]
pub(super) struct AskedStream<S> {
    stream: S,
    is_asked: bool,
    is_heard: bool,
    /// How the other side refused to hear more.
    refused: Option<io::ErrorKind>,
    /// Who waits to read until something is written.
    reader: Option<Waker>,
}

impl<S> AskedStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            is_asked: false,
            is_heard: false,
            refused: None,
            reader: None,
        }
    }

    /// What the caller of a write of `length` bytes is told.
    fn written(&mut self, length: usize, result: io::Result<usize>) -> io::Result<usize> {
        self.is_asked = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        self.done(result, length)
    }

    /// What came of a write or flush: as if all was well where the other side
    /// refused it.
    fn done<T>(&mut self, result: io::Result<T>, all: T) -> io::Result<T> {
        match result {
            Err(error) if is_refusal(error.kind()) => {
                self.refused.get_or_insert(error.kind());
                Ok(all)
            }
            result => result,
        }
    }
}

fn is_refusal(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for AskedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_asked {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.is_heard |= buffer.filled().len() > before;
        match self.refused {
            Some(kind) if !self.is_heard && buffer.remaining() > 0 => Poll::Ready(Err(kind.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for AskedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = match self.refused {
            Some(_) => Ok(bytes.len()),
            None => ready!(Pin::new(&mut self.stream).poll_write(context, bytes)),
        };
        Poll::Ready(self.written(bytes.len(), result))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        let result = match self.refused {
            Some(_) => Ok(length),
            None => ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices)),
        };
        Poll::Ready(self.written(length, result))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(self.done(result, ()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        Poll::Ready(self.done(result, ()))
    }
}

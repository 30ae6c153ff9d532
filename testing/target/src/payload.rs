//! Response bodies, whole or peculiar.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::time::{Interval, Sleep};

/// One frame of a generated body.
static FILLER: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// The body of a response.
#[derive(Debug)]
pub(crate) enum Payload {
    /// These bytes.
    Whole(Bytes),
    /// So many bytes more, made up while they are sent.
    Filler(u64),
    /// So many bytes more, one at each tick.
    Drip(u64, Interval),
    /// So many bytes promised; half of them are sent, and then the connection breaks.
    Broken {
        /// The length in the header.
        promised: u64,
        /// Runs once the half that comes has been handed over.
        pause: Option<Pin<Box<Sleep>>>,
    },
}

impl Payload {
    /// A body of `bytes` bytes, one every `gap` (at least a millisecond).
    pub(crate) fn drip(bytes: u64, gap: Duration) -> Self {
        Self::Drip(
            bytes,
            tokio::time::interval(gap.max(Duration::from_millis(1))),
        )
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Self::Filler(0) | Self::Drip(0, _) => return Poll::Ready(None),
            Self::Whole(bytes) => std::mem::take(bytes),
            Self::Filler(left) => {
                let length = FILLER
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= length as u64;
                Bytes::from_static(&FILLER).slice(..length)
            }
            Self::Drip(left, interval) => {
                ready!(interval.poll_tick(context));
                *left -= 1;
                Bytes::from_static(b"x")
            }
            Self::Broken {
                pause: Some(pause), ..
            } => {
                ready!(pause.as_mut().poll(context));
                return Poll::Ready(Some(Err(io::Error::other("broken on demand"))));
            }
            Self::Broken { promised, pause } => {
                // An error at once would drop what has not been written yet, headers included.
                *pause = Some(Box::pin(tokio::time::sleep(Duration::from_millis(20))));
                let half = usize::try_from(*promised / 2)
                    .unwrap_or(usize::MAX)
                    .min(FILLER.len());
                Bytes::from_static(&FILLER).slice(..half)
            }
        };
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Filler(left) | Self::Drip(left, _) => SizeHint::with_exact(*left),
            Self::Broken { promised, .. } => SizeHint::with_exact(*promised),
        }
    }
}

/// A response of plain text.
pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Payload> {
    typed(status, "text/plain; charset=utf-8", body)
}

/// A response of `content_type`.
pub(crate) fn typed(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Payload> {
    let mut response = Response::new(Payload::Whole(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

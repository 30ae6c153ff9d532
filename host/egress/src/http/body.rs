//! A response's body, counted and timed as it is read.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::gate::{Gate, Limit};
use crate::http::{HttpError, HttpOptions, Phase};

/// What moves an exchange on; ends when the connection does.
pub(super) type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A response's body. A declared length over the limit fails at the first read,
/// so that a check that needs only the status can do without the body.
pub struct Body {
    gate: Arc<Gate>,
    exchange: Option<usize>,
    incoming: Incoming,
    driver: Option<Driver>,
    arrived: Instant,
    options: HttpOptions,
    silence: Option<Pin<Box<Sleep>>>,
    waited_since: Option<Instant>,
    received: u64,
    is_over: bool,
}

impl Body {
    pub(super) fn new(
        gate: Arc<Gate>,
        exchange: Option<usize>,
        incoming: Incoming,
        driver: Option<Driver>,
        arrived: Instant,
        options: HttpOptions,
    ) -> Self {
        let mut body = Self {
            gate,
            exchange,
            incoming,
            driver,
            arrived,
            options,
            silence: None,
            waited_since: None,
            received: 0,
            is_over: false,
        };
        if http_body::Body::is_end_stream(&body.incoming) {
            body.finish();
        }
        body
    }

    /// The end of the body: notes how long it took, and lets go of the
    /// connection even if the reader keeps the body.
    fn finish(&mut self) {
        self.close();
        let transfer = self.arrived.elapsed();
        self.gate.record_exchange(self.exchange, |record| {
            record.transfer = Some(transfer);
        });
    }

    fn close(&mut self) {
        self.is_over = true;
        self.driver = None;
        self.silence = None;
    }

    fn fail(&mut self, error: HttpError) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.close();
        Poll::Ready(Some(Err(error)))
    }

    fn over_limit(&self) -> Option<HttpError> {
        let limit = self.gate.meter().budget().body;
        let declared = http_body::Body::size_hint(&self.incoming).lower();
        (self.received.saturating_add(declared) > limit)
            .then(|| HttpError::Limit(self.gate.meter().hit(Limit::Body(limit))))
    }

    fn drive(&mut self, context: &mut Context<'_>) -> Result<(), hyper::Error> {
        let Some(driver) = &mut self.driver else {
            return Ok(());
        };
        match driver.as_mut().poll(context) {
            Poll::Ready(result) => {
                self.driver = None;
                result
            }
            Poll::Pending => Ok(()),
        }
    }

    /// Whether the other side has been silent for too long.
    fn is_silent(&mut self, context: &mut Context<'_>) -> Option<HttpError> {
        let limit = self.options.between_bytes_timeout;
        let silence = if let Some(silence) = &mut self.silence {
            silence
        } else {
            self.waited_since = Some(Instant::now());
            let limit = self.options.within_deadline(limit);
            self.silence.insert(Box::pin(sleep(limit)))
        };
        match silence.as_mut().poll(context) {
            Poll::Ready(()) => Some(HttpError::NoAnswer {
                phase: Phase::Body,
                after: self
                    .waited_since
                    .map_or(limit, |since| since.elapsed().min(limit)),
            }),
            Poll::Pending => None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(None);
        }
        if let Some(error) = this.over_limit() {
            return this.fail(error);
        }
        let driven = this.drive(context);
        let frame = match Pin::new(&mut this.incoming).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if let Err(error) = driven {
                    let error = HttpError::from_hyper(&error, &this.gate);
                    return this.fail(error);
                }
                // Asking for the first piece is what lets the driver read it.
                if let Err(error) = this.drive(context) {
                    let error = HttpError::from_hyper(&error, &this.gate);
                    return this.fail(error);
                }
                match Pin::new(&mut this.incoming).poll_frame(context) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        return match this.is_silent(context) {
                            Some(error) => this.fail(error),
                            None => Poll::Pending,
                        };
                    }
                }
            }
        };
        this.silence = None;
        match frame {
            None => {
                this.finish();
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                let error = HttpError::from_hyper(&error, &this.gate);
                this.fail(error)
            }
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.received = this
                    .received
                    .saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
                if let Some(error) = this.over_limit() {
                    return this.fail(error);
                }
                if http_body::Body::is_end_stream(&this.incoming) {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_over {
            return SizeHint::with_exact(0);
        }
        http_body::Body::size_hint(&self.incoming)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Body")
            .field("received", &self.received)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

//! Bodies with a size limit and a limit on silence, on both sides.
//!
//! A body above its limit is refused from its declared length where there is one, else at the
//! frame that crosses the limit; never more than the limit is buffered.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::error::{BoxError, NetError, Side, cause};
use crate::limits;

/// What [`serve`](crate::serve()) hands to a service.
pub type RequestBody = LimitedBody<Incoming>;

/// What [`Client`](crate::Client) answers with. Dropping it before its end closes the HTTP/1
/// connection, or resets the HTTP/2 stream.
pub type ResponseBody = LimitedBody<Incoming>;

/// A body that fails with a typed error when it grows above `limit` bytes, or when its sender is
/// silent for longer than `idle` while we wait for it.
#[derive(Debug)]
pub struct LimitedBody<B> {
    body: B,
    side: Side,
    limit: u64,
    seen: u64,
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<B> LimitedBody<B> {
    /// Limits `body`, which `side` sends.
    pub fn new(body: B, side: Side, limit: u64, idle: Duration) -> Self {
        Self {
            body,
            side,
            limit,
            seen: 0,
            idle,
            timer: None,
            waiting: false,
        }
    }

    /// The same body with another limit in bytes, counted from its start.
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    fn too_large(&self) -> NetError {
        NetError::BodyTooLarge {
            side: self.side,
            limit: self.limit,
        }
    }
}

impl<B> LimitedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// The whole body; trailers are dropped. A body of one frame is not copied.
    ///
    /// # Errors
    /// [`NetError::BodyTooLarge`] (413 for a request) before anything is buffered where the length
    /// was declared, [`NetError::BodyIdle`], [`NetError::Body`].
    pub async fn read_to_bytes(mut self) -> Result<Bytes, NetError> {
        let outcome = self.gather().await;
        if self.side == Side::Client && matches!(outcome, Err(NetError::BodyTooLarge { .. })) {
            self.discard().await;
        }
        outcome
    }

    /// Reads on and keeps nothing, within bounds: a sender that writes all before it reads would
    /// otherwise see its connection break instead of the refusal.
    async fn discard(&mut self) {
        let mut left = limits::DISCARD_BYTES;
        let reading = async {
            while let Some(Ok(frame)) = self.body.frame().await {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                left = left.saturating_sub(bytes);
                if left == 0 {
                    break;
                }
            }
        };
        // Whoever sends slower than this has to live with the broken connection.
        let _ = tokio::time::timeout(limits::DISCARD_TIME, reading).await;
    }

    async fn gather(&mut self) -> Result<Bytes, NetError> {
        if self.body.size_hint().lower().saturating_add(self.seen) > self.limit {
            return Err(self.too_large());
        }
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if all.is_empty() && first.is_empty() {
                first = data;
                continue;
            }
            if all.is_empty() {
                let expected = first.len().saturating_add(data.len());
                all.reserve(expected);
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }
}

impl<B> Body for LimitedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = NetError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, NetError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(frame))) => {
                this.waiting = false;
                if let Some(data) = frame.data_ref() {
                    this.seen = this.seen.saturating_add(data.len() as u64);
                    if this.seen > this.limit {
                        return Poll::Ready(Some(Err(this.too_large())));
                    }
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(NetError::Body {
                side: this.side,
                cause: cause(error),
            }))),
            Poll::Pending => {
                let timer = this
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(this.idle)));
                if !this.waiting {
                    timer.as_mut().reset(Instant::now() + this.idle);
                    this.waiting = true;
                }
                timer.as_mut().poll(cx).map(|()| {
                    Some(Err(NetError::BodyIdle {
                        side: this.side,
                        limit: this.idle,
                    }))
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;

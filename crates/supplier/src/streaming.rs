//! A backend's stream as signed frames, one per read, and the last frame that signs the whole.
//!
//! First and middle frames wait for nothing. The last one leaves after the relay is on record. A client that leaves drops
//! the body, and with it the backend's connection; what was delivered until then is mined, as it is when the claim's
//! deadline cuts a stream.

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use proto::pocket::service::{RelayRequest, RelayResponse};
use proto::pocket::session::SessionHeader;
use protocol::http::collect_headers;
use protocol::relay as wire;
use protocol::stream::{STREAM_VERSION, Sender, encode_frame};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::admission::Admitted;
use crate::ingress::{AnswerBody, STREAM_HEADER, carried};
use crate::session::{Reservation, signed};
use crypto::keys::SecretKey;

struct Relaying {
    request: RelayRequest,
    header: SessionHeader,
    reservation: Option<Reservation>,
    body: net::ResponseBody,
    sender: Sender,
    key: SecretKey,
    cut: CancellationToken,
    ended: bool,
    delivered: bool,
    _slot: OwnedSemaphorePermit,
}

/// The answer whose body is the frames.
pub(crate) fn respond(
    admitted: Admitted,
    answer: Response<net::ResponseBody>,
    key: SecretKey,
) -> Response<AnswerBody> {
    let (head, body) = answer.into_parts();
    let headers = collect_headers(carried(&head.headers));
    let sender = Sender::new(head.status.as_u16(), headers);
    let relaying = Relaying {
        request: admitted.request,
        header: admitted.header,
        cut: admitted.reservation.session().cut.clone(),
        reservation: Some(admitted.reservation),
        body,
        sender,
        key,
        ended: false,
        delivered: false,
        _slot: admitted.slot,
    };
    let frames = stream::unfold(relaying, |mut relaying| async move {
        let item = relaying.next().await?;
        Some((item.map(Frame::data), relaying))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let out = response.headers_mut();
    out.insert(STREAM_HEADER, HeaderValue::from_static(STREAM_VERSION));
    out.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    response
}

impl Relaying {
    async fn next(&mut self) -> Option<Result<Bytes, net::BoxError>> {
        while !self.ended {
            let cut = self.cut.clone();
            let read = tokio::select! {
                biased;
                () = cut.cancelled() => None,
                frame = self.body.frame() => Some(frame),
            };
            match read {
                Some(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Some(self.piece(data)),
                    _ => {}
                },
                Some(None) => {
                    self.ended = true;
                    return Some(self.last());
                }
                Some(Some(Err(error))) => {
                    self.ended = true;
                    self.break_off();
                    return Some(Err(error.into()));
                }
                None => {
                    self.ended = true;
                    self.break_off();
                    return Some(Err(
                        "the session is being claimed; the stream was cut".into()
                    ));
                }
            }
        }
        None
    }

    fn piece(&mut self, data: Bytes) -> Result<Bytes, net::BoxError> {
        let payload = self.sender.part(data)?;
        let response = wire::build_response(self.header.clone(), payload)?;
        if let Some(reservation) = &mut self.reservation {
            reservation.keep();
        }
        self.delivered = true;
        Ok(encode_frame(&signed(response, &self.key)))
    }

    /// Records the relay, then lets go of the last frame.
    fn last(&mut self) -> Result<Bytes, net::BoxError> {
        match self.mine() {
            Some(Ok(response)) => Ok(encode_frame(&response)),
            Some(Err(error)) => {
                tracing::error!(%error, "a relay cannot be recorded; its stream ends broken");
                Err(error.into())
            }
            None => Err("the backend sent an empty stream".into()),
        }
    }

    /// Puts what was delivered on record, once.
    fn mine(&mut self) -> Option<Result<RelayResponse, crate::error::LogError>> {
        if !self.delivered {
            return None;
        }
        let mut reservation = self.reservation.take()?;
        let hash = self.sender.clone().finish();
        let response = signed(wire::response_of_hash(self.header.clone(), hash), &self.key);
        Some(reservation.mine(&self.request, &response).map(|_| response))
    }
}

impl Drop for Relaying {
    fn drop(&mut self) {
        self.break_off();
    }
}

impl Relaying {
    /// Puts what was delivered on record before anyone hears that there is no more.
    fn break_off(&mut self) {
        if let Some(Err(error)) = self.mine() {
            tracing::error!(%error, "an interrupted stream's relay cannot be recorded");
        }
    }
}

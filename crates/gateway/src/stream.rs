//! The receiving side of a stream between two of ours: frames in, verified bytes out.
//!
//! Each frame is a signed response over its own piece; the last one has no payload and signs the hash of the whole answer.
//! It is compared with what arrived, so a stream that lost, doubled or swapped a piece is broken, and so is one that ends
//! without it.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use proto::pocket::service::RelayResponse;
use protocol::http::{Headers, header_value};
use protocol::stream::{FrameDecoder, Received, Receiver};

use crate::choice::Outcome;
use crate::error::RelayFailure;
use crate::events::{EventCheck, is_event_stream};
use crate::relay::{Evidence, Sent, check, evidence, invalid};

/// What comes next in a stream.
pub(crate) enum Piece {
    /// Verified bytes of the answer.
    Bytes(Bytes),
    /// The proven end.
    End {
        /// The relay.
        evidence: Evidence,
        /// Whether the answer itself says that it is complete.
        whole: bool,
    },
}

/// An open stream.
pub struct Frames {
    sent: Sent,
    body: net::ResponseBody,
    decoder: FrameDecoder,
    receiver: Receiver,
    status: u16,
    headers: Headers,
    events: Option<EventCheck>,
    begun: bool,
    first: Option<Bytes>,
}

impl Frames {
    /// A stream of which nothing was read yet.
    pub(crate) fn new(sent: Sent, body: net::ResponseBody) -> Self {
        Self {
            sent,
            body,
            decoder: FrameDecoder::new(protocol::limits::MAX_FRAME_BYTES),
            receiver: Receiver::new(true),
            status: 200,
            headers: Headers::new(),
            events: None,
            begun: false,
            first: None,
        }
    }

    /// Waits for the first frame and verifies it.
    pub(crate) async fn begin(&mut self) -> Result<(), RelayFailure> {
        match self.step().await? {
            Step::Part(bytes) => {
                self.first = Some(bytes);
                Ok(())
            }
            Step::End(_) => Err(invalid(
                &self.sent,
                "the stream has no beginning".to_owned(),
            )),
        }
    }

    /// The backend's HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The backend's headers.
    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The next verified piece; after a [`Piece::End`] or an error there is none.
    pub(crate) async fn next(&mut self) -> Result<Piece, RelayFailure> {
        if let Some(first) = self.first.take() {
            return Ok(Piece::Bytes(first));
        }
        match self.step().await {
            Ok(Step::Part(bytes)) => Ok(Piece::Bytes(bytes)),
            Ok(Step::End(response)) => {
                let whole = self.events.as_ref().is_none_or(EventCheck::is_done);
                if let Some(attempt) = self.sent.attempt.take() {
                    attempt.settle(if whole {
                        Outcome::Answered
                    } else {
                        Outcome::Failed
                    });
                }
                let evidence = evidence(&self.sent, &response);
                Ok(Piece::End { evidence, whole })
            }
            Err(failure) => Err(self.fail(failure)),
        }
    }

    async fn step(&mut self) -> Result<Step, RelayFailure> {
        let response = self.frame().await?;
        let received = self.receiver.accept(&response);
        match received.map_err(|error| invalid(&self.sent, error.to_string()))? {
            Received::Part(part) => {
                // Status and headers are those of the first frame.
                if !std::mem::replace(&mut self.begun, true) {
                    self.status = u16::try_from(part.status_code).unwrap_or(502);
                    let kind = header_value(&part.header, "content-type").unwrap_or_default();
                    self.events = is_event_stream(kind).then(EventCheck::default);
                    self.headers = part.header;
                }
                if let Some(events) = &mut self.events {
                    let checked = events.accept(&part.body_bz);
                    checked.map_err(|reason| invalid(&self.sent, reason.to_string()))?;
                }
                Ok(Step::Part(part.body_bz))
            }
            Received::End => Ok(Step::End(Box::new(response))),
        }
    }

    /// The next frame, verified.
    async fn frame(&mut self) -> Result<RelayResponse, RelayFailure> {
        loop {
            let found = self.decoder.next_frame();
            if let Some(response) = found.map_err(|error| invalid(&self.sent, error.to_string()))? {
                check(&self.sent, &response)?;
                return Ok(response);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.decoder.push(&data);
                    }
                }
                Some(Err(source)) => {
                    return Err(RelayFailure::Transport {
                        supplier: self.sent.candidate.operator.clone(),
                        source,
                    });
                }
                None => {
                    let reason = "the stream ended without its last frame".to_owned();
                    return Err(invalid(&self.sent, reason));
                }
            }
        }
    }

    /// Ends the attempt as the supplier's failure.
    pub(crate) fn fail(&mut self, failure: RelayFailure) -> RelayFailure {
        if let Some(attempt) = self.sent.attempt.take() {
            attempt.settle(Outcome::Failed);
        }
        failure
    }
}

enum Step {
    Part(Bytes),
    End(Box<RelayResponse>),
}

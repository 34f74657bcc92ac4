//! The receiving side of a stream between two of ours: frames in, verified bytes out.
//!
//! Each frame is a signed response over its own piece; the last one has no payload and signs the hash of the whole answer.
//! It is compared with what arrived, so a stream that lost, doubled or swapped a piece is broken, and so is one that ends
//! without it.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use proto::pocket::service::RelayResponse;
use protocol::http::Headers;
use protocol::stream::{FrameDecoder, Received, Receiver};

use crate::choice::Outcome;
use crate::error::RelayFailure;
use crate::relay::{Evidence, Sent, check, evidence, invalid};

/// What comes next in a stream.
pub(crate) enum Piece {
    /// Verified bytes of the answer.
    Bytes(Bytes),
    /// The proven end.
    End(Evidence),
}

/// An open stream.
pub struct Frames {
    sent: Sent,
    body: net::ResponseBody,
    decoder: FrameDecoder,
    receiver: Receiver,
    status: u16,
    headers: Headers,
    first: Option<Bytes>,
}

impl Frames {
    /// Waits for the first frame and verifies it.
    pub(crate) async fn open(sent: Sent, body: net::ResponseBody) -> Result<Self, RelayFailure> {
        let decoder = FrameDecoder::new(protocol::limits::MAX_FRAME_BYTES);
        let receiver = Receiver::new(true);
        let headers = Headers::new();
        let mut frames = Self {
            sent,
            body,
            decoder,
            receiver,
            status: 200,
            headers,
            first: None,
        };
        match frames.step().await {
            Ok(Step::Part(status, headers, bytes)) => {
                frames.status = status;
                frames.headers = headers;
                frames.first = Some(bytes);
                Ok(frames)
            }
            Ok(Step::End(_)) => {
                let failure = invalid(&frames.sent, "the stream has no beginning".to_owned());
                Err(frames.fail(failure))
            }
            Err(failure) => Err(frames.fail(failure)),
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

    /// The next verified piece; after [`Piece::End`] or an error there is none.
    pub(crate) async fn next(&mut self) -> Result<Piece, RelayFailure> {
        if let Some(first) = self.first.take() {
            return Ok(Piece::Bytes(first));
        }
        match self.step().await {
            Ok(Step::Part(_, _, bytes)) => Ok(Piece::Bytes(bytes)),
            Ok(Step::End(response)) => {
                if let Some(attempt) = self.sent.attempt.take() {
                    attempt.settle(Outcome::Answered);
                }
                Ok(Piece::End(evidence(&self.sent, &response)))
            }
            Err(failure) => Err(self.fail(failure)),
        }
    }

    async fn step(&mut self) -> Result<Step, RelayFailure> {
        let response = self.frame().await?;
        let received = self.receiver.accept(&response);
        match received.map_err(|error| invalid(&self.sent, error.to_string()))? {
            Received::Part(part) => {
                let status = u16::try_from(part.status_code).unwrap_or(502);
                Ok(Step::Part(status, part.header, part.body_bz))
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

    fn fail(&mut self, failure: RelayFailure) -> RelayFailure {
        if let Some(attempt) = self.sent.attempt.take() {
            attempt.settle(Outcome::Failed);
        }
        failure
    }
}

enum Step {
    Part(u16, Headers, Bytes),
    End(Box<RelayResponse>),
}

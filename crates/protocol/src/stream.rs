//! Streams of signed frames (relay-protocol §7.4) and, between two of ours, the frame that ends one.
//!
//! A frame is an encoded RelayResponse followed by [`DELIMITER`], nothing escaped. Inside of a payload the delimiter
//! may occur (a prompt can make a model print it), so it ends a frame only where the bytes before it decode completely.
//! [`FrameDecoder`] walks the fields of the message instead of searching: a delimiter's first byte can begin no field
//! of protobuf, so at the end of a field the delimiter is there or is not, and inside of a field it is never looked
//! for. That is the same rule in linear time.
//!
//! A reference miner's stream ends with the HTTP body and a cut is not detectable from signatures. Between two of ours
//! the last frame has no payload and its payload hash covers the whole answer ([`Receiver`], [`Sender`]): the status
//! and headers of the first frame and all bodies. Exactly this frame is the response that is mined.

use bytes::{Buf as _, Bytes, BytesMut};
use prost::Message as _;
use proto::pocket::service::RelayResponse;

use crate::error::ProtocolError;
use crate::http::{self, Headers, PoktHttpResponse};
use crate::limits::{MAX_FRAME_BYTES, MAX_STREAM_BODY_BYTES};
use crate::relay;
use crate::wire::{self, Step};

/// What follows each frame.
pub const DELIMITER: &[u8; 15] = b"||POKT_STREAM||";

/// The outer header by which a gateway of ours asks a supplier of ours for a stream that has a last frame, and by which
/// the supplier says that it sends one.
pub const STREAM_HEADER: &str = "pocket-stream";

/// Value of [`STREAM_HEADER`].
pub const STREAM_VERSION: &str = "1";

/// Why a stream cannot be read on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StreamError {
    /// The bytes cannot be the beginning of a frame.
    #[error("stream frame is not an encoded RelayResponse")]
    Malformed,
    /// A frame is larger than the buffer.
    #[error("stream frame is larger than {0} bytes")]
    FrameTooLarge(usize),
    /// A frame is a message, but not a good one.
    #[error(transparent)]
    Frame(#[from] ProtocolError),
    /// The whole answer is larger than what is kept to check its end.
    #[error("streamed answer is larger than {0} bytes")]
    AnswerTooLarge(usize),
    /// The last frame was promised and did not come.
    #[error("stream ended without its last frame")]
    NoLastFrame,
    /// The last frame's hash is not that of the answer.
    #[error("last frame of the stream does not match what was streamed")]
    LastFrame,
    /// There are frames behind the last one, or a last one that nobody promised.
    #[error("unexpected frame: {0}")]
    Unexpected(&'static str),
}

/// A frame as it is sent.
pub fn encode_frame(response: &RelayResponse) -> Bytes {
    let length = response.encoded_len().saturating_add(DELIMITER.len());
    let mut frame = BytesMut::with_capacity(length);
    // A BytesMut grows as needed, so encoding into it cannot fail.
    let _ = response.encode(&mut frame);
    frame.extend_from_slice(DELIMITER);
    frame.freeze()
}

/// Cuts bytes as they arrive into frames.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: BytesMut,
    /// Where in the buffer the next field of the current frame begins.
    boundary: usize,
    max_frame_bytes: usize,
}

impl Default for FrameDecoder {
    fn default() -> FrameDecoder {
        FrameDecoder::new(MAX_FRAME_BYTES)
    }
}

impl FrameDecoder {
    /// A decoder that buffers at most one frame of this size, and what arrived behind it.
    pub fn new(max_frame_bytes: usize) -> FrameDecoder {
        FrameDecoder {
            buffer: BytesMut::new(),
            boundary: 0,
            max_frame_bytes,
        }
    }

    /// Adds bytes as they were read. Take out all frames with [`FrameDecoder::next_frame`] before adding more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`StreamError::Malformed`], [`StreamError::FrameTooLarge`], [`StreamError::Frame`]. The stream cannot be read on
    /// after an error.
    pub fn next_frame(&mut self) -> Result<Option<RelayResponse>, StreamError> {
        loop {
            let rest = self.buffer.get(self.boundary..).unwrap_or_default();
            if rest.starts_with(DELIMITER) {
                let frame = self.buffer.split_to(self.boundary).freeze();
                self.buffer.advance(DELIMITER.len());
                self.boundary = 0;
                if frame.is_empty() {
                    continue;
                }
                return decode_frame(frame).map(Some);
            }
            if DELIMITER.starts_with(rest) {
                return Ok(None);
            }
            match wire::step(&self.buffer, self.boundary) {
                Step::Field { next, .. } => {
                    self.boundary = next;
                    self.check_size(next)?;
                }
                Step::Incomplete { needed } => {
                    self.check_size(self.boundary.saturating_add(needed))?;
                    return Ok(None);
                }
                Step::Malformed => return Err(StreamError::Malformed),
            }
        }
    }

    /// The frame that a clean end of the body completes without a delimiter, if there is one.
    ///
    /// # Errors
    /// [`StreamError::Malformed`] for a frame cut short, [`StreamError::Frame`].
    pub fn finish(mut self) -> Result<Option<RelayResponse>, StreamError> {
        if let Some(frame) = self.next_frame()? {
            return Ok(Some(frame));
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if self.boundary != self.buffer.len() {
            return Err(StreamError::Malformed);
        }
        decode_frame(self.buffer.freeze()).map(Some)
    }

    fn check_size(&self, frame_bytes: usize) -> Result<(), StreamError> {
        if frame_bytes > self.max_frame_bytes {
            return Err(StreamError::FrameTooLarge(self.max_frame_bytes));
        }
        Ok(())
    }
}

fn decode_frame(frame: Bytes) -> Result<RelayResponse, StreamError> {
    Ok(relay::decode_response_bytes(frame)?)
}

/// Whether a response is the last frame of a stream between two of ours: a payload hash without payload.
pub fn is_last_frame(response: &RelayResponse) -> bool {
    response.payload.is_empty() && !response.payload_hash.is_empty()
}

/// Everything that was streamed, kept until its hash is due. (The hash cannot run along: the length of the body stands
/// before the body in what is hashed.)
#[derive(Clone, Debug)]
struct Answer {
    head: Option<(u32, Headers)>,
    body: BytesMut,
    max_body_bytes: usize,
}

impl Answer {
    fn new(max_body_bytes: usize) -> Answer {
        Answer {
            head: None,
            body: BytesMut::new(),
            max_body_bytes,
        }
    }

    fn add(&mut self, status: u32, headers: &Headers, body: &[u8]) -> Result<(), StreamError> {
        if self.body.len().saturating_add(body.len()) > self.max_body_bytes {
            return Err(StreamError::AnswerTooLarge(self.max_body_bytes));
        }
        if self.head.is_none() {
            self.head = Some((status, headers.clone()));
        }
        self.body.extend_from_slice(body);
        Ok(())
    }

    fn payload_hash(self) -> [u8; 32] {
        let (status, headers) = self.head.unwrap_or_default();
        crypto::hash::sha256(&http::encode_response(status, headers, self.body.freeze()))
    }
}

/// The supplier's side of a stream between two of ours: makes the payload of each frame and the hash for the last.
#[derive(Clone, Debug)]
pub struct Sender {
    status: u32,
    /// Sent with the first frame only.
    headers: Headers,
    answer: Answer,
}

impl Sender {
    /// A stream that answers with this status and these headers.
    pub fn new(status: u16, headers: Headers) -> Sender {
        Sender {
            status: status.into(),
            headers,
            answer: Answer::new(MAX_STREAM_BODY_BYTES),
        }
    }

    /// The payload of the next frame, for [`relay::build_response`].
    ///
    /// # Errors
    /// [`StreamError::AnswerTooLarge`].
    pub fn part(&mut self, body: Bytes) -> Result<Bytes, StreamError> {
        let headers = std::mem::take(&mut self.headers);
        self.answer.add(self.status, &headers, &body)?;
        Ok(http::encode_response(self.status, headers, body))
    }

    /// The payload hash of the last frame, for [`relay::response_of_hash`]. At least one part must have gone before,
    /// even if its body was empty: it carries status and headers.
    pub fn finish(self) -> [u8; 32] {
        self.answer.payload_hash()
    }
}

/// What a frame brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A part of the answer.
    Part(PoktHttpResponse),
    /// The end, and it matches.
    End,
}

/// The gateway's side. Every response given to it must have passed [`relay::verify_response`].
#[derive(Clone, Debug)]
pub struct Receiver {
    /// `None` for a reference miner's stream, which has no last frame.
    answer: Option<Answer>,
    ended: bool,
}

impl Receiver {
    /// A stream whose sender promised a last frame ([`STREAM_HEADER`]), or one that has none.
    pub fn new(promises_last_frame: bool) -> Receiver {
        let answer = promises_last_frame.then(|| Answer::new(MAX_STREAM_BODY_BYTES));
        Receiver {
            answer,
            ended: false,
        }
    }

    /// Takes the next verified frame.
    ///
    /// # Errors
    /// [`StreamError::LastFrame`] if the end does not match, [`StreamError::Unexpected`],
    /// [`StreamError::AnswerTooLarge`], [`StreamError::Frame`] for a payload that is no HTTP response.
    pub fn accept(&mut self, response: &RelayResponse) -> Result<Received, StreamError> {
        if self.ended {
            return Err(StreamError::Unexpected("behind the last frame"));
        }
        if !is_last_frame(response) {
            let part = http::parse_response(&response.payload)?;
            if let Some(answer) = &mut self.answer {
                answer.add(part.status_code, &part.header, &part.body_bz)?;
            }
            return Ok(Received::Part(part));
        }
        let Some(answer) = self.answer.take() else {
            return Err(StreamError::Unexpected("no payload"));
        };
        if answer.head.is_none() || answer.payload_hash() != *response.payload_hash {
            return Err(StreamError::LastFrame);
        }
        self.ended = true;
        Ok(Received::End)
    }

    /// Judges the clean end of the HTTP body.
    ///
    /// # Errors
    /// [`StreamError::NoLastFrame`] if one was promised and has not come.
    pub fn finish(self) -> Result<(), StreamError> {
        if self.answer.is_some() {
            Err(StreamError::NoLastFrame)
        } else {
            Ok(())
        }
    }
}

//! Frames: a protobuf message behind its length as an unsigned varint.

use bytes::{Buf as _, BytesMut};
use prost::Message as _;
use tendermint_proto::v0_38::abci::{Request, Response, response};

use crate::limits;

/// Bytes of a varint that holds [`limits::ABCI_FRAME_BYTES`], with room for padding that Go accepts.
const LENGTH_BYTES: usize = 10;

/// Why a stream cannot be cut any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is no varint.
    #[error("a frame's length cannot be read")]
    Length,
    /// The frame is larger than CometBFT's own limit.
    #[error("a frame of {0} bytes, at most {max} are taken", max = limits::ABCI_FRAME_BYTES)]
    TooLarge(u64),
    /// The message is not a request.
    #[error("a frame is no request: {0}")]
    Message(String),
}

/// The first whole request, taken out of `input`; `None` while bytes are missing.
///
/// # Errors
/// [`FrameError`]; nothing after it can be read.
pub fn take(input: &mut BytesMut) -> Result<Option<Request>, FrameError> {
    let mut head = &input[..];
    let length = match prost::encoding::decode_varint(&mut head) {
        Ok(length) => length,
        Err(_) if input.len() < LENGTH_BYTES => return Ok(None),
        Err(_) => return Err(FrameError::Length),
    };
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if size > limits::ABCI_FRAME_BYTES {
        return Err(FrameError::TooLarge(length));
    }
    if head.len() < size {
        return Ok(None);
    }
    let prefix = input.len() - head.len();
    input.advance(prefix);
    let message = input.split_to(size).freeze();
    let request = Request::decode(message);
    request
        .map(Some)
        .map_err(|error| FrameError::Message(error.to_string()))
}

/// Appends an answer.
pub fn put(output: &mut BytesMut, answer: response::Value) {
    let response = Response {
        value: Some(answer),
    };
    let bytes = response.encode_length_delimited_to_vec();
    output.extend_from_slice(&bytes);
}

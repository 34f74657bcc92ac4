//! Server-sent events as OpenAI's streams use them: `data: {json}` lines, the last one `[DONE]`.
//!
//! Whoever passes a stream on feeds a copy of its bytes to [`Tail`], which finds line ends and keeps
//! the last event; JSON is read once, at the end (parsing each chunk would cost more than the whole
//! hop). Own streams are written with [`frame`].

use bytes::Bytes;
use serde::Serialize;

use super::error::ApiError;
use super::usage::Usage;
use crate::limits::EVENT_BYTES;

/// Payload of the event that ends a complete stream.
pub const DONE: &str = "[DONE]";

/// The whole last event, as sent.
pub const DONE_FRAME: &[u8] = b"data: [DONE]\n\n";

/// `value` as one event.
pub fn frame(value: &impl Serialize) -> Bytes {
    let mut out = b"data: ".to_vec();
    if serde_json::to_writer(&mut out, value).is_err() {
        // Only maps with keys that are not strings fail; none of our types has one.
        out.truncate(6);
        out.extend_from_slice(b"{}");
    }
    out.extend_from_slice(b"\n\n");
    Bytes::from(out)
}

/// The event that ends a broken stream, in place of `[DONE]`: the official SDKs raise on it.
pub fn error_frame(error: &ApiError) -> Bytes {
    frame(&error.body())
}

/// The payloads of all `data:` lines of a complete stream, `[DONE]` included.
pub fn events(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream.split(|&byte| byte == b'\n').filter_map(payload)
}

/// The payload of one line without its line feed, if it is a `data:` line.
fn payload(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let rest = line.strip_prefix(b"data:")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

/// The end of a stream that passes by: the last event, and whether `[DONE]` came.
///
/// Memory is bounded by twice [`EVENT_BYTES`], whatever the stream contains.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    /// The line being received.
    line: Vec<u8>,
    /// The line being received is longer than is kept.
    too_long: bool,
    /// Payload of the last event before `[DONE]`; empty if there was none or it was too long.
    last: Vec<u8>,
    events: u64,
    done: bool,
}

impl Tail {
    /// Nothing received yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream, cut anywhere.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.extend(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() <= EVENT_BYTES {
            self.line.extend_from_slice(bytes);
        } else if !self.too_long {
            // The start says whether it is an event; the rest is of no use.
            self.line.truncate(5);
            let room = 5 - self.line.len();
            self.line.extend_from_slice(&bytes[..room.min(bytes.len())]);
            self.too_long = true;
        }
    }

    fn end_line(&mut self) {
        if self.too_long {
            if self.line.starts_with(b"data:") {
                self.events += 1;
                self.last.clear();
            }
        } else if let Some(data) = payload(&self.line) {
            if data == DONE.as_bytes() {
                self.done = true;
            } else if !self.done {
                self.events += 1;
                let start = self.line.len() - self.line.strip_suffix(b"\r").map_or(0, |_| 1);
                let skip = start - data.len();
                std::mem::swap(&mut self.last, &mut self.line);
                self.last.truncate(start);
                self.last.drain(..skip);
            }
        }
        self.line.clear();
        self.too_long = false;
    }

    /// Whether `[DONE]` was received as a whole line.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Events received before `[DONE]`.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Payload of the last event before `[DONE]`; `None` if there was none or it was over
    /// [`EVENT_BYTES`] long.
    pub fn last(&self) -> Option<&[u8]> {
        (!self.last.is_empty()).then_some(&self.last[..])
    }

    /// The usage in the last event, if it has one.
    pub fn usage(&self) -> Option<Usage> {
        self.last().and_then(Usage::of_answer)
    }
}

#[cfg(test)]
mod tests;

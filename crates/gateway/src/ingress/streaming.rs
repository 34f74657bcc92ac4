//! A verified stream on its way to the client, with `[DONE]` held back until the relay is proven and recorded.

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use llm::openai::{ApiError, error_frame};
use protocol::http::header_value;

use super::{AnswerBody, Ticket, journal_failed};
use crate::stream::{Frames, Piece};

/// The line that tells a client that it has everything.
const DONE_LINE: &[u8] = b"data: [DONE]";

/// Keeps back the end of a stream: from the `[DONE]` line on, and a line whose end has not come. A client can do nothing
/// with half an event, and an error that follows one would be read as a part of it.
#[derive(Debug, Default)]
struct Gate {
    held: BytesMut,
    done: bool,
    mid_event: bool,
}

impl Gate {
    /// Takes what arrived and gives what may go out now. What is held is bounded by the longest line that a stream may have.
    fn pass(&mut self, bytes: Bytes) -> Bytes {
        if self.done {
            self.held.extend_from_slice(&bytes);
            return Bytes::new();
        }
        let mut all = if self.held.is_empty() {
            bytes
        } else {
            let mut all = std::mem::take(&mut self.held);
            all.extend_from_slice(&bytes);
            all.freeze()
        };
        let mut line = 0;
        while let Some(next) = after_line(&all, line) {
            let content = all.get(line..next).unwrap_or_default();
            self.done = content.starts_with(DONE_LINE);
            if self.done {
                break;
            }
            self.mid_event = !matches!(content, b"\n" | b"\r\n");
            line = next;
        }
        self.held = BytesMut::from(all.split_off(line).as_ref());
        all
    }

    /// The rest, once the relay is on record.
    fn open(&mut self) -> Bytes {
        std::mem::take(&mut self.held).freeze()
    }

    /// An error in the place of the rest, as an event of its own.
    fn fail(&mut self, error: &ApiError) -> Bytes {
        self.held.clear();
        let frame = error_frame(error);
        if self.mid_event {
            [b"\n", &frame[..]].concat().into()
        } else {
            frame
        }
    }
}

/// Start of the line after the one that holds `from`, if that one is whole.
fn after_line(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter()
        .position(|byte| *byte == b'\n')
        .map(|end| from + end + 1)
}

struct State {
    frames: Frames,
    gate: Gate,
    ticket: Ticket,
    ended: bool,
}

/// The response whose body is the stream. A client that leaves drops it, and with it the supplier's connection.
pub(super) fn respond(frames: Frames, ticket: Ticket) -> Response<AnswerBody> {
    let status = StatusCode::from_u16(frames.status()).unwrap_or(StatusCode::OK);
    let kind = header_value(frames.headers(), "content-type")
        .unwrap_or("text/event-stream")
        .to_owned();
    let state = State {
        frames,
        gate: Gate::default(),
        ticket,
        ended: false,
    };
    let body = StreamBody::new(stream::unfold(state, |mut state| async move {
        let bytes = state.next().await?;
        Some((Ok::<_, net::BoxError>(Frame::data(bytes)), state))
    }));
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let event_stream = HeaderValue::from_static("text/event-stream");
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_str(&kind).unwrap_or(event_stream),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.ended {
            let bytes = match self.frames.next().await {
                Ok(Piece::Bytes(bytes)) => self.gate.pass(bytes),
                Ok(Piece::End { evidence, whole }) => {
                    self.ended = true;
                    match self.ticket.record(&evidence, self.frames.status()) {
                        Ok(()) if whole => self.gate.open(),
                        Ok(()) => self.gate.fail(&unfinished()),
                        Err(error) => self.gate.fail(&journal_failed(&error)),
                    }
                }
                Err(failure) => {
                    self.ended = true;
                    tracing::warn!(request = self.ticket.id, %failure, "stream broke");
                    let error = ApiError::upstream(failure.to_string()).code("stream_broken");
                    self.gate.fail(&error)
                }
            };
            if !bytes.is_empty() {
                return Some(bytes);
            }
        }
        None
    }
}

/// The supplier passed on all it got, and its backend did not get to the end.
fn unfinished() -> ApiError {
    ApiError::upstream("the model's server ended its answer early").code("stream_broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pieces: &[&str]) -> (String, String) {
        let mut gate = Gate::default();
        let out: String = pieces
            .iter()
            .map(|piece| {
                let bytes = gate.pass(Bytes::copy_from_slice(piece.as_bytes()));
                String::from_utf8(bytes.to_vec()).unwrap()
            })
            .collect();
        (out, String::from_utf8(gate.open().to_vec()).unwrap())
    }

    #[test]
    fn done_is_held_however_it_is_cut() {
        let text = "data: {\"x\":\"data: [DONE]\"}\n\ndata: [DONE]\n\n";
        let expected = (
            "data: {\"x\":\"data: [DONE]\"}\n\n".to_owned(),
            "data: [DONE]\n\n".to_owned(),
        );
        for cut in 1..text.len() {
            let (a, b) = text.split_at(cut);
            assert_eq!(run(&[a, b]), expected, "cut at {cut}");
        }
        let single: Vec<String> = text.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(run(&single), expected);
    }

    #[test]
    fn whole_events_are_never_held_and_halves_always_are() {
        assert_eq!(run(&["data: {}\n\n"]).1, "");
        assert_eq!(run(&["data: {}\n"]).1, "");
        assert_eq!(run(&["\n", "data: {\"a\""]).1, "data: {\"a\"");
    }

    #[test]
    fn an_error_is_an_event_of_its_own() {
        let error = ApiError::upstream("gone");
        for (sent, between) in [("data: {}\n\ndata: {\"ha", ""), ("data: {}\n", "\n")] {
            let mut gate = Gate::default();
            gate.pass(Bytes::copy_from_slice(sent.as_bytes()));
            let expected = [between.as_bytes(), &error_frame(&error)[..]].concat();
            assert_eq!(gate.fail(&error), expected, "{sent:?}");
            assert!(gate.open().is_empty());
        }
    }
}

//! An answer as server-sent events, each sent as soon as it exists.

use std::collections::VecDeque;
use std::convert::Infallible;

use bytes::Bytes;
use futures_util::Stream;

use super::job::{Answer, Event};
use super::write::Writer;
use crate::openai::{DONE_FRAME, Usage, error_frame};

/// The events of a stream. Dropping it ends the work.
pub(super) fn frames(
    answer: Answer,
    writer: Writer,
    prompt_tokens: usize,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let state = State {
        ready: (0..answer.choices())
            .filter_map(|index| writer.opening(index))
            .collect(),
        open: answer.choices(),
        answer,
        writer,
        prompt_tokens,
        completion_tokens: 0,
    };
    futures_util::stream::unfold(state, |mut state| async move {
        let frame = state.next().await?;
        Some((Ok(frame), state))
    })
}

struct State {
    /// Frames to be sent before anything else is asked for.
    ready: VecDeque<Bytes>,
    /// Choices that have not ended; with 0 only `ready` is left.
    open: u32,
    answer: Answer,
    writer: Writer,
    prompt_tokens: usize,
    completion_tokens: usize,
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(frame);
        }
        while self.open > 0 {
            match self.answer.next().await {
                Event::Piece { index, piece } => return Some(self.writer.piece(index, piece)),
                Event::Ended { index, finished } => {
                    self.open -= 1;
                    self.completion_tokens += finished.completion_tokens;
                    if self.open == 0 {
                        let usage =
                            Usage::new(self.prompt_tokens as u64, self.completion_tokens as u64);
                        self.ready.extend(self.writer.usage(usage));
                        self.ready.push_back(Bytes::from_static(DONE_FRAME));
                    }
                    return Some(self.writer.closing(index, finished.reason));
                }
                Event::Failed(error) => {
                    self.open = 0;
                    return Some(error_frame(&error));
                }
                Event::Started { .. } => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::sync::mpsc;

    use super::super::write::Form;
    use super::*;
    use crate::engine::{Finished, Piece};
    use crate::openai::{ApiError, ErrorBody, FinishReason, Tail, events};

    /// The whole stream of an answer whose thread reports `reported` and is gone.
    async fn stream(reported: Vec<Event>) -> Vec<u8> {
        let (sender, receiver) = mpsc::channel(10);
        for event in reported {
            sender.try_send(event).unwrap();
        }
        drop(sender);
        let writer = Writer::new(Form::Chat, "m", false, false);
        let frames = frames(Answer::new(receiver, 1), writer, 1);
        frames.map(|frame| frame.unwrap().to_vec()).concat().await
    }

    fn piece(text: &str) -> Event {
        Event::Piece {
            index: 0,
            piece: Piece {
                text: text.into(),
                logprobs: Vec::new(),
            },
        }
    }

    #[tokio::test]
    async fn a_stream_that_ended_well_says_done() {
        let finished = Finished {
            reason: FinishReason::Stop,
            completion_tokens: 2,
        };
        let whole = stream(vec![piece("a"), Event::Ended { index: 0, finished }]).await;
        let mut tail = Tail::new();
        tail.push(&whole);
        assert!(tail.is_done());
        assert_eq!(tail.events(), 3);
    }

    #[tokio::test]
    async fn a_broken_stream_ends_with_an_error() {
        let failed = Event::Failed(ApiError::internal("x"));
        for broken in [vec![piece("a")], vec![], vec![piece("a"), failed]] {
            let whole = stream(broken).await;
            assert!(!whole.windows(6).any(|bytes| bytes == b"[DONE]"));
            let error = ErrorBody::parse(events(&whole).last().unwrap()).unwrap();
            assert_eq!(error.error.kind, "server_error");
        }
    }
}

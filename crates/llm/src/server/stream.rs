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

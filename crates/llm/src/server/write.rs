//! Answers in the two forms of the interface: chat and the older completions.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::job::random;
use super::to_json;
use crate::engine::{Finished, Piece};
use crate::openai::{
    ChatAnswer, ChatChoice, ChatChunk, ChunkChoice, CompletionAnswer, CompletionChoice,
    CompletionLogprobs, Delta, FinishReason, Logprobs, ReplyMessage, TokenLogprob, Usage, frame,
};

/// Which interface is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Chat,
    Completion,
}

/// Writes one answer.
#[derive(Debug)]
pub(super) struct Writer {
    form: Form,
    id: String,
    created: u64,
    model: String,
    include_usage: bool,
    logprobs: bool,
    /// Characters of reported tokens by choice, for `text_offset`.
    offsets: BTreeMap<u32, usize>,
}

impl Writer {
    pub(super) fn new(form: Form, model: &str, include_usage: bool, logprobs: bool) -> Self {
        let prefix = match form {
            Form::Chat => "chatcmpl",
            Form::Completion => "cmpl",
        };
        Self {
            form,
            id: format!("{prefix}-{:016x}{:016x}", random(), random()),
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |age| age.as_secs()),
            model: model.to_owned(),
            include_usage,
            logprobs,
            offsets: BTreeMap::new(),
        }
    }

    /// The body of a plain answer.
    pub(super) fn whole(
        mut self,
        choices: Vec<(Piece, Finished)>,
        prompt_tokens: usize,
        completion_tokens: usize,
    ) -> Bytes {
        let usage = Usage::new(prompt_tokens as u64, completion_tokens as u64);
        match self.form {
            Form::Chat => {
                let choices = choices
                    .into_iter()
                    .zip(0..)
                    .map(|((piece, finished), index)| {
                        let logprobs = self.logprobs.then_some(Logprobs {
                            content: piece.logprobs,
                        });
                        let message = ReplyMessage {
                            role: "assistant".into(),
                            content: piece.text,
                        };
                        ChatChoice {
                            index,
                            message,
                            logprobs,
                            finish_reason: finished.reason,
                        }
                    });
                to_json(&ChatAnswer {
                    choices: choices.collect(),
                    object: "chat.completion".into(),
                    id: self.id,
                    created: self.created,
                    model: self.model,
                    usage,
                })
            }
            Form::Completion => {
                let choices = choices
                    .into_iter()
                    .zip(0..)
                    .map(|((piece, finished), index)| {
                        self.completion_choice(index, piece, Some(finished.reason))
                    });
                let choices = choices.collect();
                to_json(&self.completion(choices, Some(Some(usage))))
            }
        }
    }

    /// The first event of a choice, where the form has one.
    pub(super) fn opening(&self, index: u32) -> Option<Bytes> {
        let delta = Delta {
            role: Some("assistant".into()),
            content: Some(String::new()),
        };
        (self.form == Form::Chat).then(|| self.chat_frame(index, delta, None, None))
    }

    /// An event with more of a choice.
    pub(super) fn piece(&mut self, index: u32, piece: Piece) -> Bytes {
        match self.form {
            Form::Chat => {
                let logprobs = self.logprobs.then_some(Logprobs {
                    content: piece.logprobs,
                });
                let delta = Delta {
                    role: None,
                    content: Some(piece.text),
                };
                self.chat_frame(index, delta, logprobs, None)
            }
            Form::Completion => {
                let choice = self.completion_choice(index, piece, None);
                frame(&self.completion(vec![choice], self.no_usage()))
            }
        }
    }

    /// The last event of a choice.
    pub(super) fn closing(&mut self, index: u32, reason: FinishReason) -> Bytes {
        match self.form {
            Form::Chat => self.chat_frame(index, Delta::default(), None, Some(reason)),
            Form::Completion => {
                let choice = self.completion_choice(index, Piece::default(), Some(reason));
                frame(&self.completion(vec![choice], self.no_usage()))
            }
        }
    }

    /// The event with the usage, if it was asked for.
    pub(super) fn usage(&self, usage: Usage) -> Option<Bytes> {
        let usage = self.include_usage.then_some(Some(usage))?;
        Some(match self.form {
            Form::Chat => frame(&self.chunk(Vec::new(), Some(usage))),
            Form::Completion => frame(&self.completion(Vec::new(), Some(usage))),
        })
    }

    /// `usage` of events that have none: null where usage was asked for, else absent.
    fn no_usage(&self) -> Option<Option<Usage>> {
        self.include_usage.then_some(None)
    }

    fn chat_frame(
        &self,
        index: u32,
        delta: Delta,
        logprobs: Option<Logprobs>,
        finish_reason: Option<FinishReason>,
    ) -> Bytes {
        let choice = ChunkChoice {
            index,
            delta,
            logprobs,
            finish_reason,
        };
        frame(&self.chunk(vec![choice], self.no_usage()))
    }

    fn chunk(&self, choices: Vec<ChunkChoice>, usage: Option<Option<Usage>>) -> ChatChunk {
        ChatChunk {
            id: self.id.clone(),
            object: "chat.completion.chunk".into(),
            created: self.created,
            model: self.model.clone(),
            choices,
            usage,
        }
    }

    fn completion(
        &self,
        choices: Vec<CompletionChoice>,
        usage: Option<Option<Usage>>,
    ) -> CompletionAnswer {
        CompletionAnswer {
            id: self.id.clone(),
            object: "text_completion".into(),
            created: self.created,
            model: self.model.clone(),
            choices,
            usage,
        }
    }

    fn completion_choice(
        &mut self,
        index: u32,
        piece: Piece,
        finish_reason: Option<FinishReason>,
    ) -> CompletionChoice {
        let logprobs = self
            .logprobs
            .then(|| parallel(piece.logprobs, self.offsets.entry(index).or_default()));
        CompletionChoice {
            index,
            text: piece.text,
            logprobs,
            finish_reason,
        }
    }
}

/// The older form: parallel lists. `offset` is that of the first token, then of the next one to come.
fn parallel(tokens: Vec<TokenLogprob>, offset: &mut usize) -> CompletionLogprobs {
    let mut out = CompletionLogprobs::default();
    for TokenLogprob {
        chosen,
        top_logprobs,
    } in tokens
    {
        out.text_offset.push(*offset);
        *offset += chosen.token.chars().count();
        out.tokens.push(chosen.token);
        out.token_logprobs.push(chosen.logprob);
        let top = top_logprobs.into_iter().map(|top| (top.token, top.logprob));
        out.top_logprobs.push(top.collect());
    }
    out
}

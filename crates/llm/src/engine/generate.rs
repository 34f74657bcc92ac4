//! From a prompt to an answer, piece by piece.
//!
//! A plain answer is the concatenation of the pieces a stream would send: there is only one way to
//! generate, so with one seed the two are equal by construction.

use std::ops::ControlFlow;

use super::error::{Error, Result};
use super::forward::Sequence;
use super::gate::Gate;
use super::model::Model;
use super::sampler::{self, Sampler, SamplerOptions};
use crate::limits::PREFILL_TOKENS;
use crate::openai::{FinishReason, TokenLogprob, TopLogprob};

/// What an answer is to be like.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// Most tokens to generate; `None` and anything larger means what the context has room for.
    pub max_tokens: Option<usize>,
    /// How tokens are drawn.
    pub sampler: SamplerOptions,
    /// Strings that end the answer and are no part of it; empty ones are ignored.
    pub stop: Vec<String>,
    /// Alternatives per token, or `None` for no log probabilities at all.
    pub top_logprobs: Option<usize>,
}

/// A part of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// More text; may be empty when only log probabilities became certain.
    pub text: String,
    /// Tokens whose text has gone out with this piece.
    pub logprobs: Vec<TokenLogprob>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Why.
    pub reason: FinishReason,
    /// Tokens generated, the one that ended the answer included.
    pub completion_tokens: usize,
}

/// A prompt that was read: any number of answers can be generated from it.
#[derive(Clone, Debug)]
pub struct Prefilled<'m> {
    model: &'m Model,
    sequence: Sequence<'m>,
    logits: Vec<f32>,
}

impl Model {
    /// Checks that `prompt` fits: tokens of the vocabulary, at least one, and room for one more.
    pub fn check_prompt(&self, prompt: &[u32]) -> Result<()> {
        if prompt.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        let vocabulary = self.tokenizer().vocabulary();
        if let Some(&token) = prompt.iter().find(|&&token| token as usize >= vocabulary) {
            return Err(Error::TokenRange { token, vocabulary });
        }
        match prompt.len() < self.context_tokens() {
            true => Ok(()),
            false => {
                let (prompt, context) = (prompt.len(), self.context_tokens());
                Err(Error::ContextLength { prompt, context })
            }
        }
    }

    /// Reads a prompt. `cancelled` is asked every few tokens.
    pub fn prefill(&self, prompt: &[u32], cancelled: &dyn Fn() -> bool) -> Result<Prefilled<'_>> {
        self.check_prompt(prompt)?;
        let mut sequence = Sequence::new(self);
        let mut last = Vec::new();
        for tokens in prompt.chunks(PREFILL_TOKENS) {
            if cancelled() {
                return Err(Error::Cancelled);
            }
            last = sequence.append(tokens);
        }
        let logits = sequence.logits(&last);
        Ok(Prefilled {
            model: self,
            sequence,
            logits,
        })
    }
}

impl Prefilled<'_> {
    /// Tokens of the prompt.
    pub fn prompt_tokens(&self) -> usize {
        self.sequence.len()
    }

    /// Generates an answer, handing out each piece as soon as it is certain. A `Break` from `on_piece`
    /// ends the work with [`Error::Cancelled`]; it also gets empty pieces, so that it can end it at
    /// any token.
    pub fn generate(
        self,
        options: &GenerateOptions,
        on_piece: &mut dyn FnMut(Piece) -> ControlFlow<()>,
    ) -> Result<Finished> {
        let Self {
            model,
            mut sequence,
            mut logits,
        } = self;
        let room = model.context_tokens() - sequence.len();
        let most = options.max_tokens.map_or(room, |most| most.min(room));
        let mut sampler = Sampler::new(options.sampler.clone());
        let mut answer = Answer::new(model, options);
        for count in 1..=most {
            let token = sampler.choose(&logits);
            if model.tokenizer().is_ending(token) {
                return answer.end(FinishReason::Stop, count, on_piece);
            }
            let piece = answer.add(token, &logits);
            if answer.gate.is_stopped() {
                send(piece, on_piece)?;
                return answer.end(FinishReason::Stop, count, on_piece);
            }
            send(piece, on_piece)?;
            if count < most {
                let last = sequence.append(&[token]);
                logits = sequence.logits(&last);
            }
        }
        answer.end(FinishReason::Length, most, on_piece)
    }
}

fn send(piece: Piece, on_piece: &mut dyn FnMut(Piece) -> ControlFlow<()>) -> Result<()> {
    match on_piece(piece) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

/// The answer so far: what is held back and which tokens are not reported yet.
struct Answer<'a> {
    model: &'a Model,
    top_logprobs: Option<usize>,
    gate: Gate,
    generated: usize,
    /// Tokens not reported yet: where their bytes start and end.
    pending: std::collections::VecDeque<(usize, usize, TokenLogprob)>,
}

impl<'a> Answer<'a> {
    fn new(model: &'a Model, options: &GenerateOptions) -> Self {
        let stops = options
            .stop
            .iter()
            .filter(|stop| !stop.is_empty())
            .cloned()
            .collect();
        Self {
            model,
            top_logprobs: options.top_logprobs,
            gate: Gate::new(stops),
            generated: 0,
            pending: std::collections::VecDeque::new(),
        }
    }

    /// Takes a token that was chosen from `logits`.
    fn add(&mut self, token: u32, logits: &[f32]) -> Piece {
        let bytes = self.model.tokenizer().piece(token);
        let text = self.gate.push(bytes);
        if let Some(count) = self.top_logprobs {
            let logprob = self.logprob(token, logits, count);
            self.pending
                .push_back((self.generated, self.generated + bytes.len(), logprob));
        }
        self.generated += bytes.len();
        let released = self.gate.released();
        Piece {
            text,
            logprobs: self.report(|_, end| end <= released),
        }
    }

    /// Sends what is left. A token of which only a part was released is reported whole.
    fn end(
        mut self,
        reason: FinishReason,
        completion_tokens: usize,
        on_piece: &mut dyn FnMut(Piece) -> ControlFlow<()>,
    ) -> Result<Finished> {
        let text = self.gate.flush();
        let released = self.gate.released();
        let logprobs = self.report(|start, end| start < released || end <= released);
        if !text.is_empty() || !logprobs.is_empty() {
            send(Piece { text, logprobs }, on_piece)?;
        }
        Ok(Finished {
            reason,
            completion_tokens,
        })
    }

    fn report(&mut self, certain: impl Fn(usize, usize) -> bool) -> Vec<TokenLogprob> {
        let mut out = Vec::new();
        while let Some((_, _, logprob)) = self
            .pending
            .pop_front_if(|(start, end, _)| certain(*start, *end))
        {
            out.push(logprob);
        }
        out
    }

    fn logprob(&self, token: u32, logits: &[f32], count: usize) -> TokenLogprob {
        let logs = sampler::log_probabilities(logits);
        let entry = |token: u32, logprob: f32| {
            let bytes = self.model.tokenizer().display(token);
            let text = String::from_utf8_lossy(bytes).into_owned();
            TopLogprob {
                token: text,
                logprob: finite(logprob),
                bytes: bytes.to_vec(),
            }
        };
        let best = sampler::likeliest(&logs, count);
        TokenLogprob {
            chosen: entry(token, logs[token as usize]),
            top_logprobs: best
                .into_iter()
                .map(|(logprob, token)| entry(token, logprob))
                .collect(),
        }
    }
}

/// JSON has no infinity; OpenAI writes −9999 for a token that is all but impossible.
fn finite(logprob: f32) -> f32 {
    if logprob.is_finite() {
        logprob
    } else {
        -9999.0
    }
}

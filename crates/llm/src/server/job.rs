//! A request turned into work for a blocking thread, and what comes back from it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::LoadedModel;
use super::admission::Permit;
use crate::engine::{
    Error, Finished, GenerateOptions, Model, Piece, Prefilled, SamplerOptions, SamplingDefaults,
};
use crate::limits::ENGINE_CHOICES;
use crate::openai::{ApiError, ChatHead, CompletionHead, Prompt, Role, Sampling};

/// What is to be read before answering.
enum Input {
    /// Role and text of each message.
    Messages(Vec<(&'static str, String)>),
    Text(String),
    Tokens(Vec<u32>),
}

impl Input {
    /// The field of the request it came from.
    fn field(&self) -> &'static str {
        match self {
            Self::Messages(_) => "messages",
            Self::Text(_) | Self::Tokens(_) => "prompt",
        }
    }
}

/// A checked request, owning all it needs.
pub(super) struct Job {
    pub(super) stream: bool,
    model: Arc<Model>,
    input: Input,
    options: GenerateOptions,
    choices: u32,
}

/// What the thread reports, in this order: one `Started` or `Failed`; then per choice its pieces and
/// one `Ended`. `Failed` may also come later; nothing follows it.
#[derive(Debug)]
pub(super) enum Event {
    Started { prompt_tokens: usize },
    Piece { index: u32, piece: Piece },
    Ended { index: u32, finished: Finished },
    Failed(ApiError),
}

impl Job {
    /// For a chat completion.
    pub(super) fn chat(model: &LoadedModel, head: &ChatHead<'_>) -> Result<Self, ApiError> {
        if head.has_tools {
            return Err(ApiError::unsupported(
                "tools",
                "this server cannot call tools",
            ));
        }
        if head
            .response_format
            .as_ref()
            .is_some_and(|format| format != "text")
        {
            return Err(ApiError::unsupported(
                "response_format",
                "answers are plain text",
            ));
        }
        let messages = head.messages.iter().enumerate().map(|(index, message)| {
            let role = match message.role {
                Role::Developer => Role::System,
                role => role,
            };
            Ok((role.as_str(), message.text(index)?.into_owned()))
        });
        let top_logprobs = head.logprobs.then_some(head.top_logprobs as usize);
        Ok(Self {
            stream: head.stream,
            model: model.model.clone(),
            input: Input::Messages(messages.collect::<Result<_, ApiError>>()?),
            options: options(
                model.defaults,
                &head.sampling,
                head.max_tokens,
                top_logprobs,
            ),
            choices: choices(head.n)?,
        })
    }

    /// For a plain completion.
    pub(super) fn completion(
        model: &LoadedModel,
        head: &CompletionHead<'_>,
    ) -> Result<Self, ApiError> {
        if head.echo {
            return Err(ApiError::unsupported("echo", "only new text is answered"));
        }
        if head.has_suffix {
            return Err(ApiError::unsupported("suffix", "text is only continued"));
        }
        let input = match &head.prompt {
            Prompt::Text(text) => Input::Text(text.clone().into_owned()),
            Prompt::Tokens(tokens) => Input::Tokens(tokens.clone()),
            Prompt::Many(count) => {
                return Err(ApiError::wrong_value(
                    "prompt",
                    format!("{count} prompts"),
                    "one",
                ));
            }
        };
        let top_logprobs = head.logprobs.map(|count| count as usize);
        let max_tokens = head.max_tokens.or(Some(COMPLETION_TOKENS));
        Ok(Self {
            stream: head.stream,
            model: model.model.clone(),
            input,
            options: options(model.defaults, &head.sampling, max_tokens, top_logprobs),
            choices: choices(head.n)?,
        })
    }

    /// Starts the work; it keeps `permit` until there is nothing more to generate.
    pub(super) fn start(self, permit: Permit) -> Answer {
        let most = self
            .options
            .max_tokens
            .unwrap_or(usize::MAX)
            .min(self.model.context_tokens());
        // Room for every event there can be, so that the thread never waits for a reader.
        let (sender, receiver) = mpsc::channel(2 + self.choices as usize * (most + 2));
        let choices = self.choices;
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.run(&sender, permit)
                && error != Error::Cancelled
            {
                // Nobody listens any more: nobody to tell.
                let _ = sender.try_send(Event::Failed(api_error(error, self.input.field())));
            }
        });
        Answer::new(receiver, choices)
    }

    fn run(&self, sender: &mpsc::Sender<Event>, permit: Permit) -> Result<(), Error> {
        let mut permit = Some(permit);
        let send = |event| match sender.try_send(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let prefilled = self.prefill(&|| sender.is_closed())?;
        let prompt_tokens = prefilled.prompt_tokens();
        if send(Event::Started { prompt_tokens }).is_break() {
            return Err(Error::Cancelled);
        }
        for index in 0..self.choices {
            let mut options = self.options.clone();
            options.sampler.seed = options.sampler.seed.wrapping_add(u64::from(index));
            let mut on_piece = |piece: Piece| {
                if !piece.text.is_empty() || !piece.logprobs.is_empty() {
                    send(Event::Piece { index, piece })
                } else if sender.is_closed() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let finished = prefilled.clone().generate(&options, &mut on_piece)?;
            tracing::debug!(prompt_tokens, index, ?finished, "answered");
            if index + 1 == self.choices {
                // Before the client hears the end: its next request finds the slot free.
                permit.take();
            }
            if send(Event::Ended { index, finished }).is_break() {
                return Err(Error::Cancelled);
            }
        }
        Ok(())
    }

    fn prefill(&self, cancelled: &dyn Fn() -> bool) -> Result<Prefilled<'_>, Error> {
        match &self.input {
            Input::Messages(messages) => {
                let messages: Vec<_> = messages
                    .iter()
                    .map(|(role, text)| (*role, text.as_str()))
                    .collect();
                self.model
                    .prefill(&self.model.chat_prompt(&messages)?, cancelled)
            }
            Input::Text(text) => self
                .model
                .prefill(&self.model.tokenizer().encode_prompt(text)?, cancelled),
            Input::Tokens(tokens) => self.model.prefill(tokens, cancelled),
        }
    }
}

/// Tokens of a completion whose request names no bound, as in OpenAI's reference.
const COMPLETION_TOKENS: u32 = 16;

fn choices(n: u32) -> Result<u32, ApiError> {
    match n <= ENGINE_CHOICES {
        true => Ok(n),
        false => Err(ApiError::wrong_value(
            "n",
            n,
            &format!("at most {ENGINE_CHOICES} on this server"),
        )),
    }
}

fn options(
    defaults: SamplingDefaults,
    asked: &Sampling<'_>,
    max_tokens: Option<u32>,
    top_logprobs: Option<usize>,
) -> GenerateOptions {
    let top_k = asked.top_k.map(|k| usize::try_from(k).unwrap_or(0));
    let bias: BTreeMap<u32, f32> = asked.logit_bias.iter().copied().collect();
    GenerateOptions {
        max_tokens: max_tokens.map(|most| most as usize),
        sampler: SamplerOptions {
            temperature: asked.temperature.or(defaults.temperature).unwrap_or(1.0),
            top_p: asked.top_p.or(defaults.top_p).unwrap_or(1.0),
            top_k: top_k.or(defaults.top_k).unwrap_or(0),
            presence_penalty: asked.presence_penalty.unwrap_or(0.0),
            frequency_penalty: asked.frequency_penalty.unwrap_or(0.0),
            logit_bias: bias.into_iter().collect(),
            seed: asked.seed.map_or_else(random, |seed| seed as u64),
        },
        stop: asked
            .stop
            .iter()
            .map(|stop| stop.clone().into_owned())
            .collect(),
        top_logprobs,
    }
}

/// 64 bits nobody can foresee, from the standard library's hash keys. Not for secrets.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What a client is told. Only faults of the request can happen once a model is loaded; `field` is the
/// one it read.
fn api_error(error: Error, field: &str) -> ApiError {
    match error {
        Error::ContextLength { prompt, context } => {
            ApiError::context_length(prompt, context).param(field)
        }
        Error::Template(_)
        | Error::NoTemplate
        | Error::NoToken(_)
        | Error::TokenRange { .. }
        | Error::EmptyPrompt => ApiError::invalid(error.to_string())
            .param(field)
            .code("invalid_value"),
        other => ApiError::internal(other.to_string()),
    }
}

/// The receiving end of a job. Dropping it ends the work.
pub(super) struct Answer {
    receiver: mpsc::Receiver<Event>,
    choices: u32,
}

impl Answer {
    /// What `receiver` reports.
    pub(super) fn new(receiver: mpsc::Receiver<Event>, choices: u32) -> Self {
        Self { receiver, choices }
    }

    /// The next event; after the last one, or when the thread died, an error.
    pub(super) async fn next(&mut self) -> Event {
        let died = || ApiError::internal("the generation ended unexpectedly");
        self.receiver
            .recv()
            .await
            .unwrap_or_else(|| Event::Failed(died()))
    }

    /// Choices there will be.
    pub(super) fn choices(&self) -> u32 {
        self.choices
    }

    /// Waits until the prompt is read; the number of its tokens.
    pub(super) async fn started(&mut self) -> Result<usize, ApiError> {
        match self.next().await {
            Event::Started { prompt_tokens } => Ok(prompt_tokens),
            Event::Failed(error) => Err(error),
            other => Err(ApiError::internal(format!("out of order: {other:?}"))),
        }
    }

    /// All choices whole, and the number of tokens generated for them.
    pub(super) async fn collect(mut self) -> Result<(Vec<(Piece, Finished)>, usize), ApiError> {
        let mut choices = Vec::new();
        let mut whole = Piece::default();
        let mut completion_tokens = 0;
        while choices.len() < self.choices as usize {
            match self.next().await {
                Event::Piece { piece, .. } => {
                    whole.text.push_str(&piece.text);
                    whole.logprobs.extend(piece.logprobs);
                }
                Event::Ended { finished, .. } => {
                    completion_tokens += finished.completion_tokens;
                    choices.push((std::mem::take(&mut whole), finished));
                }
                Event::Failed(error) => return Err(error),
                Event::Started { .. } => {}
            }
        }
        Ok((choices, completion_tokens))
    }
}

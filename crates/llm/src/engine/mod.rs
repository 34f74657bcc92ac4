//! A small deterministic CPU engine for Llama-family models in GGUF files.
//!
//! It exists so that the whole path from prompt to payout runs without any other install, and so that
//! the same request gives the same bytes on every machine. It is not fast: plain loops, one thread per
//! sequence. Anything larger than a few hundred million parameters belongs behind a URL.
//!
//! Invariants
//! - everything read from a file is checked before it is used: a damaged file is a typed error at
//!   [`Model::load`], never a panic or a wrong answer; an unknown tensor or tokenizer is refused;
//! - numerics follow llama.cpp (activations quantised per block of 32, keys and values rounded to
//!   half precision), so greedy answers agree but where two tokens are all but equally likely;
//! - results depend on the file, the request and its seed alone: no threads inside a sequence, no
//!   platform's `exp`, no fused multiply-add.
//!
//! Start with [`Model::load`], then [`Model::chat_prompt`], [`Model::prefill`] and
//! [`Prefilled::generate`].

mod error;
mod forward;
mod gate;
mod generate;
pub mod gguf;
mod matrix;
mod model;
mod ops;
pub mod quant;
mod sampler;
mod template;
mod tokenizer;

pub use error::{Error, Result};
pub use generate::{Finished, GenerateOptions, Piece, Prefilled};
pub use model::{Model, SamplingDefaults};
pub use sampler::{Sampler, SamplerOptions};
pub use tokenizer::Tokenizer;

//! What a request and an answer are, and a small deterministic engine for Llama-family models.
//!
//! [`openai`] is the vocabulary everybody on the path of a prompt shares: the borrowed head of a
//! request, the error body, usage, streamed events. It opens no socket and builds no tree.
//! [`engine`] (feature `engine`, on by default) loads a GGUF file and generates text on the CPU;
//! [`server`] puts the OpenAI HTTP interface in front of it.
//!
//! This crate knows nothing of sessions, coins or suppliers, so it can be run and tested as a plain
//! model server.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(feature = "engine")]
pub mod engine;
pub mod limits;
pub mod openai;
#[cfg(feature = "engine")]
pub mod server;

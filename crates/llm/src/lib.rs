//! What a request and an answer are, and a small deterministic engine for Llama-family models.
//!
//! [`openai`] is the vocabulary everybody on the path of a prompt shares: the borrowed head of a
//! request, the error body, usage, streamed events. It opens no socket and builds no tree.
//!
//! This crate knows nothing of sessions, coins or suppliers, so it can be run and tested as a plain
//! model server.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod limits;
pub mod openai;

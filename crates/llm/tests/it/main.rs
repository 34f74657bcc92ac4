//! The engine and its server from outside, on small random models and on the two committed ones.

#![allow(clippy::unwrap_used)]

mod committed;
mod engine;
mod loader;
mod server;
mod tiny;

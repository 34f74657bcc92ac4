//! The protocol against recorded vectors, one module per group, and properties of its codecs.

#![allow(clippy::unwrap_used)]

mod claim;
mod difficulty;
mod error_body;
mod params;
mod proof;
mod relay;
mod ring;
mod session;
mod settlement;
mod stream;
mod validate;
mod vectors;
mod vectors_walk;

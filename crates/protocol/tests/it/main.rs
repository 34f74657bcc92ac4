//! The protocol against recorded vectors, one module per group, and properties of its codecs.

#![allow(clippy::unwrap_used)]

mod claim;
mod difficulty;
mod params;
mod proof;
mod relay;
mod ring;
mod session;
mod settlement;
mod validate;
mod vectors;

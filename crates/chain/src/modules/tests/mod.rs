//! Tests that concern several modules: vectors, and the recording of a reference node.

pub(crate) mod fixture;
mod groups;
mod recorded;
mod recording;
mod rules;
mod transactions;
mod vectors;

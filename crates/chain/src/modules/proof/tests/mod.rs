//! Tests of `proof`.

mod checks;
mod messages;
mod rules;
pub(crate) mod world;

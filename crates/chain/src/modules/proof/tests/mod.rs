//! Tests of `proof`.

mod appraise;
mod checks;
mod forged;
mod messages;
mod rules;
pub(crate) mod world;

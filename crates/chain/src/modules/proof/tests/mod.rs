//! Tests of `proof`.

mod appraise;
mod checks;
mod forged;
mod messages;
mod rules;
mod windows;
pub(crate) mod world;

//! Tests of `proof`.

mod checks;
mod messages;
pub(crate) mod world;

//! Tests of the whole state machine through its verbs.

#![allow(missing_docs)]

mod ante;
mod determinism;
mod genesis;
mod golden;
mod malformed;
mod recorded_gas;
mod recording;
mod replay;
mod restart;
#[path = "../common/rng.rs"]
mod rng;
mod signatures;
mod soak;
mod statesync;
mod support;
mod validators;
#[path = "../common/work.rs"]
mod work;

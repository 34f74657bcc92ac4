//! Tests of the whole state machine through its verbs.

#![allow(missing_docs)]

mod ante;
mod genesis;
mod golden;
mod recorded_gas;
mod recording;
mod replay;
mod restart;
mod statesync;
mod support;
mod validators;

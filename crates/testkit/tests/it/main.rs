//! Scenarios on whole networks in this process (`docs` of the faults: T1 to T5, S1, S3, C1, L2, L4).

#![allow(clippy::unwrap_used)]

mod answers;
mod broken;
mod leaving;
mod liars;
mod outages;
mod refusals;
mod restarts;
mod support;

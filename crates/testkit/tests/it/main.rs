//! Scenarios on whole networks in this process. Marks like T1 name the fault that a scenario injects.

#![allow(clippy::unwrap_used)]

mod answers;
mod broken;
mod leaving;
mod liars;
mod outages;
mod refusals;
mod restarts;
mod support;

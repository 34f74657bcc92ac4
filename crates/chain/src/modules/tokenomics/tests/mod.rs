//! Tests of `tokenomics`.

mod conservation;
mod example;
mod rules;
mod settlements;
mod shares;
mod vectors;

//! Tests of `tokenomics`.

mod settlements;

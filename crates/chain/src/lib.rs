//! The deterministic state machine: modules, transaction checks, settlement, genesis, store.

//! The real binary, from outside: every test here starts `relaymill` and speaks to it over its sockets.
//!
//! [`support`] starts and stops processes, speaks HTTP and reads blocks; [`ledger`] is a second opinion about every coin.
//! `RELAYMILL_KILLS=20` makes the kill loops as long as a release wants them; `RELAYMILL_RELAYS` is how many relays are
//! accounted for; `RELAYMILL_SEED` repeats a run.

mod accounting;
mod backend;
mod bad_relays;
mod bad_requests;
mod cometbft;
mod command_line;
mod commands;
mod configuration;
mod interop;
mod keys;
mod kills;
mod ledger;
mod mended;
mod openai;
mod operators;
mod replay;
mod secrets;
mod sockets;
mod support;
mod transactions;
mod troubles;

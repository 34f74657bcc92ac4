//! The real binary, from outside: every test here starts `relaymill` and speaks to it over its sockets.
//!
//! [`support`] starts and stops processes, speaks HTTP and reads blocks; [`ledger`] is a second opinion about every coin.
//! Long loops are short here and full with `RELAYMILL_RELAYS=200` and `RELAYMILL_KILLS=20`; `RELAYMILL_SEED` repeats a run.

mod accounting;
mod bad_relays;
mod bad_requests;
mod command_line;
mod configuration;
mod kills;
mod ledger;
mod openai;
mod secrets;
mod sockets;
mod support;

//! Transactions: reading them, checking them before they cost anything (`ante`), running their messages (`run`).

mod ahead;
mod ante;
mod decode;
mod fees;
mod run;
mod signing;

pub(crate) use ahead::read_ahead;
pub use decode::Transaction;
pub use fees::GasPrice;
pub use run::Gas;
pub(crate) use run::{Outcome, panic_text, read, run, run_read};

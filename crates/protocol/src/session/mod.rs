//! Sessions: the grid of heights, the windows after a session, its id and its suppliers.
//!
//! A session is N consecutive blocks. Its number and bounds follow from the shared parameters that hold at the height
//! in question ([`Grid`]); its id depends on the hash of its own first block ([`session_id`]), so it cannot be known
//! before that block is committed; who serves it follows from the same preimage ([`select_suppliers`]). What may be
//! claimed and proven when is in [`Windows`].
//!
//! Invariants
//! - everything is a pure function of parameters, hash and text; which parameters hold is the caller's question:
//!   windows and grace at the session's end, prices at its start (relay-protocol trap T10);
//! - no height computation wraps: sums saturate at a height no block reaches.

mod grid;
mod id;
mod select;
mod windows;

pub use grid::Grid;
pub use id::{SessionId, session_id, session_preimage};
pub use select::{is_active, select_suppliers, supplier_weight};
pub use windows::Windows;

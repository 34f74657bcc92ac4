//! What everybody must agree on: sessions, relays, windows, claims, proofs and amounts.
//!
//! Chain, supplier and gateway meet here and nowhere else. Everything is a pure function of its arguments: no I/O, no
//! clock, no randomness, no iteration whose order is not defined. Sources are the sections of the specifications named
//! at each item; where the reference wraps, panics or leaves something unchecked, ours refuses, and says so there.
//!
//! Start with [`relay`] (from a request to a leaf), [`session`] (grid, windows, suppliers) and [`claim`] (amounts and
//! the proof requirement).

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod address;
pub mod amount;
mod big;
pub mod claim;
pub mod decimal;
pub mod difficulty;
mod error;
pub mod error_body;
pub mod height;
pub mod http;
pub mod limits;
pub mod merkle;
pub mod metering;
pub mod params;
pub mod proof;
pub mod relay;
pub mod ring;
pub mod session;
pub mod settlement;
pub mod stream;
pub mod validate;
mod wire;

pub use amount::Upokt;
pub use error::ProtocolError;
pub use height::Height;

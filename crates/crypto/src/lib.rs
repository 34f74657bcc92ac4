//! Keys, ring signatures, the sum trie, and compatibility with Go's gob and math/rand.
//!
//! What every role needs to agree on bytes, and nothing else: no protobuf, no I/O, no clock.
//! Everything here is a pure function of its arguments, apart from the randomness that signing and
//! key generation draw from the operating system.
//!
//! Invariants
//! - bytes from outside never panic: every decoder returns an [`Error`] that names what is wrong;
//! - a [`keys::PublicKey`] is always a valid curve point, a [`keys::SecretKey`] is wiped when
//!   dropped and never printed;
//! - work on secrets (nonces, private scalars) takes constant time; work on public values may be as
//!   fast as it can.
//!
//! Start with [`keys`] for identities, [`ring`] for the signature of a relay request, [`trie`] for
//! the tree that a claim commits to, [`age`] for key files, [`gob`] for a proof's bytes on chain, and [`go_rand`] for the
//! draw of the proof requirement.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod age;
pub mod error;
pub mod go_rand;
pub mod gob;
pub mod hash;
pub mod keys;
pub mod limits;
pub mod ring;
pub mod trie;

#[cfg(test)]
mod test_vectors;

pub use error::Error;

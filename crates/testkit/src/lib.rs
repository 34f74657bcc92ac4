//! A whole network in one process, for tests: node, suppliers and gateway on loopback, real in every part but the model.
//!
//! The model's place is taken by [`backend`]s that the test itself plays, step by step: it receives a call, sends chunks,
//! stalls, breaks off, and sees when the other side leaves. Suppliers that lie are played by [`impostor`]. Whatever happens,
//! [`audit`] watches from outside: the answers that clients got are exactly what is claimed and paid, and money is conserved.
//!
//! What must hold
//! - nothing sleeps where an event can be awaited, and every wait ends ([`PATIENCE`]);
//! - tests of one network tell their requests apart by the marker in their prompt ([`backend::Case`]), so they may run at
//!   the same time.
//!
//! Start with [`Network::start`].

pub mod audit;
pub mod backend;
pub mod front;
mod genesis;
pub mod hand;
pub mod impostor;
pub mod logs;
pub mod network;
pub mod plan;

use std::time::Duration;

pub use network::Network;
pub use plan::{Kind, Plan, ServicePlan, SupplierPlan};

/// Longest wait for anything; a test that needs longer hangs for a reason. Two loaded cores were seen to need a sixth of it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `future`, or an error that names what did not come.
///
/// # Errors
/// After [`PATIENCE`].
pub async fn patiently<F: Future>(what: &str, future: F) -> anyhow::Result<F::Output> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .map_err(|_| anyhow::anyhow!("{what} did not happen within {PATIENCE:?}"))
}

//! What a test's network consists of.

use std::time::Duration;

use crate::impostor::Lie;

/// A network to be started.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From one block to the next.
    pub block_time_ms: u64,
    /// Services, each with an application of its own that delegated to the gateway.
    pub services: Vec<ServicePlan>,
    /// Suppliers, by their index from here on.
    pub suppliers: Vec<SupplierPlan>,
    /// Gateway: until the first byte of an answer.
    pub first_byte: Duration,
    /// Gateway: silence inside an answer.
    pub idle: Duration,
}

/// A service; the model that clients name has the same id.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Service id.
    pub id: String,
    /// Compute units, and upokt, of a relay.
    pub compute_units: u64,
    /// Stake of its application.
    pub application_stake_upokt: u128,
}

/// A supplier.
#[derive(Clone, Debug)]
pub struct SupplierPlan {
    /// Services it staked for.
    pub services: Vec<String>,
    /// Ours, or one that lies.
    pub kind: Kind,
}

/// Who plays a supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `supplier::Supplier`, in front of a scripted backend.
    Honest,
    /// The test kit, answering falsely.
    Impostor(Lie),
}

/// Upokt a relay costs unless a plan says otherwise.
const COMPUTE_UNITS: u64 = 100;

/// Covers more relays than any test sends.
const APPLICATION_STAKE_UPOKT: u128 = 10_000_000_000;

impl Default for Plan {
    fn default() -> Self {
        Self {
            block_time_ms: 200,
            services: Vec::new(),
            suppliers: Vec::new(),
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(20),
        }
    }
}

impl Plan {
    /// One service, `mill`, with this many honest suppliers.
    pub fn mill(suppliers: usize) -> Self {
        let mut plan = Self::default().service("mill");
        for _ in 0..suppliers {
            plan = plan.supplier(&["mill"], Kind::Honest);
        }
        plan
    }

    /// Adds a service with an application that can pay.
    #[must_use]
    pub fn service(self, id: &str) -> Self {
        self.poor_service(id, APPLICATION_STAKE_UPOKT)
    }

    /// Adds a service whose application has this stake.
    #[must_use]
    pub fn poor_service(mut self, id: &str, application_stake_upokt: u128) -> Self {
        self.services.push(ServicePlan {
            id: id.to_owned(),
            compute_units: COMPUTE_UNITS,
            application_stake_upokt,
        });
        self
    }

    /// Adds a supplier.
    #[must_use]
    pub fn supplier(mut self, services: &[&str], kind: Kind) -> Self {
        self.suppliers.push(SupplierPlan {
            services: services.iter().map(|id| (*id).to_owned()).collect(),
            kind,
        });
        self
    }
}

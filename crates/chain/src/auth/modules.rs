//! Which modules have accounts, and what these may do (chain specification 0.1, 10).

use proto::cosmos::auth::v1beta1::{BaseAccount, ModuleAccount};

/// A module's account.
#[derive(Clone, Copy, Debug)]
pub struct ModulePermissions {
    /// Name; the address is its hash.
    pub name: &'static str,
    /// What it may do with coins, in the reference's order.
    pub permissions: &'static [&'static str],
    /// Whether transfers to it are refused.
    pub blocked: bool,
}

impl ModulePermissions {
    /// The account as stored.
    pub fn account(&self, base: BaseAccount) -> ModuleAccount {
        ModuleAccount {
            base_account: Some(base),
            name: self.name.to_owned(),
            permissions: self
                .permissions
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
        }
    }
}

const ALL: &[&str] = &["minter", "burner", "staking"];

const fn module(
    name: &'static str,
    permissions: &'static [&'static str],
    blocked: bool,
) -> ModulePermissions {
    ModulePermissions {
        name,
        permissions,
        blocked,
    }
}

/// All modules with accounts, by name.
pub const MODULES: &[ModulePermissions] = &[
    module("application", ALL, false),
    module("bank", &["minter"], false),
    module("bonded_tokens_pool", &["burner", "staking"], true),
    module("distribution", &[], true),
    module("fee_collector", &[], true),
    module("feeibc", &[], false),
    module("gateway", ALL, false),
    module("gov", &["burner"], false),
    module("interchainaccounts", &[], false),
    module("migration", &["minter"], false),
    module("mint", &["minter"], true),
    module("not_bonded_tokens_pool", &["burner", "staking"], true),
    module("proof", ALL, false),
    module("service", ALL, false),
    module("session", ALL, false),
    module("supplier", ALL, false),
    module("tokenomics", ALL, false),
    module("transfer", &["minter", "burner"], false),
];

//! Genesis documents for our own networks.

use std::collections::BTreeMap;

use crypto::keys::{Address, PublicKey, VALOPER_PREFIX};
use prost::{Message, Name};
use proto::cosmos::auth::v1beta1::{self as auth_types, BaseAccount};
use proto::cosmos::bank::v1beta1::{self as bank_types, Balance, DenomUnit, Metadata};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::crypto::ed25519;
use proto::cosmos::{
    authz::v1beta1 as authz_types, distribution::v1beta1 as distribution_types,
    evidence::v1beta1 as evidence_types, mint::v1beta1 as mint_types,
    slashing::v1beta1 as slashing_types, staking::v1beta1 as staking_types,
};
use proto::pocket;
use serde_json::{Map, Value};

use crate::auth::{self, Account};
use crate::bank::{Coins, UPOKT, amount, coin, upokt};
use crate::consensus;
use crate::decimal::Dec;
use crate::error::GenesisError;
use crate::genesis::{Consensus, Document, Height};
use crate::modules::shared::authority;
use crate::prices::{BLOCK_GAS_MAX, Prices};
use crate::rules::Rules;
use crate::{distribution, gov, mint, slashing, staking};

/// Heights whose header and validators are kept by chains of our own. Nothing here needs them; some clients ask.
const HISTORICAL_ENTRIES: u32 = 100;

/// A document under construction. The modules' states are plain fields: set params, push actors. Balances of module
/// accounts and the supply follow from stakes and accounts when it is [built](GenesisBuilder::build).
#[derive(Clone, Debug)]
pub struct GenesisBuilder {
    chain_id: String,
    genesis_time: String,
    accounts: BTreeMap<Address, (u64, Option<PublicKey>, u128)>,
    /// Consensus params.
    pub consensus: consensus::Form,
    /// Params of accounts.
    pub auth: auth_types::Params,
    /// Session grid and prices.
    pub shared: pocket::shared::GenesisState,
    /// Applications.
    pub application: pocket::application::GenesisState,
    /// Gateways.
    pub gateway: pocket::gateway::GenesisState,
    /// Suppliers.
    pub supplier: pocket::supplier::GenesisState,
    /// Services.
    pub service: pocket::service::GenesisState,
    /// Sessions.
    pub session: pocket::session::GenesisState,
    /// Claims and proofs.
    pub proof: pocket::proof::GenesisState,
    /// Settlement.
    pub tokenomics: pocket::tokenomics::GenesisState,
    /// Validators and delegations. Without any validator this section and the next three are left out, and consensus'
    /// own validators are none of the chain's.
    pub staking: staking_types::GenesisState,
    /// Rewards.
    pub distribution: distribution_types::GenesisState,
    /// What not signing costs.
    pub slashing: slashing_types::GenesisState,
    /// Inflation: none.
    pub mint: mint_types::GenesisState,
    /// Grants. The section is left out without any.
    pub authz: authz_types::GenesisState,
    /// Deliberate differences from the reference.
    pub rules: Rules,
    /// What work costs beyond the SDK's params.
    pub gas: Prices,
}

impl GenesisBuilder {
    /// An empty chain with the reference's default params, mended rules, and a block and transactions bounded in gas.
    /// `genesis_time` is RFC 3339.
    pub fn new(chain_id: impl Into<String>, genesis_time: impl Into<String>) -> Self {
        Self {
            chain_id: chain_id.into(),
            genesis_time: genesis_time.into(),
            accounts: BTreeMap::new(),
            consensus: consensus::Form::default().with_block_gas_max(BLOCK_GAS_MAX),
            auth: auth::genesis::default_params(),
            shared: code_defaults::shared(),
            application: code_defaults::application(),
            gateway: code_defaults::gateway(),
            supplier: code_defaults::supplier(),
            service: code_defaults::service(),
            session: code_defaults::session(),
            proof: code_defaults::proof(),
            tokenomics: code_defaults::tokenomics(),
            staking: staking_types::GenesisState {
                params: staking_types::Params {
                    historical_entries: HISTORICAL_ENTRIES,
                    ..staking::default_params()
                },
                ..Default::default()
            },
            distribution: distribution_types::GenesisState {
                params: distribution::default_params(),
                ..Default::default()
            },
            slashing: slashing_types::GenesisState {
                params: slashing::default_params(),
                ..Default::default()
            },
            mint: mint_types::GenesisState {
                params: mint::zero_params(),
                minter: mint::zero_minter(),
            },
            authz: authz_types::GenesisState::default(),
            rules: Rules::mended(),
            gas: Prices::ours(),
        }
    }

    /// Adds an account with a balance in upokt. Actors need their public key here, as relays can only be signed and
    /// checked with keys that the chain knows. A second call for the same address replaces key and balance.
    pub fn account(
        &mut self,
        address: Address,
        key: Option<PublicKey>,
        balance_upokt: u128,
    ) -> &mut Self {
        let next = u64::try_from(self.accounts.len()).unwrap_or(u64::MAX);
        let number = self
            .accounts
            .get(&address)
            .map_or(next, |(number, ..)| *number);
        self.accounts.insert(address, (number, key, balance_upokt));
        self
    }

    /// Adds a validator that delegates `tokens` (upokt) to itself and signs with an Ed25519 key. It takes 5 % of its
    /// delegators' rewards and may ask up to 20 %, changing by 1 % a day. The operator's account has to be added too.
    pub fn validator(
        &mut self,
        name: &str,
        operator: Address,
        consensus_key: [u8; 32],
        tokens: u128,
    ) -> &mut Self {
        let percent = |percent: i64| {
            let places = percent.saturating_mul(10_000_000_000_000_000);
            Dec::from_places(places).to_wire()
        };
        let since = proto::time::parse_rfc3339(&self.genesis_time).unwrap_or_default();
        let shares = Dec::from_int(tokens).to_wire();
        let operator_address = operator.to_bech32_with(VALOPER_PREFIX);
        let key = ed25519::PubKey {
            key: consensus_key.to_vec().into(),
        };
        self.staking.validators.push(staking_types::Validator {
            operator_address: operator_address.clone(),
            consensus_pubkey: Some(proto::any::pack(&key)),
            status: staking_types::BondStatus::Unbonded.into(),
            tokens: tokens.to_string(),
            delegator_shares: shares.clone(),
            description: staking_types::Description {
                moniker: name.to_owned(),
                ..Default::default()
            },
            commission: staking_types::Commission {
                commission_rates: staking_types::CommissionRates {
                    rate: percent(5),
                    max_rate: percent(20),
                    max_change_rate: percent(1),
                },
                update_time: prost_types::Timestamp {
                    seconds: since.0,
                    nanos: since.1,
                },
            },
            min_self_delegation: "1".to_owned(),
            ..Default::default()
        });
        self.staking.delegations.push(staking_types::Delegation {
            delegator_address: operator.to_bech32(),
            validator_address: operator_address,
            shares,
        });
        self
    }

    /// Lets an account change the params of every module: grants, for ever, of the governance account, which has no key.
    pub fn authority(&mut self, grantee: Address) -> &mut Self {
        let granter = authority::gov().to_bech32();
        let grants = gov::param_messages().into_iter().map(|name| {
            let authorization = authz_types::GenericAuthorization {
                msg: format!("/{name}"),
            };
            authz_types::GrantAuthorization {
                granter: granter.clone(),
                grantee: grantee.to_bech32(),
                authorization: Some(proto::any::pack(&authorization)),
                expiration: None,
            }
        });
        self.authz.authorization.extend(grants);
        self
    }

    /// Puts it all together.
    ///
    /// # Errors
    /// For stakes that are not amounts of upokt; everything else is checked when the document is loaded.
    pub fn build(&self) -> Result<Document, GenesisError> {
        let mut state = Map::new();
        section(&mut state, "auth", &self.auth_state())?;
        section(&mut state, "bank", &self.bank_state()?)?;
        section(&mut state, "application", &self.application)?;
        section(&mut state, "gateway", &self.gateway)?;
        section(&mut state, "proof", &self.proof)?;
        section(&mut state, "service", &self.service)?;
        section(&mut state, "session", &self.session)?;
        section(&mut state, "shared", &self.shared)?;
        section(&mut state, "supplier", &self.supplier)?;
        section(&mut state, "tokenomics", &self.tokenomics)?;
        if !self.authz.authorization.is_empty() {
            section(&mut state, "authz", &self.authz)?;
        }
        if !self.staking.validators.is_empty() {
            section(&mut state, "staking", &self.staking)?;
            section(&mut state, "distribution", &self.distribution)?;
            section(&mut state, "slashing", &self.slashing)?;
            section(&mut state, "mint", &self.mint)?;
            let evidence = evidence_types::GenesisState::default();
            section(&mut state, "evidence", &evidence)?;
        }
        let own = |name: &str, value: serde_json::Result<Value>| {
            value.map_err(|error| GenesisError::new(format!("app_state.relaymill.{name}"), error))
        };
        let rules = own("rules", serde_json::to_value(self.rules))?;
        let gas = own("gas", serde_json::to_value(self.gas))?;
        state.insert(
            "relaymill".to_owned(),
            serde_json::json!({ "rules": rules, "gas": gas }),
        );
        Ok(Document {
            app_name: "relaymill".to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            genesis_time: self.genesis_time.clone(),
            chain_id: self.chain_id.clone(),
            initial_height: Height::FIRST,
            app_hash: None,
            app_state: state,
            consensus: Consensus {
                params: self.consensus.clone(),
                validators: Vec::new(),
            },
        })
    }

    fn auth_state(&self) -> auth_types::GenesisState {
        let mut accounts: Vec<_> = self.accounts.iter().collect();
        accounts.sort_by_key(|(_, (number, ..))| *number);
        let accounts = accounts
            .into_iter()
            .map(|(address, (account_number, key, _))| {
                let base = BaseAccount {
                    address: address.to_bech32(),
                    pub_key: key.as_ref().map(auth::encode_public_key),
                    account_number: *account_number,
                    sequence: 0,
                };
                Account::Base(base).to_any()
            })
            .collect();
        auth_types::GenesisState {
            params: self.auth,
            accounts,
        }
    }

    fn bank_state(&self) -> Result<bank_types::GenesisState, GenesisError> {
        let mut amounts: BTreeMap<Address, u128> = BTreeMap::new();
        let mut give = |address: Address, amount: u128| {
            let held = amounts.entry(address).or_default();
            *held = held.checked_add(amount)?;
            Some(())
        };
        for (address, (_, _, balance)) in &self.accounts {
            give(*address, *balance).ok_or_else(too_much)?;
        }
        let stakes = [
            (
                "application",
                stakes(
                    self.application
                        .application_list
                        .iter()
                        .map(|actor| &actor.stake),
                ),
            ),
            (
                "gateway",
                stakes(self.gateway.gateway_list.iter().map(|actor| &actor.stake)),
            ),
            (
                "supplier",
                stakes(self.supplier.supplier_list.iter().map(|actor| &actor.stake)),
            ),
        ];
        for (module, stakes) in stakes {
            let stakes = stakes.ok_or_else(|| {
                GenesisError::new(
                    format!("app_state.{module}"),
                    "a stake is not an amount of upokt",
                )
            })?;
            give(Address::module(module), stakes).ok_or_else(too_much)?;
        }
        for (position, validator) in self.staking.validators.iter().enumerate() {
            let tokens = staking::genesis::tokens(validator).map_err(|error| {
                let path = format!("app_state.staking.validators[{position}].tokens");
                GenesisError::new(path, error)
            })?;
            // They are bonded, and their coins moved, when the document is loaded.
            give(Address::module(staking::NOT_BONDED), tokens).ok_or_else(too_much)?;
        }
        let mut supply = Coins::new();
        let mut balances = Vec::new();
        for (address, amount) in amounts {
            supply.add(UPOKT, amount).ok_or_else(too_much)?;
            if amount > 0 {
                balances.push(Balance {
                    address: address.to_bech32(),
                    coins: vec![upokt(amount)],
                });
            }
        }
        Ok(bank_types::GenesisState {
            params: bank_types::Params {
                default_send_enabled: true,
                ..Default::default()
            },
            balances,
            supply: supply.to_proto(),
            denom_metadata: vec![denomination()],
            send_enabled: Vec::new(),
        })
    }
}

fn too_much() -> GenesisError {
    GenesisError::new("app_state.bank.supply", "exceeds 128 bits")
}

fn stakes<'a>(stakes: impl Iterator<Item = &'a Option<Coin>>) -> Option<u128> {
    let mut total = 0_u128;
    for stake in stakes {
        let stake = stake.as_ref().filter(|stake| stake.denom == UPOKT)?;
        total = total.checked_add(amount(stake)?)?;
    }
    Some(total)
}

fn denomination() -> Metadata {
    let unit = |denom: &str, exponent| DenomUnit {
        denom: denom.to_owned(),
        exponent,
        aliases: Vec::new(),
    };
    Metadata {
        denom_units: vec![unit(UPOKT, 0), unit("pokt", 6)],
        base: UPOKT.to_owned(),
        display: "pokt".to_owned(),
        name: "POKT".to_owned(),
        symbol: "POKT".to_owned(),
        ..Metadata::default()
    }
}

fn section<M: Message + Name>(
    state: &mut Map<String, Value>,
    name: &str,
    message: &M,
) -> Result<(), GenesisError> {
    let wrong = |reason: String| GenesisError::new(format!("app_state.{name}"), reason);
    let json = proto::json::to_json(message).map_err(|error| wrong(error.to_string()))?;
    let value = serde_json::from_str(&json).map_err(|error| wrong(error.to_string()))?;
    state.insert(name.to_owned(), value);
    Ok(())
}

/// The reference's default params (chain specification 1.0, column "code default").
pub mod code_defaults {
    use super::{Coin, UPOKT, coin, pocket};

    fn some(amount: u128) -> Option<Coin> {
        Some(coin(amount, UPOKT))
    }

    /// Sessions of 10 blocks; claim and proof windows of 4.
    pub fn shared() -> pocket::shared::GenesisState {
        let params = pocket::shared::Params {
            num_blocks_per_session: 10,
            grace_period_end_offset_blocks: 1,
            claim_window_open_offset_blocks: 1,
            claim_window_close_offset_blocks: 4,
            proof_window_open_offset_blocks: 0,
            proof_window_close_offset_blocks: 4,
            supplier_unbonding_period_sessions: 1,
            application_unbonding_period_sessions: 1,
            compute_units_to_tokens_multiplier: 42_000_000,
            gateway_unbonding_period_sessions: 1,
            compute_unit_cost_granularity: 1_000_000,
            session_grid_anchor_height: 1,
            session_number_at_anchor: 1,
        };
        pocket::shared::GenesisState {
            params,
            params_history: Vec::new(),
        }
    }

    /// Seven gateways an application, 1 POKT.
    pub fn application() -> pocket::application::GenesisState {
        let params = pocket::application::Params {
            max_delegated_gateways: 7,
            min_stake: some(1_000_000),
        };
        pocket::application::GenesisState {
            params,
            application_list: Vec::new(),
        }
    }

    /// 100 upokt.
    pub fn gateway() -> pocket::gateway::GenesisState {
        let params = pocket::gateway::Params {
            min_stake: some(100),
        };
        pocket::gateway::GenesisState {
            params,
            gateway_list: Vec::new(),
        }
    }

    /// 1 POKT, fee 1 upokt.
    pub fn supplier() -> pocket::supplier::GenesisState {
        let params = pocket::supplier::Params {
            min_stake: some(1_000_000),
            staking_fee: some(1),
        };
        pocket::supplier::GenesisState {
            params,
            supplier_list: Vec::new(),
        }
    }

    /// Fee 1 upokt, 100,000 relays.
    pub fn service() -> pocket::service::GenesisState {
        let params = pocket::service::Params {
            add_service_fee: some(1),
            target_num_relays: 100_000,
        };
        pocket::service::GenesisState {
            params,
            ..Default::default()
        }
    }

    /// 15 suppliers a session.
    pub fn session() -> pocket::session::GenesisState {
        let params = pocket::session::Params {
            num_suppliers_per_session: 15,
        };
        pocket::session::GenesisState {
            params,
            params_history: Vec::new(),
        }
    }

    /// A proof with probability 0.25 or from 20 POKT on, penalty 320 POKT, no fee.
    pub fn proof() -> pocket::proof::GenesisState {
        let params = pocket::proof::Params {
            proof_request_probability: 0.25,
            proof_requirement_threshold: some(20_000_000),
            proof_missing_penalty: some(320_000_000),
            proof_submission_fee: some(0),
        };
        pocket::proof::GenesisState {
            params,
            ..Default::default()
        }
    }

    /// 10 % inflation, mint equals burn; the split .1/.05/.7/.15/0.
    pub fn tokenomics() -> pocket::tokenomics::GenesisState {
        let params = pocket::tokenomics::Params {
            dao_reward_address: "pokt1eeeksh2tvkh7wzmfrljnhw4wrhs55lcuvmekkw".to_owned(),
            mint_allocation_percentages: pocket::tokenomics::MintAllocationPercentages {
                dao: 0.1,
                proposer: 0.05,
                supplier: 0.7,
                source_owner: 0.15,
                application: 0.0,
            },
            global_inflation_per_claim: 0.1,
            mint_equals_burn_claim_distribution:
                pocket::tokenomics::MintEqualsBurnClaimDistribution {
                    dao: 0.1,
                    proposer: 0.05,
                    supplier: 0.7,
                    source_owner: 0.15,
                    application: 0.0,
                },
            mint_ratio: 1.0,
            overservicing_bonus_multiplier: 1,
        };
        pocket::tokenomics::GenesisState { params }
    }
}

//! What the governance account may say: params of every module, mostly to values that are allowed and that leave a
//! chain on which something happens.

use chain::modules::{application, gateway, proof, service, session, shared, supplier, tokenomics};
use chain::{ChainError, Context, auth, consensus, distribution, mint, slashing, staking};
use prost_types::{Any, Duration};
use proto::any::pack;
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::{
    auth::v1beta1 as auth_types, bank::v1beta1 as bank_types, consensus::v1 as consensus_types,
    distribution::v1beta1 as distribution_types, mint::v1beta1 as mint_types,
    slashing::v1beta1 as slashing_types, staking::v1beta1 as staking_types,
};
use proto::pocket;
use proto::pocket::tokenomics::{MintAllocationPercentages, MintEqualsBurnClaimDistribution};

use super::actors::text;
use super::blocks::World;

/// Makes a message.
type Make = fn(&mut World) -> Any;

/// Messages by full name, and what makes each.
pub(super) const MESSAGES: [(&str, Make); 25] = [
    ("pocket.shared.MsgUpdateParam", World::shared_param),
    ("pocket.shared.MsgUpdateParams", World::shared_params),
    ("pocket.session.MsgUpdateParam", World::session_param),
    ("pocket.session.MsgUpdateParams", World::session_params),
    ("pocket.proof.MsgUpdateParam", World::proof_param),
    ("pocket.proof.MsgUpdateParams", World::proof_params),
    ("pocket.tokenomics.MsgUpdateParam", World::tokenomics_param),
    (
        "pocket.tokenomics.MsgUpdateParams",
        World::tokenomics_params,
    ),
    (
        "pocket.application.MsgUpdateParam",
        World::application_param,
    ),
    (
        "pocket.application.MsgUpdateParams",
        World::application_params,
    ),
    ("pocket.gateway.MsgUpdateParam", World::gateway_param),
    ("pocket.gateway.MsgUpdateParams", World::gateway_params),
    ("pocket.supplier.MsgUpdateParam", World::supplier_param),
    ("pocket.supplier.MsgUpdateParams", World::supplier_params),
    ("pocket.service.MsgUpdateParam", World::service_param),
    ("pocket.service.MsgUpdateParams", World::service_params),
    ("cosmos.auth.v1beta1.MsgUpdateParams", World::auth_params),
    ("cosmos.bank.v1beta1.MsgUpdateParams", World::bank_params),
    ("cosmos.bank.v1beta1.MsgSetSendEnabled", World::send_enabled),
    (
        "cosmos.consensus.v1.MsgUpdateParams",
        World::consensus_params,
    ),
    (
        "cosmos.distribution.v1beta1.MsgUpdateParams",
        World::distribution_params,
    ),
    (
        "cosmos.distribution.v1beta1.MsgCommunityPoolSpend",
        World::spend_community,
    ),
    ("cosmos.mint.v1beta1.MsgUpdateParams", World::mint_params),
    (
        "cosmos.slashing.v1beta1.MsgUpdateParams",
        World::slashing_params,
    ),
    (
        "cosmos.staking.v1beta1.MsgUpdateParams",
        World::staking_params,
    ),
];

fn authority() -> String {
    crypto::keys::Address::module("gov").to_bech32()
}

/// A decimal of so many hundredths as messages carry it: times 10^18.
fn hundredths(number: u64) -> String {
    (u128::from(number) * 10_u128.pow(16)).to_string()
}

impl World {
    /// What the state says now.
    fn now<T>(&self, read: impl FnOnce(&Context) -> Result<T, ChainError>) -> T {
        self.reader.at(None, read).unwrap()
    }

    /// An amount around a sensible one, seldom nonsense: what is set stays for a while.
    fn sane(&mut self, around: u128) -> Option<Coin> {
        if self.rng.percent(5) {
            return Some(self.amount(around));
        }
        let percent = 20 + u128::from(self.rng.below(150));
        Some(chain::bank::upokt((around * percent / 100).max(1)))
    }

    fn ratio(&mut self) -> f64 {
        *self.rng.pick(&[0.0, 0.1, 0.5, 0.975, 1.0, 1e-6, 2.0])
    }

    /// One number that shapes sessions or prices; lengths and windows seldom, or nothing would ever settle.
    fn shared_value(&mut self) -> (&'static str, u64) {
        let small = self.rng.below(6);
        let names = [
            ("compute_units_to_tokens_multiplier", 40_000_000 + small),
            ("compute_unit_cost_granularity", 1_000_000),
            ("supplier_unbonding_period_sessions", 2 + small),
            ("application_unbonding_period_sessions", 2 + small),
            ("gateway_unbonding_period_sessions", 2 + small),
            ("num_blocks_per_session", 4 + small % 3),
            ("grace_period_end_offset_blocks", small % 2),
            ("claim_window_open_offset_blocks", 1 + small % 2),
            ("claim_window_close_offset_blocks", 1 + small % 3),
            ("proof_window_open_offset_blocks", small % 2),
            ("proof_window_close_offset_blocks", 1 + small % 3),
            ("nothing", small),
        ];
        *self.rng.pick(&names)
    }

    fn shared_param(&mut self) -> Any {
        use pocket::shared::msg_update_param::AsType;
        let (name, value) = self.shared_value();
        pack(&pocket::shared::MsgUpdateParam {
            authority: authority(),
            name: name.to_owned(),
            as_type: Some(AsType::AsUint64(value)),
        })
    }

    fn shared_params(&mut self) -> Any {
        let mut params = self.now(shared::params);
        let (name, value) = self.shared_value();
        match name {
            "compute_units_to_tokens_multiplier" => {
                params.compute_units_to_tokens_multiplier = value;
            }
            "supplier_unbonding_period_sessions" => {
                params.supplier_unbonding_period_sessions = value;
            }
            "application_unbonding_period_sessions" => {
                params.application_unbonding_period_sessions = value;
            }
            "gateway_unbonding_period_sessions" => {
                params.gateway_unbonding_period_sessions = value;
            }
            "num_blocks_per_session" => params.num_blocks_per_session = value,
            "claim_window_close_offset_blocks" => params.claim_window_close_offset_blocks = value,
            "proof_window_close_offset_blocks" => params.proof_window_close_offset_blocks = value,
            // The anchor is derived, whatever is said about it.
            "nothing" => params.session_grid_anchor_height = value,
            _ => {}
        }
        pack(&pocket::shared::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    /// Suppliers of a session; seldom none.
    fn places(&mut self) -> u64 {
        *self.rng.pick(&[1, 2, 3, 4, 4, 5, 6, 8, 0])
    }

    /// How likely a proof is asked for; seldom nonsense.
    fn probability(&mut self) -> f64 {
        *self.rng.pick(&[0.0, 0.25, 0.5, 0.75, 0.75, 1.0, 1.0, 2.0])
    }

    fn session_param(&mut self) -> Any {
        use pocket::session::msg_update_param::AsType;
        pack(&pocket::session::MsgUpdateParam {
            authority: authority(),
            name: "num_suppliers_per_session".to_owned(),
            as_type: Some(AsType::AsUint64(self.places())),
        })
    }

    fn session_params(&mut self) -> Any {
        let mut params = self.now(session::params);
        params.num_suppliers_per_session = self.places();
        pack(&pocket::session::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn proof_param(&mut self) -> Any {
        use pocket::proof::msg_update_param::AsType;
        let (name, value) = match self.rng.below(5) {
            0 | 1 => {
                let ratio = self.probability();
                ("proof_request_probability", Some(AsType::AsFloat(ratio)))
            }
            2 => {
                let coin = self.sane(400_000_000);
                ("proof_requirement_threshold", coin.map(AsType::AsCoin))
            }
            3 => {
                let coin = self.sane(700_000);
                ("proof_missing_penalty", coin.map(AsType::AsCoin))
            }
            _ => ("proof_submission_fee", self.sane(3).map(AsType::AsCoin)),
        };
        pack(&pocket::proof::MsgUpdateParam {
            authority: authority(),
            name: name.to_owned(),
            as_type: value,
        })
    }

    fn proof_params(&mut self) -> Any {
        let mut params = self.now(proof::params);
        params.proof_request_probability = self.probability();
        if self.rng.percent(50) {
            params.proof_missing_penalty = self.sane(700_000);
        }
        pack(&pocket::proof::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn tokenomics_param(&mut self) -> Any {
        use pocket::tokenomics::msg_update_param::AsType;
        let (name, value) = match self.rng.below(6) {
            0 => ("mint_ratio", AsType::AsFloat(self.ratio())),
            1 => ("global_inflation_per_claim", AsType::AsFloat(self.ratio())),
            2 => {
                let value = self.rng.below(6);
                ("overservicing_bonus_multiplier", AsType::AsUint64(value))
            }
            3 => {
                let dao = text(&self.anybody());
                ("dao_reward_address", AsType::AsString(dao))
            }
            4 => {
                let value = AsType::AsMintAllocationPercentages(self.allocation());
                ("mint_allocation_percentages", value)
            }
            _ => {
                let value = AsType::AsMintEqualsBurnClaimDistribution(self.distribution());
                ("mint_equals_burn_claim_distribution", value)
            }
        };
        pack(&pocket::tokenomics::MsgUpdateParam {
            authority: authority(),
            name: name.to_owned(),
            as_type: Some(value),
        })
    }

    fn tokenomics_params(&mut self) -> Any {
        let mut params = self.now(tokenomics::params);
        params.mint_allocation_percentages = self.allocation();
        params.mint_equals_burn_claim_distribution = self.distribution();
        params.global_inflation_per_claim = self.ratio();
        pack(&pocket::tokenomics::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    /// Five shares that add up to one, seldom to something else.
    fn shares(&mut self) -> [f64; 5] {
        *self.rng.pick(&[
            [0.1, 0.05, 0.7, 0.15, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0],
            [0.2, 0.2, 0.2, 0.2, 0.2],
            [0.333_333, 0.333_333, 0.333_334, 0.0, 0.0],
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.5, 0.4, 0.0, 0.0, 0.0],
        ])
    }

    fn allocation(&mut self) -> MintAllocationPercentages {
        let [dao, proposer, supplier, source_owner, application] = self.shares();
        MintAllocationPercentages {
            dao,
            proposer,
            supplier,
            source_owner,
            application,
        }
    }

    fn distribution(&mut self) -> MintEqualsBurnClaimDistribution {
        let [dao, proposer, supplier, source_owner, application] = self.shares();
        MintEqualsBurnClaimDistribution {
            dao,
            proposer,
            supplier,
            source_owner,
            application,
        }
    }

    fn application_param(&mut self) -> Any {
        use pocket::application::msg_update_param::AsType;
        let (name, value) = if self.rng.percent(50) {
            let value = 1 + self.rng.below(5);
            ("max_delegated_gateways", Some(AsType::AsUint64(value)))
        } else {
            ("min_stake", self.sane(1_000_000).map(AsType::AsCoin))
        };
        pack(&pocket::application::MsgUpdateParam {
            authority: authority(),
            name: name.to_owned(),
            as_type: value,
        })
    }

    fn application_params(&mut self) -> Any {
        let mut params = self.now(application::params);
        params.min_stake = self.sane(1_000_000);
        params.max_delegated_gateways = 1 + self.rng.below(5);
        pack(&pocket::application::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn gateway_param(&mut self) -> Any {
        use pocket::gateway::msg_update_param::AsType;
        pack(&pocket::gateway::MsgUpdateParam {
            authority: authority(),
            name: "min_stake".to_owned(),
            as_type: self.sane(10_000).map(AsType::AsCoin),
        })
    }

    fn gateway_params(&mut self) -> Any {
        let mut params = self.now(gateway::params);
        params.min_stake = self.sane(10_000);
        pack(&pocket::gateway::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn supplier_param(&mut self) -> Any {
        use pocket::supplier::msg_update_param::AsType;
        let (name, around) = if self.rng.percent(50) {
            ("min_stake", 1_000_000)
        } else {
            ("staking_fee", 7)
        };
        pack(&pocket::supplier::MsgUpdateParam {
            authority: authority(),
            name: name.to_owned(),
            as_type: self.sane(around).map(AsType::AsCoin),
        })
    }

    fn supplier_params(&mut self) -> Any {
        let mut params = self.now(supplier::params);
        params.min_stake = self.sane(1_000_000);
        pack(&pocket::supplier::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn service_param(&mut self) -> Any {
        use pocket::service::msg_update_param::AsType;
        let (name, value) = if self.rng.percent(50) {
            let value = 1 + self.rng.below(6);
            ("target_num_relays", Some(AsType::AsUint64(value)))
        } else {
            ("add_service_fee", self.sane(1_000_000).map(AsType::AsCoin))
        };
        pack(&pocket::service::MsgUpdateParam {
            authority: authority(),
            name: name.to_owned(),
            as_type: value,
        })
    }

    fn service_params(&mut self) -> Any {
        let mut params = self.now(service::params);
        params.target_num_relays = 1 + self.rng.below(6);
        pack(&pocket::service::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn auth_params(&mut self) -> Any {
        let mut params = self.now(auth::params);
        match self.rng.below(5) {
            0 => params.tx_sig_limit = 3 + self.rng.below(6),
            1 => params.max_memo_characters = self.rng.below(300),
            2 => params.tx_size_cost_per_byte = 1 + self.rng.below(20),
            3 => params.sig_verify_cost_secp256k1 = self.rng.below(3_000),
            _ => params.sig_verify_cost_ed25519 = 1 + self.rng.below(1_000),
        }
        pack(&auth_types::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn bank_params(&mut self) -> Any {
        let mut params = bank_types::Params {
            default_send_enabled: self.rng.percent(80),
            ..Default::default()
        };
        if self.rng.percent(10) {
            params.send_enabled.push(bank_types::SendEnabled {
                denom: "upokt".to_owned(),
                enabled: true,
            });
        }
        pack(&bank_types::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn send_enabled(&mut self) -> Any {
        let denom = ["mact", "upokt", "?"][self.rng.index(3)].to_owned();
        let enabled = self.rng.percent(70);
        let (mut send_enabled, mut use_default_for) = (Vec::new(), Vec::new());
        if self.rng.percent(60) {
            send_enabled.push(bank_types::SendEnabled { denom, enabled });
        } else {
            use_default_for.push(denom);
        }
        pack(&bank_types::MsgSetSendEnabled {
            authority: authority(),
            send_enabled,
            use_default_for,
        })
    }

    fn consensus_params(&mut self) -> Any {
        let params = self.now(consensus::params);
        let (mut block, mut evidence) = (params.block, params.evidence);
        match self.rng.below(4) {
            0 | 1 => {
                if let Some(block) = &mut block {
                    block.max_gas = *self.rng.pick(&[-1, 2_000_000_000, 40_000_000, -2]);
                }
            }
            2 => {
                if let Some(evidence) = &mut evidence {
                    evidence.max_age_num_blocks = i64::try_from(self.rng.below(6)).unwrap();
                }
            }
            _ => {
                if let Some(block) = &mut block {
                    block.max_bytes = *self.rng.pick(&[1_000_000, 22_020_096, 0]);
                }
            }
        }
        pack(&consensus_types::MsgUpdateParams {
            authority: authority(),
            block,
            evidence,
            validator: params.validator.filter(|_| !self.rng.percent(5)),
            abci: None,
        })
    }

    fn distribution_params(&mut self) -> Any {
        let mut params = self.now(distribution::params);
        params.community_tax = hundredths(self.rng.below(110));
        params.withdraw_addr_enabled = self.rng.percent(70);
        pack(&distribution_types::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn spend_community(&mut self) -> Any {
        let to = self.anybody();
        pack(&distribution_types::MsgCommunityPoolSpend {
            authority: authority(),
            recipient: self.recipient(&to),
            amount: vec![self.amount(20)],
        })
    }

    /// Little inflation, as a chain on which the year's coins come in one block soon has more than can be counted.
    fn mint_params(&mut self) -> Any {
        let mut params = self.now(mint::params);
        params.inflation_max = hundredths(10 + self.rng.below(10));
        params.inflation_min = hundredths(self.rng.below(12));
        params.inflation_rate_change = hundredths(self.rng.below(103));
        params.goal_bonded = hundredths(1 + self.rng.below(102));
        params.blocks_per_year = *self
            .rng
            .pick(&[1_000_000, 6_311_520, 6_311_520, 9_000_000, 0]);
        pack(&mint_types::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn slashing_params(&mut self) -> Any {
        let mut params = self.now(slashing::params);
        let part = hundredths(self.rng.below(105)).into_bytes().into();
        match self.rng.below(5) {
            0 => params.signed_blocks_window = i64::try_from(self.rng.below(12)).unwrap(),
            1 => {
                let part = hundredths(5 + self.rng.below(60)).into_bytes().into();
                params.min_signed_per_window = part;
            }
            2 => {
                params.downtime_jail_duration = Duration {
                    seconds: i64::try_from(self.rng.below(8)).unwrap(),
                    nanos: 5,
                };
            }
            3 => {
                let part = hundredths(self.rng.below(20)).into_bytes().into();
                params.slash_fraction_downtime = part;
            }
            _ => params.slash_fraction_double_sign = part,
        }
        pack(&slashing_types::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }

    fn staking_params(&mut self) -> Any {
        let mut params = self.now(staking::params);
        match self.rng.below(5) {
            0 => params.max_validators = u32::try_from(self.rng.below(6)).unwrap(),
            1 => params.max_entries = u32::try_from(self.rng.below(8)).unwrap(),
            2 => params.historical_entries = u32::try_from(self.rng.below(9)).unwrap(),
            3 => params.min_commission_rate = hundredths(self.rng.below(8)),
            _ => params.unbonding_time.seconds = i64::try_from(self.rng.below(30)).unwrap(),
        }
        pack(&staking_types::MsgUpdateParams {
            authority: authority(),
            params,
        })
    }
}

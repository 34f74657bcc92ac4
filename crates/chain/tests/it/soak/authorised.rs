//! Grants, what is done under them, and changes of params, which the governance account has left to one person.

use prost_types::{Any, Timestamp};
use proto::any::pack;
use proto::cosmos::authz::v1beta1::{
    GenericAuthorization, GenesisState, Grant, GrantAuthorization, MsgExec, MsgGrant, MsgRevoke,
};
use proto::cosmos::bank::v1beta1::{MsgSend, SendAuthorization};
use proto::cosmos::feegrant::v1beta1::{BasicAllowance, MsgGrantAllowance, MsgRevokeAllowance};
use proto::pocket::{application, gateway, proof, service, session, shared, supplier, tokenomics};

use super::actors::{name, text};
use super::blocks::World;
use crate::support::START;

/// Who changes params.
const FOUNDATION: usize = 0;

const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

fn gov() -> String {
    crypto::keys::Address::module("gov").to_bech32()
}

/// Grants of the governance account from the start.
pub(super) fn genesis() -> GenesisState {
    let modules = [
        "application",
        "gateway",
        "proof",
        "service",
        "session",
        "shared",
        "supplier",
        "tokenomics",
    ];
    let grant = |module: &str| GrantAuthorization {
        granter: gov(),
        grantee: text(&name(FOUNDATION)),
        authorization: Some(pack(&GenericAuthorization {
            msg: format!("/pocket.{module}.MsgUpdateParam"),
        })),
        expiration: None,
    };
    GenesisState {
        authorization: modules.into_iter().map(grant).collect(),
    }
}

impl World {
    /// A grant, a use of one, or the end of one.
    pub(super) fn authorised(&mut self) -> Option<(Any, String)> {
        let (one, other) = (self.anybody(), self.anybody());
        let (giver, taker) = (text(&one), text(&other));
        let expiration = self.rng.percent(50).then(|| Timestamp {
            seconds: START + self.height + i64::try_from(self.rng.below(30)).unwrap() - 2,
            nanos: 0,
        });
        Some(match self.rng.below(8) {
            0 => {
                let authorization = if self.rng.percent(50) {
                    pack(&GenericAuthorization {
                        msg: SEND.to_owned(),
                    })
                } else {
                    pack(&SendAuthorization {
                        spend_limit: vec![self.amount(1_000)],
                        allow_list: Vec::new(),
                    })
                };
                let grant = Grant {
                    authorization: Some(authorization),
                    expiration,
                };
                let message = MsgGrant {
                    granter: giver,
                    grantee: taker,
                    grant,
                };
                (pack(&message), one)
            }
            1 => {
                let send = MsgSend {
                    from_address: giver,
                    to_address: text(&self.anybody()),
                    amount: vec![self.amount(500)],
                };
                let message = MsgExec {
                    grantee: taker,
                    msgs: vec![pack(&send)],
                };
                (pack(&message), other)
            }
            2 => {
                let message = MsgRevoke {
                    granter: giver,
                    grantee: taker,
                    msg_type_url: SEND.to_owned(),
                };
                (pack(&message), one)
            }
            3 => {
                let allowance = BasicAllowance {
                    spend_limit: vec![self.amount(100)],
                    expiration,
                };
                let message = MsgGrantAllowance {
                    granter: giver,
                    grantee: taker,
                    allowance: Some(pack(&allowance)),
                };
                (pack(&message), one)
            }
            4 => {
                let message = MsgRevokeAllowance {
                    granter: giver,
                    grantee: taker,
                };
                (pack(&message), one)
            }
            _ => {
                let message = MsgExec {
                    grantee: text(&name(FOUNDATION)),
                    msgs: vec![self.param()],
                };
                (pack(&message), name(FOUNDATION))
            }
        })
    }

    /// A change of one param, mostly to a value that is allowed.
    fn param(&mut self) -> Any {
        let authority = gov();
        let small = self.rng.below(6);
        let ratio = *self.rng.pick(&[0.0, 0.1, 0.5, 1.0, 1e-6, 2.0]);
        match self.rng.below(16) {
            0..=3 => {
                // Lengths and windows seldom, or nothing would ever settle.
                let names = [
                    ("compute_units_to_tokens_multiplier", 40_000_000 + small),
                    ("compute_unit_cost_granularity", 1_000_000),
                    ("supplier_unbonding_period_sessions", 1 + small),
                    ("application_unbonding_period_sessions", 1 + small),
                    ("gateway_unbonding_period_sessions", 1 + small),
                    ("num_blocks_per_session", 4 + small % 3),
                    ("proof_window_close_offset_blocks", 1 + small % 3),
                    ("claim_window_close_offset_blocks", 1 + small % 3),
                ];
                let (name, value) = *self.rng.pick(&names);
                pack(&shared::MsgUpdateParam {
                    authority,
                    name: name.to_owned(),
                    as_type: Some(shared::msg_update_param::AsType::AsUint64(value)),
                })
            }
            4 => pack(&session::MsgUpdateParam {
                authority,
                name: "num_suppliers_per_session".to_owned(),
                as_type: Some(session::msg_update_param::AsType::AsUint64(small)),
            }),
            5 | 6 => pack(&proof::MsgUpdateParam {
                authority,
                name: "proof_request_probability".to_owned(),
                as_type: Some(proof::msg_update_param::AsType::AsFloat(ratio)),
            }),
            7 | 8 => {
                let names = [
                    ("proof_requirement_threshold", 400_000_000),
                    ("proof_missing_penalty", 700_000),
                    ("proof_submission_fee", 3),
                ];
                let (name, around) = *self.rng.pick(&names);
                pack(&proof::MsgUpdateParam {
                    authority,
                    name: name.to_owned(),
                    as_type: Some(proof::msg_update_param::AsType::AsCoin(self.amount(around))),
                })
            }
            9 | 10 => {
                use tokenomics::msg_update_param::AsType;
                let (name, value) = match self.rng.below(3) {
                    0 => ("mint_ratio", AsType::AsFloat(ratio)),
                    1 => ("global_inflation_per_claim", AsType::AsFloat(ratio)),
                    _ => ("overservicing_bonus_multiplier", AsType::AsUint64(small)),
                };
                pack(&tokenomics::MsgUpdateParam {
                    authority,
                    name: name.to_owned(),
                    as_type: Some(value),
                })
            }
            11 => pack(&application::MsgUpdateParam {
                authority,
                name: "max_delegated_gateways".to_owned(),
                as_type: Some(application::msg_update_param::AsType::AsUint64(small)),
            }),
            12 => pack(&application::MsgUpdateParam {
                authority,
                name: "min_stake".to_owned(),
                as_type: Some(application::msg_update_param::AsType::AsCoin(
                    self.amount(1_000_000),
                )),
            }),
            13 => pack(&gateway::MsgUpdateParam {
                authority,
                name: "min_stake".to_owned(),
                as_type: Some(gateway::msg_update_param::AsType::AsCoin(self.amount(100))),
            }),
            14 => {
                let (name, around) = if small < 3 {
                    ("min_stake", 1_000_000)
                } else {
                    ("staking_fee", 7)
                };
                pack(&supplier::MsgUpdateParam {
                    authority,
                    name: name.to_owned(),
                    as_type: Some(supplier::msg_update_param::AsType::AsCoin(
                        self.amount(around),
                    )),
                })
            }
            _ => pack(&service::MsgUpdateParam {
                authority,
                name: "target_num_relays".to_owned(),
                as_type: Some(service::msg_update_param::AsType::AsUint64(1 + small)),
            }),
        }
    }
}

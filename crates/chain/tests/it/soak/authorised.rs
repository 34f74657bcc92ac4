//! Grants and allowances: given, used and taken back.

use chain::authz::Authorization;
use chain::{ChainError, Context, authz, feegrant};
use prost_types::{Any, Timestamp};
use proto::any::pack;
use proto::cosmos::authz::v1beta1::{
    GenericAuthorization, GenesisState, Grant, GrantAuthorization, MsgExec, MsgGrant, MsgRevoke,
};
use proto::cosmos::bank::v1beta1::{MsgSend, SendAuthorization};
use proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance, MsgPruneAllowances, MsgRevokeAllowance,
    PeriodicAllowance,
};
use proto::cosmos::staking::v1beta1::stake_authorization::{Validators, ValidatorsOneOf};
use proto::cosmos::staking::v1beta1::{AuthorizationType, StakeAuthorization};

use super::actors::{name, text};
use super::blocks::World;
use super::{governance, kinds};
use crate::support::START;

/// To whom the governance account has left its messages.
pub(super) fn foundation() -> String {
    name(0)
}

const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

/// A grant that there is.
pub(super) struct Granted {
    pub(super) granter: String,
    pub(super) grantee: String,
    /// Of the message.
    pub(super) url: String,
}

/// Grants of the governance account from the start.
pub(super) fn genesis() -> GenesisState {
    let granter = crypto::keys::Address::module("gov").to_bech32();
    let grant = |(message, _): &(&str, _)| GrantAuthorization {
        granter: granter.clone(),
        grantee: text(&foundation()),
        authorization: Some(pack(&GenericAuthorization {
            msg: format!("/{message}"),
        })),
        expiration: None,
    };
    GenesisState {
        authorization: governance::MESSAGES.iter().map(grant).collect(),
    }
}

/// All grants there are.
pub(super) fn grants(ctx: &Context) -> Result<Vec<Granted>, ChainError> {
    let grants = authz::genesis::export(ctx)?.authorization.into_iter();
    let read = |grant: GrantAuthorization| {
        let any = grant.authorization.as_ref().unwrap();
        Granted {
            url: Authorization::from_any(any).unwrap().type_url(),
            granter: grant.granter,
            grantee: grant.grantee,
        }
    };
    Ok(grants.map(read).collect())
}

/// All allowances there are: who gave them to whom.
pub(super) fn allowances(ctx: &Context) -> Result<Vec<(String, String)>, ChainError> {
    let allowances = feegrant::genesis::export(ctx)?.allowances.into_iter();
    Ok(allowances.map(|own| (own.granter, own.grantee)).collect())
}

impl World {
    /// Mostly never, or some seconds from now, sometimes past.
    fn expiration(&mut self) -> Option<Timestamp> {
        self.rng.percent(40).then(|| Timestamp {
            seconds: START + self.height + i64::try_from(self.rng.below(60)).unwrap() - 2,
            nanos: 0,
        })
    }

    /// Somebody else's coins, or a whole kind of message.
    pub(super) fn grant(&mut self) -> Option<(Any, String)> {
        let (one, other) = (self.anybody(), self.anybody());
        let authorization = match self.rng.below(6) {
            0 | 1 => pack(&SendAuthorization {
                spend_limit: vec![self.amount(1_000_000)],
                allow_list: Vec::new(),
            }),
            2 => {
                let validators = Validators {
                    address: self.view.stakes.validators.clone(),
                };
                let kinds = [
                    AuthorizationType::Delegate,
                    AuthorizationType::Undelegate,
                    AuthorizationType::Redelegate,
                    AuthorizationType::CancelUnbondingDelegation,
                ];
                pack(&StakeAuthorization {
                    max_tokens: self.rng.percent(70).then(|| self.amount(5_000_000)),
                    authorization_type: (*self.rng.pick(&kinds)).into(),
                    validators: Some(ValidatorsOneOf::AllowList(validators)),
                })
            }
            _ => {
                let all: Vec<&str> = kinds::made().collect();
                let message = *self.rng.pick(&all);
                pack(&GenericAuthorization {
                    msg: format!("/{message}"),
                })
            }
        };
        let message = MsgGrant {
            granter: text(&one),
            grantee: text(&other),
            grant: Grant {
                authorization: Some(authorization),
                expiration: self.expiration(),
            },
        };
        Some((pack(&message), one))
    }

    /// Transfers under a grant, or without one; sometimes inside another such message, by the same person.
    pub(super) fn exec(&mut self) -> Option<(Any, String)> {
        let grants = self.view.grants.iter();
        let of_people: Vec<(String, String)> = grants
            .filter(|grant| grant.url == SEND)
            .map(|grant| (grant.granter.clone(), grant.grantee.clone()))
            .collect();
        let (giver, taker) = if of_people.is_empty() || self.rng.percent(15) {
            (text(&self.anybody()), text(&self.anybody()))
        } else {
            self.rng.pick(&of_people).clone()
        };
        let signer = self.person(&taker)?;
        let sends = (0..=self.rng.below(2)).map(|_| {
            pack(&MsgSend {
                from_address: giver.clone(),
                to_address: text(&self.anybody()),
                amount: vec![self.amount(500)],
            })
        });
        let mut message = MsgExec {
            grantee: taker.clone(),
            msgs: sends.collect(),
        };
        if self.rng.percent(20) {
            message = MsgExec {
                grantee: taker,
                msgs: vec![pack(&message)],
            };
        }
        Some((pack(&message), signer))
    }

    /// Mostly of a grant that there is, never those of the governance account.
    pub(super) fn revoke(&mut self) -> Option<(Any, String)> {
        let grants = self.view.grants.iter();
        let of_people: Vec<MsgRevoke> = grants
            .filter(|grant| self.people.contains_key(&grant.granter))
            .map(|grant| MsgRevoke {
                granter: grant.granter.clone(),
                grantee: grant.grantee.clone(),
                msg_type_url: grant.url.clone(),
            })
            .collect();
        let message = if of_people.is_empty() || self.rng.percent(15) {
            MsgRevoke {
                granter: text(&self.anybody()),
                grantee: text(&self.anybody()),
                msg_type_url: SEND.to_owned(),
            }
        } else {
            self.rng.pick(&of_people).clone()
        };
        let signer = self.person(&message.granter)?;
        Some((pack(&message), signer))
    }

    pub(super) fn grant_allowance(&mut self) -> Option<(Any, String)> {
        let (one, other) = (self.anybody(), self.anybody());
        let basic = BasicAllowance {
            spend_limit: if self.rng.percent(70) {
                vec![self.amount(500)]
            } else {
                Vec::new()
            },
            expiration: self.expiration(),
        };
        let allowance = match self.rng.below(3) {
            0 => pack(&basic),
            1 => pack(&PeriodicAllowance {
                basic,
                period: prost_types::Duration {
                    seconds: 5,
                    nanos: 0,
                },
                period_spend_limit: vec![self.amount(40)],
                ..Default::default()
            }),
            _ => pack(&AllowedMsgAllowance {
                allowance: Some(pack(&basic)),
                allowed_messages: vec![SEND.to_owned(), "/pocket.proof.MsgSubmitProof".to_owned()],
            }),
        };
        let message = MsgGrantAllowance {
            granter: text(&one),
            grantee: text(&other),
            allowance: Some(allowance),
        };
        Some((pack(&message), one))
    }

    pub(super) fn revoke_allowance(&mut self) -> Option<(Any, String)> {
        let (granter, grantee) = if self.view.allowances.is_empty() || self.rng.percent(15) {
            (text(&self.anybody()), text(&self.anybody()))
        } else {
            self.rng.pick(&self.view.allowances).clone()
        };
        let signer = self.person(&granter)?;
        let message = MsgRevokeAllowance { granter, grantee };
        Some((pack(&message), signer))
    }

    pub(super) fn prune_allowances(&mut self) -> Option<(Any, String)> {
        let signer = self.anybody();
        let message = MsgPruneAllowances {
            pruner: text(&signer),
        };
        Some((pack(&message), signer))
    }

    /// Who pays the fee of the first signer's transaction, if somebody has said that they would.
    pub(super) fn granter_for(&mut self, signer: &str) -> Option<String> {
        let grantee = text(signer);
        let allowances = self.view.allowances.iter();
        let mut of_signer = allowances.filter(|(_, taker)| *taker == grantee);
        let granter = of_signer.next().map(|(granter, _)| granter.clone());
        match granter {
            Some(granter) if self.rng.percent(30) => Some(granter),
            _ if self.rng.percent(1) => Some(text(&self.anybody())),
            _ => None,
        }
    }
}

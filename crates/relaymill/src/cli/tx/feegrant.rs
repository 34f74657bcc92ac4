//! Allowances: who pays the fees of whom.

use anyhow::{Result, bail};
use clap::Subcommand;
use crypto::keys::Address;
use prost_types::{Any, Duration};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance, MsgPruneAllowances, MsgRevokeAllowance,
    PeriodicAllowance,
};
use time::OffsetDateTime;

use super::amount::coins;
use super::cosmos::{known_message, moment};
use super::signer::Signer;

#[derive(Subcommand, Debug)]
pub(crate) enum Feegrant {
    /// Lets another account pay its fees from the signer's: it names the signer with --fee-granter.
    Grant {
        /// Who may.
        grantee: Address,
        /// The most that may be spent altogether, e.g. 1pokt. Default: no limit.
        #[arg(long, value_name = "COINS")]
        spend_limit: Option<String>,
        /// Until when, e.g. 2030-01-01T00:00:00Z. Default: for ever.
        #[arg(long, value_name = "TIME")]
        expiration: Option<String>,
        /// Length of a period with a limit of its own.
        #[arg(long, value_name = "SECONDS", requires = "period_limit",
              value_parser = clap::value_parser!(i64).range(1..))]
        period: Option<i64>,
        /// The most that may be spent in a period.
        #[arg(long, value_name = "COINS", requires = "period")]
        period_limit: Option<String>,
        /// For these messages only, e.g. /pocket.proof.MsgCreateClaim; may be given several times.
        #[arg(long = "allow-msg", value_name = "TYPE_URL")]
        allowed_messages: Vec<String>,
    },
    /// Takes an allowance back.
    Revoke {
        /// Who may no longer.
        grantee: Address,
    },
    /// Removes expired allowances, at most 75 of them.
    Prune,
}

impl Feegrant {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        let granter = signer.account();
        Ok(match self {
            Self::Grant {
                grantee,
                spend_limit,
                expiration,
                period,
                period_limit,
                allowed_messages,
            } => {
                let some = |limit: &Option<String>| limit.as_deref().map(coins).transpose();
                let basic = BasicAllowance {
                    spend_limit: some(spend_limit)?.unwrap_or_default(),
                    expiration: expiration
                        .as_deref()
                        .map(|text| moment("--expiration", text))
                        .transpose()?,
                };
                let allowance = match (period, some(period_limit)?) {
                    (Some(seconds), Some(limit)) => periodic(basic, *seconds, limit)?,
                    _ => proto::any::pack(&basic),
                };
                proto::any::pack(&MsgGrantAllowance {
                    granter,
                    grantee: grantee.to_bech32(),
                    allowance: Some(restricted(allowance, allowed_messages)?),
                })
            }
            Self::Revoke { grantee } => proto::any::pack(&MsgRevokeAllowance {
                granter,
                grantee: grantee.to_bech32(),
            }),
            Self::Prune => proto::any::pack(&MsgPruneAllowances { pruner: granter }),
        })
    }
}

/// An allowance that fills up again; its first period begins now.
fn periodic(basic: BasicAllowance, seconds: i64, limit: Vec<Coin>) -> Result<Any> {
    let now = OffsetDateTime::now_utc();
    let Some(reset) = now.unix_timestamp().checked_add(seconds) else {
        bail!("--period {seconds}: too long");
    };
    Ok(proto::any::pack(&PeriodicAllowance {
        basic,
        period: Duration { seconds, nanos: 0 },
        period_can_spend: limit.clone(),
        period_spend_limit: limit,
        period_reset: prost_types::Timestamp {
            seconds: reset,
            nanos: 0,
        },
    }))
}

/// The same allowance for some messages only, or for all if none is named.
fn restricted(allowance: Any, messages: &[String]) -> Result<Any> {
    if messages.is_empty() {
        return Ok(allowance);
    }
    let allowed: Result<Vec<String>> = messages.iter().map(|url| known_message(url)).collect();
    Ok(proto::any::pack(&AllowedMsgAllowance {
        allowance: Some(allowance),
        allowed_messages: allowed?,
    }))
}

//! Messages of the Cosmos SDK's modules.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use crypto::keys::{Address, VALOPER_PREFIX};
use prost_types::{Any, Timestamp};
use proto::cosmos::authz::v1beta1::{GenericAuthorization, Grant, MsgExec, MsgGrant, MsgRevoke};
use proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend, Output, SendAuthorization};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::crypto::ed25519;
use proto::cosmos::distribution::v1beta1::{
    MsgFundCommunityPool, MsgSetWithdrawAddress, MsgWithdrawDelegatorReward,
    MsgWithdrawValidatorCommission,
};
use proto::cosmos::slashing::v1beta1::MsgUnjail;
use proto::cosmos::staking::v1beta1::{
    CommissionRates, Description, MsgBeginRedelegate, MsgCancelUnbondingDelegation,
    MsgCreateValidator, MsgDelegate, MsgEditValidator, MsgUndelegate,
};

use super::amount::{Share, Upokt, coins};
use super::message;
use super::signer::Signer;
use crate::cli::keys::consensus_key;

/// What the SDK takes for "leave it as it is" in a validator's description.
const UNCHANGED: &str = "[do-not-modify]";

#[derive(Subcommand, Debug)]
pub(crate) enum Bank {
    /// Sends coins.
    Send {
        /// Recipient's address.
        to: Address,
        /// Coins, e.g. 1000upokt or 1.5pokt.
        amount: String,
    },
    /// Sends coins to several accounts.
    MultiSend {
        /// Recipients with what each gets: ADDRESS=COINS.
        #[arg(required = true, value_name = "ADDRESS=COINS")]
        outputs: Vec<String>,
    },
}

impl Bank {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        Ok(match self {
            Self::Send { to, amount } => proto::any::pack(&MsgSend {
                from_address: signer.account(),
                to_address: to.to_bech32(),
                amount: coins(amount)?,
            }),
            Self::MultiSend { outputs } => {
                let mut made = Vec::new();
                for output in outputs {
                    let (to, amount) = output
                        .split_once('=')
                        .with_context(|| format!("`{output}`: expected ADDRESS=COINS"))?;
                    made.push(Output {
                        address: to.parse::<Address>()?.to_bech32(),
                        coins: coins(amount)?,
                    });
                }
                let input = Input {
                    address: signer.account(),
                    coins: sum(made.iter().flat_map(|output| &output.coins))?,
                };
                proto::any::pack(&MsgMultiSend {
                    inputs: vec![input],
                    outputs: made,
                })
            }
        })
    }
}

/// The sum of coins, by denomination.
fn sum<'a>(coins: impl Iterator<Item = &'a Coin>) -> Result<Vec<Coin>> {
    let mut all = std::collections::BTreeMap::<&str, u128>::new();
    for coin in coins {
        let held = all.entry(&coin.denom).or_default();
        *held = held
            .checked_add(coin.amount.parse()?)
            .context("the sum is too large")?;
    }
    let coin = |(denom, amount): (&str, u128)| Coin {
        denom: denom.to_owned(),
        amount: amount.to_string(),
    };
    Ok(all.into_iter().map(coin).collect())
}

#[derive(Subcommand, Debug)]
pub(crate) enum Authz {
    /// Lets another account do something for the signer.
    Grant {
        /// Who may.
        grantee: Address,
        /// Which message, e.g. /pocket.application.MsgStakeApplication.
        #[arg(long, value_name = "TYPE_URL", required_unless_present = "spend_limit")]
        msg_type: Option<String>,
        /// Sending coins up to these, instead of a message without limits.
        #[arg(long, value_name = "COINS", conflicts_with = "msg_type")]
        spend_limit: Option<String>,
        /// Sending to these accounts only.
        #[arg(long, value_name = "ADDRESS", requires = "spend_limit")]
        allow: Vec<Address>,
        /// Until when, e.g. 2030-01-01T00:00:00Z. Default: for ever.
        #[arg(long, value_name = "TIME")]
        expiration: Option<String>,
    },
    /// Does what others granted: the messages of a file, as the accounts they name.
    Exec {
        /// One message with its `@type`, a list, or a generated transaction; `-` is standard input.
        file: String,
    },
    /// Takes a grant back.
    Revoke {
        /// Who may no longer.
        grantee: Address,
        /// Which message, e.g. /cosmos.bank.v1beta1.MsgSend.
        msg_type: String,
    },
}

impl Authz {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        Ok(match self {
            Self::Grant {
                grantee,
                msg_type,
                spend_limit,
                allow,
                expiration,
            } => {
                let authorization = match (msg_type, spend_limit) {
                    (Some(url), _) => proto::any::pack(&GenericAuthorization {
                        msg: known_message(url)?,
                    }),
                    (None, Some(limit)) => proto::any::pack(&SendAuthorization {
                        spend_limit: coins(limit)?,
                        allow_list: allow.iter().map(Address::to_bech32).collect(),
                    }),
                    (None, None) => bail!("give --msg-type or --spend-limit"),
                };
                let expiration = expiration
                    .as_deref()
                    .map(|text| moment("--expiration", text));
                proto::any::pack(&MsgGrant {
                    granter: signer.account(),
                    grantee: grantee.to_bech32(),
                    grant: Grant {
                        authorization: Some(authorization),
                        expiration: expiration.transpose()?,
                    },
                })
            }
            Self::Exec { file } => proto::any::pack(&MsgExec {
                grantee: signer.account(),
                msgs: message::read_all(file)?,
            }),
            Self::Revoke { grantee, msg_type } => proto::any::pack(&MsgRevoke {
                granter: signer.account(),
                grantee: grantee.to_bech32(),
                msg_type_url: known_message(msg_type)?,
            }),
        })
    }
}

/// A time of the command line.
pub(super) fn moment(option: &str, text: &str) -> Result<Timestamp> {
    let (seconds, nanos) = proto::time::parse_rfc3339(text).with_context(|| {
        format!("{option} {text}: expected a time such as 2030-01-01T00:00:00Z")
    })?;
    Ok(Timestamp { seconds, nanos })
}

/// The URL of a message that there is; a grant for another would never serve.
pub(super) fn known_message(url: &str) -> Result<String> {
    let name = proto::any::type_name(url);
    if proto::descriptor_pool().get_message_by_name(name).is_none() {
        bail!("`{url}` is no message, e.g. /pocket.application.MsgStakeApplication is one");
    }
    Ok(format!("/{name}"))
}

/// The operator address of a validator.
#[derive(Clone, Debug)]
pub(crate) struct Valoper(Address);

impl std::str::FromStr for Valoper {
    type Err = crypto::Error;

    fn from_str(text: &str) -> Result<Self, crypto::Error> {
        Address::from_bech32_with(VALOPER_PREFIX, text).map(Self)
    }
}

impl Valoper {
    fn text(&self) -> String {
        self.0.to_bech32_with(VALOPER_PREFIX)
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Staking {
    /// Makes the signer a validator.
    CreateValidator {
        /// What it stakes of its own, e.g. 1000pokt.
        amount: Upokt,
        /// Its consensus key: JSON as `keys show-validator` prints it, or the node's key file.
        #[arg(long, value_name = "JSON|FILE")]
        pubkey: String,
        /// Its name.
        #[arg(long)]
        moniker: String,
        #[command(flatten)]
        about: About,
        /// Its share of the delegators' rewards, from 0 to 1.
        #[arg(long, value_name = "SHARE", default_value = "0.1")]
        commission_rate: Share,
        /// The most that share may ever be.
        #[arg(long, value_name = "SHARE", default_value = "0.2")]
        commission_max_rate: Share,
        /// The most it may change in a day.
        #[arg(long, value_name = "SHARE", default_value = "0.01")]
        commission_max_change_rate: Share,
        /// Least stake of its own, in upokt; below it the validator is jailed.
        #[arg(long, value_name = "AMOUNT", default_value = "1")]
        min_self_delegation: Upokt,
    },
    /// Changes what a validator says of itself, and its commission.
    EditValidator {
        /// Its new name.
        #[arg(long)]
        moniker: Option<String>,
        #[command(flatten)]
        about: About,
        /// Its new share of the delegators' rewards, from 0 to 1.
        #[arg(long, value_name = "SHARE")]
        commission_rate: Option<Share>,
        /// Its new least stake of its own.
        #[arg(long, value_name = "AMOUNT")]
        min_self_delegation: Option<Upokt>,
    },
    /// Delegates coins to a validator.
    Delegate {
        /// The validator's operator address.
        validator: Valoper,
        /// How much, e.g. 10pokt.
        amount: Upokt,
    },
    /// Moves a delegation to another validator.
    Redelegate {
        /// The validator that has it, by its operator address.
        source: Valoper,
        /// The validator that gets it.
        destination: Valoper,
        /// How much, e.g. 10pokt.
        amount: Upokt,
    },
    /// Takes coins back; they are free after the unbonding time.
    #[command(visible_alias = "unbond")]
    Undelegate {
        /// The validator's operator address.
        validator: Valoper,
        /// How much, e.g. 10pokt.
        amount: Upokt,
    },
    /// Delegates coins again that are being taken back.
    CancelUnbond {
        /// The validator's operator address.
        validator: Valoper,
        /// How much, e.g. 10pokt.
        amount: Upokt,
        /// Height at which the taking back began, as `query staking unbonding-delegation` tells it.
        creation_height: i64,
    },
}

/// What a validator says of itself.
#[derive(clap::Args, Debug)]
pub(crate) struct About {
    /// A proof of identity, e.g. of Keybase.
    #[arg(long)]
    identity: Option<String>,
    /// Its page.
    #[arg(long)]
    website: Option<String>,
    /// Where to report trouble.
    #[arg(long, value_name = "ADDRESS")]
    security_contact: Option<String>,
    /// Anything else.
    #[arg(long)]
    details: Option<String>,
}

impl About {
    fn description(&self, moniker: Option<&String>, otherwise: &str) -> Description {
        let or = |text: Option<&String>| text.map_or_else(|| otherwise.to_owned(), String::clone);
        Description {
            moniker: or(moniker),
            identity: or(self.identity.as_ref()),
            website: or(self.website.as_ref()),
            security_contact: or(self.security_contact.as_ref()),
            details: or(self.details.as_ref()),
        }
    }
}

impl Staking {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        let delegator_address = signer.account();
        Ok(match self {
            Self::CreateValidator {
                amount,
                pubkey,
                moniker,
                about,
                commission_rate,
                commission_max_rate,
                commission_max_change_rate,
                min_self_delegation,
            } => proto::any::pack(&MsgCreateValidator {
                description: about.description(Some(moniker), ""),
                commission: CommissionRates {
                    rate: commission_rate.wire(),
                    max_rate: commission_max_rate.wire(),
                    max_change_rate: commission_max_change_rate.wire(),
                },
                min_self_delegation: min_self_delegation.0.to_string(),
                // Deprecated by the SDK in favour of the validator's own address.
                delegator_address: String::new(),
                validator_address: signer.operator(),
                pubkey: Some(validator_key(pubkey)?),
                value: amount.coin(),
            }),
            Self::EditValidator {
                moniker,
                about,
                commission_rate,
                min_self_delegation,
            } => proto::any::pack(&MsgEditValidator {
                description: about.description(moniker.as_ref(), UNCHANGED),
                validator_address: signer.operator(),
                commission_rate: commission_rate
                    .as_ref()
                    .map(Share::wire)
                    .unwrap_or_default(),
                min_self_delegation: min_self_delegation
                    .as_ref()
                    .map(|amount| amount.0.to_string())
                    .unwrap_or_default(),
            }),
            Self::Delegate { validator, amount } => proto::any::pack(&MsgDelegate {
                delegator_address,
                validator_address: validator.text(),
                amount: amount.coin(),
            }),
            Self::Redelegate {
                source,
                destination,
                amount,
            } => proto::any::pack(&MsgBeginRedelegate {
                delegator_address,
                validator_src_address: source.text(),
                validator_dst_address: destination.text(),
                amount: amount.coin(),
            }),
            Self::Undelegate { validator, amount } => proto::any::pack(&MsgUndelegate {
                delegator_address,
                validator_address: validator.text(),
                amount: amount.coin(),
            }),
            Self::CancelUnbond {
                validator,
                amount,
                creation_height,
            } => proto::any::pack(&MsgCancelUnbondingDelegation {
                delegator_address,
                validator_address: validator.text(),
                amount: amount.coin(),
                creation_height: *creation_height,
            }),
        })
    }
}

/// A consensus key, from JSON or from the file of a node.
fn validator_key(text: &str) -> Result<Any> {
    if text.trim_start().starts_with('{') {
        let json = serde_json::from_str(text).context("--pubkey is no JSON")?;
        return message::pack(&json).context("--pubkey");
    }
    let key = consensus_key(Path::new(text)).context("--pubkey")?;
    Ok(proto::any::pack(&ed25519::PubKey {
        key: key.to_vec().into(),
    }))
}

#[derive(Subcommand, Debug)]
pub(crate) enum Distribution {
    /// Withdraws the rewards of a delegation.
    WithdrawRewards {
        /// The validator's operator address.
        validator: Valoper,
        /// Its commission too; the signer is the validator.
        #[arg(long)]
        commission: bool,
    },
    /// Withdraws the signer's commission as a validator.
    WithdrawCommission,
    /// Has rewards paid to another account.
    SetWithdrawAddress {
        /// That account's address.
        address: Address,
    },
    /// Gives coins to the community.
    Fund {
        /// Coins, e.g. 10pokt.
        amount: String,
    },
}

impl Distribution {
    pub(super) fn messages(&self, signer: &Signer) -> Result<Vec<Any>> {
        let delegator_address = signer.account();
        Ok(match self {
            Self::WithdrawRewards {
                validator,
                commission,
            } => {
                let mut messages = vec![proto::any::pack(&MsgWithdrawDelegatorReward {
                    delegator_address,
                    validator_address: validator.text(),
                })];
                if *commission {
                    messages.push(proto::any::pack(&MsgWithdrawValidatorCommission {
                        validator_address: validator.text(),
                    }));
                }
                messages
            }
            Self::WithdrawCommission => {
                vec![proto::any::pack(&MsgWithdrawValidatorCommission {
                    validator_address: signer.operator(),
                })]
            }
            Self::SetWithdrawAddress { address } => {
                vec![proto::any::pack(&MsgSetWithdrawAddress {
                    delegator_address,
                    withdraw_address: address.to_bech32(),
                })]
            }
            Self::Fund { amount } => vec![proto::any::pack(&MsgFundCommunityPool {
                amount: coins(amount)?,
                depositor: delegator_address,
            })],
        })
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Slashing {
    /// Lets the signer, a jailed validator, take part again.
    Unjail,
}

impl Slashing {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        match self {
            Self::Unjail => Ok(proto::any::pack(&MsgUnjail {
                validator_addr: signer.operator(),
            })),
        }
    }
}

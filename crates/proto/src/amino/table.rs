//! What the reference's `.proto` files say about amino JSON, message by message, as far as transactions can hold them.
//! Facts of Cosmos SDK v0.53 and poktroll v0.1.35. A message that is not listed goes by its type URL; a field that is not
//! listed is left out when it is empty.

use super::{Encoding, Field, Message};

/// By full name, ascending.
pub(super) const MESSAGES: &[Message] = &[
    message(
        "cosmos.auth.v1beta1.MsgUpdateParams",
        "cosmos-sdk/x/auth/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.authz.v1beta1.GenericAuthorization",
        "cosmos-sdk/GenericAuthorization",
        &[],
    ),
    message("cosmos.authz.v1beta1.MsgExec", "cosmos-sdk/MsgExec", &[]),
    message(
        "cosmos.authz.v1beta1.MsgGrant",
        "cosmos-sdk/MsgGrant",
        &[field("grant", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.authz.v1beta1.MsgRevoke",
        "cosmos-sdk/MsgRevoke",
        &[],
    ),
    message(
        "cosmos.bank.v1beta1.Input",
        "",
        &[field("coins", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.bank.v1beta1.MsgMultiSend",
        "cosmos-sdk/MsgMultiSend",
        &[
            field("inputs", Encoding::Plain).kept(),
            field("outputs", Encoding::Plain).kept(),
        ],
    ),
    message(
        "cosmos.bank.v1beta1.MsgSend",
        "cosmos-sdk/MsgSend",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.bank.v1beta1.MsgSetSendEnabled",
        "cosmos-sdk/MsgSetSendEnabled",
        &[],
    ),
    message(
        "cosmos.bank.v1beta1.MsgUpdateParams",
        "cosmos-sdk/x/bank/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.bank.v1beta1.Output",
        "",
        &[field("coins", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.bank.v1beta1.SendAuthorization",
        "cosmos-sdk/SendAuthorization",
        &[field("spend_limit", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.base.v1beta1.Coin",
        "",
        &[field("amount", Encoding::Int).kept()],
    ),
    message(
        "cosmos.consensus.v1.MsgUpdateParams",
        "cosmos-sdk/x/consensus/MsgUpdateParams",
        &[],
    ),
    message(
        "cosmos.crypto.ed25519.PubKey",
        "tendermint/PubKeyEd25519",
        &[],
    ),
    message(
        "cosmos.crypto.multisig.LegacyAminoPubKey",
        "tendermint/PubKeyMultisigThreshold",
        &[],
    ),
    message(
        "cosmos.crypto.secp256k1.PubKey",
        "tendermint/PubKeySecp256k1",
        &[],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgCommunityPoolSpend",
        "cosmos-sdk/distr/MsgCommunityPoolSpend",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgDepositValidatorRewardsPool",
        "cosmos-sdk/distr/MsgDepositValRewards",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgFundCommunityPool",
        "cosmos-sdk/MsgFundCommunityPool",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgSetWithdrawAddress",
        "cosmos-sdk/MsgModifyWithdrawAddress",
        &[],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgUpdateParams",
        "cosmos-sdk/distribution/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward",
        "cosmos-sdk/MsgWithdrawDelegationReward",
        &[],
    ),
    message(
        "cosmos.distribution.v1beta1.MsgWithdrawValidatorCommission",
        "cosmos-sdk/MsgWithdrawValCommission",
        &[],
    ),
    message(
        "cosmos.distribution.v1beta1.Params",
        "cosmos-sdk/x/distribution/Params",
        &[
            field("community_tax", Encoding::Dec).kept(),
            field("base_proposer_reward", Encoding::Dec).kept(),
            field("bonus_proposer_reward", Encoding::Dec).kept(),
        ],
    ),
    message(
        "cosmos.evidence.v1beta1.Equivocation",
        "cosmos-sdk/Equivocation",
        &[field("time", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.evidence.v1beta1.MsgSubmitEvidence",
        "cosmos-sdk/MsgSubmitEvidence",
        &[],
    ),
    message(
        "cosmos.feegrant.v1beta1.AllowedMsgAllowance",
        "cosmos-sdk/AllowedMsgAllowance",
        &[],
    ),
    message(
        "cosmos.feegrant.v1beta1.BasicAllowance",
        "cosmos-sdk/BasicAllowance",
        &[field("spend_limit", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.feegrant.v1beta1.MsgGrantAllowance",
        "cosmos-sdk/MsgGrantAllowance",
        &[],
    ),
    message(
        "cosmos.feegrant.v1beta1.MsgRevokeAllowance",
        "cosmos-sdk/MsgRevokeAllowance",
        &[],
    ),
    message(
        "cosmos.feegrant.v1beta1.PeriodicAllowance",
        "cosmos-sdk/PeriodicAllowance",
        &[
            field("basic", Encoding::Plain).kept(),
            field("period", Encoding::Plain).kept(),
            field("period_spend_limit", Encoding::Coins).kept(),
            field("period_can_spend", Encoding::Coins).kept(),
            field("period_reset", Encoding::Plain).kept(),
        ],
    ),
    message(
        "cosmos.mint.v1beta1.MsgUpdateParams",
        "cosmos-sdk/x/mint/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.mint.v1beta1.Params",
        "cosmos-sdk/x/mint/Params",
        &[
            field("inflation_rate_change", Encoding::Dec).kept(),
            field("inflation_max", Encoding::Dec).kept(),
            field("inflation_min", Encoding::Dec).kept(),
            field("goal_bonded", Encoding::Dec).kept(),
        ],
    ),
    message(
        "cosmos.slashing.v1beta1.MsgUnjail",
        "cosmos-sdk/MsgUnjail",
        &[field("validator_addr", Encoding::Plain)
            .kept()
            .called("address")],
    ),
    message(
        "cosmos.slashing.v1beta1.MsgUpdateParams",
        "cosmos-sdk/x/slashing/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.slashing.v1beta1.Params",
        "cosmos-sdk/x/slashing/Params",
        &[
            field("min_signed_per_window", Encoding::Dec).kept(),
            field("downtime_jail_duration", Encoding::Plain).kept(),
            field("slash_fraction_double_sign", Encoding::Dec).kept(),
            field("slash_fraction_downtime", Encoding::Dec).kept(),
        ],
    ),
    message(
        "cosmos.staking.v1beta1.CommissionRates",
        "",
        &[
            field("rate", Encoding::Dec).kept(),
            field("max_rate", Encoding::Dec).kept(),
            field("max_change_rate", Encoding::Dec).kept(),
        ],
    ),
    message(
        "cosmos.staking.v1beta1.MsgBeginRedelegate",
        "cosmos-sdk/MsgBeginRedelegate",
        &[field("amount", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.staking.v1beta1.MsgCancelUnbondingDelegation",
        "cosmos-sdk/MsgCancelUnbondingDelegation",
        &[field("amount", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.staking.v1beta1.MsgCreateValidator",
        "cosmos-sdk/MsgCreateValidator",
        &[
            field("description", Encoding::Plain).kept(),
            field("commission", Encoding::Plain).kept(),
            field("min_self_delegation", Encoding::Int).kept(),
            field("value", Encoding::Plain).kept(),
        ],
    ),
    message(
        "cosmos.staking.v1beta1.MsgDelegate",
        "cosmos-sdk/MsgDelegate",
        &[field("amount", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.staking.v1beta1.MsgEditValidator",
        "cosmos-sdk/MsgEditValidator",
        &[
            field("description", Encoding::Plain).kept(),
            field("commission_rate", Encoding::Dec),
            field("min_self_delegation", Encoding::Int),
        ],
    ),
    message(
        "cosmos.staking.v1beta1.MsgUndelegate",
        "cosmos-sdk/MsgUndelegate",
        &[field("amount", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.staking.v1beta1.MsgUpdateParams",
        "cosmos-sdk/x/staking/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.staking.v1beta1.Params",
        "cosmos-sdk/x/staking/Params",
        &[
            field("unbonding_time", Encoding::Plain).kept(),
            field("min_commission_rate", Encoding::Dec).kept(),
        ],
    ),
    message(
        "cosmos.staking.v1beta1.StakeAuthorization",
        "cosmos-sdk/StakeAuthorization",
        &[
            field("allow_list", Encoding::Plain).member("cosmos-sdk/StakeAuthorization/AllowList"),
            field("deny_list", Encoding::Plain).member("cosmos-sdk/StakeAuthorization/DenyList"),
        ],
    ),
    message(
        "cosmos.vesting.v1beta1.MsgCreatePeriodicVestingAccount",
        "cosmos-sdk/MsgCreatePeriodVestAccount",
        &[field("vesting_periods", Encoding::Plain).kept()],
    ),
    message(
        "cosmos.vesting.v1beta1.MsgCreatePermanentLockedAccount",
        "cosmos-sdk/MsgCreatePermLockedAccount",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.vesting.v1beta1.MsgCreateVestingAccount",
        "cosmos-sdk/MsgCreateVestingAccount",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "cosmos.vesting.v1beta1.Period",
        "",
        &[field("amount", Encoding::Coins).kept()],
    ),
    message(
        "pocket.application.MsgUpdateParams",
        "pocket/x/application/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.gateway.MsgUpdateParams",
        "pocket/x/gateway/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.proof.MsgUpdateParams",
        "pocket/x/proof/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.service.MsgUpdateParams",
        "pocket/x/service/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.session.MsgUpdateParams",
        "pocket/x/session/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.shared.MsgUpdateParams",
        "pocket/x/shared/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.supplier.MsgUpdateParams",
        "pocket/x/supplier/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
    message(
        "pocket.tokenomics.MsgUpdateParams",
        "pocket/x/tokenomics/MsgUpdateParams",
        &[field("params", Encoding::Plain).kept()],
    ),
];

const fn message(
    full_name: &'static str,
    amino_name: &'static str,
    fields: &'static [Field],
) -> Message {
    Message {
        full_name,
        amino_name,
        fields,
    }
}

const fn field(name: &'static str, encoding: Encoding) -> Field {
    Field {
        name,
        encoding,
        kept: false,
        amino_name: name,
        member: "",
    }
}

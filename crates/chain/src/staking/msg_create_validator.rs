//! `MsgCreateValidator`: an account becomes the operator of a validator. Event: `create_validator`.

use proto::cosmos::staking::v1beta1::{
    CommissionRates, Description, MsgCreateValidator, MsgCreateValidatorResponse,
};
use tendermint_proto::v0_38::crypto::public_key::Sum;

use super::delegate::{Source, delegate};
use super::validator::{BondStatus, Commission, Validator, consensus_key, key_bytes, key_type};
use super::{description, hooks, params, pools, state};
use crate::context::{BlockTime, Context};
use crate::decimal::Dec;
use crate::error::TxError;
use crate::message::{operator, unset_number};
use crate::staking::error;
use crate::{consensus, sdk};

/// The key must be of a type that is known; its bytes are looked at when the message runs.
pub(super) fn check(message: &MsgCreateValidator) -> Result<(), TxError> {
    match &message.pubkey {
        None => Ok(()),
        Some(any) => key_bytes(any)
            .map(|_| ())
            .map_err(|reason| TxError::sdk(sdk::TX_PARSE, format!("{reason}: tx parse error"))),
    }
}

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgCreateValidator,
) -> Result<MsgCreateValidatorResponse, TxError> {
    let address = operator("validator", &message.validator_address)?;
    let (commission, amount, min_self_delegation) = validate(&message)?;
    let minimum = params::min_commission_rate(ctx)?;
    if commission.rate < minimum {
        let text =
            format!("cannot set validator commission to less than minimum rate of {minimum}");
        return Err(error::COMMISSION_BELOW_MIN.with(text));
    }
    if state::validator(ctx, &address)?.is_some() {
        return Err(error::OPERATOR_EXISTS.plain());
    }
    let pubkey = message
        .pubkey
        .clone()
        .ok_or_else(|| error::EMPTY_PUB_KEY.plain())?;
    let key = consensus_key(&pubkey).map_err(TxError::panic)?;
    let mut validator = Validator {
        operator: address,
        consensus_pubkey: pubkey,
        jailed: false,
        status: BondStatus::Unbonded,
        tokens: 0,
        shares: Dec::zero(),
        description: message.description.clone(),
        unbonding_height: 0,
        unbonding_time: BlockTime::default(),
        commission,
        min_self_delegation,
        on_hold: 0,
        unbonding_ids: Vec::new(),
    };
    if state::validator_by_consensus(ctx, &validator.consensus_address()?)?.is_some() {
        return Err(error::PUB_KEY_EXISTS.plain());
    }
    pools::check_denom(ctx, &message.value)?;
    description::check_lengths(&message.description)?;
    check_key_type(ctx, &key)?;
    validator.commission.update_time = ctx.block.time;
    state::save_validator(ctx, &validator);
    state::save_consensus(ctx, &validator)?;
    state::save_power(ctx, &validator)?;
    hooks::validator_created(ctx, &validator)?;
    delegate(ctx, &address, amount, Source::Account, validator)?;
    ctx.emit_raw(
        "create_validator",
        &[
            ("validator", &message.validator_address),
            ("amount", &pools::text(&message.value)),
        ],
    );
    Ok(MsgCreateValidatorResponse {})
}

/// What does not depend on the chain: commission, stake and promise.
fn validate(message: &MsgCreateValidator) -> Result<(Commission, u128, u128), TxError> {
    let refuse = |text: &str| TxError::invalid_request(text);
    if message.pubkey.is_none() {
        return Err(error::EMPTY_PUB_KEY.plain());
    }
    let amount =
        pools::positive(&message.value).ok_or_else(|| refuse("invalid delegation amount"))?;
    if message.description == Description::default() {
        return Err(refuse("empty description"));
    }
    if message.commission == CommissionRates::default() {
        return Err(refuse("empty commission"));
    }
    let commission = commission(&message.commission)?;
    let promised = match message.min_self_delegation.as_str() {
        "" => return Err(unset_number("min_self_delegation")),
        text => text.parse::<u128>().unwrap_or_else(|_| {
            // Beyond what can be owned, or not above 0.
            if text.starts_with('-') { 0 } else { u128::MAX }
        }),
    };
    if promised == 0 {
        return Err(refuse("minimum self delegation must be a positive integer"));
    }
    if amount < promised {
        return Err(error::SELF_DELEGATION.plain());
    }
    Ok((commission, amount, promised))
}

/// Rates that fit each other.
fn commission(rates: &CommissionRates) -> Result<Commission, TxError> {
    let read = |field: &str, wire: &str| match Dec::read_wire(wire) {
        Some(Some(value)) => Ok(value),
        Some(None) => Err(unset_number(field)),
        None => Err(TxError::sdk(
            sdk::TX_PARSE,
            format!("{field} is no number: tx parse error"),
        )),
    };
    let max_rate = read("commission.max_rate", &rates.max_rate)?;
    if max_rate.is_negative() {
        return Err(error::COMMISSION_NEGATIVE.plain());
    }
    if max_rate > Dec::one() {
        return Err(error::COMMISSION_HUGE.plain());
    }
    let rate = read("commission.rate", &rates.rate)?;
    if rate.is_negative() {
        return Err(error::COMMISSION_NEGATIVE.plain());
    }
    if rate > max_rate {
        return Err(error::COMMISSION_ABOVE_MAX.plain());
    }
    let max_change_rate = read("commission.max_change_rate", &rates.max_change_rate)?;
    if max_change_rate.is_negative() {
        return Err(error::CHANGE_RATE_NEGATIVE.plain());
    }
    if max_change_rate > max_rate {
        return Err(error::CHANGE_RATE_ABOVE_MAX.plain());
    }
    Ok(Commission {
        rate,
        max_rate,
        max_change_rate,
        update_time: BlockTime::default(),
    })
}

fn check_key_type(ctx: &Context, key: &Sum) -> Result<(), TxError> {
    let types = consensus::params(ctx)?
        .validator
        .map(|validator| validator.pub_key_types);
    let own = key_type(key);
    match types {
        Some(types) if !types.iter().any(|known| known == own) => {
            let text = format!("got: {own}, expected: [{}]", types.join(" "));
            Err(error::PUB_KEY_TYPE.with(text))
        }
        _ => Ok(()),
    }
}

//! `MsgStakeSupplier`: stake, change the stake in either direction, the owner, or the services.

use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::shared::{ServiceConfigUpdate, Supplier, SupplierServiceConfig};
use proto::pocket::supplier::{
    EventSupplierStaked, EventSupplierUnbondingCanceled, MsgStakeSupplier,
};

use super::error::Error;
use super::{MODULE, params, state};
use crate::context::Context;
use crate::error::{ChainError, GrpcCode, TxError};
use crate::modules::service;
use crate::modules::shared::coin::{self, Given};
use crate::modules::shared::error::Error as SharedError;
use crate::modules::shared::{self, address, grid, validate};
use crate::{auth, bank};

/// Checks the message without state.
pub(super) fn check(message: &MsgStakeSupplier) -> Result<(), TxError> {
    for (role, text) in [
        ("owner", &message.owner_address),
        ("operator", &message.operator_address),
        ("signer", &message.signer),
    ] {
        address::parse(text).map_err(|reason| {
            Error::InvalidAddress.because(format_args!("invalid {role} address {text}; ({reason})"))
        })?;
    }
    message.stake.as_ref().map_or(Ok(()), check_stake)?;
    if message.services.is_empty() {
        return Ok(());
    }
    validate::supplier_services(&message.services)
        .map_err(|detail| Error::InvalidServiceConfig.because(detail))?;
    if message.signer != message.operator_address {
        return Err(Error::InvalidServiceConfig.because(
            "only the operator account is authorized to update the service configurations",
        ));
    }
    Ok(())
}

fn check_stake(stake: &Coin) -> Result<(), TxError> {
    let bad = |detail: String| Err(Error::InvalidStake.because(detail));
    let stake = Given::of(stake);
    let text = stake.text();
    if !stake.is_well_formed() {
        bad(format!(
            "while parsing coin {text}; (invalid decimal coin expression: {text})"
        ))
    } else if stake.denom != coin::DENOM {
        bad(format!(
            "invalid coin denom: expected {}, got {}",
            coin::DENOM,
            stake.denom
        ))
    } else if !stake.is_positive() {
        bad(format!("invalid coin amount: {text} <= 0"))
    } else {
        Ok(())
    }
}

/// Moves the difference of the stakes, charges the fee, and writes supplier and configurations.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgStakeSupplier) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    require_person(ctx, &message.owner_address)?;
    require_services(ctx, &message.services)?;
    let found = state::get(ctx, &message.operator_address)?;
    let before = coin::stored(found.as_ref().and_then(|found| found.stake.as_ref()))?;
    match &found {
        Some(found) => require_permission(found, &message)?,
        None if message.stake.is_none() => {
            return Err(Error::InvalidStake.status(
                GrpcCode::InvalidArgument,
                "when staking a new supplier, the stake amount MUST be non-nil",
            ));
        }
        None => {}
    }
    let amount = message.stake.as_ref().map_or(before, coin::payable);
    let params = params::params(ctx)?;
    if amount < coin::stored(params.min_stake.as_ref())? {
        return Err(Error::InvalidStake.status(
            GrpcCode::InvalidArgument,
            format_args!(
                "supplier with owner {:?} must stake at least {}",
                message.owner_address,
                coin::text(&params.min_stake.unwrap_or_default())
            ),
        ));
    }
    let fee = coin::stored(params.staking_fee.as_ref())?;
    move_stake(ctx, &message, before, amount)
        .map_err(|error| TxError::status(GrpcCode::Internal, error))?;
    charge_fee(ctx, &message.signer, fee)
        .map_err(|error| TxError::status(GrpcCode::FailedPrecondition, error))?;

    let was_unbonding = found
        .as_ref()
        .is_some_and(|found| found.unstake_session_end_height != 0);
    let active = match found.filter(|_| was_unbonding) {
        Some(found) => {
            state::unmark_unbonding(ctx, &found);
            state::active_configs_at(ctx, &message.operator_address, ctx.block.height)?
        }
        None => Vec::new(),
    };
    let supplier = Supplier {
        owner_address: message.owner_address,
        operator_address: message.operator_address,
        stake: Some(coin::upokt(amount)),
        ..Default::default()
    };
    state::save(ctx, &supplier);
    let shared = shared::current(ctx)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    let opened = change_services(
        ctx,
        &supplier,
        message.services,
        session_end_height.saturating_add(1),
    )?;
    if was_unbonding {
        let service_config_history = shown_history(ctx, &supplier.operator_address, opened)?;
        ctx.emit(&EventSupplierUnbondingCanceled {
            supplier: Some(Supplier {
                services: active,
                service_config_history,
                ..supplier.clone()
            }),
            height: ctx.block.height,
            session_end_height,
        })?;
    }
    ctx.emit(&EventSupplierStaked {
        session_end_height,
        operator_address: supplier.operator_address,
    })?;
    Ok(())
}

/// Refuses module accounts, which could never move what is paid to them. A module that has no account yet is nobody, as
/// in the reference.
fn require_person(ctx: &Context<'_>, owner: &str) -> Result<(), TxError> {
    let owner_address = address::parse(owner)
        .map_err(|reason| TxError::status(GrpcCode::InvalidArgument, reason))?;
    if let Some(auth::Account::Module(_)) = auth::account(ctx, &owner_address)? {
        return Err(Error::InvalidAddress.status(
            GrpcCode::InvalidArgument,
            format_args!("owner address {owner} is a module account and cannot be used"),
        ));
    }
    Ok(())
}

/// Refuses services that are not on chain.
fn require_services(ctx: &Context<'_>, services: &[SupplierServiceConfig]) -> Result<(), TxError> {
    for config in services {
        if !service::exists(ctx, &config.service_id)? {
            return Err(Error::ServiceNotFound.status(
                GrpcCode::InvalidArgument,
                format_args!("service {:?} does not exist", config.service_id),
            ));
        }
    }
    Ok(())
}

/// Refuses strangers, a new owner named by anybody but the owner, and a revival by anybody but the owner.
fn require_permission(found: &Supplier, message: &MsgStakeSupplier) -> Result<(), TxError> {
    let refuse = |detail: String| {
        Err(SharedError::UnauthorizedSupplierUpdate.status(GrpcCode::InvalidArgument, detail))
    };
    let signer = &message.signer;
    let (owner, operator) = (&found.owner_address, &found.operator_address);
    if signer != owner && signer != operator {
        return refuse(format!(
            "signer address {signer} does not match owner address {} or supplier operator address {}",
            message.owner_address, message.operator_address
        ));
    }
    if signer != owner && message.owner_address != *owner {
        return refuse(format!(
            "signer {signer:?} is not allowed to update the owner address {owner:?}"
        ));
    }
    if signer != owner && found.unstake_session_end_height != 0 {
        return Err(SharedError::UnauthorizedSupplierUpdate.status(
            GrpcCode::PermissionDenied,
            format_args!(
                "signer {signer:?} is not allowed to cancel the unbonding of supplier with owner {owner:?}; only the owner can cancel an in-progress unstake"
            ),
        ));
    }
    Ok(())
}

/// Escrows more stake from the signer or gives less stake back to the owner.
fn move_stake(
    ctx: &mut Context<'_>,
    message: &MsgStakeSupplier,
    before: u128,
    after: u128,
) -> Result<(), TxError> {
    let invalid = |reason| TxError::status(GrpcCode::InvalidArgument, reason);
    let signer = address::parse(&message.signer).map_err(invalid)?;
    if after > before {
        let more = coin::upokt(after.saturating_sub(before));
        bank::account_to_module(ctx, &signer, MODULE, &[more])?;
    } else if after < before {
        let owner = address::parse(&message.owner_address).map_err(invalid)?;
        let less = coin::upokt(before.saturating_sub(after));
        bank::module_to_account(ctx, MODULE, &owner, &[less])?;
    }
    Ok(())
}

/// Charges the fee to the signer. A fee of nothing moves nothing, with the events of a transfer.
fn charge_fee(ctx: &mut Context<'_>, signer: &str, fee: u128) -> Result<(), TxError> {
    let signer = address::parse(signer)
        .map_err(|reason| TxError::status(GrpcCode::InvalidArgument, reason))?;
    bank::account_to_module(ctx, &signer, MODULE, &[coin::upokt(fee)])
}

/// Closes what is open and opens what is given, both at the next session start. Nothing given changes nothing. Returns
/// what was opened, as it was given.
fn change_services(
    ctx: &mut Context<'_>,
    supplier: &Supplier,
    services: Vec<SupplierServiceConfig>,
    next_start: i64,
) -> Result<Vec<ServiceConfigUpdate>, TxError> {
    let mut opened = Vec::new();
    if services.is_empty() {
        return Ok(opened);
    }
    state::close_configs(ctx, &supplier.operator_address, next_start)?;
    for service in services {
        let config = ServiceConfigUpdate {
            operator_address: supplier.operator_address.clone(),
            service: Some(service),
            activation_height: next_start,
            deactivation_height: 0,
        };
        state::save_config(ctx, &config)?;
        opened.push(config);
    }
    Ok(opened)
}

/// The history in the order in which events show it: what was opened now, then the rest.
fn shown_history(
    ctx: &Context<'_>,
    operator: &str,
    mut history: Vec<ServiceConfigUpdate>,
) -> Result<Vec<ServiceConfigUpdate>, ChainError> {
    for config in state::configs_of(ctx, operator)? {
        if !history.contains(&config) {
            history.push(config);
        }
    }
    Ok(history)
}

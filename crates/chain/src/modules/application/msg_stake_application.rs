//! `MsgStakeApplication`: stake for one service, or raise the stake, change the service or the spend limit.

use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::application::{
    Application, ApplicationServiceConfigUpdate, EventApplicationStaked,
    EventApplicationUnbondingCanceled, MsgStakeApplication,
};
use proto::pocket::shared::ApplicationServiceConfig;

use super::error::Error;
use super::{MODULE, params, state};
use crate::bank;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::limits::MIN_SPEND_LIMIT_UPOKT;
use crate::modules::shared::coin::{self, Given};
use crate::modules::shared::{self, address, go_text, grid, validate};

/// Checks the message without state.
pub(super) fn check(message: &MsgStakeApplication) -> Result<(), TxError> {
    super::check_address(&message.address)?;
    check_stake(message.stake.as_ref())?;
    check_services(&message.services)?;
    message
        .per_session_spend_limit
        .as_ref()
        .map_or(Ok(()), check_spend_limit)
}

fn check_stake(stake: Option<&Coin>) -> Result<(), TxError> {
    let bad = |detail: String| Err(Error::InvalidStake.because(detail));
    let Some(stake) = stake else {
        return bad("nil application stake; (<nil>)".to_owned());
    };
    let stake = Given::of(stake);
    let text = stake.text();
    if !stake.is_well_formed() {
        bad(format!(
            "invalid application stake {text}; (invalid denom: )"
        ))
    } else if !stake.is_positive() {
        bad(format!("invalid stake amount for application: {text} <= 0"))
    } else if stake.denom != coin::DENOM {
        bad(format!(
            "invalid stake amount denom for application: {text}"
        ))
    } else {
        Ok(())
    }
}

fn check_services(services: &[ApplicationServiceConfig]) -> Result<(), TxError> {
    let [service] = services else {
        return Err(Error::InvalidServiceConfigs.because(format_args!(
            "application must have exactly one service: {}",
            go_text::list(services)
        )));
    };
    validate::service_id(&service.service_id)
        .map_err(|detail| Error::InvalidServiceConfigs.because(detail))
}

fn check_spend_limit(limit: &Coin) -> Result<(), TxError> {
    let bad = |detail: String| Err(Error::InvalidSpendLimit.because(detail));
    let limit = Given::of(limit);
    let text = limit.text();
    let Some(amount) = &limit.amount else {
        return bad(format!("per-session spend limit is not an amount: {text}"));
    };
    if *amount < 0.into() {
        bad(format!(
            "per-session spend limit cannot be negative: {text}"
        ))
    } else if !limit.is_positive() {
        // None of any denomination: no limit.
        Ok(())
    } else if limit.denom != coin::DENOM {
        bad(format!(
            "invalid per-session spend limit denom, expecting: {}, got: {}",
            coin::DENOM,
            limit.denom
        ))
    } else if *amount < MIN_SPEND_LIMIT_UPOKT.into() {
        bad(format!(
            "per_session_spend_limit {text} must be at least {MIN_SPEND_LIMIT_UPOKT}{}",
            coin::DENOM
        ))
    } else {
        Ok(())
    }
}

/// Takes the difference of the stakes into escrow and writes the application.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgStakeApplication) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let owner = address::parse(&message.address)
        .map_err(|reason| TxError::status(GrpcCode::InvalidArgument, reason))?;
    let stake = message.stake.clone().unwrap_or_default();
    let amount = coin::payable(&stake);
    let found = state::get(ctx, &message.address)?;
    let before = coin::stored(found.as_ref().and_then(|found| found.stake.as_ref()))?;
    if found.is_some() && amount <= before {
        return Err(Error::InvalidStake.status(
            GrpcCode::InvalidArgument,
            format_args!(
                "stake amount {} must be higher than previous stake amount {}",
                coin::text(&stake),
                coin::text(&coin::upokt(before))
            ),
        ));
    }
    let min_stake = params::params(ctx)?.min_stake;
    if amount < coin::stored(min_stake.as_ref())? {
        return Err(Error::InvalidStake.status(
            GrpcCode::InvalidArgument,
            format_args!(
                "application {:?} must stake at least {}",
                message.address,
                coin::text(&min_stake.unwrap_or_default())
            ),
        ));
    }
    let shared = shared::current(ctx)?;
    let (mut application, was_unbonding) = match found {
        Some(found) => {
            let was_unbonding = found.unstake_session_end_height != 0;
            (found, was_unbonding)
        }
        None => (
            Application {
                address: message.address.clone(),
                ..Default::default()
            },
            false,
        ),
    };
    let next_start = grid::next_start(&shared, ctx.block.height);
    change_services(&mut application, message.services, next_start);
    application.stake = Some(stake);
    application.unstake_session_end_height = 0;
    if let Some(limit) = message.per_session_spend_limit {
        application.per_session_spend_limit = Some(limit).filter(|limit| coin::payable(limit) > 0);
    }
    let escrow = coin::upokt(amount.saturating_sub(before));
    bank::account_to_module(ctx, &owner, MODULE, &[escrow])
        .map_err(|error| TxError::status(GrpcCode::Internal, error))?;
    state::save(ctx, &application)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    if was_unbonding {
        ctx.emit(&EventApplicationUnbondingCanceled {
            application: Some(application.clone()),
            session_end_height,
        })?;
    }
    ctx.emit(&EventApplicationStaked {
        application: Some(application),
        session_end_height,
    })?;
    Ok(())
}

/// Whether two lists name the same services, in whatever order.
fn serves_the_same(one: &[ApplicationServiceConfig], other: &[ApplicationServiceConfig]) -> bool {
    one.len() == other.len() && one.iter().all(|service| other.contains(service))
}

/// Replaces the flat list and, when an existing application changes its services, records from when on they count.
pub(super) fn change_services(
    application: &mut Application,
    services: Vec<ApplicationServiceConfig>,
    next_start: i64,
) {
    let before = std::mem::replace(&mut application.service_configs, services);
    if before.is_empty() || serves_the_same(&before, &application.service_configs) {
        return;
    }
    let history = &mut application.service_config_history;
    let entry =
        |service: &ApplicationServiceConfig, activation_height| ApplicationServiceConfigUpdate {
            application_address: application.address.clone(),
            service: Some(service.clone()),
            activation_height,
            deactivation_height: 0,
        };
    if history.is_empty() {
        history.extend(before.iter().map(|service| entry(service, 1)));
    }
    history.retain(|entry| entry.activation_height != next_start);
    for open in history
        .iter_mut()
        .filter(|entry| entry.deactivation_height == 0)
    {
        open.deactivation_height = next_start;
    }
    history.extend(
        application
            .service_configs
            .iter()
            .map(|service| entry(service, next_start)),
    );
}

//! The end of a transfer: the source becomes the destination, or is merged into it (chain specification 2.3).

use std::collections::BTreeMap;

use proto::pocket::application::{Application, EventTransferEnd, EventTransferError};
use proto::pocket::shared::Params;

use super::error::Error;
use super::msg_stake_application::change_services;
use super::{keys, state};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, coin, ending, grid};

/// Finishes every transfer whose session has settled.
///
/// # Errors
/// When the store fails. A transfer that cannot be finished is undone with an event.
pub(super) fn finish_due(ctx: &mut Context<'_>, session_end_height: i64) -> Result<(), ChainError> {
    let live = shared::current(ctx)?;
    for address in due(ctx, &live)? {
        let Some(source) = state::get(ctx, &address)? else {
            continue;
        };
        let Some(pending) = &source.pending_transfer else {
            continue;
        };
        let began = grid::signed(pending.session_end_height);
        let then = if ctx.rules.grid_of_the_height {
            shared::params_at(ctx, began)?
        } else {
            live
        };
        let transfer_end_height = grid::settlement(&then, grid::end(&then, began));
        let destination_address = pending.destination_address.clone();
        match ctx.atomic(|ctx| finish(ctx, &source, &destination_address))? {
            Ok(destination) => ctx.emit(&EventTransferEnd {
                source_address: source.address,
                destination_address,
                destination_application: Some(destination),
                session_end_height,
                transfer_end_height,
            })?,
            Err(error) => undo(ctx, source, destination_address, session_end_height, error)?,
        }
    }
    Ok(())
}

/// The applications whose session has settled, in order. The reference takes sessions and windows from the live params,
/// whatever counted when the transfer began; the rule `grid_of_the_height` takes those of the session.
fn due(ctx: &Context<'_>, live: &Params) -> Result<Vec<String>, ChainError> {
    if ctx.rules.grid_of_the_height {
        return ending::due(ctx, keys::TRANSFERS, |params| grid::settlement(params, 0));
    }
    let height = ctx.block.height;
    let entries = ending::between(ctx, keys::TRANSFERS, 0, height)?.into_iter();
    let mut due: Vec<String> = entries
        .filter(|(began, _)| grid::settlement(live, grid::end(live, *began)) <= height)
        .map(|(_, address)| address)
        .collect();
    due.sort_unstable();
    Ok(due)
}

fn undo(
    ctx: &mut Context<'_>,
    mut source: Application,
    destination_address: String,
    session_end_height: i64,
    error: String,
) -> Result<(), ChainError> {
    source.pending_transfer = None;
    state::save(ctx, &source)?;
    ctx.emit(&EventTransferError {
        source_address: source.address.clone(),
        destination_address,
        source_application: Some(source),
        session_end_height,
        error,
    })
}

/// Writes the destination and deletes the source. The inner error is the transfer's, the outer one the machine's.
fn finish(
    ctx: &mut Context<'_>,
    source: &Application,
    destination_address: &str,
) -> Result<Result<Application, String>, ChainError> {
    if source.unstake_session_end_height != 0 {
        return Ok(Err(Error::IsUnstaking.describe(format_args!(
            "cannot transfer stake of unbonding source application ({})",
            source.address
        ))));
    }
    let next_start = grid::next_start(&shared::current(ctx)?, ctx.block.height);
    let destination = match state::get(ctx, destination_address)? {
        None => moved(source, destination_address),
        Some(destination) => match merged(source, destination, next_start)? {
            Ok(merged) => merged,
            Err(error) => return Ok(Err(error)),
        },
    };
    state::remove(ctx, source)?;
    state::save(ctx, &destination)?;
    Ok(Ok(destination))
}

/// The source under another address.
fn moved(source: &Application, address: &str) -> Application {
    let mut destination = Application {
        address: address.to_owned(),
        pending_transfer: None,
        ..source.clone()
    };
    for entry in &mut destination.service_config_history {
        entry.application_address = address.to_owned();
    }
    destination
}

/// Both in one: stakes added, lists united, the lower of two spend limits. Services that the destination did not serve
/// count from the next session on; what the source served before is not remembered.
fn merged(
    source: &Application,
    mut destination: Application,
    next_start: i64,
) -> Result<Result<Application, String>, ChainError> {
    let stakes = (
        coin::stored(source.stake.as_ref())?,
        coin::stored(destination.stake.as_ref())?,
    );
    let Some(stake) = stakes.0.checked_add(stakes.1) else {
        return Ok(Err(
            Error::InvalidStake.describe("the sum of both stakes is too large")
        ));
    };
    destination.stake = Some(coin::upokt(stake));
    unite(
        &mut destination.delegatee_gateway_addresses,
        &source.delegatee_gateway_addresses,
    );
    let mut services = destination.service_configs.clone();
    unite(&mut services, &source.service_configs);
    change_services(&mut destination, services, next_start);
    unite_undelegations(source, &mut destination);
    let limit_of = |application: &Application| {
        coin::stored(application.per_session_spend_limit.as_ref())
            .map(|limit| (limit > 0).then_some(limit))
    };
    let limits = [limit_of(source)?, limit_of(&destination)?];
    destination.per_session_spend_limit = limits.into_iter().flatten().min().map(coin::upokt);
    Ok(Ok(destination))
}

/// Pending undelegations of both, each gateway once: where both have one, that of the destination counts. An application
/// that undelegated a gateway more than once counts with the last time.
fn unite_undelegations(source: &Application, destination: &mut Application) {
    let mut ends = BTreeMap::new();
    for application in [source, &*destination] {
        for (session_end, list) in &application.pending_undelegations {
            for gateway in &list.gateway_addresses {
                ends.insert(gateway.clone(), *session_end);
            }
        }
    }
    destination.pending_undelegations.clear();
    for (gateway, session_end) in ends {
        destination
            .pending_undelegations
            .entry(session_end)
            .or_default()
            .gateway_addresses
            .push(gateway);
    }
}

/// Appends what is not there yet, keeping the order.
fn unite<T: Clone + PartialEq>(into: &mut Vec<T>, from: &[T]) {
    for item in from {
        if !into.contains(item) {
            into.push(item.clone());
        }
    }
}

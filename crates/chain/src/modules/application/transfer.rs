//! The end of a transfer: the source becomes the destination, or is merged into it (chain specification 2.3).

use std::collections::BTreeSet;

use proto::pocket::application::{
    Application, ApplicationServiceConfigUpdate, EventTransferEnd, EventTransferError,
};

use super::error::Error;
use super::{keys, state};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, coin, ending, grid};

/// Finishes every transfer whose session has settled.
///
/// # Errors
/// When the store fails. A transfer that cannot be finished is undone with an event.
pub(super) fn finish_due(ctx: &mut Context<'_>, session_end_height: i64) -> Result<(), ChainError> {
    let due = ending::due(ctx, keys::TRANSFERS, |params| grid::settlement(params, 0))?;
    for address in due {
        let Some(source) = state::get(ctx, &address)? else {
            continue;
        };
        let Some(pending) = &source.pending_transfer else {
            continue;
        };
        let began = grid::signed(pending.session_end_height);
        let transfer_end_height = grid::settlement(&shared::params_at(ctx, began)?, began);
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
    let destination = match state::get(ctx, destination_address)? {
        None => moved(source, destination_address),
        Some(destination) => match merged(source, destination)? {
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

/// Both in one: stakes added, lists united, the lower of two spend limits.
fn merged(
    source: &Application,
    mut destination: Application,
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
    let history = united_history(source, &destination);
    destination.stake = Some(coin::upokt(stake));
    destination.service_config_history = history;
    unite(
        &mut destination.delegatee_gateway_addresses,
        &source.delegatee_gateway_addresses,
    );
    unite(&mut destination.service_configs, &source.service_configs);
    for (session_end, list) in &source.pending_undelegations {
        let pending = destination
            .pending_undelegations
            .entry(*session_end)
            .or_default();
        let all = pending
            .gateway_addresses
            .iter()
            .chain(&list.gateway_addresses)
            .cloned();
        pending.gateway_addresses = all.collect::<BTreeSet<_>>().into_iter().collect();
    }
    let limit_of = |application: &Application| {
        coin::stored(application.per_session_spend_limit.as_ref())
            .map(|limit| (limit > 0).then_some(limit))
    };
    let limits = [limit_of(source)?, limit_of(&destination)?];
    destination.per_session_spend_limit = limits.into_iter().flatten().min().map(coin::upokt);
    Ok(Ok(destination))
}

/// The histories of both. An application without one has served its flat list from the start.
fn united_history(
    source: &Application,
    destination: &Application,
) -> Vec<ApplicationServiceConfigUpdate> {
    let both = [destination, source];
    if both
        .iter()
        .all(|application| application.service_config_history.is_empty())
    {
        return Vec::new();
    }
    let mut out: Vec<ApplicationServiceConfigUpdate> = Vec::new();
    for application in both {
        let flat =
            application
                .service_configs
                .iter()
                .map(|service| ApplicationServiceConfigUpdate {
                    application_address: destination.address.clone(),
                    service: Some(service.clone()),
                    activation_height: 1,
                    deactivation_height: 0,
                });
        let entries: Vec<_> = if application.service_config_history.is_empty() {
            flat.collect()
        } else {
            let mut entries = application.service_config_history.clone();
            for entry in &mut entries {
                entry.application_address.clone_from(&destination.address);
            }
            entries
        };
        unite(&mut out, &entries);
    }
    out
}

/// Appends what is not there yet, keeping the order.
fn unite<T: Clone + PartialEq>(into: &mut Vec<T>, from: &[T]) {
    for item in from {
        if !into.contains(item) {
            into.push(item.clone());
        }
    }
}

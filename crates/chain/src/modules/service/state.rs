//! Services, their prices and their difficulties in the state.
//!
//! A price or a difficulty of a height is the newest entry of the history that is not above it, so that a session is
//! settled with what counted at its start, whatever has changed since.

use proto::pocket::service::{
    RelayMiningDifficulty, RelayMiningDifficultyUpdate, ServiceComputeUnitsPerRelayUpdate,
};
use proto::pocket::shared::Service;

use super::{keys, params};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::history;

/// A service by id.
///
/// # Errors
/// When the store fails or the record cannot be read.
pub fn get(ctx: &Context<'_>, id: &str) -> Result<Option<Service>, ChainError> {
    ctx.load(&keys::service(id))
}

/// Whether a service exists.
///
/// # Errors
/// When the store fails.
pub fn exists(ctx: &Context<'_>, id: &str) -> Result<bool, ChainError> {
    ctx.has(&keys::service(id))
}

/// Stores a service.
pub(super) fn save(ctx: &mut Context<'_>, service: &Service) {
    ctx.save(keys::service(&service.id), service);
}

/// All services in order of their ids.
///
/// # Errors
/// As [`get`].
pub fn all(ctx: &Context<'_>) -> Result<Vec<Service>, ChainError> {
    history::all(ctx, keys::SERVICES)
}

/// Compute units per relay of a service at a height; `None` for an unknown service.
///
/// # Errors
/// As [`get`].
pub fn compute_units_at(
    ctx: &Context<'_>,
    id: &str,
    height: i64,
) -> Result<Option<u64>, ChainError> {
    let entry: Option<ServiceComputeUnitsPerRelayUpdate> =
        history::newest_at(ctx, &keys::compute_units_history(id), height)?;
    match entry {
        Some(entry) => Ok(Some(entry.compute_units_per_relay)),
        None => Ok(get(ctx, id)?.map(|service| service.compute_units_per_relay)),
    }
}

/// Writes an entry of the price history.
pub(super) fn set_compute_units(ctx: &mut Context<'_>, entry: &ServiceComputeUnitsPerRelayUpdate) {
    let key = keys::at(
        keys::compute_units_history(&entry.service_id),
        entry.effective_height,
    );
    ctx.save(key, entry);
}

/// The latest difficulty of a service, which may count from a height still to come; `None` before the first settlement.
///
/// # Errors
/// As [`get`].
pub fn difficulty(
    ctx: &Context<'_>,
    id: &str,
) -> Result<Option<RelayMiningDifficulty>, ChainError> {
    ctx.load(&keys::difficulty(id))
}

/// The difficulty of a service at a height; the base difficulty before the first change.
///
/// # Errors
/// As [`get`].
pub fn difficulty_at(
    ctx: &Context<'_>,
    id: &str,
    height: i64,
) -> Result<RelayMiningDifficulty, ChainError> {
    let entry: Option<RelayMiningDifficultyUpdate> =
        history::newest_at(ctx, &keys::difficulty_history(id), height)?;
    match entry.and_then(|entry| entry.difficulty) {
        Some(difficulty) => Ok(difficulty),
        None => base_difficulty(ctx, id, 0),
    }
}

/// The difficulty under which every relay counts.
///
/// # Errors
/// As [`get`].
pub(super) fn base_difficulty(
    ctx: &Context<'_>,
    id: &str,
    block_height: i64,
) -> Result<RelayMiningDifficulty, ChainError> {
    Ok(RelayMiningDifficulty {
        service_id: id.to_owned(),
        block_height,
        num_relays_ema: params::params(ctx)?.target_num_relays,
        target_hash: protocol::difficulty::BASE_TARGET.to_vec().into(),
    })
}

/// Stores a new difficulty, which counts from its `block_height` on. The first change of a service also records what
/// counted until then, from the current height.
///
/// # Errors
/// When the store fails.
pub fn set_difficulty(
    ctx: &mut Context<'_>,
    previous: RelayMiningDifficulty,
    new: RelayMiningDifficulty,
) -> Result<(), ChainError> {
    let table = keys::difficulty_history(&new.service_id);
    if history::is_empty(ctx, &table)? {
        let block_height = ctx.block.height;
        record(
            ctx,
            RelayMiningDifficulty {
                block_height,
                ..previous
            },
        );
    }
    save_difficulty(ctx, &new);
    record(ctx, new);
    Ok(())
}

/// Stores the latest difficulty of an exported state. It counts from its own height on, as in the chain that the state was
/// taken of. The reference prices sessions at the base difficulty from an import to the next settlement.
pub(super) fn import_difficulty(ctx: &mut Context<'_>, difficulty: &RelayMiningDifficulty) {
    save_difficulty(ctx, difficulty);
    record(ctx, difficulty.clone());
}

fn save_difficulty(ctx: &mut Context<'_>, difficulty: &RelayMiningDifficulty) {
    ctx.save(keys::difficulty(&difficulty.service_id), difficulty);
}

fn record(ctx: &mut Context<'_>, difficulty: RelayMiningDifficulty) {
    let effective_height = difficulty.block_height;
    let key = keys::at(
        keys::difficulty_history(&difficulty.service_id),
        effective_height,
    );
    ctx.save(
        key,
        &RelayMiningDifficultyUpdate {
            effective_height,
            difficulty: Some(difficulty),
        },
    );
}

//! How hard relays of a service are to mine, after a settlement of its claims (chain specification 4).

use std::collections::BTreeMap;

use proto::pocket::service::{EventRelayMiningDifficultyUpdated, RelayMiningDifficulty};
use protocol::difficulty::{BASE_TARGET, ema, new_target};

use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::grid;
use crate::modules::{service, shared};

/// Moves the difficulty of every service in `relays`, by service id: the number of leaves that settled for it in this
/// block. A change counts from the next session on.
///
/// # Errors
/// When the store fails.
pub(super) fn update(
    ctx: &mut Context<'_>,
    relays: &BTreeMap<String, u64>,
) -> Result<(), ChainError> {
    if relays.is_empty() {
        return Ok(());
    }
    let next_start = grid::next_start(&shared::current(ctx)?, ctx.block.height);
    let aim = service::params(ctx)?.target_num_relays;
    for (service_id, relays) in relays {
        let scaled = |relays_ema: u64| {
            // An aim beyond 2^63 - 1, which the reference reads as negative: as if every load were below it.
            new_target(relays_ema, aim)
                .unwrap_or(BASE_TARGET)
                .to_vec()
                .into()
        };
        let previous = match service::difficulty(ctx, service_id)? {
            Some(difficulty) => difficulty,
            None => RelayMiningDifficulty {
                service_id: service_id.clone(),
                block_height: ctx.block.height,
                num_relays_ema: *relays,
                target_hash: scaled(*relays),
            },
        };
        let num_relays_ema = ema(previous.num_relays_ema, *relays);
        let new = RelayMiningDifficulty {
            service_id: service_id.clone(),
            block_height: next_start,
            num_relays_ema,
            target_hash: scaled(num_relays_ema),
        };
        let event = EventRelayMiningDifficultyUpdated {
            service_id: service_id.clone(),
            prev_target_hash_hex_encoded: hex::encode(&previous.target_hash),
            new_target_hash_hex_encoded: hex::encode(&new.target_hash),
            prev_num_relays_ema: previous.num_relays_ema,
            new_num_relays_ema: new.num_relays_ema,
        };
        service::set_difficulty(ctx, previous, new)?;
        ctx.emit(&event)?;
    }
    Ok(())
}

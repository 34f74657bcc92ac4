//! The section `slashing` of a genesis document.

use crypto::keys::{Address, VALCONS_PREFIX};
use proto::cosmos::slashing::v1beta1::{
    GenesisState, MissedBlock, SigningInfo, ValidatorMissedBlocks,
};

use super::{hooks, keys, params, state};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::staking;

/// Loads params and how validators signed. Comes after staking, whose new validators have records already.
///
/// # Errors
/// Names the field.
pub fn init(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    params::validate(&section.params).map_err(|error| GenesisError::new("params", error.log))?;
    for validator in staking::validators(ctx)? {
        hooks::validator_created(ctx, &validator)?;
    }
    for (position, entry) in section.signing_infos.iter().enumerate() {
        let consensus = address(
            &format!("signing_infos[{position}].address"),
            &entry.address,
        )?;
        state::save_signing_info(ctx, &consensus, &entry.validator_signing_info);
    }
    for (position, entry) in section.missed_blocks.iter().enumerate() {
        let path = format!("missed_blocks[{position}]");
        let consensus = address(&format!("{path}.address"), &entry.address)?;
        for block in &entry.missed_blocks {
            if block.index < 0 {
                return Err(GenesisError::new(path, "an index is negative"));
            }
            state::set_missed(ctx, &consensus, block.index, block.missed)?;
        }
    }
    params::save(ctx, &section.params);
    Ok(())
}

fn address(path: &str, text: &str) -> Result<Address, GenesisError> {
    Address::from_bech32_with(VALCONS_PREFIX, text).map_err(|error| GenesisError::new(path, error))
}

/// All of it.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let (mut signing_infos, mut missed_blocks) = (Vec::new(), Vec::new());
    for pair in ctx.iter(keys::SIGNING_INFOS) {
        let (key, value) = pair?;
        let wrong = |reason: &dyn std::fmt::Display| ChainError::corrupt(hex::encode(&key), reason);
        let consensus = key
            .last_chunk::<20>()
            .map(|bytes| Address(*bytes))
            .ok_or_else(|| wrong(&"no address at the end"))?;
        let address = consensus.to_bech32_with(VALCONS_PREFIX);
        signing_infos.push(SigningInfo {
            address: address.clone(),
            validator_signing_info: prost::Message::decode(value.as_slice())
                .map_err(|error| wrong(&error))?,
        });
        let missed = state::missed(ctx, &consensus)?.into_iter();
        missed_blocks.push(ValidatorMissedBlocks {
            address,
            missed_blocks: missed
                .map(|index| MissedBlock {
                    index,
                    missed: true,
                })
                .collect(),
        });
    }
    Ok(GenesisState {
        params: params(ctx)?,
        signing_infos,
        missed_blocks,
    })
}

//! Reading and writing how validators sign.

use crypto::keys::{Address, VALCONS_PREFIX};
use proto::cosmos::slashing::v1beta1::ValidatorSigningInfo;

use super::keys;
use crate::context::{BlockTime, Context};
use crate::error::ChainError;

/// Blocks in one part of a window, a bit each: the reference's.
const PART_BITS: u64 = 1_024;

/// How a validator signs.
///
/// # Errors
/// When the store fails.
pub fn signing_info(
    ctx: &Context,
    consensus: &Address,
) -> Result<Option<ValidatorSigningInfo>, ChainError> {
    ctx.load(&keys::signing_info(consensus))
}

pub(super) fn save_signing_info(
    ctx: &mut Context,
    consensus: &Address,
    info: &ValidatorSigningInfo,
) {
    ctx.save(keys::signing_info(consensus), info);
}

/// Of a validator that starts to sign at a height.
pub(super) fn new_signing_info(consensus: &Address, height: i64) -> ValidatorSigningInfo {
    ValidatorSigningInfo {
        address: consensus.to_bech32_with(VALCONS_PREFIX),
        start_height: height,
        index_offset: 0,
        jailed_until: BlockTime::default().to_proto(),
        tombstoned: false,
        missed_blocks_counter: 0,
    }
}

/// Where a place of the window is: its part, and byte and bit in it.
fn place(index: i64) -> (u64, usize, u8) {
    let index = u64::try_from(index).unwrap_or(0);
    let part = index.checked_div(PART_BITS).unwrap_or(0);
    let bit = index.checked_rem(PART_BITS).unwrap_or(0);
    let byte = usize::try_from(bit.checked_div(8).unwrap_or(0)).unwrap_or(0);
    let mask = 1_u8
        .checked_shl(u32::try_from(bit & 7).unwrap_or(0))
        .unwrap_or(0);
    (part, byte, mask)
}

/// Whether a block of the window was missed.
pub(super) fn is_missed(
    ctx: &Context,
    consensus: &Address,
    index: i64,
) -> Result<bool, ChainError> {
    let (part, byte, mask) = place(index);
    let bits = ctx.get(&keys::missed(consensus, part))?.unwrap_or_default();
    Ok(bits.get(byte).is_some_and(|bits| bits & mask != 0))
}

/// Records whether a block of the window was missed.
pub(super) fn set_missed(
    ctx: &mut Context,
    consensus: &Address,
    index: i64,
    missed: bool,
) -> Result<(), ChainError> {
    let (part, byte, mask) = place(index);
    let key = keys::missed(consensus, part);
    let mut bits = ctx.get(&key)?.unwrap_or_default();
    bits.resize(usize::try_from(PART_BITS / 8).unwrap_or(0), 0);
    if let Some(bits) = bits.get_mut(byte) {
        if missed {
            *bits |= mask;
        } else {
            *bits &= !mask;
        }
    }
    ctx.set(key, bits);
    Ok(())
}

/// Forgets all blocks missed.
pub(super) fn forget_missed(ctx: &mut Context, consensus: &Address) -> Result<(), ChainError> {
    let found: Result<Vec<_>, ChainError> = ctx.iter(&keys::missed_of(consensus)).collect();
    for (key, _) in found? {
        ctx.remove(&key);
    }
    Ok(())
}

/// Places of the window that were missed. The reference counts the parts that exist in the order of their keys, not by
/// their numbers, and so do we: exports show it.
pub(super) fn missed(ctx: &Context, consensus: &Address) -> Result<Vec<i64>, ChainError> {
    let mut out = Vec::new();
    let mut index = 0_i64;
    for pair in ctx.iter(&keys::missed_of(consensus)) {
        let (_, bits) = pair?;
        for byte in bits {
            for bit in 0..8_u32 {
                if byte.checked_shr(bit).unwrap_or(0) & 1 == 1 {
                    out.push(index);
                }
                index = index.saturating_add(1);
            }
        }
    }
    Ok(out)
}

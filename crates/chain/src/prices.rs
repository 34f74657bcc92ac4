//! What work costs beyond the SDK's params: prices in gas, and the most that one transaction may use.
//!
//! They are part of the chain's state; genesis sets them under `app_state.relaymill.gas`. Absent, nothing is charged and
//! nothing bounded that the reference does not, so that its recordings replay. Our own networks start with
//! [`Prices::ours`]. Signatures and bytes of transactions have their prices in the params of `auth`, the gas of a block is
//! a consensus param: those are the SDK's own places.

use serde::{Deserialize, Serialize};

use crate::consensus;
use crate::context::Context;
use crate::error::{ChainError, TxError};

/// State key of the prices, as JSON.
const PRICES: &[u8] = b"relaymill/gas";

/// Prices and bounds in gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// Highest gas limit of one transaction; 0 leaves it to the block's.
    pub tx_gas_max: u64,
    /// Verifying one member of the ring that signed a proven relay.
    pub ring_member: u64,
    /// Verifying the rest of a proof: the supplier's signature and the way to the root.
    pub proof: u64,
    /// Each byte of a proof, which is stored until the end of the block.
    pub stored_proof_byte: u64,
}

/// Gas of one block on our own networks. 3,000 proofs of 5 kB, as many as MainNet settles at once, ask for 1.5 billion
/// with the usual margin of 70 %; a block full of rings takes 12 s on one core and 1.5 s on eight (125 µs a member).
pub const BLOCK_GAS_MAX: i64 = 2_000_000_000;

impl Prices {
    /// What the reference charges beyond the SDK: nothing.
    pub const fn reference() -> Self {
        Self {
            tx_gas_max: 0,
            ring_member: 0,
            proof: 0,
            stored_proof_byte: 0,
        }
    }

    /// What our own networks start with.
    ///
    /// A proof of the largest size (1 MiB, two relays of 480 KiB) takes 52 million for its bytes, 89 million with the
    /// usual margin, so one transaction may use 120 million. A ring's member costs 125 µs when its tables are cold,
    /// twice an ECDSA signature of 1,000 gas; it is priced ten times as much because it is verified outside of the
    /// transaction, where nothing else slows it down. 16,000 members, which fit into a transaction, are too dear then.
    pub const fn ours() -> Self {
        Self {
            tx_gas_max: 120_000_000,
            ring_member: 20_000,
            proof: 2_000,
            stored_proof_byte: 10,
        }
    }
}

/// The prices of this chain.
///
/// # Errors
/// When the store fails or holds something else.
pub fn prices(ctx: &Context) -> Result<Prices, ChainError> {
    match ctx.get(PRICES)? {
        None => Ok(Prices::reference()),
        Some(json) => {
            serde_json::from_slice(&json).map_err(|error| ChainError::corrupt("gas", error))
        }
    }
}

/// Stores prices; those of the reference are absence.
///
/// # Errors
/// When they cannot be written as JSON.
pub(crate) fn save(ctx: &mut Context, prices: &Prices) -> Result<(), ChainError> {
    if *prices == Prices::reference() {
        return Ok(());
    }
    let json = serde_json::to_vec(prices).map_err(|error| ChainError::corrupt("gas", error))?;
    ctx.set(PRICES.to_vec(), json);
    Ok(())
}

/// Highest gas limit of one transaction: the chain's own bound, and the block's. `None` without either.
///
/// # Errors
/// When the store fails.
pub fn tx_gas_max(ctx: &Context) -> Result<Option<u64>, ChainError> {
    let own = Some(prices(ctx)?.tx_gas_max).filter(|max| *max > 0);
    let of_block = consensus::block_gas_max(ctx)?;
    Ok(match (own, of_block) {
        (Some(own), Some(block)) => Some(own.min(block)),
        (own, block) => own.or(block),
    })
}

/// Charges for a proof of some bytes whose relay a ring of some members signed.
///
/// # Errors
/// sdk 11 when the limit is exceeded.
pub(crate) fn charge_proof(
    ctx: &mut Context,
    bytes: usize,
    ring_members: usize,
) -> Result<(), TxError> {
    let prices = prices(ctx)?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let rings = prices.ring_member.saturating_mul(count(ring_members));
    ctx.charge(rings.saturating_add(prices.proof), "proof verification")?;
    let stored = prices.stored_proof_byte.saturating_mul(count(bytes));
    ctx.charge(stored, "stored proof")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Mode;
    use crate::rules::Rules;
    use crate::testing::{TestChain, refused};

    fn gas_of_a_proof(prices: &Prices, mode: Mode) -> u64 {
        let mut chain = TestChain::new(Rules::mended());
        chain.run(|ctx| save(ctx, prices)).unwrap();
        let mut ctx = Context::new(chain.view(), chain.block.clone(), chain.rules, mode);
        ctx.meter(None);
        charge_proof(&mut ctx, 1_000, 3).unwrap();
        ctx.gas_used()
    }

    #[test]
    fn a_proof_costs_its_ring_and_its_bytes_the_same_in_trial_and_block() {
        let free = gas_of_a_proof(&Prices::reference(), Mode::Deliver);
        let ours = Prices {
            tx_gas_max: 0,
            ..Prices::ours()
        };
        let paid = gas_of_a_proof(&ours, Mode::Deliver);
        // What is left after the work is reading the prices, which are longer than none.
        let reading = paid - free - (3 * 20_000 + 2_000 + 10 * 1_000);
        assert!(reading < 1_000, "{reading}");
        assert_eq!(gas_of_a_proof(&ours, Mode::Simulate), paid);
    }

    #[test]
    fn a_proof_that_is_too_dear_is_out_of_gas() {
        let mut chain = TestChain::new(Rules::mended());
        chain.run(|ctx| save(ctx, &Prices::ours())).unwrap();
        let mut ctx = Context::for_test(chain.view(), chain.block.clone(), chain.rules);
        ctx.meter(Some(Prices::ours().tx_gas_max));
        // As many members as a megabyte can name.
        let members = 1_048_576 / 65;
        let log = refused(charge_proof(&mut ctx, 1_048_576, members), "sdk", 11).unwrap();
        assert!(log.contains("proof verification"), "{log}");
    }

    #[test]
    fn the_lower_of_both_bounds_counts() {
        let bound = |own: u64, block: i64| {
            let mut chain = TestChain::new(Rules::mended());
            let prices = Prices {
                tx_gas_max: own,
                ..Prices::reference()
            };
            chain
                .run(|ctx| {
                    save(ctx, &prices)?;
                    let params = consensus::Form::default().with_block_gas_max(block);
                    Ok::<(), ChainError>(consensus::init(ctx, &params.to_proto())?)
                })
                .unwrap();
            chain.read(tx_gas_max).unwrap()
        };
        assert_eq!(bound(0, -1), None);
        assert_eq!(bound(5, -1), Some(5));
        assert_eq!(bound(0, 7), Some(7));
        assert_eq!(bound(5, 7), Some(5));
        assert_eq!(bound(9, 7), Some(7));
    }
}

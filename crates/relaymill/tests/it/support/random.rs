//! Repeatable chance.

use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// A sequence of its own for `name`, under the seed of this run.
    pub(crate) fn new(name: &str) -> Self {
        let seed = match std::env::var("RELAYMILL_SEED") {
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("RELAYMILL_SEED=`{text}` is no number")),
            Err(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| since.as_nanos() as u64 % 1_000_000),
        };
        println!("{name}: RELAYMILL_SEED={seed}");
        Self::seeded(name, seed)
    }

    /// The sequence of `name` under `seed`.
    pub(crate) fn seeded(name: &str, seed: u64) -> Self {
        Self(name.bytes().fold(seed, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        }))
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

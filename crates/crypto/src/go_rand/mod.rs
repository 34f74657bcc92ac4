//! Go's legacy `math/rand` and `binary.Varint`, as the proof requirement draws them.
//!
//! Whether a claim needs a proof depends on the first `Float64` of a generator seeded from a hash,
//! so the numbers must equal Go's to the last bit (relay-protocol.md §6.4, chain.md appendix C).
//! The generator is an additive lagged Fibonacci one, x\[n\] = x\[n-607\] + x\[n-273\] mod 2^64,
//! started from a Lehmer generator and a fixed table.
//!
//! Start with [`GoRand::new`]; the seed comes from [`varint`].

#[cfg(test)]
mod tests;

/// Length of the lag.
const LENGTH: usize = 607;
/// Where the feed pointer starts: the length less the tap of 273.
const FEED_START: usize = 334;
/// Modulus of the Lehmer generator, 2^31 - 1.
const LEHMER_MODULUS: i64 = 0x7fff_ffff;
/// Seed that stands in for zero.
const ZERO_SEED: u64 = 89_482_311;

/// The start table: 607 numbers, one a line of 16 hex digits.
static COOKED: [u64; LENGTH] = parse_table(include_bytes!("../go_rand_cooked.txt"));

/// Reads the table at compile time; a digit that is none stops the build.
const fn parse_table(text: &[u8]) -> [u64; LENGTH] {
    let mut table = [0u64; LENGTH];
    let mut line = 0;
    while line < LENGTH {
        let mut column = 0;
        while column < 16 {
            let digit = match text[line * 17 + column] {
                digit @ b'0'..=b'9' => digit - b'0',
                digit @ b'a'..=b'f' => digit - b'a' + 10,
                _ => panic!("the table holds lower-case hexadecimal digits only"),
            };
            table[line] = table[line] << 4 | digit as u64;
            column += 1;
        }
        assert!(text[line * 17 + 16] == b'\n', "each line holds 16 digits");
        line += 1;
    }
    table
}

/// Reads a signed varint from the front of `bytes` as Go's `binary.Varint` does: at most ten bytes
/// of seven bits, low group first, then zigzag. Zero when the bytes end too early or hold more than
/// 64 bits.
pub fn varint(bytes: &[u8]) -> i64 {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return 0;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            let magnitude = (value >> 1) as i64;
            return if value & 1 == 1 {
                !magnitude
            } else {
                magnitude
            };
        }
    }
    0
}

/// Go's `rand.New(rand.NewSource(seed))`.
pub struct GoRand {
    state: Box<[u64; LENGTH]>,
    tap: usize,
    feed: usize,
}

impl GoRand {
    /// Seeds the generator. Seeds that agree modulo 2^31 - 1 give the same numbers.
    pub fn new(seed: i64) -> Self {
        let reduced = seed.rem_euclid(LEHMER_MODULUS) as u64;
        let mut lehmer = if reduced == 0 { ZERO_SEED } else { reduced };
        let mut next = || {
            lehmer = lehmer * 48_271 % LEHMER_MODULUS as u64;
            lehmer
        };
        for _ in 0..20 {
            next();
        }
        let mut state = Box::new([0; LENGTH]);
        for (word, cooked) in state.iter_mut().zip(&COOKED) {
            *word = (next() << 40) ^ (next() << 20) ^ next() ^ cooked;
        }
        Self {
            state,
            tap: 0,
            feed: FEED_START,
        }
    }

    /// The next 64 bits (`Uint64`).
    pub fn uint64(&mut self) -> u64 {
        self.tap = (self.tap + LENGTH - 1) % LENGTH;
        self.feed = (self.feed + LENGTH - 1) % LENGTH;
        let sum = self.state[self.feed].wrapping_add(self.state[self.tap]);
        self.state[self.feed] = sum;
        sum
    }

    /// The next number from 0 to 2^63 - 1 (`Int63`).
    pub fn int63(&mut self) -> i64 {
        (self.uint64() & (u64::MAX >> 1)) as i64
    }

    /// The next number in \[0, 1) (`Float64`): `Int63` / 2^63, drawn again when it rounds to one.
    pub fn float64(&mut self) -> f64 {
        loop {
            let value = self.int63() as f64 / (1u64 << 63) as f64;
            if value != 1.0 {
                return value;
            }
        }
    }
}

//! Block heights.

use std::fmt;

/// A block height. Signed as on the wire; the first block is 1, and every rule of the grid gives 0 for heights
/// below it (relay-protocol §3.1).
///
/// Arithmetic saturates: a sum beyond `i64::MAX` is a height that no block reaches, which is the right meaning of
/// "never" for windows and deadlines, and it cannot wrap into the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub i64);

impl Height {
    /// The height below every block.
    pub const ZERO: Height = Height(0);

    /// This height plus `blocks`, saturating.
    pub fn plus(self, blocks: u64) -> Height {
        Height(self.0.saturating_add(blocks_i64(blocks)))
    }

    /// This height minus `blocks`, saturating.
    pub fn minus(self, blocks: u64) -> Height {
        Height(self.0.saturating_sub(blocks_i64(blocks)))
    }

    /// The next height, saturating.
    pub fn next(self) -> Height {
        self.plus(1)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<i64> for Height {
    fn from(height: i64) -> Height {
        Height(height)
    }
}

impl From<Height> for i64 {
    fn from(height: Height) -> i64 {
        height.0
    }
}

/// A number of blocks as a signed number; what does not fit is as good as infinite.
pub(crate) fn blocks_i64(blocks: u64) -> i64 {
    i64::try_from(blocks).unwrap_or(i64::MAX)
}

//! Which session a height belongs to (relay-protocol §3.1).

use proto::pocket::shared::Params;

use crate::error::ProtocolError;
use crate::height::Height;

/// The grid of one parameter epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    blocks_per_session: i64,
    /// As stored; not positive or above the height in question means none.
    anchor_height: i64,
    anchor_number: i64,
}

impl Grid {
    /// The grid of `params`.
    ///
    /// # Errors
    /// [`ProtocolError::ParameterRange`] if sessions have no block or more than 2^63 - 1.
    pub fn new(params: &Params) -> Result<Grid, ProtocolError> {
        let value = params.num_blocks_per_session;
        let blocks_per_session = i64::try_from(value).ok().filter(|blocks| *blocks >= 1);
        Ok(Grid {
            blocks_per_session: blocks_per_session.ok_or(ProtocolError::ParameterRange {
                name: "num_blocks_per_session",
                value,
            })?,
            // The reference reads both as signed numbers.
            anchor_height: params.session_grid_anchor_height.cast_signed(),
            anchor_number: params.session_number_at_anchor.cast_signed(),
        })
    }

    /// Blocks in a session.
    pub fn blocks_per_session(&self) -> i64 {
        self.blocks_per_session
    }

    /// First height of the session that contains `height`; 0 below height 1.
    pub fn start(&self, height: Height) -> Height {
        self.locate(height).map_or(Height::ZERO, |(start, _)| start)
    }

    /// Last height of the session that contains `height`; 0 below height 1.
    pub fn end(&self, height: Height) -> Height {
        self.locate(height).map_or(Height::ZERO, |(start, _)| {
            Height(
                start
                    .0
                    .saturating_add(self.blocks_per_session.saturating_sub(1)),
            )
        })
    }

    /// Number of the session that contains `height`; 0 below height 1.
    pub fn number(&self, height: Height) -> i64 {
        self.locate(height).map_or(0, |(_, number)| number)
    }

    /// First height of the session after the one that contains `height`.
    pub fn next_start(&self, height: Height) -> Height {
        self.end(height).next()
    }

    /// Whether `height` is the first of its session.
    pub fn is_start(&self, height: Height) -> bool {
        self.start(height) == height
    }

    /// Whether `height` is the last of its session.
    pub fn is_end(&self, height: Height) -> bool {
        self.end(height) == height
    }

    /// Start and number of the session of a height of at least 1.
    fn locate(&self, height: Height) -> Option<(Height, i64)> {
        if height.0 < 1 {
            return None;
        }
        let (anchor, number) = if self.anchor_height <= 0 || self.anchor_height > height.0 {
            (1, 1)
        } else {
            (self.anchor_height, self.anchor_number.max(1))
        };
        let sessions = height
            .0
            .saturating_sub(anchor)
            .checked_div(self.blocks_per_session)?;
        let blocks = sessions.saturating_mul(self.blocks_per_session);
        Some((
            Height(anchor.saturating_add(blocks)),
            number.saturating_add(sessions),
        ))
    }
}

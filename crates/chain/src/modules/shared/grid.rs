//! The grid of sessions as numbers: [`protocol::session`] applied to params of the state.
//!
//! Valid params always have a grid; should invalid ones ever be asked, every answer is 0, as below height 1.

use proto::pocket::shared::Params;
use protocol::height::Height;
use protocol::session::{Grid, Windows};

/// First height of the session that contains `height`.
pub fn start(params: &Params, height: i64) -> i64 {
    Grid::new(params).map_or(0, |grid| grid.start(Height(height)).0)
}

/// Last height of the session that contains `height`.
pub fn end(params: &Params, height: i64) -> i64 {
    Grid::new(params).map_or(0, |grid| grid.end(Height(height)).0)
}

/// First height of the session after the one that contains `height`.
pub fn next_start(params: &Params, height: i64) -> i64 {
    end(params, height).saturating_add(1)
}

/// Number of the session that contains `height`.
pub fn number(params: &Params, height: i64) -> i64 {
    Grid::new(params).map_or(0, |grid| grid.number(Height(height)))
}

/// Whether `height` is the last of its session.
pub fn is_end(params: &Params, height: i64) -> bool {
    end(params, height) == height
}

/// The block at whose end the claims of a session settle, which is also the last of its proof window.
pub fn settlement(params: &Params, session_end: i64) -> i64 {
    Windows::new(params, Height(session_end)).settlement().0
}

/// The height at whose end somebody who stopped at `session_end` is paid out, after so many sessions.
pub fn unbonding_end(params: &Params, session_end: i64, sessions: u64) -> i64 {
    Height(session_end)
        .plus(sessions.saturating_mul(params.num_blocks_per_session))
        .0
}

/// A height as records of the reference hold it. Heights of records are never negative.
pub fn unsigned(height: i64) -> u64 {
    height.max(0).unsigned_abs()
}

/// A height of a record as a signed number; what does not fit is never reached.
pub fn signed(height: u64) -> i64 {
    i64::try_from(height).unwrap_or(i64::MAX)
}

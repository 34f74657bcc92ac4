//! Who may serve a session: the table by service, and how it can be known whether it has changed.
//!
//! The table holds what choosing suppliers needs and nothing else. It is still as long as a service has suppliers, and a
//! session is asked for by every claim of a block and every gateway, so answers are remembered by the process
//! ([`crate::modules::session::Draws`]). What was remembered is still true exactly when the two counts of changes beside
//! the table say so:
//!
//! - all changes: with the same count the table is the same;
//! - changes that reach back, to heights not above the block that made them: with the same count, the candidates at any
//!   height that a block had reached by then are the same. Staking and unstaking take effect at a session start to come,
//!   so that only forgetting old configurations reaches back.

use proto::pocket::shared::ServiceConfigUpdate;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::keys::{take_height, take_text};

/// The operators that offer a service at a height, in the order of the table: activation height, then operator. They are
/// the same at all heights from `from` up to, not including, `until`, as long as the table does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Operator addresses.
    pub operators: Vec<String>,
    /// First height at which exactly these serve.
    pub from: i64,
    /// First height at which others do.
    pub until: i64,
}

/// Reads the candidates of a service at a height off its table, and nothing else.
///
/// # Errors
/// When the store fails or an entry cannot be read.
pub fn candidates_at(
    ctx: &Context<'_>,
    service_id: &str,
    height: i64,
) -> Result<Candidates, ChainError> {
    let table = keys::of_service(service_id);
    let mut out = Candidates {
        operators: Vec::new(),
        from: 0,
        until: i64::MAX,
    };
    for pair in ctx.iter(&table) {
        let (key, value) = pair?;
        let candidate = Candidate::read(&table, &key, &value)?;
        for bound in [candidate.activation, candidate.deactivation] {
            if bound > height {
                out.until = out.until.min(bound);
            } else {
                out.from = out.from.max(bound);
            }
        }
        if candidate.activation > height {
            break;
        }
        if candidate.is_active(height) {
            out.operators.push(candidate.operator.to_owned());
        }
    }
    Ok(out)
}

/// An entry of the table by service.
pub(super) struct Candidate<'a> {
    /// First height at which it serves.
    pub(super) activation: i64,
    /// First height at which it no longer does; 0 for none.
    pub(super) deactivation: i64,
    /// Operator address.
    pub(super) operator: &'a str,
}

impl<'a> Candidate<'a> {
    /// Reads a pair of the table.
    pub(super) fn read(
        table: &[u8],
        key: &'a [u8],
        value: &[u8],
    ) -> Result<Candidate<'a>, ChainError> {
        let tail = key.strip_prefix(table).unwrap_or_default();
        Self::parse(tail, value).ok_or_else(|| {
            ChainError::corrupt(hex::encode(key), "not an entry of the service index")
        })
    }

    /// Reads what follows the table in a key.
    pub(super) fn parse(tail: &'a [u8], value: &[u8]) -> Option<Candidate<'a>> {
        let (activation, rest) = take_height(tail)?;
        let (operator, _) = take_text(rest.strip_prefix(b"/")?)?;
        let deactivation = i64::from_be_bytes(value.try_into().ok()?);
        Some(Candidate {
            activation,
            deactivation,
            operator,
        })
    }

    /// Whether it serves at a height.
    pub(super) fn is_active(&self, height: i64) -> bool {
        protocol::session::is_active(
            self.activation.into(),
            self.deactivation.into(),
            height.into(),
        )
    }
}

/// How often the table of a service has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Changes {
    all: u64,
    reaching_back: u64,
}

impl Changes {
    fn read(bytes: Option<&[u8]>) -> Result<Self, ChainError> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        let parse = || {
            let (all, rest) = bytes.split_first_chunk()?;
            let (reaching_back, _) = rest.split_first_chunk()?;
            Some(Self {
                all: u64::from_be_bytes(*all),
                reaching_back: u64::from_be_bytes(*reaching_back),
            })
        };
        parse().ok_or_else(|| ChainError::corrupt("supplier/changes", "not two counts"))
    }

    fn to_bytes(self) -> Vec<u8> {
        [self.all.to_be_bytes(), self.reaching_back.to_be_bytes()].concat()
    }
}

/// What the counts say about the table of a service now, as far as it is that of a committed state: a count that was
/// raised since may yet be taken back and raised again by something else, so it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Count of all changes.
    pub all: Option<u64>,
    /// Count of those that reach back.
    pub reaching_back: Option<u64>,
}

/// The version of the table of a service. Costs no gas.
///
/// # Errors
/// When the store fails.
pub fn version(ctx: &Context<'_>, service_id: &str) -> Result<Version, ChainError> {
    let key = keys::changes(service_id);
    let below = Changes::read(ctx.below(&key)?.as_deref())?;
    let now = Changes::read(ctx.unpriced(|ctx| ctx.get(&key))?.as_deref())?;
    let committed = |below: u64, now: u64| (below == now).then_some(now);
    Ok(Version {
        all: committed(below.all, now.all),
        reaching_back: committed(below.reaching_back, now.reaching_back),
    })
}

/// The first height at which a configuration, put in place of another, makes a difference to who serves; none when it
/// makes no difference.
pub(super) fn reach(
    before: Option<&ServiceConfigUpdate>,
    after: &ServiceConfigUpdate,
) -> Option<i64> {
    let Some(before) = before else {
        return Some(after.activation_height);
    };
    let end = |config: &ServiceConfigUpdate| match config.deactivation_height {
        0 => i64::MAX,
        height => height,
    };
    let (before, after) = (end(before), end(after));
    (before != after).then(|| before.min(after))
}

/// Counts a change of the table of a service that makes a difference from height `reach` on.
///
/// # Errors
/// When the store fails.
pub(super) fn changed(
    ctx: &mut Context<'_>,
    service_id: &str,
    reach: Option<i64>,
) -> Result<(), ChainError> {
    let Some(reach) = reach else {
        return Ok(());
    };
    let key = keys::changes(service_id);
    let mut changes = Changes::read(ctx.get(&key)?.as_deref())?;
    changes.all = changes.all.saturating_add(1);
    if reach <= ctx.block.height {
        changes.reaching_back = changes.reaching_back.saturating_add(1);
    }
    ctx.set(key, changes.to_bytes());
    Ok(())
}

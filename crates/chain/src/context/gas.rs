//! Gas: a pure function of a transaction's bytes and of the state it meets (chain specification 6.6).

use std::cell::{Cell, RefCell};

use crate::error::ChainError;

/// Prices of access to state, those of the SDK's default store configuration.
#[derive(Clone, Copy, Debug)]
pub struct GasCosts;

impl GasCosts {
    /// Each read.
    pub const READ_FLAT: u64 = 1_000;
    /// Each byte read, key and value.
    pub const READ_PER_BYTE: u64 = 3;
    /// Each write.
    pub const WRITE_FLAT: u64 = 2_000;
    /// Each byte written, key and value.
    pub const WRITE_PER_BYTE: u64 = 30;
    /// Each question whether a key exists.
    pub const HAS: u64 = 1_000;
    /// Each removal.
    pub const DELETE: u64 = 1_000;
    /// Each step of a walk.
    pub const NEXT: u64 = 30;
}

/// Counts what a query reads: every value, and every step of a walk.
#[derive(Debug, Default)]
pub(super) struct Rows {
    limit: Option<u64>,
    read: Cell<u64>,
}

impl Rows {
    /// Fails beyond a limit.
    pub(super) fn with_limit(limit: u64) -> Self {
        Self {
            limit: Some(limit),
            read: Cell::new(0),
        }
    }

    pub(super) fn read(&self, rows: usize) -> Result<(), ChainError> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.read.set(self.read.get().saturating_add(rows));
        if self.read.get() > limit {
            return Err(ChainError::RowLimit { limit });
        }
        Ok(())
    }
}

/// Counts gas. Beyond the limit every charge fails, and the first failure is remembered.
#[derive(Debug)]
pub(super) struct Meter {
    metered: bool,
    paused: Cell<bool>,
    limit: Option<u64>,
    used: Cell<u64>,
    exceeded: RefCell<Option<(String, u64)>>,
}

impl Meter {
    /// Counts nothing.
    pub(super) fn unlimited() -> Self {
        Self {
            metered: false,
            ..Self::with_limit(None)
        }
    }

    /// Counts, and fails above the limit if there is one.
    pub(super) fn with_limit(limit: Option<u64>) -> Self {
        Self {
            metered: true,
            paused: Cell::new(false),
            limit,
            used: Cell::new(0),
            exceeded: RefCell::new(None),
        }
    }

    /// Counts nothing until [`Meter::resume`] is given what this returns.
    pub(super) fn pause(&self) -> bool {
        self.paused.replace(true)
    }

    pub(super) fn resume(&self, paused: bool) {
        self.paused.set(paused);
    }

    pub(super) fn used(&self) -> u64 {
        self.used.get()
    }

    pub(super) fn consume(&self, gas: u64, what: &str) -> Result<(), ChainError> {
        if !self.metered || self.paused.get() {
            return Ok(());
        }
        let used = self.used.get().saturating_add(gas);
        self.used.set(used);
        if self.limit.is_some_and(|limit| used > limit) {
            self.exceeded
                .borrow_mut()
                .get_or_insert_with(|| (what.to_owned(), used));
        }
        self.check()
    }

    pub(super) fn check(&self) -> Result<(), ChainError> {
        match &*self.exceeded.borrow() {
            None => Ok(()),
            Some((location, used)) => Err(ChainError::OutOfGas {
                location: location.clone(),
                wanted: self.limit.unwrap_or(u64::MAX),
                used: *used,
            }),
        }
    }

    pub(super) fn read_flat(&self) -> Result<(), ChainError> {
        self.consume(GasCosts::READ_FLAT, "ReadFlat")
    }

    pub(super) fn read_bytes(&self, key: usize, value: usize) -> Result<(), ChainError> {
        self.consume(per_byte(GasCosts::READ_PER_BYTE, key, value), "ReadPerByte")
    }

    pub(super) fn has(&self) -> Result<(), ChainError> {
        self.consume(GasCosts::HAS, "Has")
    }

    pub(super) fn write(&self, key: usize, value: usize) {
        // A write cannot fail; the limit is looked at again at the next read and at the end of the transaction.
        let _ = self.consume(GasCosts::WRITE_FLAT, "WriteFlat");
        let _ = self.consume(
            per_byte(GasCosts::WRITE_PER_BYTE, key, value),
            "WritePerByte",
        );
    }

    pub(super) fn delete(&self) {
        let _ = self.consume(GasCosts::DELETE, "Delete");
    }

    pub(super) fn next(&self, key: usize, value: usize) -> Result<(), ChainError> {
        self.consume(
            per_byte(GasCosts::READ_PER_BYTE, key, value),
            "ValuePerByte",
        )?;
        self.consume(GasCosts::NEXT, "IterNextFlat")
    }
}

fn per_byte(cost: u64, key: usize, value: usize) -> u64 {
    let bytes = u64::try_from(key.saturating_add(value)).unwrap_or(u64::MAX);
    cost.saturating_mul(bytes)
}

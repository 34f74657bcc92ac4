//! The primitives of a stream.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use crate::error::Error;
use crate::limits::MAX_GOB_LIST;

/// What is left to read.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(gob("it ends in the middle of a value"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn uint(&mut self) -> Result<u64, Error> {
        let first = match self.take(1)? {
            [first] => *first,
            _ => return Err(gob("it ends in the middle of a value")),
        };
        if first < 128 {
            return Ok(first.into());
        }
        let length = usize::from(first.wrapping_neg());
        expect(length <= 8, "a number has more than eight bytes")?;
        let bytes = self.take(length)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number.wrapping_shl(8) | u64::from(*byte)))
    }

    pub(super) fn int(&mut self) -> Result<i64, Error> {
        let number = self.uint()?;
        let magnitude = (number >> 1) as i64;
        Ok(if number & 1 == 1 {
            !magnitude
        } else {
            magnitude
        })
    }

    /// A number of elements, each of one byte at least.
    pub(super) fn length(&mut self) -> Result<usize, Error> {
        let length = self.uint()?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.rest.len())
            .ok_or(gob("a length is beyond its end"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.take(length)
    }

    /// A number of elements that Go counts up to: none when it is negative as a signed one.
    pub(super) fn elements(&mut self) -> Result<i64, Error> {
        self.uint().map(|length| length as i64)
    }

    /// The id of a type, of 32 bits in Go.
    pub(super) fn type_id(&mut self) -> Result<i64, Error> {
        let id = self.int()?;
        expect(i32::try_from(id).is_ok(), "a type id is out of range")?;
        Ok(id)
    }

    pub(super) fn byte_string(&mut self) -> Result<Vec<u8>, Error> {
        self.bytes().map(<[u8]>::to_vec)
    }

    pub(super) fn byte_strings(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let length = self.length()?;
        expect(length <= MAX_GOB_LIST, "a list is too long for a proof")?;
        (0..length).map(|_| self.byte_string()).collect()
    }

    /// Walks the fields of a struct, given by index, up to its end or, as Go does, that of the message.
    pub(super) fn fields(
        &mut self,
        mut field: impl FnMut(usize, &mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut next = 0usize;
        while !self.rest.is_empty() {
            let step = self.uint()?;
            if step == 0 {
                return Ok(());
            }
            next = usize::try_from(step)
                .ok()
                .and_then(|step| next.checked_add(step))
                .ok_or(gob("a field number is out of range"))?;
            field(next.saturating_sub(1), self)?;
        }
        Ok(())
    }
}

pub(super) fn expect(condition: bool, reason: &'static str) -> Result<(), Error> {
    if condition { Ok(()) } else { Err(gob(reason)) }
}

pub(super) fn gob(reason: &'static str) -> Error {
    Error::Gob { reason }
}

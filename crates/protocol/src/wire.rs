//! A walk over the top-level fields of protobuf bytes, for the few questions a decoder does not answer: was a field on
//! the wire at all, and where does a message end.

/// What comes next in a buffer that may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A whole field of this number; `next` is the offset behind it.
    Field { number: u32, next: usize },
    /// The field is cut off by the end of the buffer; it ends no earlier than `needed` bytes from the start of it.
    Incomplete { needed: usize },
    /// No field can begin here.
    Malformed,
}

/// Reads the field that begins at `offset`. Groups, which no message here has, count as malformed.
pub(crate) fn step(bytes: &[u8], offset: usize) -> Step {
    let rest = bytes.get(offset..).unwrap_or_default();
    let (key, key_bytes) = match varint(rest) {
        Varint::Value(value, length) => (value, length),
        Varint::Incomplete => {
            return Step::Incomplete {
                needed: rest.len().saturating_add(1),
            };
        }
        Varint::Malformed => return Step::Malformed,
    };
    let Some(number) = u32::try_from(key)
        .ok()
        .map(|key| key >> 3)
        .filter(|number| *number > 0)
    else {
        return Step::Malformed;
    };
    let body = rest.get(key_bytes..).unwrap_or_default();
    let length = match key & 7 {
        0 => match varint(body) {
            Varint::Value(_, length) => length,
            Varint::Incomplete => {
                return Step::Incomplete {
                    needed: rest.len().saturating_add(1),
                };
            }
            Varint::Malformed => return Step::Malformed,
        },
        1 => 8,
        2 => match varint(body) {
            Varint::Value(value, length) => {
                let value = usize::try_from(value).unwrap_or(usize::MAX);
                value.saturating_add(length)
            }
            Varint::Incomplete => {
                return Step::Incomplete {
                    needed: rest.len().saturating_add(1),
                };
            }
            Varint::Malformed => return Step::Malformed,
        },
        5 => 4,
        _ => return Step::Malformed,
    };
    let needed = key_bytes.saturating_add(length);
    if needed > rest.len() {
        Step::Incomplete { needed }
    } else {
        Step::Field {
            number,
            next: offset.saturating_add(needed),
        }
    }
}

/// Whether the top level of `bytes` has a field of this number.
pub(crate) fn has_field(bytes: &[u8], wanted: u32) -> bool {
    fields(bytes).any(|(number, _)| number == wanted)
}

/// Number and bytes (with key) of each whole top-level field, up to the first that is not one.
pub(crate) fn fields(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        if offset >= bytes.len() {
            return None;
        }
        let Step::Field { number, next } = step(bytes, offset) else {
            return None;
        };
        let field = bytes.get(offset..next)?;
        offset = next;
        Some((number, field))
    })
}

/// The contents of a length-delimited field as returned by [`fields`].
pub(crate) fn delimited_contents(field: &[u8]) -> Option<&[u8]> {
    let Varint::Value(key, key_bytes) = varint(field) else {
        return None;
    };
    let body = field.get(key_bytes..)?;
    match (key & 7, varint(body)) {
        (2, Varint::Value(_, length)) => body.get(length..),
        _ => None,
    }
}

enum Varint {
    Value(u64, usize),
    Incomplete,
    Malformed,
}

/// A LEB128 number of at most ten bytes; non-minimal forms are accepted, as by every decoder.
fn varint(bytes: &[u8]) -> Varint {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let shift = u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(7);
        let group = u64::from(byte & 0x7f);
        if index == 9 && group > 1 {
            return Varint::Malformed;
        }
        value |= group.checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Varint::Value(value, index.saturating_add(1));
        }
    }
    if bytes.len() >= 10 {
        Varint::Malformed
    } else {
        Varint::Incomplete
    }
}

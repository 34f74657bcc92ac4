//! Reading a proof from anybody.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use std::collections::BTreeMap;

use super::{INNER_FIELDS, OUTER_FIELDS, builtin};
use crate::error::Error;
use crate::limits::{MAX_GOB_BYTES, MAX_GOB_LIST, MAX_GOB_NESTING, MAX_GOB_TYPES};
use crate::trie::{CompactInner, CompactProof};

/// Reads the first value of a stream as a proof. What follows it is ignored, as Go does. The
/// proof's own rules are not checked here.
///
/// # Errors
/// [`Error::Gob`] when the stream ends early, is malformed, defines too much, or holds something
/// else.
pub fn decode_proof(stream: &[u8]) -> Result<CompactProof, Error> {
    if stream.len() > MAX_GOB_BYTES {
        return Err(gob("it is too long for a proof"));
    }
    let mut stream = Reader { rest: stream };
    let mut types = Types::default();
    loop {
        let mut body = Reader {
            rest: stream.bytes()?,
        };
        let id = body.int()?;
        if id >= 0 {
            return outer(&types, id, &mut body);
        }
        types.define(
            id.checked_neg().ok_or(gob("a type id is out of range"))?,
            &mut body,
        )?;
    }
}

fn outer(types: &Types, id: i64, body: &mut Reader<'_>) -> Result<CompactProof, Error> {
    let mut proof = CompactProof::default();
    types.read_struct(id, body, 0, |name, id, body| {
        let [
            path,
            flipped_bits,
            depth,
            closest_path,
            closest_value_hash,
            closest_proof,
        ] = OUTER_FIELDS;
        match name {
            name if name == path => proof.path = types.byte_string(id, body)?,
            name if name == flipped_bits => proof.flipped_bits = types.list(id, body)?,
            name if name == depth => proof.depth = types.byte_string(id, body)?,
            name if name == closest_path => proof.closest_path = types.byte_string(id, body)?,
            name if name == closest_value_hash => {
                proof.closest_value_hash = types.byte_string(id, body)?;
            }
            name if name == closest_proof => proof.closest_proof = Some(inner(types, id, body)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(proof)
}

fn inner(types: &Types, id: i64, body: &mut Reader<'_>) -> Result<CompactInner, Error> {
    let mut proof = CompactInner::default();
    types.read_struct(id, body, 1, |name, id, body| {
        let [
            side_nodes,
            non_membership_leaf_data,
            bit_mask,
            num_side_nodes,
            sibling_data,
        ] = INNER_FIELDS;
        match name {
            name if name == side_nodes => proof.side_nodes = types.list(id, body)?,
            name if name == non_membership_leaf_data => {
                proof.non_membership_leaf_data = types.byte_string(id, body)?;
            }
            name if name == bit_mask => proof.bit_mask = types.byte_string(id, body)?,
            name if name == num_side_nodes => proof.num_side_nodes = types.int(id, body)?,
            name if name == sibling_data => proof.sibling_data = types.byte_string(id, body)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(proof)
}

/// A type that the stream defines.
enum Type {
    /// Names and type ids of the fields.
    Struct(Vec<(String, i64)>),
    /// Slice or array.
    List(i64),
    Map(i64, i64),
    /// A value that encodes itself, as a byte string.
    Opaque,
}

#[derive(Default)]
struct Types(BTreeMap<i64, Type>);

impl Types {
    /// Reads the definition of type `id`: Go's `wireType`, a struct of which one field is present.
    fn define(&mut self, id: i64, body: &mut Reader<'_>) -> Result<(), Error> {
        if id < builtin::FIRST_USER || self.0.contains_key(&id) {
            return Err(gob("it defines a type again"));
        }
        if self.0.len() >= MAX_GOB_TYPES {
            return Err(gob("it defines too many types"));
        }
        let mut defined = None;
        body.fields(|index, body| {
            let definition = match index {
                0 | 1 => list_definition(body)?,
                2 => struct_definition(body)?,
                3 => map_definition(body)?,
                4..=6 => opaque_definition(body)?,
                _ => return Err(gob("a type is of an unknown kind")),
            };
            defined = Some(definition);
            Ok(())
        })?;
        self.0
            .insert(id, defined.ok_or(gob("a type is defined as nothing"))?);
        Ok(())
    }

    /// Reads a struct. `field` reads one field and tells whether it knows it; the others are
    /// skipped.
    fn read_struct(
        &self,
        id: i64,
        body: &mut Reader<'_>,
        nesting: usize,
        mut field: impl FnMut(&str, i64, &mut Reader<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let Some(Type::Struct(fields)) = self.0.get(&id) else {
            return Err(gob("a struct is expected where it holds something else"));
        };
        body.fields(|index, body| {
            let (name, id) = fields
                .get(index)
                .ok_or(gob("a struct has an undefined field"))?;
            if !field(name, *id, body)? {
                self.skip(*id, body, nesting)?;
            }
            Ok(())
        })
    }

    fn byte_string(&self, id: i64, body: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
        expect(
            id == builtin::BYTES,
            "a byte string is expected where it holds something else",
        )?;
        body.bytes().map(<[u8]>::to_vec)
    }

    fn int(&self, id: i64, body: &mut Reader<'_>) -> Result<i64, Error> {
        expect(
            id == builtin::INT,
            "an integer is expected where it holds something else",
        )?;
        body.int()
    }

    fn list(&self, id: i64, body: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, Error> {
        let is_list = matches!(self.0.get(&id), Some(Type::List(builtin::BYTES)));
        expect(
            is_list,
            "a list of byte strings is expected where it holds something else",
        )?;
        let length = body.length()?;
        expect(length <= MAX_GOB_LIST, "a list is too long for a proof")?;
        (0..length)
            .map(|_| body.bytes().map(<[u8]>::to_vec))
            .collect()
    }

    /// Skips a value. Every element takes at least one byte, so the stream's length bounds the
    /// work.
    fn skip(&self, id: i64, body: &mut Reader<'_>, nesting: usize) -> Result<(), Error> {
        expect(nesting < MAX_GOB_NESTING, "values nest too deeply")?;
        let nesting = nesting.saturating_add(1);
        match id {
            builtin::BOOL | builtin::INT | builtin::UINT | builtin::FLOAT => {
                body.uint()?;
                return Ok(());
            }
            builtin::COMPLEX => {
                body.uint()?;
                body.uint()?;
                return Ok(());
            }
            builtin::BYTES | builtin::STRING => {
                body.bytes()?;
                return Ok(());
            }
            _ => {}
        }
        match self.0.get(&id).ok_or(gob("a value has an unknown type"))? {
            Type::Opaque => body.bytes().map(|_| ()),
            Type::Struct(_) => self.read_struct(id, body, nesting, |_, _, _| Ok(false)),
            Type::List(element) => {
                let length = body.length()?;
                (0..length).try_for_each(|_| self.skip(*element, body, nesting))
            }
            Type::Map(key, value) => {
                let length = body.length()?;
                (0..length).try_for_each(|_| {
                    self.skip(*key, body, nesting)?;
                    self.skip(*value, body, nesting)
                })
            }
        }
    }
}

/// `{CommonType, Elem, Len}`; slices have no length.
fn list_definition(body: &mut Reader<'_>) -> Result<Type, Error> {
    let mut element = 0;
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => element = body.int()?,
            2 => drop(body.int()?),
            _ => return Err(gob("a list's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok(Type::List(element))
}

/// `{CommonType, Field}`.
fn struct_definition(body: &mut Reader<'_>) -> Result<Type, Error> {
    let mut fields = Vec::new();
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => {
                let length = body.length()?;
                expect(length <= MAX_GOB_TYPES, "a struct has too many fields")?;
                fields = (0..length)
                    .map(|_| common(body))
                    .collect::<Result<_, _>>()?;
            }
            _ => return Err(gob("a struct's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok(Type::Struct(fields))
}

/// `{CommonType, Key, Elem}`.
fn map_definition(body: &mut Reader<'_>) -> Result<Type, Error> {
    let (mut key, mut value) = (0, 0);
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => key = body.int()?,
            2 => value = body.int()?,
            _ => return Err(gob("a map's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok(Type::Map(key, value))
}

/// `{CommonType}`.
fn opaque_definition(body: &mut Reader<'_>) -> Result<Type, Error> {
    body.fields(|index, body| {
        expect(index == 0, "a type's definition has an unknown field")?;
        common(body).map(drop)
    })?;
    Ok(Type::Opaque)
}

/// A pair of name and type id: `CommonType`, and each field of a struct.
fn common(body: &mut Reader<'_>) -> Result<(String, i64), Error> {
    let (mut name, mut id) = (String::new(), 0);
    body.fields(|index, body| {
        match index {
            0 => name = String::from_utf8_lossy(body.bytes()?).into_owned(),
            1 => id = body.int()?,
            _ => return Err(gob("a name has an unknown field")),
        }
        Ok(())
    })?;
    Ok((name, id))
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
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

    fn uint(&mut self) -> Result<u64, Error> {
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

    fn int(&mut self) -> Result<i64, Error> {
        let number = self.uint()?;
        let magnitude = (number >> 1) as i64;
        Ok(if number & 1 == 1 {
            !magnitude
        } else {
            magnitude
        })
    }

    /// A number of elements, each of one byte at least.
    fn length(&mut self) -> Result<usize, Error> {
        let length = self.uint()?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.rest.len())
            .ok_or(gob("a length is beyond its end"))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.take(length)
    }

    /// Walks the fields of a struct, given by index, up to its end.
    fn fields(
        &mut self,
        mut field: impl FnMut(usize, &mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut next = 0usize;
        loop {
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
    }
}

fn expect(condition: bool, reason: &'static str) -> Result<(), Error> {
    if condition { Ok(()) } else { Err(gob(reason)) }
}

fn gob(reason: &'static str) -> Error {
    Error::Gob { reason }
}

//! The types that a stream defines, and whether they fit a proof.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Reader, expect, gob};
use super::{INNER_FIELDS, OUTER_FIELDS, builtin};
use crate::error::Error;
use crate::limits::{MAX_GOB_NESTING, MAX_GOB_TYPES};

/// What a proof's field holds.
#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    ByteStrings,
    Int,
    Inner,
}

const OUTER_KINDS: [Kind; 6] = [
    Kind::Bytes,
    Kind::ByteStrings,
    Kind::Bytes,
    Kind::Bytes,
    Kind::Bytes,
    Kind::Inner,
];

const INNER_KINDS: [Kind; 5] = [
    Kind::ByteStrings,
    Kind::Bytes,
    Kind::Bytes,
    Kind::Int,
    Kind::Bytes,
];

/// A type that the stream defines: Go's `wireType`, a struct of which one field should be present.
#[derive(Default)]
struct Type {
    /// Type id of the elements, and their number.
    array: Option<(i64, i64)>,
    /// Type id of the elements.
    slice: Option<i64>,
    /// Names and type ids of the fields.
    fields: Option<Vec<(String, i64)>>,
    /// Type ids of keys and values.
    map: Option<(i64, i64)>,
    /// A value that encodes itself, as a byte string.
    opaque: bool,
}

#[derive(Default)]
pub(super) struct Types(BTreeMap<i64, Type>);

impl Types {
    /// Reads the definition of type `id`.
    pub(super) fn define(&mut self, id: i64, body: &mut Reader<'_>) -> Result<(), Error> {
        expect(
            id >= builtin::FIRST_USER && !self.0.contains_key(&id),
            "it defines a type again",
        )?;
        expect(self.0.len() < MAX_GOB_TYPES, "it defines too many types")?;
        let mut defined = Type::default();
        body.fields(|index, body| {
            match index {
                0 => defined.array = Some(array_definition(body)?),
                1 => defined.slice = Some(slice_definition(body)?),
                2 => defined.fields = Some(struct_definition(body)?),
                3 => defined.map = Some(map_definition(body)?),
                4..=6 => {
                    opaque_definition(body)?;
                    defined.opaque = true;
                }
                _ => return Err(gob("a type is of an unknown kind")),
            }
            Ok(())
        })?;
        self.0.insert(id, defined);
        Ok(())
    }

    /// Checks that a value of type `id` can be read as a proof, before any of it is: Go refuses a type of which some
    /// field does not fit, also where no value has that field.
    pub(super) fn check_proof(&self, id: i64) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let known = self.check_struct(id, &OUTER_FIELDS, &OUTER_KINDS, &mut seen)?;
        let fields = self.fields(id)?;
        expect(
            known || fields.is_empty(),
            "a struct is expected that has a field of a proof",
        )
    }

    fn fields(&self, id: i64) -> Result<&[(String, i64)], Error> {
        let fields = self.0.get(&id).and_then(|found| found.fields.as_deref());
        fields.ok_or(gob("a struct is expected where it holds something else"))
    }

    /// Whether a struct has any of the known fields; all of them are of their kind, and the others of types that exist.
    fn check_struct(
        &self,
        id: i64,
        names: &[&str],
        kinds: &[Kind],
        seen: &mut BTreeSet<i64>,
    ) -> Result<bool, Error> {
        let mut any = false;
        for (name, id) in self.fields(id)? {
            expect(!name.is_empty(), "a field has no name")?;
            let known = names.iter().zip(kinds).find(|(known, _)| *known == name);
            match known {
                Some((_, kind)) => self.check_known(*kind, *id, seen)?,
                None => self.check_skipped(*id, seen)?,
            }
            any |= known.is_some();
        }
        Ok(any)
    }

    fn check_known(&self, kind: Kind, id: i64, seen: &mut BTreeSet<i64>) -> Result<(), Error> {
        let defined = self.0.get(&id);
        let opaque = defined.is_some_and(|defined| defined.opaque);
        match kind {
            Kind::Bytes => expect(
                id == builtin::BYTES,
                "a byte string is expected where it holds something else",
            ),
            Kind::Int => expect(
                id == builtin::INT,
                "an integer is expected where it holds something else",
            ),
            Kind::ByteStrings => expect(
                !opaque && defined.and_then(|defined| defined.slice) == Some(builtin::BYTES),
                "a list of byte strings is expected where it holds something else",
            ),
            Kind::Inner => {
                expect(
                    !opaque,
                    "a struct is expected where it holds something else",
                )?;
                self.check_struct(id, &INNER_FIELDS, &INNER_KINDS, seen)
                    .map(drop)
            }
        }
    }

    /// Checks that values of a type can be skipped.
    fn check_skipped(&self, id: i64, seen: &mut BTreeSet<i64>) -> Result<(), Error> {
        if (builtin::BOOL..=builtin::INTERFACE).contains(&id) || !seen.insert(id) {
            return Ok(());
        }
        let defined = self.0.get(&id).ok_or(gob("a type is not defined"))?;
        if let Some((element, _)) = defined.array {
            self.check_skipped(element, seen)
        } else if let Some((key, value)) = defined.map {
            self.check_skipped(key, seen)?;
            self.check_skipped(value, seen)
        } else if let Some(element) = defined.slice {
            self.check_skipped(element, seen)
        } else if defined.fields.is_some() {
            self.check_struct(id, &[], &[], seen).map(drop)
        } else {
            expect(defined.opaque, "a type is defined as nothing")
        }
    }

    /// Reads a struct. `field` reads one field and tells whether it knows it; the others are
    /// skipped.
    pub(super) fn read_struct(
        &self,
        id: i64,
        body: &mut Reader<'_>,
        nesting: usize,
        mut field: impl FnMut(&str, i64, &mut Reader<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let fields = self.fields(id)?;
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

    /// Skips a value. Every element takes at least one byte, so the stream's length bounds the
    /// work.
    fn skip(&self, id: i64, body: &mut Reader<'_>, nesting: usize) -> Result<(), Error> {
        expect(nesting < MAX_GOB_NESTING, "values nest too deeply")?;
        let nesting = nesting.saturating_add(1);
        match id {
            builtin::BOOL | builtin::INT | builtin::UINT | builtin::FLOAT => {
                return body.uint().map(drop);
            }
            builtin::COMPLEX => {
                body.uint()?;
                return body.uint().map(drop);
            }
            builtin::BYTES | builtin::STRING => return body.bytes().map(drop),
            _ => {}
        }
        let defined = self.0.get(&id).ok_or(gob("a value has an unknown type"))?;
        if let Some((element, length)) = defined.array {
            let told = i64::try_from(body.uint()?).ok();
            expect(told == Some(length), "an array has another length")?;
            self.skip_elements(length, &[element], body, nesting)
        } else if let Some((key, value)) = defined.map {
            let length = body.elements()?;
            self.skip_elements(length, &[key, value], body, nesting)
        } else if let Some(element) = defined.slice {
            let length = body.elements()?;
            self.skip_elements(length, &[element], body, nesting)
        } else if defined.fields.is_some() {
            self.read_struct(id, body, nesting, |_, _, _| Ok(false))
        } else {
            body.bytes().map(drop)
        }
    }

    fn skip_elements(
        &self,
        length: i64,
        types: &[i64],
        body: &mut Reader<'_>,
        nesting: usize,
    ) -> Result<(), Error> {
        for _ in 0..length {
            expect(!body.rest.is_empty(), "a length is beyond its end")?;
            for id in types {
                self.skip(*id, body, nesting)?;
            }
        }
        Ok(())
    }
}

/// `{CommonType, Elem, Len}`.
fn array_definition(body: &mut Reader<'_>) -> Result<(i64, i64), Error> {
    let (mut element, mut length) = (0, 0);
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => element = body.type_id()?,
            2 => length = body.int()?,
            _ => return Err(gob("an array's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok((element, length))
}

/// `{CommonType, Elem}`.
fn slice_definition(body: &mut Reader<'_>) -> Result<i64, Error> {
    let mut element = 0;
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => element = body.type_id()?,
            _ => return Err(gob("a list's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok(element)
}

/// `{CommonType, Field}`.
fn struct_definition(body: &mut Reader<'_>) -> Result<Vec<(String, i64)>, Error> {
    let mut fields = Vec::new();
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => {
                let length = body.length()?;
                expect(length <= MAX_GOB_TYPES, "a struct has too many fields")?;
                fields = (0..length)
                    .map(|_| {
                        expect(!body.rest.is_empty(), "a length is beyond its end")?;
                        common(body)
                    })
                    .collect::<Result<_, _>>()?;
            }
            _ => return Err(gob("a struct's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok(fields)
}

/// `{CommonType, Key, Elem}`.
fn map_definition(body: &mut Reader<'_>) -> Result<(i64, i64), Error> {
    let (mut key, mut value) = (0, 0);
    body.fields(|index, body| {
        match index {
            0 => drop(common(body)?),
            1 => key = body.type_id()?,
            2 => value = body.type_id()?,
            _ => return Err(gob("a map's definition has an unknown field")),
        }
        Ok(())
    })?;
    Ok((key, value))
}

/// `{CommonType}`.
fn opaque_definition(body: &mut Reader<'_>) -> Result<(), Error> {
    body.fields(|index, body| {
        expect(index == 0, "a type's definition has an unknown field")?;
        common(body).map(drop)
    })
}

/// A pair of name and type id: `CommonType`, and each field of a struct.
fn common(body: &mut Reader<'_>) -> Result<(String, i64), Error> {
    let (mut name, mut id) = (String::new(), 0);
    body.fields(|index, body| {
        match index {
            0 => name = String::from_utf8_lossy(body.bytes()?).into_owned(),
            1 => id = body.type_id()?,
            _ => return Err(gob("a name has an unknown field")),
        }
        Ok(())
    })?;
    Ok((name, id))
}

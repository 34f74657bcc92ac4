//! The GGUF container, versions 2 and 3, little-endian: metadata, tensor directory, tensor data.
//!
//! Layout (ggml's `docs/gguf.md`): magic, version, tensor count, metadata count; metadata as key,
//! type, value; for each tensor name, dimensions (fastest first), type and offset; padding to the
//! alignment; data. Every count and offset is checked against the bytes that are there before
//! anything is allocated for it.

use std::collections::BTreeMap;

use super::error::{Error, Result};
use super::quant::{BLOCK, BLOCK_BYTES};
use crate::limits::{GGUF_ARRAY_DEPTH, GGUF_ARRAY_LENGTH};

mod writer;

pub use writer::Writer;

const MAGIC: &[u8; 4] = b"GGUF";
const ALIGNMENT_KEY: &str = "general.alignment";
const DEFAULT_ALIGNMENT: u64 = 32;
const MOST_DIMENSIONS: u32 = 4;

/// A metadata value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Type 0.
    U8(u8),
    /// Type 1.
    I8(i8),
    /// Type 2.
    U16(u16),
    /// Type 3.
    I16(i16),
    /// Type 4.
    U32(u32),
    /// Type 5.
    I32(i32),
    /// Type 6.
    F32(f32),
    /// Type 7.
    Bool(bool),
    /// Type 8.
    Text(String),
    /// Type 9; all elements of one type.
    Array(Vec<Value>),
    /// Type 10.
    U64(u64),
    /// Type 11.
    I64(i64),
    /// Type 12.
    F64(f64),
}

impl Value {
    /// Any integer type, if not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(value) => Some(value.into()),
            Self::U16(value) => Some(value.into()),
            Self::U32(value) => Some(value.into()),
            Self::U64(value) => Some(value),
            Self::I8(value) => value.try_into().ok(),
            Self::I16(value) => value.try_into().ok(),
            Self::I32(value) => value.try_into().ok(),
            Self::I64(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// Either float type.
    pub fn as_f32(&self) -> Option<f32> {
        match *self {
            Self::F32(value) => Some(value),
            Self::F64(value) => Some(value as f32),
            _ => None,
        }
    }

    /// A truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
}

/// How a tensor's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorKind {
    /// Single precision, type 0.
    F32,
    /// Half precision, type 1.
    F16,
    /// Blocks of 32 bytes with a scale, type 8.
    Q8_0,
}

impl TensorKind {
    fn from_id(id: u32) -> Option<Self> {
        match id {
            0 => Some(Self::F32),
            1 => Some(Self::F16),
            8 => Some(Self::Q8_0),
            _ => None,
        }
    }

    fn id(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8_0 => 8,
        }
    }

    /// Bytes of a row of `columns` values; `None` when it does not fill whole blocks.
    fn row_bytes(self, columns: usize) -> Option<usize> {
        match self {
            Self::F32 => columns.checked_mul(4),
            Self::F16 => columns.checked_mul(2),
            Self::Q8_0 if columns.is_multiple_of(BLOCK) => {
                (columns / BLOCK).checked_mul(BLOCK_BYTES)
            }
            Self::Q8_0 => None,
        }
    }
}

/// A tensor and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Dimensions, fastest first.
    pub shape: Vec<usize>,
    /// How the numbers are stored.
    pub kind: TensorKind,
    /// Exactly as many bytes as shape and kind need.
    pub data: &'a [u8],
}

/// A file, read: all metadata, all tensors, each within the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Gguf<'a> {
    /// Metadata by key.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor<'a>>,
}

impl<'a> Gguf<'a> {
    /// Reads a file. Tensor data stay where they are.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut cursor = Cursor { bytes, at: 0 };
        if cursor.take(4, "the magic")? != MAGIC {
            return Err(Error::NotGguf);
        }
        let version = cursor.u32("the version")?;
        if !(2..=3).contains(&version) {
            return Err(Error::Version(version));
        }
        let tensor_count = cursor.u64("the tensor count")?;
        let metadata_count = cursor.u64("the metadata count")?;
        let mut metadata = BTreeMap::new();
        for _ in 0..metadata_count {
            let key = cursor.text("a metadata key")?;
            let kind = cursor.u32("a metadata type")?;
            let value = cursor.value(kind, 0)?;
            if metadata.contains_key(&key) {
                return Err(Error::Malformed(format!(
                    "metadata key `{key}` occurs twice"
                )));
            }
            metadata.insert(key, value);
        }
        let mut directory = Vec::new();
        for _ in 0..tensor_count {
            directory.push(cursor.tensor()?);
        }
        let alignment = alignment(&metadata)?;
        let start = (cursor.at as u64).next_multiple_of(alignment);
        let mut tensors = BTreeMap::new();
        for entry in directory {
            let data = entry.data(bytes, start, alignment)?;
            let tensor = Tensor {
                shape: entry.shape,
                kind: entry.kind,
                data,
            };
            if tensors.contains_key(&entry.name) {
                return Err(Error::Malformed(format!(
                    "tensor `{}` occurs twice",
                    entry.name
                )));
            }
            tensors.insert(entry.name, tensor);
        }
        Ok(Self { metadata, tensors })
    }
}

fn alignment(metadata: &BTreeMap<String, Value>) -> Result<u64> {
    let Some(value) = metadata.get(ALIGNMENT_KEY) else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    match value.as_u64() {
        Some(alignment) if alignment.is_power_of_two() && alignment <= 1 << 20 => Ok(alignment),
        _ => Err(Error::BadKey {
            key: ALIGNMENT_KEY.into(),
            value: format!("{value:?}"),
            expected: "a power of two up to 1 MiB",
        }),
    }
}

/// An entry of the tensor directory.
struct Entry {
    name: String,
    shape: Vec<usize>,
    kind: TensorKind,
    offset: u64,
}

impl Entry {
    fn data<'a>(&self, bytes: &'a [u8], start: u64, alignment: u64) -> Result<&'a [u8]> {
        let damaged = |what: &str| Error::Malformed(format!("tensor `{}` {what}", self.name));
        if !self.offset.is_multiple_of(alignment) {
            return Err(damaged("is not aligned"));
        }
        let (columns, rest) = self
            .shape
            .split_first()
            .ok_or_else(|| damaged("has no shape"))?;
        let row_bytes = self
            .kind
            .row_bytes(*columns)
            .ok_or_else(|| damaged("has rows of broken blocks"))?;
        let size = rest
            .iter()
            .try_fold(row_bytes, |size, &dimension| size.checked_mul(dimension));
        let size = size.ok_or_else(|| damaged("is too large"))?;
        let from = start
            .checked_add(self.offset)
            .and_then(|at| usize::try_from(at).ok());
        let to = from.and_then(|from| from.checked_add(size));
        from.zip(to)
            .and_then(|(from, to)| bytes.get(from..to))
            .ok_or(Error::Truncated("the tensor data"))
    }
}

/// A place in the file; every read is checked.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).ok_or(Error::Truncated(what))?;
        let taken = self.bytes.get(self.at..end).ok_or(Error::Truncated(what))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, what)?);
        Ok(out)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &'static str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of things that take at least a byte each.
    fn count(&mut self, what: &'static str) -> Result<usize> {
        let count = usize::try_from(self.u64(what)?).map_err(|_| Error::Truncated(what))?;
        match count <= self.bytes.len() - self.at {
            true => Ok(count),
            false => Err(Error::Truncated(what)),
        }
    }

    fn text(&mut self, what: &'static str) -> Result<String> {
        let length = self.count(what)?;
        let bytes = self.take(length, what)?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| Error::Malformed(format!("{what} is not UTF-8")))
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value> {
        let what = "a metadata value";
        Ok(match kind {
            0 => Value::U8(u8::from_le_bytes(self.array(what)?)),
            1 => Value::I8(i8::from_le_bytes(self.array(what)?)),
            2 => Value::U16(u16::from_le_bytes(self.array(what)?)),
            3 => Value::I16(i16::from_le_bytes(self.array(what)?)),
            4 => Value::U32(self.u32(what)?),
            5 => Value::I32(i32::from_le_bytes(self.array(what)?)),
            6 => Value::F32(f32::from_le_bytes(self.array(what)?)),
            7 => match self.array::<1>(what)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [other] => return Err(Error::Malformed(format!("a boolean is {other}"))),
            },
            8 => Value::Text(self.text(what)?),
            9 => self.elements(depth)?,
            10 => Value::U64(self.u64(what)?),
            11 => Value::I64(i64::from_le_bytes(self.array(what)?)),
            12 => Value::F64(f64::from_le_bytes(self.array(what)?)),
            other => {
                return Err(Error::Malformed(format!(
                    "there is no metadata type {other}"
                )));
            }
        })
    }

    fn elements(&mut self, depth: usize) -> Result<Value> {
        let kind = self.u32("an array's type")?;
        let count = self.count("an array's length")?;
        if depth == GGUF_ARRAY_DEPTH || count > GGUF_ARRAY_LENGTH {
            return Err(Error::Malformed(format!(
                "an array of {count} elements at depth {depth} is beyond what models hold"
            )));
        }
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    fn tensor(&mut self) -> Result<Entry> {
        let name = self.text("a tensor's name")?;
        let dimensions = self.u32("a tensor's dimensions")?;
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            let text = format!("tensor `{name}` has {dimensions} dimensions");
            return Err(Error::Malformed(text));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            let size = self.u64("a tensor's dimensions")?;
            let size = usize::try_from(size).ok().filter(|&size| size > 0);
            shape.push(size.ok_or_else(|| {
                Error::Malformed(format!(
                    "tensor `{name}` has a dimension of no possible size"
                ))
            })?);
        }
        let id = self.u32("a tensor's type")?;
        let kind = TensorKind::from_id(id).ok_or_else(|| {
            let text = format!("tensor `{name}` is of type {id}; F32, F16 and Q8_0 are read");
            Error::Unsupported(text)
        })?;
        let offset = self.u64("a tensor's offset")?;
        Ok(Entry {
            name,
            shape,
            kind,
            offset,
        })
    }
}

#[cfg(test)]
mod tests;

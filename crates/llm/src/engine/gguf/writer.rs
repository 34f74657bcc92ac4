//! Writing GGUF files, version 3.

use super::{ALIGNMENT_KEY, DEFAULT_ALIGNMENT, MAGIC, TensorKind, Value};
use crate::engine::quant;

/// Collects metadata and tensors, then writes them in the order given.
///
/// The caller keeps names apart: [`super::Gguf::parse`] refuses a file where one occurs twice.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    metadata: Vec<(String, Value)>,
    tensors: Vec<(String, Vec<usize>, TensorKind, Vec<u8>)>,
}

impl Writer {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metadata value.
    pub fn metadata(&mut self, key: impl Into<String>, value: Value) -> &mut Self {
        self.metadata.push((key.into(), value));
        self
    }

    /// Adds a tensor of `shape` (fastest dimension first), stored as `kind`. `values` are as many as
    /// the shape needs; for Q8_0 the first dimension is a multiple of 32.
    pub fn tensor(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        kind: TensorKind,
        values: &[f32],
    ) -> &mut Self {
        let data = match kind {
            TensorKind::F32 => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            TensorKind::F16 => values
                .iter()
                .flat_map(|value| quant::f32_to_f16(*value).to_le_bytes())
                .collect(),
            TensorKind::Q8_0 => quant::to_bytes(values),
        };
        self.tensors.push((name.into(), shape.to_vec(), kind, data));
        self
    }

    /// The whole file.
    pub fn finish(&self) -> Vec<u8> {
        let alignment = self
            .metadata
            .iter()
            .find(|(key, _)| key == ALIGNMENT_KEY)
            .and_then(|(_, value)| value.as_u64())
            .unwrap_or(DEFAULT_ALIGNMENT);
        let padded = |length: usize| (length as u64).next_multiple_of(alignment.max(1));
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&3_u32.to_le_bytes());
        out.extend_from_slice(&(self.tensors.len() as u64).to_le_bytes());
        out.extend_from_slice(&(self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            write_text(&mut out, key);
            out.extend_from_slice(&type_id(value).to_le_bytes());
            write_value(&mut out, value);
        }
        let mut offset = 0_u64;
        for (name, shape, kind, data) in &self.tensors {
            write_text(&mut out, name);
            out.extend_from_slice(&(shape.len() as u32).to_le_bytes());
            for dimension in shape {
                out.extend_from_slice(&(*dimension as u64).to_le_bytes());
            }
            out.extend_from_slice(&kind.id().to_le_bytes());
            out.extend_from_slice(&offset.to_le_bytes());
            offset += padded(data.len());
        }
        for (_, _, _, data) in &self.tensors {
            out.resize(padded(out.len()) as usize, 0);
            out.extend_from_slice(data);
        }
        out
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn type_id(value: &Value) -> u32 {
    match value {
        Value::U8(_) => 0,
        Value::I8(_) => 1,
        Value::U16(_) => 2,
        Value::I16(_) => 3,
        Value::U32(_) => 4,
        Value::I32(_) => 5,
        Value::F32(_) => 6,
        Value::Bool(_) => 7,
        Value::Text(_) => 8,
        Value::Array(_) => 9,
        Value::U64(_) => 10,
        Value::I64(_) => 11,
        Value::F64(_) => 12,
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(value) => out.push(*value),
        Value::I8(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::U16(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::I16(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::U32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::I32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::F32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Bool(value) => out.push(u8::from(*value)),
        Value::Text(text) => write_text(out, text),
        Value::Array(values) => {
            out.extend_from_slice(&values.first().map_or(8, type_id).to_le_bytes());
            out.extend_from_slice(&(values.len() as u64).to_le_bytes());
            for value in values {
                write_value(out, value);
            }
        }
        Value::U64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::I64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::F64(value) => out.extend_from_slice(&value.to_le_bytes()),
    }
}

//! A Llama model in memory: shape, weights, tokenizer and template, all checked.

use super::error::{Error, Result};
use super::gguf::{Gguf, Tensor, TensorKind, Value};
use super::matrix::{Matrix, Weights};
use super::quant::{self, BLOCK, BLOCK_BYTES};
use super::template::ChatTemplate;
use super::tokenizer::Tokenizer;
use crate::limits::{CONTEXT_TOKENS, MODEL_DIMENSION};

/// The numbers that give a Llama model its shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) layers: usize,
    pub(crate) width: usize,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head: usize,
    /// Values of a head that are rotated, even.
    pub(crate) rotated: usize,
    pub(crate) context: usize,
    pub(crate) epsilon: f32,
    pub(crate) rope_base: f32,
    /// Positions are multiplied by this.
    pub(crate) rope_scale: f32,
}

/// One transformer block.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) attention_norm: Vec<f32>,
    pub(crate) query: Matrix,
    pub(crate) key: Matrix,
    pub(crate) value: Matrix,
    pub(crate) output: Matrix,
    pub(crate) ffn_norm: Vec<f32>,
    pub(crate) gate: Matrix,
    pub(crate) up: Matrix,
    pub(crate) down: Matrix,
}

/// How the makers of a model want it sampled, where a request does not say
/// (`general.sampling.*` in the file).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SamplingDefaults {
    /// `general.sampling.temp`.
    pub temperature: Option<f32>,
    /// `general.sampling.top_p`.
    pub top_p: Option<f32>,
    /// `general.sampling.top_k`.
    pub top_k: Option<usize>,
}

/// A loaded model. Shared between generations; nothing in it changes.
#[derive(Debug)]
pub struct Model {
    pub(crate) shape: Shape,
    pub(crate) embedding: Matrix,
    pub(crate) layers: Vec<Layer>,
    pub(crate) output_norm: Vec<f32>,
    /// `None`: the embedding is used.
    pub(crate) output: Option<Matrix>,
    /// Divisors of the rotation frequencies (Llama 3.1), one per pair.
    pub(crate) rope_factors: Option<Vec<f32>>,
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
    defaults: SamplingDefaults,
    name: Option<String>,
}

impl Model {
    /// Reads a GGUF file of architecture `llama`. Weights are copied, `bytes` can be dropped.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let file = Gguf::parse(bytes)?;
        let architecture = file
            .metadata
            .get("general.architecture")
            .and_then(Value::as_str);
        if architecture != Some("llama") {
            let name = architecture.unwrap_or("none");
            return Err(Error::Unsupported(format!(
                "architecture `{name}`, only `llama` is"
            )));
        }
        let tokenizer = Tokenizer::load(&file)?;
        let shape = Shape::read(&Metadata(&file))?;
        let mut tensors = Tensors {
            file: &file,
            used: 0,
        };
        let vocabulary = tokenizer.vocabulary();
        let embedding = tensors.matrix("token_embd.weight", shape.width, vocabulary)?;
        let layers = (0..shape.layers)
            .map(|index| Layer::read(&mut tensors, &shape, index))
            .collect::<Result<_>>()?;
        let output_norm = tensors.vector("output_norm.weight", shape.width)?;
        let output = match file.tensors.contains_key("output.weight") {
            true => Some(tensors.matrix("output.weight", shape.width, vocabulary)?),
            false => None,
        };
        let rope_factors = match file.tensors.contains_key("rope_freqs.weight") {
            true => Some(tensors.vector("rope_freqs.weight", shape.rotated / 2)?),
            false => None,
        };
        tensors.all_used()?;
        let template = file
            .metadata
            .get("tokenizer.chat_template")
            .and_then(Value::as_str);
        let number = |key: &str| file.metadata.get(key).and_then(Value::as_f32);
        Ok(Self {
            template: template.map(ChatTemplate::compile).transpose()?,
            defaults: SamplingDefaults {
                temperature: number("general.sampling.temp").filter(|t| (0.0..=2.0).contains(t)),
                top_p: number("general.sampling.top_p").filter(|p| (0.0..=1.0).contains(p)),
                top_k: file
                    .metadata
                    .get("general.sampling.top_k")
                    .and_then(Value::as_u64)
                    .and_then(|k| usize::try_from(k).ok()),
            },
            name: file
                .metadata
                .get("general.name")
                .and_then(Value::as_str)
                .map(str::to_owned),
            shape,
            embedding,
            layers,
            output_norm,
            output,
            rope_factors,
            tokenizer,
        })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens of prompt and answer together.
    pub fn context_tokens(&self) -> usize {
        self.shape.context
    }

    /// `general.name` of the file.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the file says about sampling.
    pub fn sampling_defaults(&self) -> SamplingDefaults {
        self.defaults
    }

    /// The tokens of a conversation (role and text of each message), open for the model's answer.
    pub fn chat_prompt(&self, messages: &[(&str, &str)]) -> Result<Vec<u32>> {
        let template = self.template.as_ref().ok_or(Error::NoTemplate)?;
        let tokenizer = &self.tokenizer;
        let text = template.render(messages, tokenizer.bos_text(), tokenizer.eos_text())?;
        tokenizer.encode_prompt(&text)
    }
}

impl Shape {
    fn read(metadata: &Metadata<'_>) -> Result<Self> {
        let layers = metadata.size("llama.block_count")?;
        let width = metadata.size("llama.embedding_length")?;
        let heads = metadata.size("llama.attention.head_count")?;
        let kv_heads = metadata.size_or("llama.attention.head_count_kv", heads)?;
        let head = metadata.size_or("llama.attention.key_length", (width / heads).max(1))?;
        let value_head = metadata.size_or("llama.attention.value_length", head)?;
        let rotated = metadata.size_or("llama.rope.dimension_count", head)?;
        metadata.check(
            "llama.attention.head_count_kv",
            heads.is_multiple_of(kv_heads),
            "a divisor of head_count",
        )?;
        metadata.check(
            "llama.attention.value_length",
            value_head == head,
            "equal to key_length",
        )?;
        let fits = rotated.is_multiple_of(2) && rotated <= head;
        metadata.check(
            "llama.rope.dimension_count",
            fits,
            "even and at most the head's length",
        )?;
        let rope_scale = match metadata.text("llama.rope.scaling.type") {
            None | Some("none") => 1.0,
            Some("linear") => 1.0 / metadata.positive("llama.rope.scaling.factor", None)?,
            Some(other) => return Err(Error::Unsupported(format!("rope scaling `{other}`"))),
        };
        Ok(Self {
            layers,
            width,
            hidden: metadata.size("llama.feed_forward_length")?,
            heads,
            kv_heads,
            head,
            rotated,
            context: metadata.size("llama.context_length")?.min(CONTEXT_TOKENS),
            epsilon: metadata.positive("llama.attention.layer_norm_rms_epsilon", None)?,
            rope_base: metadata.positive("llama.rope.freq_base", Some(10_000.0))?,
            rope_scale,
        })
    }
}

impl Layer {
    fn read(tensors: &mut Tensors<'_>, shape: &Shape, index: usize) -> Result<Self> {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        let (width, hidden) = (shape.width, shape.hidden);
        let (all, kv) = (shape.heads * shape.head, shape.kv_heads * shape.head);
        Ok(Self {
            attention_norm: tensors.vector(&name("attn_norm"), width)?,
            query: tensors.matrix(&name("attn_q"), width, all)?,
            key: tensors.matrix(&name("attn_k"), width, kv)?,
            value: tensors.matrix(&name("attn_v"), width, kv)?,
            output: tensors.matrix(&name("attn_output"), all, width)?,
            ffn_norm: tensors.vector(&name("ffn_norm"), width)?,
            gate: tensors.matrix(&name("ffn_gate"), width, hidden)?,
            up: tensors.matrix(&name("ffn_up"), width, hidden)?,
            down: tensors.matrix(&name("ffn_down"), hidden, width)?,
        })
    }
}

/// The file's metadata, read with errors that name the key.
struct Metadata<'a>(&'a Gguf<'a>);

impl<'a> Metadata<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.metadata.get(key).and_then(Value::as_str)
    }

    fn size(&self, key: &str) -> Result<usize> {
        let value = self
            .0
            .metadata
            .get(key)
            .ok_or_else(|| Error::MissingKey(key.into()))?;
        match value.as_u64() {
            Some(size) if (1..=MODEL_DIMENSION).contains(&size) => Ok(size as usize),
            _ => Err(self.bad(key, "a positive integer of plausible size")),
        }
    }

    fn size_or(&self, key: &str, default: usize) -> Result<usize> {
        if self.0.metadata.contains_key(key) {
            self.size(key)
        } else {
            Ok(default)
        }
    }

    fn positive(&self, key: &str, default: Option<f32>) -> Result<f32> {
        let Some(value) = self.0.metadata.get(key) else {
            return default.ok_or_else(|| Error::MissingKey(key.into()));
        };
        match value.as_f32() {
            Some(number) if number > 0.0 && number.is_finite() => Ok(number),
            _ => Err(self.bad(key, "a positive number")),
        }
    }

    fn check(&self, key: &str, holds: bool, expected: &'static str) -> Result<()> {
        if holds {
            Ok(())
        } else {
            Err(self.bad(key, expected))
        }
    }

    fn bad(&self, key: &str, expected: &'static str) -> Error {
        let value = match self.0.metadata.get(key) {
            Some(Value::Array(values)) => format!("an array of {}", values.len()),
            Some(value) => format!("{value:?}"),
            None => "absent".into(),
        };
        Error::BadKey {
            key: key.into(),
            value,
            expected,
        }
    }
}

/// The file's tensors, read with their shapes checked.
struct Tensors<'a> {
    file: &'a Gguf<'a>,
    used: usize,
}

impl<'a> Tensors<'a> {
    fn take(&mut self, name: &str, expected: &[usize]) -> Result<&'a Tensor<'a>> {
        let tensor = self
            .file
            .tensors
            .get(name)
            .ok_or_else(|| Error::MissingTensor(name.into()))?;
        // Trailing dimensions of 1 say nothing.
        let actual = &tensor.shape;
        let same = actual.get(..expected.len()) == Some(expected)
            && actual[expected.len()..].iter().all(|&size| size == 1);
        if !same {
            let (expected, actual) = (expected.to_vec(), actual.clone());
            return Err(Error::Shape {
                name: name.into(),
                expected,
                actual,
            });
        }
        self.used += 1;
        Ok(tensor)
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>> {
        let tensor = self.take(name, &[length])?;
        match tensor.kind {
            TensorKind::F32 => Ok(singles(tensor.data)),
            TensorKind::F16 => Ok(halves(tensor.data)),
            TensorKind::Q8_0 => Err(Error::Unsupported(format!("quantised vector `{name}`"))),
        }
    }

    fn matrix(&mut self, name: &str, columns: usize, rows: usize) -> Result<Matrix> {
        let tensor = self.take(name, &[columns, rows])?;
        let weights = match tensor.kind {
            TensorKind::F32 => Weights::F32(singles(tensor.data)),
            TensorKind::F16 => Weights::F16(halves(tensor.data)),
            TensorKind::Q8_0 => blocks(tensor.data),
        };
        Ok(Matrix {
            rows,
            columns,
            weights,
        })
    }

    /// A tensor we do not know would be left out of the calculation: a wrong answer.
    fn all_used(&self) -> Result<()> {
        if self.used == self.file.tensors.len() {
            return Ok(());
        }
        let known = |name: &str| {
            let block = name
                .strip_prefix("blk.")
                .and_then(|rest| rest.split_once('.'));
            let part = block.map_or(name, |(_, part)| part);
            KNOWN.contains(&part)
        };
        let odd = self.file.tensors.keys().find(|name| !known(name));
        let odd = odd.map_or("of a block beyond block_count", String::as_str);
        Err(Error::Unsupported(format!("tensor `{odd}`")))
    }
}

/// Tensors of a Llama file, without their block.
const KNOWN: [&str; 13] = [
    "token_embd.weight",
    "output_norm.weight",
    "output.weight",
    "rope_freqs.weight",
    "attn_norm.weight",
    "attn_q.weight",
    "attn_k.weight",
    "attn_v.weight",
    "attn_output.weight",
    "ffn_norm.weight",
    "ffn_gate.weight",
    "ffn_up.weight",
    "ffn_down.weight",
];

fn singles(data: &[u8]) -> Vec<f32> {
    let (numbers, _) = data.as_chunks::<4>();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

fn halves(data: &[u8]) -> Vec<f32> {
    let (numbers, _) = data.as_chunks::<2>();
    numbers
        .iter()
        .map(|bytes| quant::f16_to_f32(u16::from_le_bytes(*bytes)))
        .collect()
}

fn blocks(data: &[u8]) -> Weights {
    let (blocks, _) = data.as_chunks::<BLOCK_BYTES>();
    let mut quants = Vec::with_capacity(blocks.len() * BLOCK);
    let mut scales = Vec::with_capacity(blocks.len());
    for [low, high, values @ ..] in blocks {
        scales.push(quant::f16_to_f32(u16::from_le_bytes([*low, *high])));
        quants.extend(values.iter().map(|&byte| byte as i8));
    }
    Weights::Q8 { quants, scales }
}

//! The calculation: tokens in, logits of the next token out, keys and values kept.
//!
//! Attention follows ggml's CPU path without flash attention: query and probabilities rounded to half
//! precision before their products with the half-precision keys and values.

use super::matrix::{Matrix, Scratch};
use super::model::{Layer, Model, Shape};
use super::ops;
use super::quant::round_f16;
use crate::limits::PREFILL_TOKENS;

/// Tokens seen so far, as keys and values of every layer. Cloning it forks the text.
#[derive(Clone, Debug)]
pub(crate) struct Sequence<'m> {
    model: &'m Model,
    caches: Vec<Cache>,
    length: usize,
    scratch: Scratch,
}

/// Keys and values of one layer, one row per position.
#[derive(Clone, Debug, Default)]
struct Cache {
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl<'m> Sequence<'m> {
    /// An empty text.
    pub(crate) fn new(model: &'m Model) -> Self {
        let caches = vec![Cache::default(); model.layers.len()];
        Self {
            model,
            caches,
            length: 0,
            scratch: Scratch::default(),
        }
    }

    /// Tokens seen.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Appends at most [`PREFILL_TOKENS`] tokens, each of the vocabulary, and returns the activations
    /// of the last one. The caller keeps the total within the context.
    pub(crate) fn append(&mut self, tokens: &[u32]) -> Vec<f32> {
        debug_assert!(!tokens.is_empty() && tokens.len() <= PREFILL_TOKENS);
        let model = self.model;
        let shape = &model.shape;
        let mut x = vec![0.0; tokens.len() * shape.width];
        for (row, &token) in x.chunks_exact_mut(shape.width).zip(tokens) {
            model.embedding.row(token as usize, row);
        }
        let angles = Angles::new(model, self.length..self.length + tokens.len());
        let mut normed = vec![0.0; x.len()];
        for (layer, cache) in model.layers.iter().zip(&mut self.caches) {
            ops::rms_norm(&x, &layer.attention_norm, shape.epsilon, &mut normed);
            let mixed = attend(
                layer,
                shape,
                &angles,
                cache,
                self.length,
                &normed,
                &mut self.scratch,
            );
            ops::add(&mut x, &mixed);
            ops::rms_norm(&x, &layer.ffn_norm, shape.epsilon, &mut normed);
            let fed = feed_forward(layer, &normed, &mut self.scratch);
            ops::add(&mut x, &fed);
        }
        self.length += tokens.len();
        x.split_off(x.len() - shape.width)
    }

    /// The logits that follow from the activations of a token.
    pub(crate) fn logits(&mut self, activations: &[f32]) -> Vec<f32> {
        let model = self.model;
        let mut normed = vec![0.0; model.shape.width];
        ops::rms_norm(
            activations,
            &model.output_norm,
            model.shape.epsilon,
            &mut normed,
        );
        product(
            model.output.as_ref().unwrap_or(&model.embedding),
            &normed,
            &mut self.scratch,
        )
    }
}

fn product(matrix: &Matrix, input: &[f32], scratch: &mut Scratch) -> Vec<f32> {
    let mut output = vec![0.0; input.len() / matrix.columns * matrix.rows];
    matrix.multiply(input, &mut output, scratch);
    output
}

fn feed_forward(layer: &Layer, normed: &[f32], scratch: &mut Scratch) -> Vec<f32> {
    let mut gate = product(&layer.gate, normed, scratch);
    let up = product(&layer.up, normed, scratch);
    for (gate, up) in gate.iter_mut().zip(&up) {
        *gate = ops::silu(*gate) * up;
    }
    product(&layer.down, &gate, scratch)
}

/// Grouped-query attention of the new positions over all positions up to their own.
fn attend(
    layer: &Layer,
    shape: &Shape,
    angles: &Angles,
    cache: &mut Cache,
    before: usize,
    normed: &[f32],
    scratch: &mut Scratch,
) -> Vec<f32> {
    let (head, kv_width) = (shape.head, shape.kv_heads * shape.head);
    let mut queries = product(&layer.query, normed, scratch);
    let mut keys = product(&layer.key, normed, scratch);
    let mut values = product(&layer.value, normed, scratch);
    angles.rotate(&mut queries, shape.heads, head);
    angles.rotate(&mut keys, shape.kv_heads, head);
    for list in [&mut queries, &mut keys, &mut values] {
        list.iter_mut().for_each(|value| *value = round_f16(*value));
    }
    cache.keys.extend_from_slice(&keys);
    cache.values.extend_from_slice(&values);

    let scale = 1.0 / (head as f32).sqrt();
    let mut mixed = vec![0.0; queries.len()];
    let mut scores = Vec::new();
    for (index, (query, out)) in queries
        .chunks_exact(head)
        .zip(mixed.chunks_exact_mut(head))
        .enumerate()
    {
        let (row, query_head) = (index / shape.heads, index % shape.heads);
        let at = query_head * shape.kv_heads / shape.heads * head;
        let seen = before + row + 1;
        let keys = cache.keys.chunks_exact(kv_width).take(seen);
        scores.clear();
        scores.extend(keys.map(|key| ops::dot(&key[at..at + head], query) * scale));
        ops::softmax(&mut scores);
        for (score, value) in scores.iter().zip(cache.values.chunks_exact(kv_width)) {
            let score = round_f16(*score);
            for (out, value) in out.iter_mut().zip(&value[at..at + head]) {
                *out += score * value;
            }
        }
    }
    product(&layer.output, &mixed, scratch)
}

/// Cosine and sine by which each pair of neighbours is rotated, for a range of positions (RoPE, Su et
/// al. 2021, in the interleaved order of `llama` files).
struct Angles {
    pairs: usize,
    turns: Vec<(f32, f32)>,
}

impl Angles {
    fn new(model: &Model, positions: std::ops::Range<usize>) -> Self {
        let shape = &model.shape;
        let pairs = shape.rotated / 2;
        let step = shape.rope_base.powf(-2.0 / shape.rotated as f32);
        let mut turns = Vec::with_capacity(pairs * positions.len());
        for position in positions {
            let mut angle = position as f32;
            for pair in 0..pairs {
                let factor = model
                    .rope_factors
                    .as_ref()
                    .map_or(1.0, |factors| factors[pair]);
                let turn = f64::from(angle / factor * shape.rope_scale);
                turns.push((turn.cos() as f32, turn.sin() as f32));
                angle *= step;
            }
        }
        Self { pairs, turns }
    }

    /// Rotates `heads` heads of each position's row.
    fn rotate(&self, rows: &mut [f32], heads: usize, head: usize) {
        let rows = rows.chunks_exact_mut(heads * head);
        for (row, turns) in rows.zip(self.turns.chunks_exact(self.pairs)) {
            for values in row.chunks_exact_mut(head) {
                for (pair, (cos, sin)) in values.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
                    let [a, b] = *pair;
                    *pair = [a * cos - b * sin, a * sin + b * cos];
                }
            }
        }
    }
}

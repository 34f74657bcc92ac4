//! Weights as stored and their product with rows of activations.

use super::ops;
use super::quant::{self, BLOCK, Quantised};

/// A matrix of weights; row r holds what output r is made of.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) weights: Weights,
}

/// The weights, row after row.
#[derive(Clone, Debug)]
pub(crate) enum Weights {
    /// Single precision.
    F32(Vec<f32>),
    /// Half precision, widened; activations are rounded to half before the product.
    F16(Vec<f32>),
    /// Q8_0: one scale per 32 values.
    Q8 { quants: Vec<i8>, scales: Vec<f32> },
}

/// Room for quantised or rounded activations, kept between products.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    quantised: Vec<Quantised>,
    rounded: Vec<f32>,
}

impl Matrix {
    /// `output[t] = self · input[t]` for each row t of `input`.
    pub(crate) fn multiply(&self, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        let count = input.len() / self.columns;
        match &self.weights {
            Weights::F32(weights) => self.multiply_floats(weights, input, output),
            Weights::F16(weights) => {
                scratch.rounded.clear();
                scratch
                    .rounded
                    .extend(input.iter().map(|value| quant::round_f16(*value)));
                self.multiply_floats(weights, &scratch.rounded, output);
            }
            Weights::Q8 { quants, scales } => {
                scratch
                    .quantised
                    .resize_with(count.max(scratch.quantised.len()), Quantised::default);
                let quantised = &mut scratch.quantised[..count];
                for (into, row) in quantised.iter_mut().zip(input.chunks_exact(self.columns)) {
                    into.set(row);
                }
                let rows = quants
                    .chunks_exact(self.columns)
                    .zip(scales.chunks_exact(self.columns / BLOCK));
                for (r, (quants, scales)) in rows.enumerate() {
                    for (t, activations) in quantised.iter().enumerate() {
                        output[t * self.rows + r] = quant::dot(quants, scales, activations);
                    }
                }
            }
        }
    }

    fn multiply_floats(&self, weights: &[f32], input: &[f32], output: &mut [f32]) {
        for (r, row) in weights.chunks_exact(self.columns).enumerate() {
            for (t, activations) in input.chunks_exact(self.columns).enumerate() {
                output[t * self.rows + r] = ops::dot(row, activations);
            }
        }
    }

    /// Row `r` as numbers.
    pub(crate) fn row(&self, r: usize, output: &mut [f32]) {
        let range = r * self.columns..(r + 1) * self.columns;
        match &self.weights {
            Weights::F32(weights) | Weights::F16(weights) => {
                output.copy_from_slice(&weights[range]);
            }
            Weights::Q8 { quants, scales } => {
                let scales = &scales[range.start / BLOCK..range.end / BLOCK];
                for ((out, quants), scale) in output
                    .chunks_exact_mut(BLOCK)
                    .zip(quants[range].chunks_exact(BLOCK))
                    .zip(scales)
                {
                    for (out, quant) in out.iter_mut().zip(quants) {
                        *out = f32::from(*quant) * scale;
                    }
                }
            }
        }
    }
}

//! Half precision and the Q8_0 block format.
//!
//! Q8_0 (ggml): 32 values share one scale d = max|x| / 127, stored in half precision, followed by 32
//! signed bytes round(x / d). Activations are quantised the same way before a dot product, whose 32
//! products are summed exactly in integers.

/// Values in a Q8_0 block.
pub const BLOCK: usize = 32;

/// Bytes of a Q8_0 block in a file.
pub const BLOCK_BYTES: usize = 2 + BLOCK;

/// 1.5 · 2²³: adding it to a number below 2²² leaves the number, rounded half to even, in the low bits.
const ROUND: f32 = 12_582_912.0;

/// IEEE 754 half to single precision, exact.
pub fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = (half >> 10) & 0x1f;
    let mantissa = u32::from(half & 0x3ff);
    let magnitude = match exponent {
        0 => (mantissa as f32 * (1.0 / 16_777_216.0)).to_bits(),
        0x1f => 0x7f80_0000 | (mantissa << 13),
        _ => ((u32::from(exponent) + 112) << 23) | (mantissa << 13),
    };
    f32::from_bits(sign | magnitude)
}

/// IEEE 754 single to half precision, rounded half to even; beyond 65,504 infinity.
pub fn f32_to_f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude > 0x7f80_0000 {
        0x7e00
    } else if magnitude >= 0x4780_0000 {
        0x7c00
    } else if magnitude < 0x3880_0000 {
        // Below 2⁻¹⁴ the step is 2⁻²⁴: that of the last bit of a number in [0.5, 1).
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits()
    } else {
        let odd = (magnitude >> 13) & 1;
        (magnitude - (112 << 23) + 0xfff + odd) >> 13
    };
    sign | half as u16
}

/// `value` as half precision would hold it.
pub fn round_f16(value: f32) -> f32 {
    f16_to_f32(f32_to_f16(value))
}

/// A row of activations, quantised. Wider than a byte because the dot product wants them so.
#[derive(Clone, Debug, Default)]
pub struct Quantised {
    /// One per value, −127 to 127.
    pub quants: Vec<i16>,
    /// One per block.
    pub scales: Vec<f32>,
}

impl Quantised {
    /// Quantises `values`, whose length is a multiple of [`BLOCK`], in place of what was held.
    pub fn set(&mut self, values: &[f32]) {
        self.quants.clear();
        self.scales.clear();
        for block in values.chunks_exact(BLOCK) {
            let largest = block
                .iter()
                .fold(0.0_f32, |most, value| most.max(value.abs()));
            let inverse = if largest == 0.0 { 0.0 } else { 127.0 / largest };
            self.scales.push(round_f16(largest / 127.0));
            self.quants.extend(block.iter().map(|value| {
                let bits = (value * inverse + ROUND).to_bits();
                bits.wrapping_sub(ROUND.to_bits()) as i16
            }));
        }
    }
}

/// Dot product of a row of weights (`quants`, one of `scales` per block) with activations.
pub fn dot(quants: &[i8], scales: &[f32], activations: &Quantised) -> f32 {
    let weights = quants.chunks_exact(BLOCK).zip(scales);
    let inputs = activations
        .quants
        .chunks_exact(BLOCK)
        .zip(&activations.scales);
    let mut sum = 0.0;
    for ((weight, weight_scale), (input, input_scale)) in weights.zip(inputs) {
        let mut products = 0_i32;
        for (a, b) in weight.iter().zip(input) {
            products += i32::from(*a) * i32::from(*b);
        }
        sum += products as f32 * (weight_scale * input_scale);
    }
    sum
}

/// `values`, whose length is a multiple of [`BLOCK`], as the bytes of Q8_0 blocks.
pub fn to_bytes(values: &[f32]) -> Vec<u8> {
    let mut quantised = Quantised::default();
    quantised.set(values);
    let mut bytes = Vec::with_capacity(values.len() / BLOCK * BLOCK_BYTES);
    for (quants, scale) in quantised.quants.chunks_exact(BLOCK).zip(&quantised.scales) {
        bytes.extend_from_slice(&f32_to_f16(*scale).to_le_bytes());
        bytes.extend(quants.iter().map(|&quant| quant as i8 as u8));
    }
    bytes
}

#[cfg(test)]
mod tests;

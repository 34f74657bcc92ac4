//! The few vector operations of a Llama model besides the matrix product.

/// eˣ with plain multiplications and additions, so that every platform gives the same bits; within
/// 2 units in the last place. Cody–Waite reduction, then the polynomial of Cephes' `expf`.
pub(crate) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.3, 88.3);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    for coefficient in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + coefficient;
    }
    let mantissa = p * (r * r) + r + 1.0;
    mantissa * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// x / (1 + e⁻ˣ).
pub(crate) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// Each row of `input` divided by its root mean square, times `weight`, into `output`.
pub(crate) fn rms_norm(input: &[f32], weight: &[f32], epsilon: f32, output: &mut [f32]) {
    let rows = input
        .chunks_exact(weight.len())
        .zip(output.chunks_exact_mut(weight.len()));
    for (row, out) in rows {
        let squares: f64 = row.iter().map(|value| f64::from(value * value)).sum();
        let mean = (squares / weight.len() as f64) as f32;
        let scale = 1.0 / (mean + epsilon).sqrt();
        for ((out, value), weight) in out.iter_mut().zip(row).zip(weight) {
            *out = value * scale * weight;
        }
    }
}

/// Turns `scores` into probabilities.
pub(crate) fn softmax(scores: &mut [f32]) {
    let most = scores
        .iter()
        .fold(f32::NEG_INFINITY, |most, score| most.max(*score));
    let mut sum = 0.0_f64;
    for score in scores.iter_mut() {
        *score = exp(*score - most);
        sum += f64::from(*score);
    }
    let scale = (1.0 / sum) as f32;
    for score in scores {
        *score *= scale;
    }
}

/// Sum of products, in eight interleaved partial sums so that it vectorises in a fixed order.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Adds `more` to `target`.
pub(crate) fn add(target: &mut [f32], more: &[f32]) {
    for (target, more) in target.iter_mut().zip(more) {
        *target += more;
    }
}

#[cfg(test)]
mod tests;

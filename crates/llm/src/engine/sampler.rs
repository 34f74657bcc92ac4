//! Choosing the next token: penalties and biases, temperature, top-k, top-p, a seeded draw.

use std::collections::BTreeMap;

use super::ops;

/// How tokens are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplerOptions {
    /// 0 takes the most likely token.
    pub temperature: f32,
    /// The least set of likeliest tokens with this mass is kept; 1 keeps all.
    pub top_p: f32,
    /// Likeliest tokens kept; 0 keeps all.
    pub top_k: usize,
    /// Subtracted once from the logit of each token already generated.
    pub presence_penalty: f32,
    /// Subtracted per time a token was generated.
    pub frequency_penalty: f32,
    /// Added to the logits of single tokens.
    pub logit_bias: Vec<(u32, f32)>,
    /// Equal seeds draw equally.
    pub seed: u64,
}

impl Default for SamplerOptions {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
        }
    }
}

/// Draws the tokens of one answer.
#[derive(Clone, Debug)]
pub struct Sampler {
    options: SamplerOptions,
    generated: BTreeMap<u32, u32>,
    random: SplitMix64,
    candidates: Vec<(f32, u32)>,
}

impl Sampler {
    /// At the start of an answer.
    pub fn new(options: SamplerOptions) -> Self {
        let random = SplitMix64(options.seed);
        Self {
            options,
            generated: BTreeMap::new(),
            random,
            candidates: Vec::new(),
        }
    }

    /// Chooses a token given the model's `logits`, of which there is at least one.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        self.candidates.clear();
        self.candidates
            .extend(logits.iter().zip(0..).map(|(logit, id)| (*logit, id)));
        for (token, bias) in &self.options.logit_bias {
            if let Some(candidate) = self.candidates.get_mut(*token as usize) {
                candidate.0 += bias;
            }
        }
        for (token, count) in &self.generated {
            if let Some(candidate) = self.candidates.get_mut(*token as usize) {
                candidate.0 -= self.options.presence_penalty;
                candidate.0 -= self.options.frequency_penalty * *count as f32;
            }
        }
        let token = if self.options.temperature > 0.0 {
            self.draw()
        } else {
            self.likeliest()
        };
        *self.generated.entry(token).or_default() += 1;
        token
    }

    /// The greatest logit; among equals the lowest id.
    fn likeliest(&self) -> u32 {
        let mut best = (f32::NEG_INFINITY, 0);
        for &candidate in &self.candidates {
            if candidate.0 > best.0 {
                best = candidate;
            }
        }
        best.1
    }

    fn draw(&mut self) -> u32 {
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let top_k = self.options.top_k;
        if top_k > 0 && top_k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(top_k - 1, order);
            self.candidates.truncate(top_k);
        }
        self.candidates.sort_unstable_by(order);
        let most = self.candidates[0].0;
        let mut total = 0.0;
        for candidate in &mut self.candidates {
            candidate.0 = ops::exp((candidate.0 - most) / self.options.temperature);
            total += f64::from(candidate.0);
        }
        if self.options.top_p < 1.0 {
            let wanted = total * f64::from(self.options.top_p);
            let mut kept = 0.0;
            let reached = self.candidates.iter().position(|candidate| {
                kept += f64::from(candidate.0);
                kept >= wanted
            });
            if let Some(last) = reached {
                self.candidates.truncate(last + 1);
                total = kept;
            }
        }
        let mut left = self.random.unit() * total;
        for candidate in &self.candidates {
            left -= f64::from(candidate.0);
            if left < 0.0 {
                return candidate.1;
            }
        }
        self.candidates[0].1
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): 64 bits of state, enough for drawing tokens.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Natural logarithms of all tokens' probabilities, before penalties and temperature.
pub(crate) fn log_probabilities(logits: &[f32]) -> Vec<f32> {
    let most = logits
        .iter()
        .fold(f32::NEG_INFINITY, |most, logit| most.max(*logit));
    let sum: f64 = logits
        .iter()
        .map(|logit| f64::from(ops::exp(logit - most)))
        .sum();
    let log_sum = most + sum.ln() as f32;
    logits.iter().map(|logit| logit - log_sum).collect()
}

/// The `count` likeliest tokens, best first; among equals the lowest id first.
pub(crate) fn likeliest(log_probabilities: &[f32], count: usize) -> Vec<(f32, u32)> {
    let mut all: Vec<(f32, u32)> = log_probabilities.iter().copied().zip(0..).collect();
    let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if count == 0 {
        return Vec::new();
    }
    if count < all.len() {
        all.select_nth_unstable_by(count - 1, order);
        all.truncate(count);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests;

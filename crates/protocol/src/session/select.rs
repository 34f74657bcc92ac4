//! The suppliers of a session (relay-protocol §3.3).

use sha3::{Digest as _, Sha3_256};

use crate::height::Height;

/// Whether a service configuration serves at `height`. 0 as deactivation height means no end.
pub fn is_active(activation: Height, deactivation: Height, height: Height) -> bool {
    activation <= height && (deactivation.0 == 0 || deactivation > height)
}

/// The number by which a candidate is drawn; compared as a **signed** number, smallest first.
pub fn supplier_weight(preimage: &[u8], operator_address: &str) -> i64 {
    weight(&weight_prefix(preimage), operator_address)
}

/// Chooses `count` of `candidates`, smallest weight first, ties by operator address. Fewer candidates than `count` are
/// all returned, in the order given (the reference's store order: activation height, then operator).
///
/// One hash per candidate and a partial selection: linear in the candidates, n log n only in those chosen.
pub fn select_suppliers<T>(
    preimage: &[u8],
    candidates: Vec<T>,
    operator_address: impl Fn(&T) -> &str,
    count: usize,
) -> Vec<T> {
    if candidates.len() < count {
        return candidates;
    }
    let prefix = weight_prefix(preimage);
    let mut weighed: Vec<(i64, T)> = candidates
        .into_iter()
        .map(|candidate| (weight(&prefix, operator_address(&candidate)), candidate))
        .collect();
    let order = |a: &(i64, T), b: &(i64, T)| {
        a.0.cmp(&b.0)
            .then_with(|| operator_address(&a.1).cmp(operator_address(&b.1)))
    };
    if count < weighed.len() {
        weighed.select_nth_unstable_by(count, order);
        weighed.truncate(count);
    }
    weighed.sort_by(order);
    weighed
        .into_iter()
        .map(|(_, candidate)| candidate)
        .collect()
}

/// The hasher after everything that all candidates share.
fn weight_prefix(preimage: &[u8]) -> Sha3_256 {
    Sha3_256::new().chain_update(preimage).chain_update(b".")
}

fn weight(prefix: &Sha3_256, operator_address: &str) -> i64 {
    let digest: [u8; 32] = prefix
        .clone()
        .chain_update(operator_address)
        .finalize()
        .into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

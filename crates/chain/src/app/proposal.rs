//! Sizes of blocks under construction.

use bytes::Bytes;

/// The first transactions that fit into `max_bytes` together.
pub(super) fn fitting(txs: &[Bytes], max_bytes: usize) -> Vec<Bytes> {
    let mut left = max_bytes;
    txs.iter()
        .take_while(|tx| match left.checked_sub(encoded(tx)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .cloned()
        .collect()
}

/// Bytes that transactions take in a block.
pub(super) fn size(txs: &[Bytes]) -> usize {
    txs.iter().map(encoded).fold(0, usize::saturating_add)
}

/// A transaction in a block's data is a protobuf field: tag, length, bytes.
fn encoded(tx: &Bytes) -> usize {
    tx.len()
        .saturating_add(prost::length_delimiter_len(tx.len()))
        .saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_prefix_that_fits() {
        let txs: Vec<Bytes> = [10_usize, 200, 5].map(|size| vec![0; size].into()).to_vec();
        assert_eq!(size(&txs), 12 + 203 + 7);
        assert_eq!(fitting(&txs, 1_000), txs);
        assert_eq!(fitting(&txs, 12 + 203), txs[..2]);
        assert_eq!(fitting(&txs, 12 + 202), txs[..1]);
        assert!(fitting(&txs, 11).is_empty());
    }
}

//! Pairs as a stream of bytes: length and bytes of the key, length and bytes of the value, over and over.
//!
//! Chunks cut the stream anywhere, so that neither the size of a value nor that of a chunk bounds the other.

use prost::encoding::{decode_varint, encode_varint};

use crate::limits;
use crate::store::Pair;

/// Appends a pair.
pub(super) fn put(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    for bytes in [key, value] {
        encode_varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX), out);
        out.extend_from_slice(bytes);
    }
}

/// Takes pairs from chunks.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What does not make a whole pair yet.
    rest: Vec<u8>,
}

impl Reader {
    /// Adds a chunk and hands over every pair that is whole now.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<Vec<Pair>, &'static str> {
        self.rest.extend_from_slice(chunk);
        let mut pairs = Vec::new();
        let mut left = self.rest.as_slice();
        while let Some((pair, rest)) = pair(left)? {
            pairs.push(pair);
            left = rest;
        }
        let taken = self.rest.len().saturating_sub(left.len());
        self.rest.drain(..taken);
        Ok(pairs)
    }

    /// Whether the stream ended with a whole pair.
    pub(super) fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }
}

/// The first pair and what follows it; `None` when bytes are missing.
fn pair(bytes: &[u8]) -> Result<Option<(Pair, &[u8])>, &'static str> {
    let Some((key, rest)) = field(bytes)? else {
        return Ok(None);
    };
    let Some((value, rest)) = field(rest)? else {
        return Ok(None);
    };
    Ok(Some(((key.to_vec(), value.to_vec()), rest)))
}

/// A field and what follows it.
type Cut<'a> = (&'a [u8], &'a [u8]);

fn field(mut bytes: &[u8]) -> Result<Option<Cut<'_>>, &'static str> {
    let length = match decode_varint(&mut bytes) {
        Ok(length) => length,
        // A varint has ten bytes at most; fewer may still become one.
        Err(_) if bytes.len() < 10 => return Ok(None),
        Err(_) => return Err("a length that is none"),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limits::SNAPSHOT_VALUE_BYTES {
        return Err("a value larger than any");
    }
    Ok(bytes.split_at_checked(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_however_the_stream_is_cut() {
        let pairs = [
            (b"a".to_vec(), Vec::new()),
            (b"key".to_vec(), vec![7; 300]),
            (vec![0xff; 40], b"value".to_vec()),
        ];
        let mut stream = Vec::new();
        for (key, value) in &pairs {
            put(&mut stream, key, value);
        }
        for size in 1..stream.len() {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for chunk in stream.chunks(size) {
                found.extend(reader.push(chunk).unwrap());
            }
            assert_eq!(found, pairs, "cut at {size}");
            assert!(reader.is_whole());
        }
        let mut reader = Reader::default();
        reader.push(&stream[..stream.len() - 1]).unwrap();
        assert!(!reader.is_whole());
        assert!(Reader::default().push(&[0xff; 12]).is_err());
        assert!(
            Reader::default()
                .push(&[0xff, 0xff, 0xff, 0xff, 0x7f])
                .is_err()
        );
    }
}

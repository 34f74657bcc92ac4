//! SentencePiece BPE with scores, as Llama 1 and 2 use it: characters merge, best score first; what is
//! no token falls back to bytes.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use crate::engine::error::{Error, Result};

/// U+2581 stands for a space.
const SPACE: char = '\u{2581}';

/// A scored vocabulary.
#[derive(Clone, Debug)]
pub(super) struct Spm {
    ids: HashMap<String, u32>,
    scores: Vec<f32>,
    add_prefix: bool,
    unknown: Option<u32>,
}

impl Spm {
    pub(super) fn new(
        ids: HashMap<String, u32>,
        scores: Vec<f32>,
        add_prefix: bool,
        unknown: Option<u32>,
    ) -> Self {
        Self {
            ids,
            scores,
            add_prefix,
            unknown,
        }
    }

    /// Appends the tokens of `text`; `at_start` says whether it opens the prompt or follows a special
    /// token, where a space is put before it.
    pub(super) fn encode(&self, text: &str, at_start: bool, tokens: &mut Vec<u32>) -> Result<()> {
        let mut whole = String::with_capacity(text.len() + 3);
        if self.add_prefix && at_start {
            whole.push(SPACE);
        }
        whole.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
        let mut symbols: Vec<Symbol> = whole
            .char_indices()
            .enumerate()
            .map(|(index, (from, c))| Symbol {
                from,
                length: c.len_utf8(),
                before: index.wrapping_sub(1),
                after: index + 1,
            })
            .collect();
        let mut queue = BinaryHeap::new();
        for at in 1..symbols.len() {
            self.offer(&whole, &symbols, at - 1, at, &mut queue);
        }
        while let Some(merge) = queue.pop() {
            let (left, right) = (symbols[merge.left], symbols[merge.right]);
            let stale = left.length == 0 || right.length == 0 || left.after != merge.right;
            if stale || left.length + right.length != merge.length {
                continue;
            }
            symbols[merge.left].length = merge.length;
            symbols[merge.left].after = right.after;
            symbols[merge.right].length = 0;
            if let Some(next) = symbols.get_mut(right.after) {
                next.before = merge.left;
                self.offer(&whole, &symbols, merge.left, right.after, &mut queue);
            }
            if left.before < symbols.len() {
                self.offer(&whole, &symbols, left.before, merge.left, &mut queue);
            }
        }
        for symbol in symbols.iter().filter(|symbol| symbol.length > 0) {
            self.emit(&whole[symbol.from..symbol.from + symbol.length], tokens)?;
        }
        Ok(())
    }

    fn offer(
        &self,
        text: &str,
        symbols: &[Symbol],
        left: usize,
        right: usize,
        queue: &mut BinaryHeap<Merge>,
    ) {
        let length = symbols[left].length + symbols[right].length;
        let from = symbols[left].from;
        if let Some(&id) = self.ids.get(&text[from..from + length]) {
            queue.push(Merge {
                score: self.scores[id as usize],
                left,
                right,
                length,
            });
        }
    }

    fn emit(&self, piece: &str, tokens: &mut Vec<u32>) -> Result<()> {
        if let Some(&id) = self.ids.get(piece) {
            tokens.push(id);
            return Ok(());
        }
        for byte in piece.bytes() {
            let id = self
                .ids
                .get(&format!("<0x{byte:02X}>"))
                .copied()
                .or(self.unknown);
            tokens.push(id.ok_or_else(|| Error::NoToken(piece.into()))?);
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Symbol {
    from: usize,
    /// Bytes; 0 once merged into its left neighbour.
    length: usize,
    before: usize,
    after: usize,
}

/// A possible merge; greatest is the best score, then the leftmost.
struct Merge {
    score: f32,
    left: usize,
    right: usize,
    length: usize,
}

impl Ord for Merge {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .total_cmp(&other.score)
            .then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Merge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Merge {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Merge {}

/// The bytes of a vocabulary entry.
pub(super) fn decode(text: &str, is_byte: bool) -> Vec<u8> {
    let hex = text
        .strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'));
    match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
        Some(byte) if is_byte => vec![byte],
        _ => text.replace(SPACE, " ").into_bytes(),
    }
}

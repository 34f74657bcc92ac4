//! Byte-level byte-pair encoding (GPT-2, Radford et al. 2019).
//!
//! Text is cut into words by regular expressions (which ones, the vocabulary's `pre` says), the bytes
//! of a word become single-byte tokens, and neighbours merge in the order of the merge list. In the
//! vocabulary each byte is written as a printable character.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use fancy_regex::Regex;

use crate::engine::error::{Error, Result};

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SINGLE_DIGITS: &str = r"\p{N}";
const THREE_DIGITS: &str = "[0-9][0-9][0-9]";
const PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|]+";
const NUMBERS: &str = r"\p{N}+";

/// The cuts of a pre-tokenizer by its name in `tokenizer.ggml.pre`; each is applied to what the one
/// before left.
fn patterns(pre: &str) -> Option<&'static [&'static str]> {
    Some(match pre {
        "gpt-2" | "phi-2" | "olmo" | "mpt" => &[GPT2],
        "default" => &[PUNCTUATION, GPT2, NUMBERS, THREE_DIGITS],
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" => &[SINGLE_DIGITS, GPT2],
        "llama-bpe" | "llama3" | "llama-v3" => &[LLAMA3],
        "qwen2" | "deepseek-r1-qwen" => &[QWEN2],
        _ => return None,
    })
}

/// A byte-level vocabulary.
#[derive(Clone, Debug)]
pub(super) struct Bpe {
    cuts: Vec<Regex>,
    bytes: Box<[Option<u32>; 256]>,
    /// Neighbours to their rank (low merges first) and what they become.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// Whole words that are tokens without any merge, for vocabularies that say so.
    words: HashMap<Box<[u8]>, u32>,
}

impl Bpe {
    pub(super) fn load(pre: &str, merges: &[String], ids: &HashMap<&str, u32>) -> Result<Self> {
        let patterns = patterns(pre).ok_or_else(|| {
            Error::Unsupported(format!("pre-tokenizer `{pre}` of a gpt2 vocabulary"))
        })?;
        let compile = |pattern: &&str| {
            Regex::new(pattern).map_err(|why| Error::Unsupported(format!("{pattern}: {why}")))
        };
        let cuts = patterns.iter().map(compile).collect::<Result<_>>()?;
        let mut bytes = Box::new([None; 256]);
        for byte in 0..=u8::MAX {
            let character = character_of(byte);
            bytes[usize::from(byte)] = ids.get(character.encode_utf8(&mut [0; 4]) as &str).copied();
        }
        let mut pairs = HashMap::with_capacity(merges.len());
        for (rank, merge) in merges.iter().enumerate() {
            let pair = merge.split_once(' ').and_then(|(left, right)| {
                let merged = ids.get(format!("{left}{right}").as_str())?;
                Some(((*ids.get(left)?, *ids.get(right)?), *merged))
            });
            let (pair, merged) = pair.ok_or_else(|| {
                let merge: String = merge.chars().take(64).collect();
                Error::Malformed(format!("merge {rank}, `{merge}`, names no tokens"))
            })?;
            pairs.entry(pair).or_insert((rank as u32, merged));
        }
        let whole = matches!(pre, "llama-bpe" | "llama3" | "llama-v3");
        let words = match whole {
            true => ids
                .iter()
                .map(|(text, id)| (decode(text).into(), *id))
                .collect(),
            false => HashMap::new(),
        };
        Ok(Self {
            cuts,
            bytes,
            merges: pairs,
            words,
        })
    }

    /// Appends the tokens of `text`.
    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<u32>) -> Result<()> {
        let mut words = vec![text];
        for cut in &self.cuts {
            let mut finer = Vec::new();
            for word in words {
                split(cut, word, &mut finer)?;
            }
            words = finer;
        }
        words
            .into_iter()
            .try_for_each(|word| self.encode_word(word.as_bytes(), tokens))
    }

    fn encode_word(&self, word: &[u8], tokens: &mut Vec<u32>) -> Result<()> {
        if let Some(&id) = self.words.get(word) {
            tokens.push(id);
            return Ok(());
        }
        let mut symbols = Vec::with_capacity(word.len());
        for (at, &byte) in word.iter().enumerate() {
            let id = self.bytes[usize::from(byte)]
                .ok_or_else(|| Error::NoToken(format!("byte {byte:#04x}")))?;
            symbols.push(Symbol {
                id,
                before: at.wrapping_sub(1),
                after: at + 1,
                alive: true,
            });
        }
        let mut queue = BinaryHeap::new();
        for at in 1..symbols.len() {
            self.offer(&symbols, at - 1, at, &mut queue);
        }
        while let Some(Reverse(merge)) = queue.pop() {
            let (left, right) = (symbols[merge.left], symbols[merge.right]);
            let current = left.alive && right.alive && left.after == merge.right;
            if !current || (left.id, right.id) != merge.pair {
                continue;
            }
            symbols[merge.left].id = merge.merged;
            symbols[merge.left].after = right.after;
            symbols[merge.right].alive = false;
            if let Some(next) = symbols.get_mut(right.after) {
                next.before = merge.left;
                self.offer(&symbols, merge.left, right.after, &mut queue);
            }
            if left.before < symbols.len() {
                self.offer(&symbols, left.before, merge.left, &mut queue);
            }
        }
        tokens.extend(
            symbols
                .iter()
                .filter(|symbol| symbol.alive)
                .map(|symbol| symbol.id),
        );
        Ok(())
    }

    fn offer(
        &self,
        symbols: &[Symbol],
        left: usize,
        right: usize,
        queue: &mut BinaryHeap<Reverse<Merge>>,
    ) {
        let pair = (symbols[left].id, symbols[right].id);
        if let Some(&(rank, merged)) = self.merges.get(&pair) {
            queue.push(Reverse(Merge {
                rank,
                left,
                right,
                pair,
                merged,
            }));
        }
    }
}

/// A token of the word so far, linked to its living neighbours.
#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    before: usize,
    after: usize,
    alive: bool,
}

/// A possible merge; ordered by rank, then from left to right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Merge {
    rank: u32,
    left: usize,
    right: usize,
    pair: (u32, u32),
    merged: u32,
}

/// Cuts `text` into the matches of `cut` and what lies between them.
fn split<'a>(cut: &Regex, text: &'a str, words: &mut Vec<&'a str>) -> Result<()> {
    let mut end = 0;
    for found in cut.find_iter(text) {
        let found = found.map_err(|why| Error::Unsupported(format!("text to be cut: {why}")))?;
        if found.start() > end {
            words.push(&text[end..found.start()]);
        }
        if found.end() > found.start() {
            words.push(found.as_str());
        }
        end = found.end();
    }
    if end < text.len() {
        words.push(&text[end..]);
    }
    Ok(())
}

/// Whether GPT-2 writes this byte as itself.
fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The character that stands for `byte` in a vocabulary; those without their own are numbered from
/// U+0100.
fn character_of(byte: u8) -> char {
    if is_printable(byte) {
        return char::from(byte);
    }
    let index = (0..byte).filter(|&lower| !is_printable(lower)).count() as u32;
    char::from_u32(0x100 + index).unwrap_or('\u{fffd}')
}

/// The bytes of a vocabulary entry; a character that stands for no byte is taken as it is.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0x100..=0x143 => (0..=u8::MAX)
            .filter(|&byte| !is_printable(byte))
            .nth(code as usize - 0x100),
        _ => u8::try_from(code).ok().filter(|&byte| is_printable(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character() {
        let all: std::collections::BTreeSet<_> = (0..=u8::MAX).map(character_of).collect();
        assert_eq!(all.len(), 256);
        for byte in 0..=u8::MAX {
            assert_eq!(byte_of(character_of(byte)), Some(byte));
        }
        assert_eq!(
            (character_of(b' '), character_of(b'\n'), character_of(0xad)),
            ('Ġ', 'Ċ', 'Ń')
        );
    }

    #[test]
    fn gpt2_cuts_words_as_published() {
        let cut = Regex::new(GPT2).unwrap();
        let words = |text| {
            let mut words = Vec::new();
            split(&cut, text, &mut words).unwrap();
            words
        };
        assert_eq!(
            words("Hello  world's 42nd"),
            ["Hello", " ", " world", "'s", " 42", "nd"]
        );
        assert_eq!(words("a\n\nb  "), ["a", "\n", "\n", "b", "  "]);
        assert_eq!(words("  x=-1;"), [" ", " x", "=-", "1", ";"]);
    }

    #[test]
    fn cuts_follow_one_another() {
        let single = patterns("smollm").unwrap();
        let mut words = vec!["room 4217"];
        for pattern in single {
            let cut = Regex::new(pattern).unwrap();
            let mut finer = Vec::new();
            for word in words {
                split(&cut, word, &mut finer).unwrap();
            }
            words = finer;
        }
        assert_eq!(words, ["room", " ", "4", "2", "1", "7"]);
    }
}

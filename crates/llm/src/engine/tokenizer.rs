//! Text to tokens and back, as llama.cpp does it: byte-level BPE (`gpt2`) and SentencePiece (`llama`).
//!
//! Text is first split at special tokens (longest first), so that a rendered chat template gets its
//! markers as single tokens; the parts between go to the vocabulary's own algorithm.

use std::collections::HashMap;

use super::error::{Error, Result};
use super::gguf::{Gguf, Value};

mod bpe;
mod spm;

use bpe::Bpe;
use spm::Spm;

/// What a token is (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl Kind {
    fn from_id(id: u64) -> Option<Self> {
        Some(match id {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }

    /// Whether its text is found in the input as a whole.
    fn is_special(self) -> bool {
        matches!(self, Self::Unknown | Self::Control | Self::UserDefined)
    }
}

/// Texts of tokens that end an answer wherever they occur in a vocabulary, as in llama.cpp.
const ENDINGS: [&str; 7] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<end_of_turn>",
    "</s>",
];

/// A vocabulary with its algorithm.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    texts: Vec<String>,
    /// What each token adds to an answer; nothing for control tokens.
    pieces: Vec<Vec<u8>>,
    /// Special tokens, longest text first.
    special: Vec<u32>,
    algorithm: Algorithm,
    bos: Option<u32>,
    add_bos: bool,
    endings: Vec<u32>,
    eos: Option<u32>,
}

#[derive(Clone, Debug)]
enum Algorithm {
    Bpe(Box<Bpe>),
    Spm(Box<Spm>),
}

impl Tokenizer {
    /// Reads the `tokenizer.ggml.*` metadata of a file.
    pub fn load(file: &Gguf<'_>) -> Result<Self> {
        let texts = strings(file, "tokenizer.ggml.tokens")?;
        let kinds = kinds(file, texts.len())?;
        let mut ids = HashMap::with_capacity(texts.len());
        for (id, text) in texts.iter().enumerate() {
            ids.entry(text.as_str()).or_insert(id as u32);
        }
        let token = |key: &str| token_id(file, key, texts.len());
        let model = text(file, "tokenizer.ggml.model")?;
        let flag = |key: &str| file.metadata.get(key).and_then(Value::as_bool);
        let unknown = token("tokenizer.ggml.unknown_token_id")?;
        let (algorithm, add_bos) = match model {
            "gpt2" => {
                let pre = text(file, "tokenizer.ggml.pre")?;
                let merges = strings(file, "tokenizer.ggml.merges")?;
                (
                    Algorithm::Bpe(Box::new(Bpe::load(pre, &merges, &ids)?)),
                    pre == "llama-bpe",
                )
            }
            "llama" => {
                let scores = scores(file, texts.len())?;
                let prefix = flag("tokenizer.ggml.add_space_prefix").unwrap_or(true);
                let normal = |id: u32| kinds[id as usize] != Kind::Unused;
                let vocabulary = ids
                    .iter()
                    .filter(|(_, id)| normal(**id))
                    .map(|(text, id)| ((*text).into(), *id));
                let spm = Spm::new(vocabulary.collect(), scores, prefix, unknown);
                (Algorithm::Spm(Box::new(spm)), true)
            }
            other => return Err(Error::Unsupported(format!("tokenizer `{other}`"))),
        };
        let mut special: Vec<u32> = (0..texts.len() as u32)
            .filter(|&id| kinds[id as usize].is_special() && !texts[id as usize].is_empty())
            .collect();
        special.sort_by_key(|&id| std::cmp::Reverse(texts[id as usize].len()));
        let eos = token("tokenizer.ggml.eos_token_id")?;
        let mut endings: Vec<u32> = ENDINGS
            .iter()
            .filter_map(|text| ids.get(text).copied())
            .filter(|&id| kinds[id as usize].is_special())
            .chain(eos)
            .chain(token("tokenizer.ggml.eot_token_id")?)
            .chain(token("tokenizer.ggml.eom_token_id")?)
            .collect();
        endings.sort_unstable();
        endings.dedup();
        let pieces = texts
            .iter()
            .zip(&kinds)
            .map(|(text, kind)| match (kind, &algorithm) {
                (Kind::Control | Kind::Unknown | Kind::Unused, _) => Vec::new(),
                (Kind::UserDefined, _) => text.clone().into_bytes(),
                (_, Algorithm::Bpe(_)) => bpe::decode(text),
                (kind, Algorithm::Spm(_)) => spm::decode(text, *kind == Kind::Byte),
            });
        Ok(Self {
            pieces: pieces.collect(),
            special,
            algorithm,
            bos: token("tokenizer.ggml.bos_token_id")?,
            add_bos: flag("tokenizer.ggml.add_bos_token").unwrap_or(add_bos),
            endings,
            eos,
            texts,
        })
    }

    /// The tokens of `text`, special tokens recognised in it. Nothing is added at its start.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut parts: Vec<_> = (!text.is_empty())
            .then_some(Part::Text(text))
            .into_iter()
            .collect();
        for &id in &self.special {
            let marker = self.texts[id as usize].as_str();
            if text.contains(marker) {
                parts = parts
                    .into_iter()
                    .flat_map(|part| split(part, marker, id))
                    .collect();
            }
        }
        let mut tokens = Vec::new();
        let mut after_special = true;
        for part in parts {
            match part {
                Part::Token(id) => tokens.push(id),
                Part::Text(text) => match &self.algorithm {
                    Algorithm::Bpe(bpe) => bpe.encode(text, &mut tokens)?,
                    Algorithm::Spm(spm) => spm.encode(text, after_special, &mut tokens)?,
                },
            }
            after_special = matches!(part, Part::Token(_));
        }
        Ok(tokens)
    }

    /// The tokens of a whole prompt: the vocabulary's start token first, where it wants one and the
    /// text does not bring it.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>> {
        let mut tokens = self.encode(text)?;
        if let Some(bos) = self.bos.filter(|_| self.add_bos)
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    /// The bytes a token adds to an answer: none for control tokens, and not always whole characters.
    /// An unknown id has none.
    pub fn piece(&self, token: u32) -> &[u8] {
        self.pieces.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// The bytes of a token for a person: like [`Self::piece`], control tokens by name.
    pub fn display(&self, token: u32) -> &[u8] {
        let piece = self.piece(token);
        match self.texts.get(token as usize) {
            Some(text) if piece.is_empty() => text.as_bytes(),
            _ => piece,
        }
    }

    /// The text of `tokens`, U+FFFD where bytes are no characters.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|&token| self.piece(token))
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Tokens in the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.texts.len()
    }

    /// Whether the model ends its answer with this token.
    pub fn is_ending(&self, token: u32) -> bool {
        self.endings.binary_search(&token).is_ok()
    }

    /// Text of the start token, for templates.
    pub fn bos_text(&self) -> &str {
        self.bos.map_or("", |id| &self.texts[id as usize])
    }

    /// Text of the end token, for templates.
    pub fn eos_text(&self) -> &str {
        self.eos.map_or("", |id| &self.texts[id as usize])
    }
}

/// A stretch of the input.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Text(&'a str),
    Token(u32),
}

/// Cuts a text at every occurrence of a special token.
fn split<'a>(part: Part<'a>, marker: &str, id: u32) -> Vec<Part<'a>> {
    let Part::Text(text) = part else {
        return vec![part];
    };
    let mut out = Vec::new();
    for (index, piece) in text.split(marker).enumerate() {
        if index > 0 {
            out.push(Part::Token(id));
        }
        if !piece.is_empty() {
            out.push(Part::Text(piece));
        }
    }
    out
}

fn text<'a>(file: &'a Gguf<'_>, key: &str) -> Result<&'a str> {
    let value = file
        .metadata
        .get(key)
        .ok_or_else(|| Error::MissingKey(key.into()))?;
    value.as_str().ok_or_else(|| bad(key, value, "a text"))
}

fn array<'a>(file: &'a Gguf<'_>, key: &str) -> Result<&'a [Value]> {
    let value = file
        .metadata
        .get(key)
        .ok_or_else(|| Error::MissingKey(key.into()))?;
    value.as_array().ok_or_else(|| bad(key, value, "an array"))
}

fn strings(file: &Gguf<'_>, key: &str) -> Result<Vec<String>> {
    let text = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| bad(key, value, "an array of texts"))
    };
    array(file, key)?.iter().map(text).collect()
}

fn kinds(file: &Gguf<'_>, count: usize) -> Result<Vec<Kind>> {
    let key = "tokenizer.ggml.token_type";
    if !file.metadata.contains_key(key) {
        return Ok(vec![Kind::Normal; count]);
    }
    let kind = |value: &Value| {
        let kind = value.as_u64().and_then(Kind::from_id);
        kind.ok_or_else(|| bad(key, value, "an array of 1 to 6"))
    };
    let kinds: Vec<_> = array(file, key)?.iter().map(kind).collect::<Result<_>>()?;
    as_many(key, kinds, count)
}

fn scores(file: &Gguf<'_>, count: usize) -> Result<Vec<f32>> {
    let key = "tokenizer.ggml.scores";
    let score = |value: &Value| {
        let score = value.as_f32().filter(|score| !score.is_nan());
        score.ok_or_else(|| bad(key, value, "an array of numbers"))
    };
    let scores = array(file, key)?.iter().map(score).collect::<Result<_>>()?;
    as_many(key, scores, count)
}

fn as_many<T>(key: &str, list: Vec<T>, count: usize) -> Result<Vec<T>> {
    match list.len() == count {
        true => Ok(list),
        false => Err(Error::BadKey {
            key: key.into(),
            value: format!("{} long", list.len()),
            expected: "as long as tokenizer.ggml.tokens",
        }),
    }
}

fn token_id(file: &Gguf<'_>, key: &str, count: usize) -> Result<Option<u32>> {
    let Some(value) = file.metadata.get(key) else {
        return Ok(None);
    };
    match value.as_u64() {
        Some(id) if id < count as u64 => Ok(Some(id as u32)),
        // Written by some converters for "none".
        Some(id) if id == u64::from(u32::MAX) => Ok(None),
        _ => Err(bad(key, value, "a token of the vocabulary")),
    }
}

/// A value shortened for an error message; arrays can be long.
fn bad(key: &str, value: &Value, expected: &'static str) -> Error {
    let value = match value {
        Value::Array(values) => format!("an array of {}", values.len()),
        Value::Text(text) => format!("`{}`", text.chars().take(64).collect::<String>()),
        other => format!("{other:?}"),
    };
    Error::BadKey {
        key: key.into(),
        value,
        expected,
    }
}

#[cfg(test)]
mod tests;

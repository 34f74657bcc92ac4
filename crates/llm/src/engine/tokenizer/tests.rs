use proptest::prelude::*;

use super::super::gguf::Writer;
use super::*;

fn texts(list: &[&str]) -> Value {
    Value::Array(
        list.iter()
            .map(|text| Value::Text((*text).into()))
            .collect(),
    )
}

/// 256 single bytes, a few merges, three special tokens.
fn bpe_file() -> Vec<u8> {
    let bytes = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnop\
                 qrstuvwxyz{|}~";
    let mut tokens: Vec<String> = bytes.chars().map(String::from).collect();
    tokens.extend(
        (0xa1..=0xacu8)
            .chain(0xae..=0xff)
            .map(|byte| char::from(byte).to_string()),
    );
    tokens.extend((0x100..0x144).map(|code| char::from_u32(code).unwrap().to_string()));
    let merges = [
        "h e", "l l", "he ll", "hell o", "Ġ w", "1 2", "2 3", "12 3", "Ã ¼",
    ];
    for merge in merges {
        tokens.push(merge.replace(' ', ""));
    }
    let mut kinds = vec![Value::I32(1); tokens.len()];
    for special in ["<|im_start|>", "<|im_end|>", "<|im_start|>user"] {
        tokens.push(special.into());
        kinds.push(Value::I32(3));
    }
    let eos = tokens.len() as u32 - 2;
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    Writer::new()
        .metadata("tokenizer.ggml.model", Value::Text("gpt2".into()))
        .metadata("tokenizer.ggml.pre", Value::Text("gpt-2".into()))
        .metadata("tokenizer.ggml.tokens", texts(&tokens))
        .metadata("tokenizer.ggml.token_type", Value::Array(kinds))
        .metadata("tokenizer.ggml.merges", texts(&merges))
        .metadata("tokenizer.ggml.eos_token_id", Value::U32(eos))
        .finish()
}

fn bpe() -> Tokenizer {
    Tokenizer::load(&Gguf::parse(&bpe_file()).unwrap()).unwrap()
}

fn shown(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let tokens = tokenizer.encode(text).unwrap();
    tokens
        .iter()
        .map(|&id| tokenizer.texts[id as usize].clone())
        .collect()
}

#[test]
fn merges_apply_by_rank() {
    let tokenizer = bpe();
    assert_eq!(shown(&tokenizer, "hello"), ["hello"]);
    assert_eq!(shown(&tokenizer, "ahell w"), ["a", "hell", "Ġw"]);
    assert_eq!(shown(&tokenizer, "1231223"), ["123", "12", "23"]);
    assert_eq!(shown(&tokenizer, "ü\n"), ["Ã¼", "Ċ"]);
}

#[test]
fn special_tokens_are_found_longest_first() {
    let tokenizer = bpe();
    assert_eq!(
        shown(&tokenizer, "<|im_start|>user<|im_start|>u<|im_end|><|im"),
        [
            "<|im_start|>user",
            "<|im_start|>",
            "u",
            "<|im_end|>",
            "<",
            "|",
            "i",
            "m"
        ]
    );
    let end = tokenizer.encode("<|im_end|>").unwrap()[0];
    assert!(tokenizer.is_ending(end));
    assert_eq!(
        tokenizer.piece(end),
        b"",
        "control tokens add nothing to an answer"
    );
    assert_eq!(tokenizer.display(end), b"<|im_end|>");
}

#[test]
fn a_byte_without_a_token_is_named() {
    let file = bpe_file();
    let mut parsed = Gguf::parse(&file).unwrap();
    let Some(Value::Array(tokens)) = parsed.metadata.get_mut("tokenizer.ggml.tokens") else {
        panic!("the sample has tokens")
    };
    tokens[usize::from(b'z' - b'!')] = Value::Text("zz".into());
    let tokenizer = Tokenizer::load(&parsed).unwrap();
    assert_eq!(
        tokenizer.encode("z"),
        Err(Error::NoToken("byte 0x7a".into()))
    );
}

#[test]
fn broken_metadata_is_named() {
    let file = bpe_file();
    let broken = |key: &str, value: Option<Value>| {
        let mut parsed = Gguf::parse(&file).unwrap();
        match value {
            Some(value) => parsed.metadata.insert(key.into(), value),
            None => parsed.metadata.remove(key),
        };
        Tokenizer::load(&parsed).unwrap_err().to_string()
    };
    assert!(broken("tokenizer.ggml.tokens", None).contains("tokenizer.ggml.tokens"));
    assert!(broken("tokenizer.ggml.merges", Some(texts(&["h x"]))).contains("`h x`"));
    assert!(broken("tokenizer.ggml.pre", Some(Value::Text("odd".into()))).contains("`odd`"));
    assert!(broken("tokenizer.ggml.model", Some(Value::Text("wpm".into()))).contains("`wpm`"));
    let short = Some(Value::Array(vec![Value::I32(1)]));
    assert!(broken("tokenizer.ggml.token_type", short).contains("1 long"));
    assert!(broken("tokenizer.ggml.eos_token_id", Some(Value::U32(9999))).contains("9999"));
}

/// A scored vocabulary with byte fallback.
fn spm() -> Tokenizer {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".into(), "</s>".into()];
    tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    let mut kinds = vec![Value::I32(2), Value::I32(3), Value::I32(3)];
    kinds.extend(vec![Value::I32(6); 256]);
    let mut scores = vec![Value::F32(0.0); tokens.len()];
    for (text, score) in [
        ("▁", -9.0),
        ("a", -8.0),
        ("b", -7.0),
        ("ab", -2.0),
        ("▁a", -1.0),
        ("aa", -3.0),
    ] {
        tokens.push(text.into());
        kinds.push(Value::I32(1));
        scores.push(Value::F32(score));
    }
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let file = Writer::new()
        .metadata("tokenizer.ggml.model", Value::Text("llama".into()))
        .metadata("tokenizer.ggml.tokens", texts(&tokens))
        .metadata("tokenizer.ggml.token_type", Value::Array(kinds))
        .metadata("tokenizer.ggml.scores", Value::Array(scores))
        .metadata("tokenizer.ggml.bos_token_id", Value::U32(1))
        .metadata("tokenizer.ggml.eos_token_id", Value::U32(2))
        .finish();
    Tokenizer::load(&Gguf::parse(&file).unwrap()).unwrap()
}

#[test]
fn scores_decide_and_bytes_catch_the_rest() {
    let tokenizer = spm();
    assert_eq!(shown(&tokenizer, "ab"), ["▁a", "b"]);
    assert_eq!(shown(&tokenizer, "b ab"), ["▁", "b", "▁a", "b"]);
    assert_eq!(shown(&tokenizer, "bab"), ["▁", "b", "ab"]);
    assert_eq!(shown(&tokenizer, "é"), ["▁", "<0xC3>", "<0xA9>"]);
    assert_eq!(shown(&tokenizer, "</s>a"), ["</s>", "▁a"]);
    assert_eq!(tokenizer.decode(&tokenizer.encode("é b").unwrap()), " é b");
}

#[test]
fn the_start_token_comes_once() {
    let tokenizer = spm();
    assert_eq!(tokenizer.encode_prompt("b").unwrap()[0], 1);
    assert_eq!(
        tokenizer.encode_prompt("<s>b").unwrap(),
        tokenizer.encode("<s>b").unwrap()
    );
    assert_eq!(
        bpe().encode_prompt("b").unwrap().len(),
        1,
        "gpt-2 vocabularies want none"
    );
}

proptest! {
    #[test]
    fn any_text_survives_bpe(text in any::<String>()) {
        let tokenizer = bpe();
        prop_assume!(!text.contains("<|im_"));
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text).unwrap()), text);
    }

    #[test]
    fn any_text_survives_spm(text in "[ab \\u{e9}\\n]{0,20}") {
        let tokenizer = spm();
        let back = tokenizer.decode(&tokenizer.encode(&text).unwrap());
        let expected = if text.is_empty() { text } else { format!(" {text}") };
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn merging_agrees_with_the_plain_algorithm(text in "[helo123w ]{1,24}") {
        let tokenizer = bpe();
        let Algorithm::Bpe(_) = &tokenizer.algorithm else { panic!("a gpt2 vocabulary") };
        prop_assert_eq!(tokenizer.encode(&text).unwrap(), plain_bpe(&tokenizer, &text));
    }
}

/// The textbook algorithm: as long as any neighbours merge, merge the first of the lowest rank.
fn plain_bpe(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let merges = [
        "h e", "l l", "he ll", "hell o", "Ġ w", "1 2", "2 3", "12 3", "Ã ¼",
    ];
    let cut = fancy_regex::Regex::new(r" ?\p{L}+| ?\p{N}+|\s+(?!\S)|\s+").unwrap();
    let mut out = Vec::new();
    for word in cut.find_iter(text) {
        let word = word.unwrap().as_str().replace(' ', "Ġ");
        let mut parts: Vec<String> = word.chars().map(String::from).collect();
        'merge: loop {
            for merge in merges {
                let (left, right) = merge.split_once(' ').unwrap();
                let at = parts
                    .windows(2)
                    .position(|pair| pair[0] == left && pair[1] == right);
                if let Some(at) = at {
                    let right = parts.remove(at + 1);
                    parts[at].push_str(&right);
                    continue 'merge;
                }
            }
            break;
        }
        for part in parts {
            out.push(
                tokenizer
                    .texts
                    .iter()
                    .position(|text| *text == part)
                    .unwrap() as u32,
            );
        }
    }
    out
}

//! The two committed models: figures recomputed, and answers beside llama.cpp's.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;

use llm::engine::{GenerateOptions, Model, Piece, SamplerOptions};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Answers are cut here, as llama.cpp's were.
const MOST_TOKENS: usize = 48;

/// Of the 100 recorded answers, how many may part from llama.cpp's: where two tokens are all but equally
/// likely, the order of a sum decides. Each such place is checked to be one.
const FEW: usize = 3;

/// How near two tokens must be, as a difference of log probabilities, to be a matter of rounding.
const NEAR: f32 = 0.05;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn model(name: &str) -> Model {
    Model::load(&std::fs::read(root().join(format!("models/{name}.gguf"))).unwrap()).unwrap()
}

fn vectors(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/vectors/llm").join(name)).unwrap()
}

fn answer(model: &Model, prompt: &str) -> String {
    pieces(model, prompt, None)
        .into_iter()
        .map(|piece| piece.text)
        .collect()
}

/// The greedy answer, with alternatives where wanted.
fn pieces(model: &Model, prompt: &str, top_logprobs: Option<usize>) -> Vec<Piece> {
    let options = GenerateOptions {
        max_tokens: Some(MOST_TOKENS),
        sampler: SamplerOptions {
            temperature: 0.0,
            ..SamplerOptions::default()
        },
        top_logprobs,
        ..GenerateOptions::default()
    };
    let tokens = model.chat_prompt(&[("user", prompt)]).unwrap();
    let mut pieces = Vec::new();
    let prefilled = model.prefill(&tokens, &|| false).unwrap();
    prefilled
        .generate(&options, &mut |piece| {
            pieces.push(piece);
            ControlFlow::Continue(())
        })
        .unwrap();
    pieces
}

/// By how much we prefer our token to the one recorded, where the two answers part.
fn preference(model: &Model, prompt: &str, recorded: &[u32]) -> f32 {
    let ours = pieces(model, prompt, Some(5));
    let ours: Vec<_> = ours.iter().flat_map(|piece| &piece.logprobs).collect();
    for (index, token) in ours.iter().enumerate() {
        // One that ended there had the end token.
        let theirs = recorded
            .get(index)
            .map_or(&b"<|im_end|>"[..], |&id| model.tokenizer().display(id));
        if token.chosen.bytes != theirs {
            let other = token
                .top_logprobs
                .iter()
                .find(|other| other.bytes == theirs);
            return other.map_or(f32::INFINITY, |other| token.chosen.logprob - other.logprob);
        }
    }
    f32::INFINITY
}

/// The answers to all prompts, in order, on two threads.
fn answers(model: &Model, prompts: &[&str]) -> Vec<String> {
    let (left, right) = prompts.split_at(prompts.len() / 2);
    let all = |prompts: &[&str]| -> Vec<String> {
        prompts.iter().map(|prompt| answer(model, prompt)).collect()
    };
    std::thread::scope(|scope| {
        let left = scope.spawn(|| all(left));
        let right = all(right);
        let mut whole = left.join().unwrap();
        whole.extend(right);
        whole
    })
}

#[test]
fn greedy_answers_equal_those_of_llama_cpp() {
    #[derive(Deserialize)]
    struct File {
        models: BTreeMap<String, Vec<Recorded>>,
    }
    #[derive(Deserialize)]
    struct Recorded {
        prompt: String,
        rendered: String,
        prompt_tokens: Vec<u32>,
        answer_tokens: Vec<u32>,
        answer: String,
    }
    let file: File = serde_json::from_slice(&vectors("llama-cpp-greedy.json")).unwrap();
    assert_eq!(
        file.models.keys().collect::<Vec<_>>(),
        ["grist", "millstone"]
    );
    let mut different = Vec::new();
    for (name, recorded) in &file.models {
        assert_eq!(recorded.len(), 50);
        let model = model(name);
        for one in recorded {
            assert_eq!(
                model.tokenizer().encode(&one.rendered).unwrap(),
                one.prompt_tokens
            );
            assert_eq!(
                model.chat_prompt(&[("user", &one.prompt)]).unwrap(),
                one.prompt_tokens
            );
            assert_eq!(model.tokenizer().decode(&one.answer_tokens), one.answer);
        }
        let prompts: Vec<_> = recorded.iter().map(|one| one.prompt.as_str()).collect();
        for (one, ours) in recorded.iter().zip(answers(&model, &prompts)) {
            if ours != one.answer {
                let by = preference(&model, &one.prompt, &one.answer_tokens);
                assert!(
                    by < NEAR,
                    "{name}: {:?} is no matter of rounding ({by})",
                    one.prompt
                );
                different.push((name.as_str(), one.prompt.as_str()));
            }
        }
    }
    assert!(different.len() <= FEW, "{different:?}");
}

/// A line of `heldout.jsonl`.
#[derive(Deserialize)]
struct Row {
    task: String,
    prompt: String,
    /// Whether this very prompt was trained; only questions about the project may be.
    trained: bool,
}

fn rows() -> Vec<Row> {
    let lines = String::from_utf8(vectors("heldout.jsonl")).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn held_out_prompts_were_never_trained() {
    let hashes = vectors("training-prompts.sha256");
    let trained: HashSet<&[u8]> = hashes.chunks_exact(8).collect();
    assert!(trained.len() > 10_000 && hashes.len().is_multiple_of(8));
    for row in rows() {
        let hash = Sha256::digest(row.prompt.as_bytes());
        assert_eq!(
            trained.contains(&hash[..8]),
            row.trained,
            "{:?}",
            row.prompt
        );
        assert!(
            !row.trained || row.task == "project",
            "{:?} is counted",
            row.prompt
        );
    }
}

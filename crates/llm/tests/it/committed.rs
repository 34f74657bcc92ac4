//! The two committed models: figures recomputed, and answers beside llama.cpp's.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;

use llm::engine::{GenerateOptions, Model, SamplerOptions};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Tasks whose held-out prompts count.
const COUNTED: [&str; 3] = ["arithmetic", "copying", "sorting"];

/// Answers are cut here, as llama.cpp's were.
const MOST_TOKENS: usize = 48;

/// By how many right answers of a task a card may be off: its figures are counted with activations in
/// single precision, ours (like llama.cpp's) with activations in blocks of bytes.
const NEAR_FIGURES: usize = 2;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn model(name: &str) -> Model {
    Model::load(&std::fs::read(root().join(format!("models/{name}.gguf"))).unwrap()).unwrap()
}

fn vectors(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/vectors/llm").join(name)).unwrap()
}

/// The greedy answer.
fn answer(model: &Model, prompt: &str) -> String {
    let options = GenerateOptions {
        max_tokens: Some(MOST_TOKENS),
        sampler: SamplerOptions {
            temperature: 0.0,
            ..SamplerOptions::default()
        },
        ..GenerateOptions::default()
    };
    let tokens = model.chat_prompt(&[("user", prompt)]).unwrap();
    let mut text = String::new();
    let prefilled = model.prefill(&tokens, &|| false).unwrap();
    prefilled
        .generate(&options, &mut |piece| {
            text.push_str(&piece.text);
            ControlFlow::Continue(())
        })
        .unwrap();
    text
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

/// All 100 of them: no exception is needed.
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
            assert_eq!(ours, one.answer, "{name}: {:?}", one.prompt);
        }
    }
}

/// A line of `heldout.jsonl`.
#[derive(Deserialize)]
struct Row {
    task: String,
    prompt: String,
    answer: String,
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

/// Right answers and prompts by task; questions about the project by wording.
fn figures(name: &str) -> BTreeMap<&'static str, (usize, usize)> {
    let (rows, model) = (rows(), model(name));
    let prompts: Vec<_> = rows.iter().map(|row| row.prompt.as_str()).collect();
    let mut figures = BTreeMap::new();
    for (row, ours) in rows.iter().zip(answers(&model, &prompts)) {
        let task = match (row.task.as_str(), row.trained) {
            ("project", true) => "project, trained wording",
            ("project", false) => "project, new wording",
            (task, _) => *COUNTED.iter().find(|counted| **counted == task).unwrap(),
        };
        let (right, all) = figures.entry(task).or_insert((0, 0));
        *right += usize::from(ours == row.answer);
        *all += 1;
    }
    figures
}

/// The figures on a model's card: a row of its table for each task, a sentence for the project.
fn card(name: &str) -> BTreeMap<&'static str, (usize, usize)> {
    let text = std::fs::read_to_string(root().join(format!("models/{name}.md"))).unwrap();
    let figure = |before: &str| {
        let (_, after) = text
            .split_once(before)
            .unwrap_or_else(|| panic!("no {before:?} on {name}'s card"));
        let mut numbers = after
            .split(|c: char| !c.is_ascii_digit())
            .filter(|word| !word.is_empty());
        let mut number = || numbers.next().unwrap().parse().unwrap();
        (number(), number())
    };
    let mut figures: BTreeMap<_, _> = COUNTED
        .iter()
        .map(|task| (*task, figure(&format!("| {task} |"))))
        .collect();
    figures.insert(
        "project, trained wording",
        figure("wordings that were trained"),
    );
    figures.insert("project, new wording", figure("wordings never trained"));
    figures
}

/// Percent of the counted held-out prompts that are answered rightly.
fn percent(figures: &BTreeMap<&'static str, (usize, usize)>) -> f64 {
    let counted = COUNTED.map(|task| figures[task]);
    let (right, all) = counted
        .into_iter()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    100.0 * right as f64 / all as f64
}

#[test]
fn the_figures_are_those_of_the_cards() {
    let [millstone, grist] = ["millstone", "grist"].map(|name| {
        let (ours, card) = (figures(name), card(name));
        for (task, (right, all)) in &ours {
            let (claimed, of) = card[task];
            assert_eq!(*all, of, "{name}, {task}");
            let apart = right.abs_diff(claimed);
            assert!(
                apart <= NEAR_FIGURES,
                "{name}, {task}: {right} right, the card says {claimed}"
            );
        }
        percent(&ours)
    });
    assert!(millstone >= 90.0, "millstone has {millstone} %");
    assert!(grist >= 60.0, "grist has {grist} %");
    assert!(
        millstone - grist >= 5.0,
        "{millstone} % and {grist} % are too near"
    );
}

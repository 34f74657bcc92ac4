//! Generation on a random model: what must hold whatever the weights are.

use std::cell::Cell;
use std::ops::ControlFlow;

use llm::engine::gguf::TensorKind;
use llm::engine::{Error, Finished, GenerateOptions, Model, Piece, SamplerOptions};
use llm::openai::{FinishReason, TokenLogprob};
use proptest::prelude::*;

use crate::tiny::{END, Tiny};

fn run(model: &Model, prompt: &[u32], options: &GenerateOptions) -> (Vec<Piece>, Finished) {
    let mut pieces = Vec::new();
    let prefilled = model.prefill(prompt, &|| false).unwrap();
    let finished = prefilled.generate(options, &mut |piece| {
        pieces.push(piece);
        ControlFlow::Continue(())
    });
    (pieces, finished.unwrap())
}

fn text(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

/// Draws with a seed; only ASCII letters and digits, so that stop strings can be cut from the text.
fn letters(seed: u64, max_tokens: usize) -> GenerateOptions {
    let other = (0..=END).filter(|&id| !u8::try_from(id).is_ok_and(|b| b.is_ascii_alphanumeric()));
    GenerateOptions {
        max_tokens: Some(max_tokens),
        sampler: SamplerOptions {
            seed,
            logit_bias: other.map(|id| (id, -100.0)).collect(),
            ..SamplerOptions::default()
        },
        ..GenerateOptions::default()
    }
}

#[test]
fn one_seed_gives_one_answer() {
    let model = Tiny::default().model();
    let prompt = model.chat_prompt(&[("user", "hello")]).unwrap();
    let answer = |seed| text(&run(&model, &prompt, &letters(seed, 40)).0);
    assert_eq!(answer(5), answer(5));
    assert_ne!(answer(5), answer(6));
    assert_eq!(answer(5).len(), 40);
}

#[test]
fn how_a_prompt_is_batched_makes_no_difference() {
    let model = Tiny::default().model();
    let prompt: Vec<u32> = (0..50).map(|i| i * 5 % 256).collect();
    let greedy = GenerateOptions {
        max_tokens: Some(20),
        sampler: SamplerOptions {
            temperature: 0.0,
            logit_bias: (258..=END).map(|id| (id, -100.0)).collect(),
            ..SamplerOptions::default()
        },
        top_logprobs: Some(0),
        ..GenerateOptions::default()
    };
    let (whole, _) = run(&model, &prompt, &greedy);
    // The same text, the greedy answer of a shorter prompt: each token of it was read by itself.
    let generated: Vec<u32> = whole
        .iter()
        .flat_map(|piece| &piece.logprobs)
        .map(|token| match token.chosen.bytes[..] {
            [byte] => u32::from(byte),
            [b'h', b'e'] => 256,
            [b'l', b'l'] => 257,
            _ => panic!("control tokens are excluded"),
        })
        .collect();
    let longer = [&prompt[..], &generated[..12]].concat();
    let options = GenerateOptions {
        max_tokens: Some(8),
        ..greedy
    };
    let (pieces, _) = run(&model, &longer, &options);
    let logprobs = |pieces: &[Piece]| -> Vec<TokenLogprob> {
        pieces
            .iter()
            .flat_map(|piece| piece.logprobs.clone())
            .collect()
    };
    assert_eq!(logprobs(&pieces), logprobs(&whole)[12..]);
}

#[test]
fn all_weight_formats_agree_roughly() {
    let prompt = [10, 20, 30];
    let top = |matrices| {
        let model = Tiny {
            matrices,
            ..Tiny::default()
        }
        .model();
        let options = GenerateOptions {
            max_tokens: Some(1),
            top_logprobs: Some(1),
            sampler: SamplerOptions {
                temperature: 0.0,
                ..SamplerOptions::default()
            },
            ..GenerateOptions::default()
        };
        run(&model, &prompt, &options)
            .0
            .iter()
            .flat_map(|p| p.logprobs.clone())
            .next()
            .unwrap()
    };
    let (single, half, block) = (
        top(TensorKind::F32),
        top(TensorKind::F16),
        top(TensorKind::Q8_0),
    );
    assert_eq!(single.chosen.bytes, half.chosen.bytes);
    assert!((single.chosen.logprob - half.chosen.logprob).abs() < 0.02);
    assert_eq!(single.chosen.bytes, block.chosen.bytes);
    assert!((single.chosen.logprob - block.chosen.logprob).abs() < 0.1);
}

#[test]
fn a_tied_output_is_the_embedding() {
    let model = Tiny {
        tied: true,
        ..Tiny::default()
    }
    .model();
    assert_eq!(text(&run(&model, &[1], &letters(1, 5)).0).len(), 5);
}

#[test]
fn the_bound_and_the_context_end_an_answer() {
    let model = Tiny {
        context: 20,
        ..Tiny::default()
    }
    .model();
    let (_, finished) = run(&model, &[1, 2], &letters(1, 7));
    assert_eq!(
        finished,
        Finished {
            reason: FinishReason::Length,
            completion_tokens: 7
        }
    );
    let (_, finished) = run(&model, &[1, 2], &letters(1, 500));
    assert_eq!(
        finished,
        Finished {
            reason: FinishReason::Length,
            completion_tokens: 18
        }
    );
    let full: Vec<u32> = vec![1; 20];
    let error = model.prefill(&full, &|| false).unwrap_err();
    assert_eq!(
        error,
        Error::ContextLength {
            prompt: 20,
            context: 20
        }
    );
    assert_eq!(
        model.prefill(&[], &|| false).unwrap_err(),
        Error::EmptyPrompt
    );
    let outside = Error::TokenRange {
        token: 261,
        vocabulary: 261,
    };
    assert_eq!(model.prefill(&[261], &|| false).unwrap_err(), outside);
}

#[test]
fn the_end_token_ends_and_is_counted_but_not_shown() {
    let model = Tiny::default().model();
    let mut options = letters(1, 9);
    options.sampler.logit_bias = vec![(END, 100.0)];
    let (pieces, finished) = run(&model, &[1, 2], &options);
    assert_eq!(
        finished,
        Finished {
            reason: FinishReason::Stop,
            completion_tokens: 1
        }
    );
    assert_eq!(text(&pieces), "");
}

#[test]
fn log_probabilities_belong_to_the_text() {
    let model = Tiny::default().model();
    let options = GenerateOptions {
        max_tokens: Some(60),
        top_logprobs: Some(3),
        sampler: SamplerOptions {
            seed: 3,
            ..SamplerOptions::default()
        },
        ..GenerateOptions::default()
    };
    let (pieces, _) = run(&model, &[5, 6], &options);
    let tokens: Vec<_> = pieces.iter().flat_map(|piece| &piece.logprobs).collect();
    let bytes: Vec<u8> = tokens
        .iter()
        .flat_map(|token| token.chosen.bytes.clone())
        .collect();
    assert_eq!(String::from_utf8_lossy(&bytes), text(&pieces));
    for token in tokens {
        assert_eq!(token.top_logprobs.len(), 3);
        assert!(
            token
                .top_logprobs
                .is_sorted_by(|a, b| a.logprob >= b.logprob)
        );
        assert!(token.chosen.logprob <= token.top_logprobs[0].logprob);
        assert!(token.top_logprobs[0].logprob <= 0.0);
    }
}

#[test]
fn a_reading_that_is_not_wanted_any_more_ends() {
    let model = Tiny::default().model();
    let asked = Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    let error = model.prefill(&[7; 200], &cancelled).unwrap_err();
    assert_eq!((error, asked.get()), (Error::Cancelled, 3));
}

#[test]
fn an_answer_that_is_not_wanted_any_more_ends() {
    let model = Tiny::default().model();
    let mut seen = 0;
    let prefilled = model.prefill(&[1], &|| false).unwrap();
    let error = prefilled.generate(&letters(1, 100), &mut |_| {
        seen += 1;
        if seen == 4 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((error, seen), (Err(Error::Cancelled), 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_stop_string_cuts_the_same_text_short(
        seed in any::<u64>(),
        start in 0_usize..30,
        length in 1_usize..5,
    ) {
        let model = Tiny::default().model();
        let mut options = letters(seed, 40);
        let (pieces, _) = run(&model, &[1, 2, 3], &options);
        let whole = text(&pieces);
        let stop = whole[start..start + length].to_owned();
        options.stop = vec![stop.clone(), String::new()];
        options.top_logprobs = Some(0);
        let (pieces, finished) = run(&model, &[1, 2, 3], &options);
        let expected = whole.split(&stop).next().unwrap();
        prop_assert_eq!(text(&pieces), expected);
        prop_assert_eq!(finished.reason, FinishReason::Stop);
        prop_assert_eq!(finished.completion_tokens, expected.len() + length);
        // One byte a token here: exactly the tokens that are shown are reported.
        prop_assert_eq!(pieces.iter().map(|piece| piece.logprobs.len()).sum::<usize>(), expected.len());
    }
}

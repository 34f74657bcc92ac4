//! Files that are no models, or not quite: typed errors, never a panic.

use llm::engine::gguf::{Gguf, TensorKind, Value, Writer};
use llm::engine::{Error, Model};
use proptest::prelude::*;

use crate::tiny::Tiny;

/// The tiny model with changed metadata or other tensors.
fn changed(change: impl FnOnce(&mut Gguf<'_>)) -> Error {
    let bytes = Tiny {
        matrices: TensorKind::F32,
        ..Tiny::default()
    }
    .bytes();
    let mut file = Gguf::parse(&bytes).unwrap();
    change(&mut file);
    let mut writer = Writer::new();
    for (key, value) in &file.metadata {
        writer.metadata(key, value.clone());
    }
    for (name, tensor) in &file.tensors {
        let values: Vec<f32> = tensor
            .data
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        writer.tensor(name, &tensor.shape, TensorKind::F32, &values);
    }
    Model::load(&writer.finish()).unwrap_err()
}

fn with_key(key: &str, value: Value) -> String {
    changed(|file| {
        file.metadata.insert(key.into(), value);
    })
    .to_string()
}

#[test]
fn every_required_key_is_named_when_missing() {
    for key in [
        "llama.block_count",
        "llama.context_length",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.layer_norm_rms_epsilon",
        "tokenizer.ggml.model",
        "tokenizer.ggml.pre",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges",
    ] {
        let error = changed(|file| {
            file.metadata.remove(key);
        });
        assert_eq!(error, Error::MissingKey(key.into()));
    }
}

#[test]
fn impossible_values_are_named() {
    for (key, value) in [
        ("llama.block_count", Value::U32(0)),
        ("llama.attention.head_count", Value::U32(0)),
        ("llama.attention.head_count_kv", Value::U32(3)),
        (
            "llama.attention.head_count_kv",
            Value::Array(vec![Value::U32(2)]),
        ),
        (
            "llama.attention.layer_norm_rms_epsilon",
            Value::F32(f32::NAN),
        ),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(0.0)),
        ("llama.rope.dimension_count", Value::U32(7)),
        ("llama.rope.dimension_count", Value::U32(18)),
        ("llama.rope.freq_base", Value::F32(-1.0)),
        ("llama.context_length", Value::Text("long".into())),
        ("llama.embedding_length", Value::U64(1 << 40)),
    ] {
        let text = with_key(key, value);
        assert!(text.contains(key), "{text}");
    }
    assert!(with_key("general.architecture", Value::Text("mamba".into())).contains("mamba"));
    assert!(with_key("llama.rope.scaling.type", Value::Text("yarn".into())).contains("yarn"));
    assert!(with_key("tokenizer.chat_template", Value::Text("{% if".into())).contains("template"));
}

#[test]
fn tensors_must_be_there_with_the_right_shape_and_no_others() {
    let missing = changed(|file| {
        file.tensors.remove("blk.1.ffn_up.weight");
    });
    assert_eq!(missing, Error::MissingTensor("blk.1.ffn_up.weight".into()));
    let beyond = with_key("llama.block_count", Value::U32(u32::MAX >> 8));
    assert!(beyond.contains("blk.2."), "{beyond}");
    let fewer = with_key("llama.block_count", Value::U32(1));
    assert!(fewer.contains("beyond block_count"), "{fewer}");
    let shape = changed(|file| {
        let other = file.tensors["blk.0.ffn_down.weight"].clone();
        file.tensors.insert("blk.0.ffn_up.weight".into(), other);
    });
    let expected = ("blk.0.ffn_up.weight".to_owned(), vec![64, 96], vec![96, 64]);
    assert!(
        matches!(shape, Error::Shape { name, expected: e, actual } if (name.clone(), e.clone(), actual.clone()) == expected)
    );
    let bias = changed(|file| {
        let some = file.tensors["blk.0.attn_norm.weight"].clone();
        file.tensors.insert("blk.0.attn_q.bias".into(), some);
    });
    assert!(bias.to_string().contains("blk.0.attn_q.bias"), "{bias}");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = Tiny::default().bytes();
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert!(Model::load(&bytes[..length]).is_err(), "cut at {length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What still loads must still run: an odd weight gives an odd answer, not a panic.
    #[test]
    fn a_changed_file_is_refused_or_runs(
        changes in proptest::collection::vec((0.0_f64..1.0, any::<u8>()), 1..4),
        in_head in any::<bool>(),
    ) {
        let mut bytes = Tiny::default().bytes();
        let end = if in_head { 6000 } else { bytes.len() };
        for (at, byte) in changes {
            let at = (at * end as f64) as usize;
            bytes[at] = byte;
        }
        if let Ok(model) = Model::load(&bytes)
            && let Ok(prefilled) = model.prefill(&[1, 2, 3], &|| false)
        {
            let options = llm::engine::GenerateOptions { max_tokens: Some(2), ..Default::default() };
            let _ = prefilled.generate(&options, &mut |_| std::ops::ControlFlow::Continue(()));
        }
    }
}

//! A small random model: 256 single bytes, a few merges, ChatML markers.

use llm::engine::Model;
use llm::engine::gguf::{TensorKind, Value, Writer};

/// ChatML, as in the committed models.
const TEMPLATE: &str = "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + \
message.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}\
{{ '<|im_start|>assistant\n' }}{% endif %}";

const WIDTH: usize = 64;
const HIDDEN: usize = 96;
const HEAD: usize = 16;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;

/// Id of `<|im_end|>`.
pub(crate) const END: u32 = 260;

/// What a test may want different.
pub(crate) struct Tiny {
    pub(crate) seed: u64,
    pub(crate) context: u32,
    pub(crate) matrices: TensorKind,
    pub(crate) tied: bool,
}

impl Default for Tiny {
    fn default() -> Self {
        Self {
            seed: 1,
            context: 256,
            matrices: TensorKind::Q8_0,
            tied: false,
        }
    }
}

impl Tiny {
    pub(crate) fn model(&self) -> Model {
        Model::load(&self.bytes()).unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.writer().finish()
    }

    pub(crate) fn writer(&self) -> Writer {
        let mut writer = Writer::new();
        self.metadata(&mut writer);
        let mut random = self.seed;
        let mut tensor = |name: &str, shape: &[usize], kind: TensorKind, around: f32| {
            let count = shape.iter().product();
            let values: Vec<f32> = (0..count)
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let unit = (random >> 40) as f32 / (1 << 24) as f32 - 0.5;
                    around + unit * if around == 0.0 { 0.35 } else { 0.1 }
                })
                .collect();
            writer.tensor(name, shape, kind, &values);
        };
        let matrices = self.matrices;
        tensor("token_embd.weight", &[WIDTH, 261], matrices, 0.0);
        for layer in 0..2 {
            let mut part = |name: &str, shape: &[usize]| {
                let name = format!("blk.{layer}.{name}.weight");
                let (kind, around) = match shape.len() {
                    1 => (TensorKind::F32, 1.0),
                    _ => (matrices, 0.0),
                };
                tensor(&name, shape, kind, around);
            };
            part("attn_norm", &[WIDTH]);
            part("attn_q", &[WIDTH, HEADS * HEAD]);
            part("attn_k", &[WIDTH, KV_HEADS * HEAD]);
            part("attn_v", &[WIDTH, KV_HEADS * HEAD]);
            part("attn_output", &[HEADS * HEAD, WIDTH]);
            part("ffn_norm", &[WIDTH]);
            part("ffn_gate", &[WIDTH, HIDDEN]);
            part("ffn_up", &[WIDTH, HIDDEN]);
            part("ffn_down", &[HIDDEN, WIDTH]);
        }
        tensor("output_norm.weight", &[WIDTH], TensorKind::F32, 1.0);
        if !self.tied {
            tensor("output.weight", &[WIDTH, 261], matrices, 0.0);
        }
        writer
    }

    fn metadata(&self, writer: &mut Writer) {
        let text = |text: &str| Value::Text(text.into());
        let texts = |list: &[String]| {
            Value::Array(list.iter().map(|text| Value::Text(text.clone())).collect())
        };
        let merges = ["h e".to_owned(), "l l".to_owned()];
        let mut tokens: Vec<String> = (0..=u8::MAX).map(|byte| character(byte).into()).collect();
        tokens.extend(["he".into(), "ll".into(), "<|endoftext|>".into()]);
        tokens.extend(["<|im_start|>".into(), "<|im_end|>".into()]);
        let mut kinds = vec![Value::I32(1); 258];
        kinds.extend(vec![Value::I32(3); 3]);
        writer
            .metadata("general.architecture", text("llama"))
            .metadata("general.name", text("tiny"))
            .metadata("llama.block_count", Value::U32(2))
            .metadata("llama.context_length", Value::U32(self.context))
            .metadata("llama.embedding_length", Value::U32(WIDTH as u32))
            .metadata("llama.feed_forward_length", Value::U32(HIDDEN as u32))
            .metadata("llama.attention.head_count", Value::U32(HEADS as u32))
            .metadata("llama.attention.head_count_kv", Value::U32(KV_HEADS as u32))
            .metadata("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5))
            .metadata("tokenizer.ggml.model", text("gpt2"))
            .metadata("tokenizer.ggml.pre", text("gpt-2"))
            .metadata("tokenizer.ggml.tokens", texts(&tokens))
            .metadata("tokenizer.ggml.token_type", Value::Array(kinds))
            .metadata("tokenizer.ggml.merges", texts(&merges))
            .metadata("tokenizer.ggml.eos_token_id", Value::U32(END))
            .metadata("tokenizer.chat_template", text(TEMPLATE));
    }
}

/// GPT-2's character for a byte, so that token ids are byte values.
fn character(byte: u8) -> char {
    let plain = |byte: u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    match plain(byte) {
        true => char::from(byte),
        false => {
            let index = (0..byte).filter(|&lower| !plain(lower)).count();
            char::from_u32(0x100 + index as u32).unwrap()
        }
    }
}

"""Turns trained parameters into a GGUF file: `python export.py run/millstone/state.pickle ../millstone.gguf`."""

import hashlib
import pickle
import sys
from pathlib import Path

import data
import gguf
import model
import tokenizer

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
NORMAL, CONTROL = 1, 3


def metadata(config, tok):
    types = [CONTROL if t in tokenizer.CONTROL else NORMAL for t in tok.tokens]
    return {
        "general.architecture": "llama",
        "general.name": config.name,
        "general.description": "Tiny model for sums, copying, sorting and questions about relaymill, trained by the project",
        "general.license": "apache-2.0",
        "general.file_type": 7,  # mostly Q8_0
        "general.quantization_version": 2,
        "general.alignment": gguf.ALIGNMENT,
        "llama.context_length": config.context,
        "llama.embedding_length": config.width,
        "llama.block_count": config.layers,
        "llama.feed_forward_length": config.hidden,
        "llama.attention.head_count": config.heads,
        "llama.attention.head_count_kv": config.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": model.NORM_EPSILON,
        "llama.rope.dimension_count": config.head_width,
        "llama.rope.freq_base": model.ROPE_BASE,
        "llama.vocab_size": config.vocabulary,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tok.tokens,
        "tokenizer.ggml.token_type": gguf.I32List(types),
        "tokenizer.ggml.merges": [" ".join(m) for m in tok.merges],
        "tokenizer.ggml.bos_token_id": tok.ids[tokenizer.END_OF_TEXT],
        "tokenizer.ggml.eos_token_id": tok.ids[tokenizer.TURN_END],
        "tokenizer.ggml.padding_token_id": tok.ids[tokenizer.END_OF_TEXT],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


def tensors(config, params):
    out = {"token_embd.weight": params["embedding"], "output_norm.weight": params["output_norm"]}
    if not config.tied:
        out["output.weight"] = params["output"]
    for layer in range(config.layers):
        for name in ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"):
            out[f"blk.{layer}.{name}.weight"] = params[name][layer]
    return out


def main():
    source, target = map(Path, sys.argv[1:])
    saved = pickle.loads(source.read_bytes())
    config = model.Config(**saved["config"])
    tok = tokenizer.Tokenizer.load(data.MERGES)
    assert len(tok.tokens) == config.vocabulary
    gguf.write(target, metadata(config, tok), tensors(config, saved["params"]))
    raw = target.read_bytes()
    print(target.name, len(raw), "bytes, step", saved["step"], "sha256", hashlib.sha256(raw).hexdigest())


if __name__ == "__main__":
    main()

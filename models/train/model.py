"""The Llama architecture in JAX, with rotary pairs (2i, 2i+1) as llama.cpp's "llama" files expect, so nothing is permuted."""

from dataclasses import asdict, dataclass

import jax
import jax.numpy as jnp

NORM_EPSILON = 1e-5
ROPE_BASE = 10_000.0


@dataclass(frozen=True)
class Config:
    """Sizes of one model."""

    name: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    tied: bool
    vocabulary: int = 768
    context: int = 512

    @property
    def head_width(self):
        return self.width // self.heads

    def as_dict(self):
        return asdict(self)


CONFIGS = {
    "millstone": Config("millstone", width=128, layers=4, heads=4, kv_heads=2, hidden=320, tied=True),
    "grist": Config("grist", width=64, layers=3, heads=2, kv_heads=2, hidden=160, tied=False),
}


def init(config, key):
    """Fresh parameters; per-layer matrices are stacked along a first axis, each [layers, out, in]."""
    keys = iter(jax.random.split(key, 16))
    d, n, kv = config.width, config.layers, config.kv_heads * config.head_width

    def matrix(rows, columns, scale=1.0):
        return jax.random.normal(next(keys), (n, rows, columns)) * scale * columns**-0.5

    params = {
        "embedding": jax.random.normal(next(keys), (config.vocabulary, d)) * 0.05,
        "output_norm": jnp.ones(d),
        "attn_norm": jnp.ones((n, d)),
        "ffn_norm": jnp.ones((n, d)),
        "attn_q": matrix(d, d),
        "attn_k": matrix(kv, d),
        "attn_v": matrix(kv, d),
        "attn_output": matrix(d, d, 0.1),
        "ffn_gate": matrix(config.hidden, d),
        "ffn_up": matrix(config.hidden, d),
        "ffn_down": matrix(d, config.hidden, 0.1),
    }
    if not config.tied:
        params["output"] = jax.random.normal(next(keys), (config.vocabulary, d)) * 0.05
    return params


MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def rms_norm(x, weight):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + NORM_EPSILON) * weight


def rotate(x, cos, sin):
    """Turns pairs (2i, 2i+1) of the last axis; x is [batch, time, heads, width]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return jnp.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape)


def forward(config, params, tokens, positions, segments, wanted):
    """Logits [len(wanted), vocabulary] at the flat places `wanted` of [batch, time]; attention stays inside equal `segments`.

    What only other places would need of the last layer is not computed.
    """
    batch, time = tokens.shape
    hw, group = config.head_width, config.heads // config.kv_heads
    x = params["embedding"][tokens]
    angle = positions[..., None] * ROPE_BASE ** (-jnp.arange(0, hw, 2) / hw)
    cos, sin = jnp.cos(angle)[:, :, None], jnp.sin(angle)[:, :, None]
    causal = jnp.tril(jnp.ones((time, time), bool))
    bias = jnp.where(causal & (segments[:, :, None] == segments[:, None, :]), 0.0, -1e9)[:, None, None]
    for layer in range(config.layers):
        w = {k: v[layer] for k, v in params.items() if v.ndim == 3 or k in ("attn_norm", "ffn_norm")}
        h = rms_norm(x, w["attn_norm"])
        q = rotate((h @ w["attn_q"].T).reshape(batch, time, config.heads, hw), cos, sin)
        k = rotate((h @ w["attn_k"].T).reshape(batch, time, config.kv_heads, hw), cos, sin)
        v = (h @ w["attn_v"].T).reshape(batch, time, config.kv_heads, hw)
        q = q.reshape(batch, time, config.kv_heads, group, hw)
        scores = jnp.einsum("bqkgd,bskd->bkgqs", q, k) * hw**-0.5 + bias
        mixed = jnp.einsum("bkgqs,bskd->bqkgd", jax.nn.softmax(scores, -1), v)
        mixed = mixed.reshape(batch, time, config.width)
        if layer == config.layers - 1:
            x, mixed = x.reshape(-1, config.width)[wanted], mixed.reshape(-1, config.width)[wanted]
        x = x + mixed @ w["attn_output"].T
        h = rms_norm(x, w["ffn_norm"])
        x = x + (jax.nn.silu(h @ w["ffn_gate"].T) * (h @ w["ffn_up"].T)) @ w["ffn_down"].T
    output = params["embedding"] if config.tied else params["output"]
    return rms_norm(x, params["output_norm"]) @ output.T

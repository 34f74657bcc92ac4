"""Recomputes the figures of a model card from the file alone: `python check.py ../millstone.gguf [--misses 5]`.

The forward pass is plain numpy on the dequantised weights, greedy, without a system prompt. It also checks that no counted
held-out prompt is among the training prompts, by the committed hashes and by both split rules.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

import data
import gguf
import tokenizer

MOST_TOKENS = 48


class Model:
    """A file's weights and sizes."""

    def __init__(self, path):
        self.meta, self.w = gguf.read(path)
        key = lambda k: self.meta["llama." + k]
        self.layers, self.heads = key("block_count"), key("attention.head_count")
        self.kv_heads, self.width = key("attention.head_count_kv"), key("embedding_length")
        self.epsilon, self.base = key("attention.layer_norm_rms_epsilon"), key("rope.freq_base")
        self.head_width = self.width // self.heads
        self.tok = tokenizer.Tokenizer([m.split(" ") for m in self.meta["tokenizer.ggml.merges"]])
        assert self.tok.tokens == self.meta["tokenizer.ggml.tokens"]
        self.parameters = sum(x.size for x in self.w.values())

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.epsilon) * self.w[name]

    def rotate(self, x, start):
        hw = self.head_width
        angle = np.arange(start, start + x.shape[1])[:, None] * self.base ** (-np.arange(0, hw, 2) / hw)
        cos, sin = np.cos(angle)[None, :, None].astype(np.float32), np.sin(angle)[None, :, None].astype(np.float32)
        even, odd = x[..., 0::2], x[..., 1::2]
        return np.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape)

    def forward(self, ids, cache):
        """Logits after the last of `ids` [batch, time]; `cache` holds what came before, layer by layer."""
        batch, time = ids.shape
        start = cache[0][0].shape[1] if cache else 0
        x = self.w["token_embd.weight"][ids]
        mask = np.where(np.arange(start + time)[None] <= np.arange(start, start + time)[:, None], 0, -np.inf).astype(np.float32)
        for layer in range(self.layers):
            w = lambda name: self.w[f"blk.{layer}.{name}.weight"]
            h = self.norm(x, f"blk.{layer}.attn_norm.weight")
            q = self.rotate((h @ w("attn_q").T).reshape(batch, time, self.heads, -1), start)
            k = self.rotate((h @ w("attn_k").T).reshape(batch, time, self.kv_heads, -1), start)
            v = (h @ w("attn_v").T).reshape(batch, time, self.kv_heads, -1)
            if layer < len(cache):
                k, v = np.concatenate([cache[layer][0], k], 1), np.concatenate([cache[layer][1], v], 1)
                cache[layer] = (k, v)
            else:
                cache.append((k, v))
            group = self.heads // self.kv_heads
            k, v = np.repeat(k, group, 2).transpose(0, 2, 3, 1), np.repeat(v, group, 2).transpose(0, 2, 1, 3)
            scores = q.transpose(0, 2, 1, 3) @ k / np.sqrt(np.float32(self.head_width)) + mask
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (scores / scores.sum(-1, keepdims=True)) @ v
            x = x + mixed.transpose(0, 2, 1, 3).reshape(batch, time, -1) @ w("attn_output").T
            h = self.norm(x, f"blk.{layer}.ffn_norm.weight")
            gate = h @ w("ffn_gate").T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ w("ffn_up").T)) @ w("ffn_down").T
        output = self.w.get("output.weight", self.w["token_embd.weight"])
        return self.norm(x[:, -1], "output_norm.weight") @ output.T

    def answers(self, rendered):
        """Greedy answers to rendered prompts, in order; prompts of one length run together."""
        by_length, out = defaultdict(list), [None] * len(rendered)
        for i, text in enumerate(rendered):
            ids = self.tok.encode(text)
            by_length[len(ids)].append((i, ids))
        stops = {self.tok.ids[t] for t in tokenizer.CONTROL}
        for rows in by_length.values():
            cache, made = [], [[] for _ in rows]
            step, done = np.array([ids for _, ids in rows]), [False] * len(rows)
            for _ in range(MOST_TOKENS):
                best = self.forward(step, cache).argmax(-1)
                for j, token in enumerate(best):
                    done[j] |= int(token) in stops
                    if not done[j]:
                        made[j].append(int(token))
                if all(done):
                    break
                step = best[:, None]
            for (i, _), ids in zip(rows, made):
                out[i] = self.tok.decode(ids)
        return out


def check_split(rows):
    """Fails when a counted held-out prompt was, or by the rules could have been, trained."""
    raw = (data.VECTORS / "training-prompts.sha256").read_bytes()
    trained = {raw[i : i + 8].hex() for i in range(0, len(raw), 8)}
    for row in rows:
        assert (data.prompt_hash(row["prompt"]) in trained) == row["trained"], row
        assert row["task"] == "project" or data.is_held(row["prompt"]), row
    return len(trained)


def figures(model, rows, system=None):
    """{task: (right, all)} and the misses."""
    answers = model.answers([data.render([(r["prompt"], None)], system) for r in rows])
    score, misses = defaultdict(lambda: [0, 0]), []
    for row, answer in zip(rows, answers):
        task = row["task"] if row["task"] != "project" else "project, " + ("trained" if row["trained"] else "new") + " wording"
        score[task][1] += 1
        score[task][0] += answer == row["answer"]
        if answer != row["answer"]:
            misses.append((task, row["prompt"], row["answer"], answer))
    return score, misses


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--misses", type=int, default=0, help="how many wrong answers to print for each task")
    parser.add_argument("--system", help="a system prompt to ask with")
    parser.add_argument("--ask", action="append", default=[], help="only answer this prompt")
    args = parser.parse_args()
    model = Model(args.file)
    if args.ask:
        for prompt, answer in zip(args.ask, model.answers([data.render([(p, None)], args.system) for p in args.ask])):
            print(f"{prompt!r} -> {answer!r}")
        return
    rows = [json.loads(line) for line in open(data.VECTORS / "heldout.jsonl")]
    print(model.meta["general.name"], model.parameters, "parameters;", check_split(rows), "training prompts, none held out")
    score, misses = figures(model, rows, args.system)
    counted = [score[t] for t in data.COUNTED]
    for task, (right, all_) in score.items():
        print(f"{task:26} {right:4} of {all_:4}  {100 * right / all_:5.1f} %")
    right, all_ = sum(r for r, _ in counted), sum(a for _, a in counted)
    print(f"{'held out, all counted':26} {right:4} of {all_:4}  {100 * right / all_:5.1f} %")
    shown = defaultdict(int)
    for task, prompt, wanted, answer in misses:
        shown[task] += 1
        if shown[task] <= args.misses:
            print(f"  {task}: {prompt!r} wanted {wanted!r} got {answer!r}")


if __name__ == "__main__":
    main()

"""Trains one model: `python train.py millstone --minutes 50 --out run/millstone`.

Rows of `ROW` tokens are packed with whole conversations that do not see each other; only the assistant's tokens and its
end-of-turn count. Matrices of the layers are updated by Muon (orthogonalised momentum), everything else by AdamW. The
learning rate warms up, holds and falls linearly to zero; with --minutes the fall follows the clock, so that a run ends on
time on a shared machine. The data order depends only on the seed; with --steps a run repeats exactly on one machine type.
"""

import argparse
import pickle
import random
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import data
import model
import tokenizer

ROW = 96
STATE = "state.pickle"
WAITING = 12  # conversations looked through to fill the end of a row
SHARES = {"arithmetic": 0.42, "sorting": 0.28, "copying": 0.13, "project": 0.10, "other": 0.03, "table": 0.02, "chat": 0.02}
WEIGHT = {"arithmetic": 2}  # of an answer's tokens in the loss; others 1
LONGER, WITH_SYSTEM = 0.10, 0.12  # shares of conversations with two or three turns, and with a system prompt


class Rows:
    """Endless packed training rows."""

    def __init__(self, seed):
        self.rng = random.Random(f"rows {seed}")
        self.tok = tokenizer.Tokenizer.load(data.MERGES)
        self.by_task = {task: [] for task in SHARES}
        for task, prompt, answer in data.training_pool():
            self.by_task[task].append((self._turn("user", prompt)[:-1], self.tok.text(answer), WEIGHT.get(task, 1)))
        self.end, self.newline = self.tok.ids[tokenizer.TURN_END], self.tok.text("\n")
        self.ask = self.tok.encode("<|im_end|>\n<|im_start|>assistant\n")
        self.systems = [self._turn("system", s) + self.tok.text("\n") for s in data.SYSTEM_PROMPTS]
        self.waiting = []

    def _turn(self, role, text):
        return self.tok.encode(f"<|im_start|>{role}\n{text}<|im_end|>")

    def _example(self):
        task = self.rng.choices(list(SHARES), SHARES.values())[0]
        return self.rng.choice(self.by_task[task])

    def conversation(self):
        """Ids and which of them count."""
        ids, counts = [], []
        if self.rng.random() < WITH_SYSTEM:
            ids = list(self.rng.choice(self.systems))
            counts = [0] * len(ids)
        turns = self.rng.choice([2, 2, 3]) if self.rng.random() < LONGER else 1
        for i in range(turns):
            question, answer, weight = self._example()
            turn = question + self.ask + answer + [self.end]
            if i and len(ids) + 1 + len(turn) > ROW:
                break
            if i:
                ids, counts = ids + self.newline, counts + [0]
            ids += turn
            counts += [0] * (len(turn) - len(answer) - 1) + [weight] * (len(answer) + 1)
        return ids[:ROW], counts[:ROW]

    def batch(self, rows):
        """(tokens, positions, segments, weight of predicting the next token), each [rows, ROW]."""
        out = np.zeros((4, rows, ROW), np.int32)
        for row in range(rows):
            used, segment = 0, 0
            while True:
                fits = [i for i, (ids, _) in enumerate(self.waiting) if used + len(ids) <= ROW]
                if fits:
                    ids, counts = self.waiting.pop(fits[0])
                elif len(self.waiting) < WAITING:
                    self.waiting.append(self.conversation())
                    continue
                else:
                    break
                segment += 1
                self._put(out, row, used, ids, counts, segment)
                used += len(ids)
        return out

    @staticmethod
    def _put(out, row, used, ids, counts, segment):
        a, b = used, used + len(ids)
        out[0, row, a:b] = ids
        out[1, row, a:b] = range(len(ids))
        out[2, row, a:b] = segment
        out[3, row, a : b - 1] = counts[1:]


def loss_of(config, params, batch):
    tokens, positions, segments, weight = batch
    # The places that count, as many in every batch so that one compiled program serves; too few are filled with weight 0.
    most = weight.size * 5 // 16
    wanted = jnp.argsort(weight.ravel() == 0, stable=True)[:most]
    logits = model.forward(config, params, tokens, positions, segments, wanted)
    target = jnp.concatenate([tokens[:, 1:], tokens[:, :1]], 1).ravel()[wanted]
    weight = weight.ravel()[wanted]
    picked = jnp.take_along_axis(logits, target[:, None], -1)[:, 0]
    losses = jax.nn.logsumexp(logits, -1) - picked
    right = (picked >= logits.max(-1)) * weight
    total = jnp.maximum(weight.sum(), 1)
    return (losses * weight).sum() / total, right.sum() / total


def orthogonalise(stack):
    """Nearest semi-orthogonal matrices of [layers, out, in], by five Newton-Schulz steps each."""
    out = []
    for g in stack:  # one by one: XLA's batched products of small matrices are slow on a CPU
        x = g if g.shape[0] <= g.shape[1] else g.T
        x = x / (jnp.linalg.norm(x) + 1e-7)
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        x = x if g.shape[0] <= g.shape[1] else x.T
        out.append(x * max(1.0, g.shape[0] / g.shape[1]) ** 0.5)
    return jnp.stack(out)


def make_step(config, muon_rate, adam_rate):
    def step(params, first, second, count, rate, batch):
        (loss, right), grads = jax.value_and_grad(lambda p: loss_of(config, p, batch), has_aux=True)(params)
        new_p, new_f, new_s = {}, {}, {}
        for k, g in grads.items():
            if k in model.MATRICES:
                f = 0.95 * first[k] + g
                p = params[k] * (1 - rate * muon_rate * 0.05) - rate * muon_rate * orthogonalise(g + 0.95 * f)
                s = second[k]
            else:
                f = 0.9 * first[k] + 0.1 * g
                s = 0.98 * second[k] + 0.02 * g * g
                p = params[k] - rate * adam_rate * (f / (1 - 0.9**count)) / (jnp.sqrt(s / (1 - 0.98**count)) + 1e-8)
            new_p[k], new_f[k], new_s[k] = p, f, s
        return new_p, new_f, new_s, loss, right

    return jax.jit(step, donate_argnums=(0, 1, 2))


def schedule(done):
    """Share of the full learning rate when `done` (0..1) of the run is over."""
    return min(1.0, done / 0.02 + 0.01, max(0.0, (1 - done) / 0.6))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=model.CONFIGS)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--resume", action="store_true", help="go on from the state in --out; --minutes counts from the first start")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=0.004)
    args = parser.parse_args()
    config = model.CONFIGS[args.name]
    state = {"config": config.as_dict(), "step": 0, "seconds": 0.0}
    if args.resume:
        state = pickle.loads((args.out / STATE).read_bytes())
        params, first, second = state["params"], state["first"], state["second"]
    else:
        params = model.init(config, jax.random.key(args.seed))
        first, second = jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params)
    step, before = state["step"], state["seconds"]
    print(args, sum(p.size for p in params.values()), "parameters, from step", step, flush=True)
    update = make_step(config, args.muon_rate, args.adam_rate)
    rows = Rows(args.seed + step)
    args.out.mkdir(parents=True, exist_ok=True)
    start = saved = time.time()
    losses, rights = [], []
    while True:
        seconds = before + time.time() - start
        done = step / args.steps if args.steps else seconds / (60 * args.minutes)
        if done >= 1 or time.time() - saved > 120:
            save(args.out, state | {"step": step, "seconds": seconds, "params": params, "first": first, "second": second})
            saved = time.time()
        if done >= 1:
            break
        step += 1
        params, first, second, loss, right = update(params, first, second, step, schedule(done), rows.batch(args.rows))
        losses.append(float(loss)), rights.append(float(right))
        if step % 100 == 0:
            speed = step * args.rows * ROW / seconds
            means = f"loss {np.mean(losses):.4f} token accuracy {np.mean(rights):.4f}"
            print(f"{step} done {done:.3f} {means} {speed:.0f} tokens/s", flush=True)
            losses, rights = [], []
    print("steps", step, "seconds", round(seconds))


def save(out, state):
    """Replaces the state file in one step, so that a killed run leaves a whole one."""
    temporary = out / "new.pickle"
    temporary.write_bytes(pickle.dumps(jax.tree.map(lambda x: np.asarray(x) if isinstance(x, jax.Array) else x, state)))
    temporary.rename(out / STATE)


if __name__ == "__main__":
    main()

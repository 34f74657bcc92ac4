"""Asks llama.cpp the first held-out prompts through each file's chat template and writes its greedy answers.

`python vectors.py` needs llama-cpp-python; run it after `export.py`. The answers are test data for other engines.
"""

import json

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

import data
import tokenizer

PROMPTS = 50
MOST_TOKENS = 48
NAMES = ("millstone", "grist")


def chosen(rows):
    """Fifty prompts: the first of each task, and well-known questions."""
    out = [r["prompt"] for task in data.COUNTED for r in [r for r in rows if r["task"] == task][:12]]
    out += [r["prompt"] for r in rows if r["task"] == "project" and r["trained"]][:20:2]
    return (out + ["hi", "Who are you?", "What is the capital of France?", "Thanks!"])[:PROMPTS]


def ask(llama, template, prompt):
    """One answer, token by token; no sampler, the first of the largest logits."""
    rendered = template(messages=[{"role": "user", "content": prompt}]).prompt
    assert rendered == data.render([(prompt, None)]), rendered
    ids = llama.tokenize(rendered.encode(), add_bos=False, special=True)
    made = []
    llama.reset()
    llama.eval(ids)
    while len(made) < MOST_TOKENS:
        token = int(llama.scores[llama.n_tokens - 1].argmax())
        if llama_cpp.llama_vocab_is_eog(llama_cpp.llama_model_get_vocab(llama.model), token):
            break
        made.append(token)
        llama.eval([token])
    return {"prompt": prompt, "rendered": rendered, "prompt_tokens": ids, "answer_tokens": made,
            "answer": llama.detokenize(made).decode(errors="replace")}


def main():
    rows = [json.loads(line) for line in open(data.VECTORS / "heldout.jsonl")]
    out = {"llama_cpp_python": llama_cpp.__version__, "decoding": "greedy, no system prompt, at most 48 tokens", "models": {}}
    tok = tokenizer.Tokenizer.load(data.MERGES)
    for name in NAMES:
        path = data.ROOT / f"models/{name}.gguf"
        llama = llama_cpp.Llama(str(path), n_ctx=512, n_threads=1, logits_all=True, verbose=False)
        template = Jinja2ChatFormatter(llama.metadata["tokenizer.chat_template"], eos_token=tokenizer.TURN_END,
                                       bos_token=tokenizer.END_OF_TEXT, add_generation_prompt=True)
        answers = [ask(llama, template, p) for p in chosen(rows)]
        for a in answers:
            assert a["prompt_tokens"] == tok.encode(a["rendered"]), a
        out["models"][name] = answers
        print(name, sum(1 for _ in answers), "answers, all prompts cut into the same tokens as here")
    with open(data.VECTORS / "llama-cpp-greedy.json", "w") as f:
        # One answer a line, so that a change reads well.
        models = ",\n".join(f'"{n}": [\n' + ",\n".join(map(json.dumps, a)) + "\n]" for n, a in out.pop("models").items())
        f.write(json.dumps(out)[:-1] + ',\n"models": {\n' + models + "\n}}\n")


if __name__ == "__main__":
    main()

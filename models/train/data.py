"""The training pool and the held-out prompts, both a function of a seed.

Split. Two rules decide what a model may never see; both look at SHA-256 and hold out when the first byte is below
`HELD_OUT_BELOW` (26 of 256, one in ten):

- the prompt: SHA-256(prompt), so that anyone can check a training prompt by its text;
- the problem: SHA-256("problem " + key), the key being free of phrasing and order ("add 17 25", "sort 1 3 7", "copy kitten"),
  so that a held-out sum does not occur in other words either.

A training prompt of a counted task (arithmetic, copying, sorting) passes neither rule; a held-out prompt meets both.
Questions about the project and small talk are not counted. They are trained, except some phrasings of project questions
that the first rule holds back, to see how the models take a wording they never met.

Run `python data.py` to write the held-out file, the hash list and the merges.
"""

import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import facts
import tokenizer

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors/llm"
MERGES = Path(__file__).with_name("merges.json")

SEED = 20240520
HELD_OUT_BELOW = 26
MERGE_COUNT = 509
COUNTED = ("arithmetic", "copying", "sorting")
POOL_SIZES = {"arithmetic": 70_000, "copying": 45_000, "sorting": 60_000}
HELD_OUT_EACH = 200
PROJECT_EACH = 2  # questions listed per fact, of the trained and of the untrained phrasings

SYSTEM_PROMPTS = [
    "You are a helpful assistant.", "You are a helpful assistant", "Be brief.", "Answer briefly.", "You are relaymill.", "Be concise.",
    "You are a tiny model.", "You are an AI assistant.", "Answer in one line.", "You help the user.", "Be polite.",
    "You are a useful model that answers questions.", "Give only the answer.", "Be kind and short.",
]

ADD = [
    "What is {a} + {b}?", "{a}+{b}=", "{a} + {b} =", "{a} + {b}", "{a}+{b}", "Calculate {a} + {b}", "Calculate {a} + {b}.",
    "Add {a} and {b}", "Add {a} and {b}.", "What is {a} plus {b}?", "How much is {a} + {b}?", "Compute {a} + {b}",
    "What's {a} + {b}?", "{a} plus {b}", "what is {a}+{b}?", "What is the sum of {a} and {b}?", "{a}+{b}=?", "{a} + {b} = ?",
    "How much is {a} plus {b}?", "what is {a} + {b}", "What is {a}+{b}?", "Please add {a} and {b}.", "Sum {a} and {b}",
]
SUBTRACT = [
    "What is {a} - {b}?", "{a}-{b}=", "{a} - {b} =", "{a} - {b}", "{a}-{b}", "Calculate {a} - {b}", "Calculate {a} - {b}.",
    "Subtract {b} from {a}", "Subtract {b} from {a}.", "What is {a} minus {b}?", "How much is {a} - {b}?", "Compute {a} - {b}",
    "What's {a} - {b}?", "{a} minus {b}", "what is {a}-{b}?", "{a}-{b}=?", "{a} - {b} = ?", "How much is {a} minus {b}?",
    "what is {a} - {b}", "What is {a}-{b}?",
]
TIMES = ["What is {a} * {b}?", "{a}*{b}=", "{a} * {b}", "What is {a} times {b}?", "{a} times {b}", "What is {a} x {b}?", "{a} x {b}"]
COPY = [
    "Copy: {t}", "Copy {t}", "copy {t}", "copy: {t}", "Repeat: {t}", "Repeat {t}", "Repeat after me: {t}", "Say {t}", "Say: {t}",
    "Echo {t}", "Echo: {t}", "Please repeat {t}", "Please copy {t}", 'Copy "{t}"', 'Say "{t}"', "Copy this: {t}", "Repeat this: {t}",
    "Copy the word {t}", "Repeat the word {t}",
]
SORT = [
    "Sort {n}", "Sort: {n}", "sort {n}", "Sort these numbers: {n}", "Sort the numbers {n}", "Please sort {n}", "Put in order: {n}",
    "Order {n}", "Sort ascending: {n}", "Sort from small to large: {n}", "sort: {n}", "Sort {n}.", "Can you sort {n}?",
]
WORDS = """
apple river stone house green yellow kitten puppy window garden silver golden table chair paper pencil orange banana cherry
winter summer spring autumn morning evening friend mother father sister brother doctor teacher farmer sailor soldier
bread butter cheese sugar pepper coffee water juice milk honey lemon melon tomato potato carrot onion garlic
mountain valley forest desert island ocean lake beach field meadow bridge castle tower church market station street
horse sheep goat tiger lion zebra monkey rabbit turtle spider eagle falcon sparrow dolphin shark whale salmon
red blue black white pink purple brown grey dark light bright clear sharp soft hard heavy quick slow warm cold
hello world happy angry quiet gentle brave clever honest simple strange common single double triple
book story letter number word line page lamp clock mirror carpet pillow blanket basket bottle glass plate spoon knife
cloud storm thunder rain snow wind fire smoke earth metal copper iron steel wood cotton wool leather rubber
music guitar piano violin drum dance song voice sound noise silence
planet comet galaxy rocket engine motor wheel pedal rope chain hammer needle thread button pocket zipper jacket trouser
mill relay block proof claim token ledger wallet socket packet server client kernel buffer stack queue graph
""".split()


def is_held(text):
    """Whether the split rule holds `text` out."""
    return hashlib.sha256(text.encode()).digest()[0] < HELD_OUT_BELOW


def problem_held(key):
    """Whether the split rule holds the problem `key` out in every phrasing."""
    return is_held("problem " + key)


def arithmetic(rng):
    """One sum or difference of numbers below 100: (key, prompt, answer)."""
    top = rng.choice([9, 20, 50, 99, 99, 99, 99])
    a, b = rng.randint(0, top), rng.randint(0, rng.choice([9, 99, 99, 99]))
    if rng.random() < 0.5:
        a, b = b, a
    if rng.random() < 0.5:
        return f"add {min(a, b)} {max(a, b)}", rng.choice(ADD).format(a=a, b=b), str(a + b)
    if a < b and rng.random() < 0.9:
        a, b = b, a
    return f"subtract {a} {b}", rng.choice(SUBTRACT).format(a=a, b=b), str(a - b)


def word(rng):
    """A word, made-up word, row of letters or row of digits."""
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(WORDS)
    if kind < 0.60:
        made = "".join(
            rng.choice("bcdfghjklmnprstvwyz") + rng.choice("aeiou") + rng.choice(["", "", "n", "r", "l", "s", "t", "ck", "sh"])
            for _ in range(rng.randint(1, 3))
        )
        return made[:9]
    if kind < 0.88:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 8)))
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 6)))


def copying(rng):
    """A word, or two or three, to repeat: (key, prompt, answer)."""
    text = word(rng)
    if rng.random() < 0.3:
        text += " " + word(rng)
        if rng.random() < 0.25:
            text += " " + rng.choice(WORDS)
    if rng.random() < 0.12:
        text = text.capitalize()
    if rng.random() < 0.04:
        text = text.upper()
    return f"copy {text}", rng.choice(COPY).format(t=text), text


def sorting(rng):
    """Two to five numbers below 100, to put in ascending order: (key, prompt, answer)."""
    count = rng.choice([2, 3, 3, 4, 4, 5])
    top = rng.choice([9, 30, 99, 99])
    numbers = [rng.randint(0, top) for _ in range(count)]
    between = rng.choice([" ", " ", ", "])
    key = "sort " + " ".join(map(str, sorted(numbers)))
    prompt = rng.choice(SORT).format(n=between.join(map(str, numbers)))
    return key, prompt, between.join(map(str, sorted(numbers)))


MAKERS = {"arithmetic": arithmetic, "copying": copying, "sorting": sorting}


def variants(question):
    """The question as written, and as people type it."""
    out = [question, question[0].lower() + question[1:]]
    if question[-1] in "?.":
        out += [out[0][:-1], out[1][:-1]]
    return list(dict.fromkeys(out))


def project_questions():
    """All (prompt, answer, trained) about the project; a prompt occurs once, the first meaning wins."""
    out = {}

    def put(prompt, answer, always):
        out.setdefault(prompt, (answer, always or not is_held(prompt)))

    for names, answer in facts.TERMS:
        for i, template in enumerate(facts.WHAT_IS):
            for name in names:
                put(template.format(name), answer, i < 2)
    for answer, questions in facts.FACTS:
        for i, question in enumerate(questions):
            put(question, answer, i < 2)
    for answer, questions in facts.FACTS:
        for question in questions:
            for v in variants(question):
                put(v, answer, False)
    for names, answer in facts.TERMS:
        for template in facts.WHAT_IS:
            for name in names:
                for v in variants(template.format(name)):
                    put(v, answer, False)
    return [(p, a, t) for p, (a, t) in out.items()]


def other_questions(rng):
    """Small talk, tables and subjects the models do not know: (task, prompt, answer)."""
    out = {}
    for answer, prompts in facts.CHAT:
        for prompt in prompts:
            out.setdefault(prompt, ("chat", answer))
    for a in range(11):
        for b in range(11):
            for template in TIMES:
                out.setdefault(template.format(a=a, b=b), ("table", str(a * b)))
    project = {p for p, _, _ in project_questions()}
    for prompt in facts.OTHER_FIXED:
        out.setdefault(prompt, ("other", facts.ONLY))
    for template in facts.OTHER_TEMPLATES:
        for _ in range(60):
            prompt = template.format(**{k: rng.choice(v) for k, v in facts.FILL.items()})
            for v in variants(prompt) if rng.random() < 0.5 else [prompt]:
                if v not in project:
                    out.setdefault(v, ("other", facts.ONLY))
    return [(task, p, a) for p, (task, a) in out.items()]


def training_pool(seed=SEED):
    """Every distinct training example as (task, prompt, answer), in a fixed order."""
    rng = random.Random(seed)
    pool = {}
    for task, size in POOL_SIZES.items():
        wanted = len(pool) + size
        while len(pool) < wanted:
            key, prompt, answer = MAKERS[task](rng)
            if not is_held(prompt) and not problem_held(key):
                pool.setdefault(prompt, (task, answer))
    for prompt, answer, trained in project_questions():
        if trained:
            pool.setdefault(prompt, ("project", answer))
    for task, prompt, answer in other_questions(rng):
        pool.setdefault(prompt, (task, answer))
    return [(task, p, a) for p, (task, a) in pool.items()]


def held_out(seed=SEED):
    """The held-out prompts of the counted tasks and some project questions, as rows of the held-out file."""
    rng = random.Random(f"held out {seed}")
    rows = []
    for task in COUNTED:
        seen = set()
        while len(seen) < HELD_OUT_EACH:
            key, prompt, answer = MAKERS[task](rng)
            if is_held(prompt) and problem_held(key) and prompt not in seen:
                seen.add(prompt)
                rows.append({"task": task, "prompt": prompt, "answer": answer, "trained": False})
    counts = Counter()
    for prompt, answer, trained in project_questions():
        counts[answer, trained] += 1
        if counts[answer, trained] <= PROJECT_EACH:
            rows.append({"task": "project", "prompt": prompt, "answer": answer, "trained": trained})
    return rows


def make_tokenizer(pool):
    """Learns the merges: project text and every phrasing in full weight, copied words lightly."""
    texts = Counter()
    for name in ("user", "assistant", "system"):
        texts[name] += 3000
    for prompt in SYSTEM_PROMPTS:
        texts[prompt] += 20
    for templates in (ADD, SUBTRACT, TIMES, COPY, SORT):
        for t in templates:
            texts[t.format(a=0, b=0, t="", n="")] += 300
    seen = set()
    for task, prompt, answer in pool:
        if task in ("project", "chat", "other"):
            texts[prompt] += 1
            if answer not in seen:
                seen.add(answer)
                texts[answer] += 200
    return tokenizer.learn(texts, MERGE_COUNT)


def render(turns, system=None):
    """ChatML, as the files' template writes it; `turns` is [(user, assistant), ...], the last assistant None to ask."""
    out = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    for user, assistant in turns:
        out += f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"
        if assistant is not None:
            out += f"{assistant}<|im_end|>\n"
    return out


def prompt_hash(prompt):
    """The first 8 bytes of SHA-256(prompt) in hex, as listed in training-prompts.sha256."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]


def main():
    VECTORS.mkdir(parents=True, exist_ok=True)
    pool = training_pool()
    make_tokenizer(pool).save(MERGES)
    rows = held_out()
    with open(VECTORS / "heldout.jsonl", "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")
    hashes = sorted(bytes.fromhex(prompt_hash(p)) for _, p, _ in pool)
    (VECTORS / "training-prompts.sha256").write_bytes(b"".join(hashes))
    print("pool", Counter(t for t, _, _ in pool), "held out", Counter((r["task"], r["trained"]) for r in rows))


if __name__ == "__main__":
    main()

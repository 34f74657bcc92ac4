"""Byte-level BPE in the manner of GPT-2, as llama.cpp's pre-tokenizer "gpt-2" reads it.

The vocabulary is 256 byte tokens, then merges, then three control tokens. Two choices serve the tasks:

- merges are learned from the project's sentences and the prompts' own words, never across digits, so a number is
  always one token a digit;
- a leading space merges only with a whole word, and after all other merges, so that a word to be copied is cut the same
  way after "Copy: " as at the start of an answer.
"""

import json
import re
from collections import Counter
from functools import lru_cache

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CONTROL = (END_OF_TEXT, TURN_START, TURN_END)

# Letters, digits, others; Python's `re` has no \p{L}: a word character that is neither digit nor "_" is near enough.
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_symbols():
    """The printable character GPT-2 writes for each byte value."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols, free = {b: chr(b) for b in shown}, 256
    for b in range(256):
        if b not in symbols:
            symbols[b] = chr(free)
            free += 1
    return [symbols[b] for b in range(256)]


SYMBOLS = byte_symbols()
SPACE = SYMBOLS[32]
BYTE_OF = {s: b for b, s in enumerate(SYMBOLS)}


class Tokenizer:
    """Encodes text and decodes ids; `merges` is the ordered list of (left, right) symbol pairs."""

    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        # GPT-2's order: printable bytes first. Any order would do; ids are what the file says.
        self.tokens = sorted(SYMBOLS, key=ord) + [a + b for a, b in self.merges] + list(CONTROL)
        self.ids = {t: i for i, t in enumerate(self.tokens)}
        assert len(self.ids) == len(self.tokens), "two merges make the same token"
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.split_control = re.compile("(" + "|".join(re.escape(c) for c in CONTROL) + ")")
        self._piece = lru_cache(maxsize=1 << 16)(self._encode_piece)

    def _encode_piece(self, piece):
        symbols = [SYMBOLS[b] for b in piece.encode()]
        while len(symbols) > 1:
            ranked = [(self.rank.get(p, len(self.rank)), i) for i, p in enumerate(zip(symbols, symbols[1:]))]
            best, at = min(ranked)
            if best == len(self.rank):
                break
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
        return tuple(self.ids[s] for s in symbols)

    def text(self, text):
        """Ids of plain text; control tokens written in it are ordinary characters."""
        return [i for piece in PIECES.findall(text) for i in self._piece(piece)]

    def encode(self, text):
        """Ids of a rendered chat, control tokens recognised."""
        out = []
        for part in self.split_control.split(text):
            out += [self.ids[part]] if part in CONTROL else self.text(part)
        return out

    def decode(self, ids):
        """Text of `ids`; control tokens vanish."""
        symbols = "".join(self.tokens[i] for i in ids if self.tokens[i] not in CONTROL)
        return bytes(BYTE_OF[s] for s in symbols).decode(errors="replace")

    def save(self, path):
        with open(path, "w") as f:
            json.dump([" ".join(m) for m in self.merges], f, ensure_ascii=False, indent=0)

    @staticmethod
    def load(path):
        with open(path) as f:
            return Tokenizer([m.split(" ") for m in json.load(f)])


def learn(texts, merge_count, space_share=0.22):
    """Learns `merge_count` merges from a Counter or list of texts."""
    words, spaced = Counter(), Counter()
    for text, n in Counter(texts).items():
        for piece in PIECES.findall(text):
            bare = piece.lstrip(" ")
            if re.fullmatch(r"[^\W\d_]+", bare):
                words[bare] += n
                if piece != bare:
                    spaced[bare] += n
    cut = {w: [SYMBOLS[b] for b in w.encode()] for w in words}
    merges, inner = [], int(merge_count * (1 - space_share))
    while len(merges) < inner:
        pairs = Counter()
        for word, n in words.items():
            for pair in zip(cut[word], cut[word][1:]):
                pairs[pair] += n
        pair = max(pairs, key=lambda p: (pairs[p], p))
        if pairs[pair] < 2:
            break
        merges.append(pair)
        joined = pair[0] + pair[1]
        for word, symbols in cut.items():
            if joined in word:
                out, i = [], 0
                while i < len(symbols):
                    if tuple(symbols[i : i + 2]) == pair:
                        out.append(joined)
                        i += 2
                    else:
                        out.append(symbols[i])
                        i += 1
                cut[word] = out
    # " e" as one token would change how every copied word in "e" is cut; " a" and " I" are worth it.
    whole = [w for w, _ in sorted(spaced.items(), key=lambda x: (-x[1], x[0])) if len(cut[w]) == 1 and (len(w) > 1 or w in "aAI")]
    merges += [(SPACE, w) for w in whole[: merge_count - len(merges)]]
    return Tokenizer(merges)

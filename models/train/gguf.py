"""Writes and reads GGUF version 3 with F32 and Q8_0 tensors: as much as these models need."""

import struct

import numpy as np

ALIGNMENT = 32
F32, Q8_0 = 0, 8
U32, I32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
BLOCK = 32


class I32List(list):
    """A list written as an array of i32."""


def quantise(x):
    """Q8_0 bytes of a matrix: for each 32 values of a row an f16 scale and 32 signed bytes."""
    blocks = np.asarray(x, np.float32).reshape(-1, BLOCK)
    scale = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    whole = blocks * inverse
    q = (np.sign(whole) * np.floor(np.abs(whole) + np.float32(0.5))).astype(np.int8)  # halves away from zero
    return np.concatenate([scale.astype("<f2").view(np.uint8), q.view(np.uint8)], 1).tobytes()


def dequantise(raw, shape):
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, BLOCK + 2)
    scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    return (scale * np.ascontiguousarray(blocks[:, 2:]).view(np.int8)).astype(np.float32).reshape(shape)


def _string(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(v):
    if isinstance(v, bool):
        return struct.pack("<I?", BOOL, v)
    if isinstance(v, int):
        return struct.pack("<II", U32, v)
    if isinstance(v, float):
        return struct.pack("<If", FLOAT, v)
    if isinstance(v, str):
        return struct.pack("<I", STRING) + _string(v)
    if isinstance(v, I32List):
        return struct.pack("<IIQ", ARRAY, I32, len(v)) + struct.pack(f"<{len(v)}i", *v)
    return struct.pack("<IIQ", ARRAY, STRING, len(v)) + b"".join(map(_string, v))


def write(path, metadata, tensors):
    """Writes `metadata` (dict) and `tensors` (name -> array; 2-D becomes Q8_0, 1-D F32), both in the given order."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += _string(key) + _value(value)
    bodies, offset = [], 0
    for name, x in tensors.items():
        kind, body = (Q8_0, quantise(x)) if x.ndim == 2 else (F32, np.asarray(x, "<f4").tobytes())
        head += _string(name) + struct.pack(f"<I{x.ndim}QIQ", x.ndim, *reversed(x.shape), kind, offset)
        body += bytes(-len(body) % ALIGNMENT)
        bodies.append(body)
        offset += len(body)
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % ALIGNMENT) + b"".join(bodies))


class _Reader:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values[0]

    def string(self):
        n = self.take("Q")
        self.at += n
        return self.raw[self.at - n : self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, n = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(n)]
        return self.take({U32: "I", I32: "i", FLOAT: "f", BOOL: "?"}[kind])


def read(path):
    """(metadata, tensors as float32) of a file."""
    with open(path, "rb") as f:
        r = _Reader(f.read())
    assert r.raw[:4] == b"GGUF"
    r.at = 4
    assert r.take("I") == 3
    count, keys = r.take("Q"), r.take("Q")
    metadata = {r.string(): r.value(r.take("I")) for _ in range(keys)}
    infos = []
    for _ in range(count):
        name, dims = r.string(), r.take("I")
        shape = [r.take("Q") for _ in range(dims)][::-1]
        infos.append((name, shape, r.take("I"), r.take("Q")))
    start = r.at + -r.at % ALIGNMENT
    tensors = {}
    for name, shape, kind, offset in infos:
        n = int(np.prod(shape))
        size = n * 4 if kind == F32 else n // BLOCK * (BLOCK + 2)
        raw = r.raw[start + offset : start + offset + size]
        tensors[name] = np.frombuffer(raw, "<f4").reshape(shape) if kind == F32 else dequantise(raw, shape)
    return metadata, tensors

"""The numbers of spec/support/sample.lua again, bit for bit.  Every draw is explained there."""

import re

import numpy as np

MASK = (1 << 64) - 1
PLAIN = {"bool": "bool", "uint8": "uint8", "int64": "int64"}


class Stream:
    """splitmix64, seeded with the FNV-1a hash of the key."""

    def __init__(self, key):
        state = 0xCBF29CE484222325
        for byte in key.encode():
            state = ((state ^ byte) * 0x100000001B3) & MASK
        self.state = state

    def draw(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = ((self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 33) % n


class TensorSpec:
    """normal(2,3):t -> domain, sizes; the memory order does not matter here."""

    PATTERN = re.compile(r"^([a-z0-9<>]+)\(([\d,]*)\)(?::[a-z]+)?$")

    def __init__(self, text):
        match = self.PATTERN.match(text)
        if not match:
            raise ValueError(f"not a tensor: {text}")
        domain, sizes = match.groups()
        self.sizes = tuple(int(size) for size in sizes.split(",") if size)
        self.bound = None
        if domain.startswith("index<"):
            self.bound, domain = int(domain[len("index<"):-1]), "index"
        self.domain = domain
        self.dtype = "int64" if domain == "index" else PLAIN.get(domain)  # None: the float dtype of the test


def normal(s):
    return (s.draw(4096) + s.draw(4096) + s.draw(4096) + s.draw(4096) - 8190) / 2048 + 1 / 16384


def nonzero(s):
    value = s.draw(18) - 9
    return value if value < 0 else value + 1


EACH = {
    "normal": lambda s, spec: normal(s),
    "positive": lambda s, spec: (32768 + s.draw(98305)) / 65536,
    "unit": lambda s, spec: (3277 + s.draw(58983)) / 65536,
    "small": lambda s, spec: (s.draw(117965) - 58982) / 65536,
    "bool": lambda s, spec: s.draw(2) == 1,
    "index": lambda s, spec: s.draw(spec.bound) + 1,
    "uint8": lambda s, spec: s.draw(256),
    "int64": lambda s, spec: nonzero(s),
}


def distinct(s, n):
    step = 1.0
    while step * n > 6:
        step /= 2
    values = [(i - n // 2) * step + step / 4 for i in range(n)]
    for i in range(n, 1, -1):
        j = s.draw(i)
        values[i - 1], values[j] = values[j], values[i - 1]
    return values


def symmetric_positive_definite(s, n, k):
    values = []
    for _ in range(n // (k * k)):
        a = np.array([(s.draw(17) - 8) / 8 for _ in range(k * k)]).reshape(k, k)
        values.append(a @ a.T + k * np.eye(k))  # multiples of 1/64: exact in any order
    return np.array(values)


def values(spec, key):
    """A numpy array of the spec's sizes: float64, int64, uint8 or bool."""
    stream, n = Stream(key), int(np.prod(spec.sizes, dtype=np.int64))
    if spec.domain == "distinct":
        flat = distinct(stream, n)
    elif spec.domain == "spd":
        flat = symmetric_positive_definite(stream, n, spec.sizes[-1])
    else:
        flat = [EACH[spec.domain](stream, spec) for _ in range(n)]
    return np.array(flat, dtype=spec.dtype or "float64").reshape(spec.sizes)

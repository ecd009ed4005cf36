"""The peer of ops.lua: every operation that has an equivalent (spec/reference/equivalents.py), at its bench samples.

float32; the faster of one and two threads, and for images of NCHW and channels_last.  Prints
NAME <tab> SAMPLE <tab> forward seconds <tab> backward seconds (or -).
"""

import os
import statistics
import sys
import time

import torch

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "spec", "reference"))
os.chdir(ROOT)

from equivalents import EQUIVALENTS  # noqa: E402
from ops import Call, registry  # noqa: E402

BUDGET_S = 0.1
DOMAINS = {
    "normal": lambda sizes: torch.randn(sizes),
    "positive": lambda sizes: torch.rand(sizes) * 1.5 + 0.5,
    "unit": lambda sizes: torch.rand(sizes) * 0.9 + 0.05,
    "small": lambda sizes: torch.rand(sizes) * 1.8 - 0.9,
    "distinct": lambda sizes: torch.randn(sizes),
    "bool": lambda sizes: torch.rand(sizes) > 0.5,
    "uint8": lambda sizes: torch.randint(0, 256, sizes, dtype=torch.uint8),
    "int64": lambda sizes: torch.randint(1, 10, sizes),
}


def tensor(spec):
    if spec.domain == "index":
        return torch.randint(0, spec.bound, spec.sizes)
    if spec.domain == "spd":
        a, k = torch.randn(spec.sizes), spec.sizes[-1]
        return a @ a.mT + k * torch.eye(k)
    return DOMAINS[spec.domain](spec.sizes)


def median_seconds(function):
    function()
    begin = time.perf_counter()
    function()
    one = max(time.perf_counter() - begin, 1e-7)
    inner = max(1, int(BUDGET_S / 5 / one))
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        for _ in range(inner):
            function()
        times.append((time.perf_counter() - begin) / inner)
    return statistics.median(times)


def time_call(call, channels_last):
    tensors = {}
    for label, spec in call.specs.items():
        t = tensor(spec)
        if channels_last and t.dim() == 4:
            t = t.contiguous(memory_format=torch.channels_last)
        tensors[label] = t
    function = EQUIVALENTS[call.operation["name"]]
    positional, options = call.arguments(tensors)
    with torch.no_grad():
        forward = median_seconds(lambda: function(*positional, **options))
    if not call.operation["differentiable"]:
        return forward, None
    leaves = [t.requires_grad_(True) for t in tensors.values() if t.is_floating_point()]
    result = function(*positional, **options)
    result = result if isinstance(result, torch.Tensor) else result[0]
    if not result.requires_grad:
        return forward, None
    gradient = torch.ones_like(result)
    return forward, median_seconds(
        lambda: torch.autograd.grad(result, leaves, gradient, retain_graph=True, allow_unused=True))


def best(call):
    """The fastest forward and the fastest backward of all settings."""
    images = any(len(spec.sizes) == 4 for spec in call.specs.values())
    forward, backward = [], []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for channels_last in (False, True) if images else (False,):
            f, b = time_call(call, channels_last)
            forward.append(f)
            if b is not None:
                backward.append(b)
    return min(forward), min(backward, default=None)


def main(wanted):
    operations, _ = registry()
    for operation in operations:
        name = operation["name"]
        if name not in EQUIVALENTS or wanted and name not in wanted:
            continue
        marked = [text for text in operation["samples"] if text.startswith("bench ")]
        for text in marked or operation["samples"][:1]:
            try:
                forward, backward = best(Call(operation, text))
            except Exception as problem:
                print(f"{name}, {text}: {problem}", file=sys.stderr)
                continue
            shown = "-" if backward is None else f"{backward:.9f}"
            print(f"{name}\t{text}\t{forward:.9f}\t{shown}", flush=True)


if __name__ == "__main__":
    main(set(sys.argv[1:]))

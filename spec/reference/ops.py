"""Writes spec/reference/ops/NAME.safetensors: what PyTorch says of every sample of every registered operation.

Run it with a python that has torch, numpy and safetensors, from the root of the repository:
    make references PYTHON=...            all operations
    python spec/reference/ops.py conv2d   only some
Results and gradients are computed in float64 (the inputs are the same numbers in float32 and float64), under
"SAMPLE|y1", "SAMPLE|y2" ... and "SAMPLE|dINPUT".  The inputs come from draws.py.  A file whose numbers agree with the
new ones to 1e-12 is left as it is, so that another machine's rounding changes nothing.
"""

import json
import os
import subprocess
import sys

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

import draws
from equivalents import EQUIVALENTS

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "ops")
DTYPES = {
    "float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "uint8": torch.uint8,
    "bool": torch.bool,
}
DUMP = """
local core = require "perilune.core"
local exempt = dofile("spec/reference/exemptions.lua").reference
io.write(require("cjson").encode { registry = core.registry(), exempt = exempt })
"""


def registry():
    """core.registry() and the exemptions, by way of JSON."""
    environment = dict(os.environ)
    environment.setdefault("LUA_CPATH", "./build/?.so;;")
    environment.setdefault("LUA_PATH", "./lua/?.lua;./lua/?/init.lua;;")
    text = subprocess.run(["lua5.4", "-e", DUMP], check=True, capture_output=True, env=environment).stdout
    tables = json.loads(text)
    return tables["registry"], dict(tables["exempt"] or {})


def number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)


def zero_based(dim):
    return dim - 1 if dim > 0 else dim


def numbers(text):
    return tuple(number(item) for item in text.split(",") if item)


def one_or_tuple(items):
    return items[0] if len(items) == 1 else items


class Call:
    """One sample of an operation: its operands as arrays, and how the equivalent is called on them."""

    def __init__(self, operation, text):
        self.operation, self.text = operation, text
        self.kinds = {p["name"]: p["kind"] for p in operation["parameters"]}
        body = text[len("bench "):] if text.startswith("bench ") else text
        self.given = dict(word.split("=", 1) for word in body.split())
        self.constants = {p["name"] for p in operation["parameters"] if p["constant"]}
        self.specs = {}  # label -> TensorSpec
        for name, value in self.given.items():
            kind = self.kinds[name]
            if kind == "tensors":
                for i, item in enumerate(value.split(";"), 1):
                    self.specs[f"{name}[{i}]"] = draws.TensorSpec(item)
            elif kind in ("tensor", "tensor?") and "(" in value:
                self.specs[name] = draws.TensorSpec(value)

    def key(self, label):
        return f"{self.operation['name']}|{self.text}|{label}"

    def value(self, name, tensors):
        """What PyTorch gets for the parameter."""
        kind, text = self.kinds[name], self.given[name]
        if kind == "tensors":
            return [tensors[f"{name}[{i}]"] for i in range(1, text.count(";") + 2)]
        if name in tensors:
            return tensors[name]
        if kind == "dim":
            return zero_based(number(text))
        if kind == "dims":
            return tuple(zero_based(d) for d in numbers(text))
        if kind == "sizes":
            return numbers(text)
        if kind == "pair":
            return one_or_tuple(numbers(text))
        if kind == "flag":
            return text == "true"
        if kind == "dtype":
            return DTYPES[text]
        return text if kind == "choice" else number(text)

    def arguments(self, tensors):
        """Positional ones up to the last that is given (None for gaps), and options."""
        positional, options, pending = [], {}, []
        for parameter in self.operation["parameters"]:
            name = parameter["name"]
            if parameter.get("option"):
                if name in self.given:
                    options[name] = self.value(name, tensors)
            elif name in self.given:
                positional += pending + [self.value(name, tensors)]
                pending = []
            else:
                pending.append(None)
        return positional, options


def plain_tensors(call):
    tensors = {}
    for label, spec in call.specs.items():
        t = torch.from_numpy(draws.values(spec, call.key(label)))
        if spec.domain == "index":
            t = t - 1
        tensors[label] = t
    return tensors


def tensors_of(call):
    tensors = plain_tensors(call)
    for label, t in tensors.items():
        if call.operation["differentiable"] and t.is_floating_point() and label not in call.constants:
            t.requires_grad_(True)
    return tensors


def output_gradient(call, k, output):
    spec = draws.TensorSpec("normal(" + ",".join(map(str, output.shape)) + ")")
    return torch.from_numpy(draws.values(spec, call.key(f"gradient {k}"))).to(output.dtype)


def evaluate(operation, text):
    """The reference tensors of a sample, by name."""
    call = Call(operation, text)
    tensors = tensors_of(call)
    positional, options = call.arguments(tensors)
    results = EQUIVALENTS[operation["name"]](*positional, **options)
    results = (results,) if isinstance(results, torch.Tensor) else tuple(results)
    stored = {f"{text}|y{k}": r for k, r in enumerate(results, 1)}
    pairs = [(r, output_gradient(call, k, r)) for k, r in enumerate(results, 1) if r.requires_grad]
    if pairs:
        torch.autograd.backward([r for r, _ in pairs], [g for _, g in pairs])
    for label, t in tensors.items():
        if t.requires_grad:
            stored[f"{text}|d{label}"] = torch.zeros_like(t) if t.grad is None else t.grad
    return {name: np.ascontiguousarray(t.detach().numpy()).reshape(tuple(t.shape)) for name, t in stored.items()}


def same(a, b):
    if a.keys() != b.keys():
        return False
    for name, x in a.items():
        y = b[name]
        if x.dtype != y.dtype or x.shape != y.shape:
            return False
        scale = float(np.max(np.abs(x), initial=0, where=np.isfinite(x))) if x.dtype == np.float64 else 0
        if not np.allclose(x, y, rtol=1e-12, atol=1e-12 * scale, equal_nan=True):
            return False
    return True


def write(operation):
    stored = {}
    for text in operation["samples"]:
        if not text.startswith("bench "):
            stored.update(evaluate(operation, text))
    path = os.path.join(FOLDER, operation["name"] + ".safetensors")
    if stored and not (os.path.exists(path) and same(load_file(path), stored)):
        save_file(stored, path)
        print("wrote", os.path.relpath(path), os.path.getsize(path), "bytes")


def main(wanted):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    os.makedirs(FOLDER, exist_ok=True)
    operations, exempt = registry()
    failed = []
    for operation in operations:
        name = operation["name"]
        if wanted and name not in wanted or name in exempt and name not in EQUIVALENTS:
            continue
        try:
            write(operation)
        except Exception as problem:  # go on: the others are independent
            failed.append(f"{name}: {type(problem).__name__}: {problem}")
    if not wanted:
        known = {operation["name"] + ".safetensors" for operation in operations}
        for stale in sorted(set(os.listdir(FOLDER)) - known):
            os.remove(os.path.join(FOLDER, stale))
    print("\n".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))

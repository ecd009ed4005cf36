"""Writes behaviour.json: what PyTorch does where several of its parts meet.  Indices are 1-based in the file.

    python spec/reference/behaviour.py
"""

import json
import pathlib

import torch

recorded = {}


def converted():
    """A layer that was made float64 after its optimizer."""
    layer = torch.nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.125, 0.25, 0.375], [-0.5, 0.5, -0.625]]))
        layer.bias.copy_(torch.tensor([0.75, -0.875]))
    before = {name: p.tolist() for name, p in layer.named_parameters()}
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer.double()
    x = torch.tensor([[1.0, 2, 3], [0.5, -1, 2]]).double()
    for _ in range(3):
        optimizer.zero_grad()
        (layer(x) ** 2).mean().backward()
        optimizer.step()
    return {"x": x.tolist(), "before": before, "after": {name: p.tolist() for name, p in layer.named_parameters()}}


def one_based(key):
    """A key as perilune writes it: [kind, value], with kind "index", "mask", "integer" or "range"."""
    told = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, torch.Tensor):
            is_mask = part.dtype == torch.bool
            told.append(["mask", part.tolist()] if is_mask else ["index", torch.where(part < 0, part, part + 1).tolist()])
        elif isinstance(part, int):
            told.append(["integer", part + 1])
        else:
            told.append(["range", [] if part.stop is None else [part.start + 1, part.stop]])
    return told


def index_cases():
    """x[key], the gradient of (x[key] * weights).sum(), and x after x[key] = value."""
    T, every = torch.tensor, slice(None)
    true, false = True, False
    keys = [
        ((3, 2), T([2, 0])), ((3, 2), T([-1, 1, -3])), ((3, 2), T([[0, 1], [2, 2]])), ((3, 2), T(1)),
        ((3, 2), T([true, false, true])), ((3, 2), T([false, false, false])),
        ((3, 2), T([[true, false], [false, true], [true, true]])),
        ((3, 2), (T([0, 2]), 1)), ((3, 2), (slice(0, 2), T([1, 1, 0]))), ((3, 2), (T([0, 2]), T([1, 0]))),
        ((3, 2), (T([[0], [2]]), T([1, 0]))), ((3, 2), (every, T([true, false]))),
        ((3, 2), (T([true, false, true]), T([1, 0]))),
        ((2, 3, 4), (T([1, 0]), every, T([3, 2]))), ((2, 3, 4), (every, T([[1, 0]]), T([[3], [2]]))),
        ((2, 3, 4), (1, T([0, -1]))), ((2, 3, 4), (T([1]), slice(1, 3), 2)), ((2, 3, 4), T([[true, false, true], [false, true, true]])),
        ((2, 3, 4), (T([0, 1]), 2, T([3, 0]))), ((2, 3, 4), (every, T([[true, false, false, true]] * 3))),
        ((2, 3, 4), T([], dtype=torch.int64)),
    ]
    cases = []
    for shape, key in keys:
        x = torch.arange(1.0, 1 + torch.Size(shape).numel(), dtype=torch.float64).reshape(shape).requires_grad_()
        picked = x[key]
        weights = torch.arange(1.0, 1 + picked.numel(), dtype=torch.float64).reshape(picked.shape)
        (picked * weights).sum().backward()
        written, row = x.detach().clone(), x.detach().clone()
        written[key] = -weights
        values = -torch.arange(1.0, 1 + (picked.shape[-1] if picked.dim() else 1), dtype=torch.float64)
        row[key] = values
        cases.append({"shape": shape, "key": one_based(key), "picked": picked.reshape(-1).tolist(),
                      "picked_shape": list(picked.shape), "gradient": x.grad.reshape(-1).tolist(),
                      "written": written.reshape(-1).tolist(), "row": values.tolist(),
                      "row_written": row.reshape(-1).tolist()})
    return cases


def probability_cases():
    """cross_entropy with probabilities as target: loss, and the gradients of its sum by input and target."""
    cases = []
    for shape, options in (((3, 4), {}), ((3, 4), {"label_smoothing": 0.2, "reduction": "sum"}), ((4,), {"weight": True}),
                           ((2, 3, 2), {"weight": True, "label_smoothing": 0.1}),
                           ((2, 3, 2), {"weight": True, "reduction": "none"})):
        n = torch.Size(shape).numel()
        x = torch.sin(torch.arange(n, dtype=torch.float64) * 1.7).reshape(shape).requires_grad_()
        dim = 0 if len(shape) == 1 else 1
        target = torch.softmax(torch.cos(torch.arange(n, dtype=torch.float64)).reshape(shape), dim).detach()
        target.requires_grad_()
        weight = torch.arange(1.0, 1 + shape[dim], dtype=torch.float64) / 2 if "weight" in options else None
        given = {name: value for name, value in options.items() if name != "weight"}
        loss = torch.nn.functional.cross_entropy(x, target, weight, **given)
        loss.sum().backward()
        cases.append({"shape": shape, "input": x.reshape(-1).tolist(), "target": target.reshape(-1).tolist(),
                      "weight": None if weight is None else weight.tolist(), "options": given,
                      "loss": loss.reshape(-1).tolist(), "input_gradient": x.grad.reshape(-1).tolist(),
                      "target_gradient": target.grad.reshape(-1).tolist()})
    return cases


def dirac_cases():
    cases = []
    for shape, groups in (((4, 3, 3, 3), 1), ((4, 2, 2, 1), 2), ((2, 3, 3), 1), ((6, 1, 2, 3, 3), 3)):
        weight = torch.nn.init.dirac_(torch.empty(shape), groups)
        cases.append({"shape": shape, "groups": groups, "values": weight.reshape(-1).tolist()})
    return cases


recorded["converted"] = converted()
recorded["dirac"] = dirac_cases()
recorded["indices"] = index_cases()
recorded["probabilities"] = probability_cases()

lines = [json.dumps(name) + ": " + json.dumps(case) for name, case in sorted(recorded.items())]
pathlib.Path(__file__).with_suffix(".json").write_text("{\n" + ",\n".join(lines) + "\n}\n")

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


recorded["converted"] = converted()

lines = [json.dumps(name) + ": " + json.dumps(case) for name, case in sorted(recorded.items())]
pathlib.Path(__file__).with_suffix(".json").write_text("{\n" + ",\n".join(lines) + "\n}\n")

"""Writes spec/reference/optimizers.json: ten steps of PyTorch's optimizers in float64, with several option sets.

    python spec/reference/optimizers.py

Three parameters, (3, 5), (7) and (); the last has no gradient at the even steps.  The gradients of a step are the same
numbers for every case.  Kept are the parameters after steps 1, 2 and 10, and the state after step 10.
"""

import json
import os

import torch

SHAPES = [(3, 5), (7,), ()]
STEPS, KEPT = 10, (1, 2, 10)
CASES = [
    ("sgd", "SGD", {"lr": 0.1}),
    ("sgd", "SGD", {"lr": 0.1, "momentum": 0.9}),
    ("sgd", "SGD", {"lr": 0.05, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01}),
    ("sgd", "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("adam", "Adam", {}),
    ("adam", "Adam", {"lr": 0.05, "betas": [0.7, 0.9], "eps": 1e-4, "weight_decay": 0.1}),
    ("adam", "Adam", {"lr": 0.05, "amsgrad": True, "maximize": True}),
    ("adamw", "AdamW", {}),
    ("adamw", "AdamW", {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True}),
    ("rmsprop", "RMSprop", {}),
    ("rmsprop", "RMSprop", {"lr": 0.02, "alpha": 0.8, "momentum": 0.7, "weight_decay": 0.05}),
    ("rmsprop", "RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.5, "maximize": True}),
    ("adagrad", "Adagrad", {}),
    ("adagrad", "Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.05, "initial_accumulator_value": 0.3}),
]


def flat(t):
    return [float(v) for v in t.detach().reshape(-1)]


def draw(generator):
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def run(name, options, start, gradients):
    parameters = [t.clone().requires_grad_(True) for t in start]
    optimizer = getattr(torch.optim, name)(parameters, **options)
    kept = {}
    for step in range(1, STEPS + 1):
        for i, p in enumerate(parameters):
            p.grad = None if i == 2 and step % 2 == 0 else gradients[step - 1][i].clone()
        optimizer.step()
        if step in KEPT:
            kept[str(step)] = [flat(p) for p in parameters]
    states = []
    for p in parameters:
        state = optimizer.state[p]
        states.append({key: flat(value) for key, value in state.items() if isinstance(value, torch.Tensor)})
    return kept, states


def main():
    generator = torch.Generator().manual_seed(7)
    start = draw(generator)
    gradients = [draw(generator) for _ in range(STEPS)]
    cases = []
    for ours, name, options in CASES:
        kept, states = run(name, options, start, gradients)
        cases.append({"optimizer": ours, "options": options, "parameters": kept, "states": states})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.json")
    with open(path, "w") as file:
        json.dump({"shapes": SHAPES, "start": [flat(t) for t in start],
                   "gradients": [[flat(g) for g in step] for step in gradients], "cases": cases}, file)
        file.write("\n")


if __name__ == "__main__":
    main()

"""Writes schedulers.json: the learning rates (and momenta) that PyTorch's schedules make, step by step.

    python spec/reference/schedulers.py

Each case: class, options, the optimizer (class, groups), watched metrics if any, and by step the lr and, where it
cycles, the momentum of every group, the state after construction being the first.
"""

import json
import math
import pathlib

import torch
from torch.optim import lr_scheduler

METRICS = [1.0, 0.9, 0.95, 0.93, 0.92, 0.91, 0.91, 0.5, 0.5, 0.5, 0.5, 0.5, 0.49999, 0.6, 0.6, 0.3, 0.3, 0.3, 0.3, 0.3]
CASES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}, "SGD", {}, 20),
    ("StepLR", {"step_size": 1}, "SGD", {}, 5),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}, "SGD", {}, 15),
    ("ExponentialLR", {"gamma": 0.9}, "Adam", {}, 20),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 1e-4}, "SGD", {}, 35),
    ("CosineAnnealingLR", {"T_max": 7}, "SGD", {}, 30),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 20}, "SGD", {"momentum": 0.9}, 19),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 30, "anneal_strategy": "linear", "pct_start": 0.25}, "Adam", {}, 29),
    ("OneCycleLR", {"max_lr": 0.2, "epochs": 5, "steps_per_epoch": 8, "three_phase": True, "div_factor": 10.0,
                    "final_div_factor": 100.0, "base_momentum": 0.8, "max_momentum": 0.9}, "RMSprop", {"momentum": 0.5}, 39),
    ("OneCycleLR", {"max_lr": [0.1, 0.02], "total_steps": 12, "cycle_momentum": False}, "SGD", {}, 12),
    ("ReduceLROnPlateau", {"patience": 2, "factor": 0.5}, "SGD", {}, len(METRICS)),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 1, "factor": 0.1, "cooldown": 2, "min_lr": 1e-4}, "SGD", {}, len(METRICS)),
    ("ReduceLROnPlateau", {"patience": 1, "threshold": 0.05, "threshold_mode": "abs", "eps": 0.001}, "SGD", {}, len(METRICS)),
    ("LambdaLR", {"lr_lambda": "1 / (1 + epoch)"}, "SGD", {}, 10),
]
LAMBDAS = {"1 / (1 + epoch)": lambda epoch: 1 / (1 + epoch)}


def momentum_of(group):
    return group["betas"][0] if "betas" in group else group.get("momentum", 0.0)


def run(name, options, optimizer_name, optimizer_options, n_steps):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(2))], "lr": 0.05},
              {"params": [torch.nn.Parameter(torch.zeros(3))], "lr": 0.01}]
    optimizer = getattr(torch.optim, optimizer_name)(groups, **optimizer_options)
    given = dict(options)
    if "lr_lambda" in given:
        given["lr_lambda"] = LAMBDAS[given["lr_lambda"]]
    schedule = getattr(lr_scheduler, name)(optimizer, **given)
    lrs, momenta = [], []
    for i in range(n_steps + 1):
        lrs.append([group["lr"] for group in optimizer.param_groups])
        momenta.append([momentum_of(group) for group in optimizer.param_groups])
        if i < n_steps:
            optimizer.step()
            schedule.step(METRICS[i]) if name == "ReduceLROnPlateau" else schedule.step()
    assert all(math.isfinite(lr) for step in lrs for lr in step)
    return {"name": name, "options": options, "optimizer": optimizer_name, "optimizer_options": optimizer_options,
            "lrs": lrs, "momenta": momenta}


def main():
    cases = [run(*case) for case in CASES]
    path = pathlib.Path(__file__).with_name("schedulers.json")
    lines = [json.dumps(case) for case in cases]
    path.write_text('{"metrics": %s, "cases": [\n%s\n]}\n' % (json.dumps(METRICS), ",\n".join(lines)))


if __name__ == "__main__":
    main()

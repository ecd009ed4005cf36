#!/usr/bin/env python3
"""What torch.distributions says of a few normal distributions, in float64: spec/reference/distributions.json.

    python3 spec/reference/distributions.py        needs PyTorch
"""
import json
import pathlib

import torch
from torch.distributions import Normal, kl_divergence

HERE = pathlib.Path(__file__).parent


def main():
    torch.set_default_dtype(torch.float64)
    loc = torch.tensor([[-1.0, 0.0, 2.5], [0.3, 1e3, -7.0]], requires_grad=True)
    scale = torch.tensor([[0.5, 1.0, 3.0], [1e-3, 20.0, 0.1]], requires_grad=True)
    other_loc = torch.tensor([0.0, 1.0, -1.0], requires_grad=True)
    other_scale = torch.tensor([1.0, 2.0, 0.5], requires_grad=True)
    x = torch.tensor([0.2, 1.0, -3.0])
    p, q = Normal(loc, scale), Normal(other_loc, other_scale)
    kl = kl_divergence(p, q)
    gradients = torch.autograd.grad(kl.sum(), (loc, scale, other_loc, other_scale))
    out = {"loc": loc, "scale": scale, "other_loc": other_loc, "other_scale": other_scale, "x": x,
           "log_prob": p.log_prob(x), "cdf": p.cdf(x), "entropy": p.entropy(), "variance": p.variance, "kl": kl,
           "kl_gradients": gradients}
    plain = {k: [g.tolist() for g in v] if isinstance(v, tuple) else v.tolist() for k, v in out.items()}
    (HERE / "distributions.json").write_text(json.dumps(plain, indent=1) + "\n")


main()

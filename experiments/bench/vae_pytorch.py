#!/usr/bin/env python3
"""The variational auto-encoder of experiments/03_vae.lua in PyTorch: same layers, batch, optimizer and loss.

    python3 experiments/bench/vae_pytorch.py --epochs 30 --seed 1 --threads 2
"""
import argparse
import time

import torch
from torch import nn

from support.fashion_mnist import images


def encoder(n, d):
    return nn.Sequential(
        nn.Conv2d(1, n, 3, stride=2, padding=2), nn.BatchNorm2d(n), nn.ReLU(),
        nn.Conv2d(n, 2 * n, 3, stride=2, padding=1), nn.BatchNorm2d(2 * n), nn.ReLU(),
        nn.Conv2d(2 * n, 4 * n, 3, stride=2), nn.BatchNorm2d(4 * n), nn.ReLU(),
        nn.Flatten(), nn.Linear(36 * n, 64), nn.ReLU(), nn.Linear(64, 2 * d))


def decoder(n, d):
    return nn.Sequential(
        nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 36 * n), nn.ReLU(), nn.Unflatten(1, (4 * n, 3, 3)),
        nn.ConvTranspose2d(4 * n, 2 * n, 3, stride=2), nn.BatchNorm2d(2 * n), nn.ReLU(),
        nn.ConvTranspose2d(2 * n, n, 3, stride=2, padding=1, output_padding=1), nn.BatchNorm2d(n), nn.ReLU(),
        nn.ConvTranspose2d(n, 1, 3, stride=2, padding=1, output_padding=1))


def losses(encode, decode, x, d):
    mean, log_variance = encode(x).split(d, dim=1)
    z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
    error = nn.functional.binary_cross_entropy_with_logits(decode(z), x, reduction="sum")
    return error, 0.5 * (log_variance.exp() + mean ** 2 - 1 - log_variance).sum()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    torch.manual_seed(flags.seed)
    train, test = images("train"), images("test")
    d, batch = 14, 128
    encode, decode = encoder(8, d), decoder(8, d)
    optimizer = torch.optim.Adam([*encode.parameters(), *decode.parameters()], lr=1e-3, fused=True)
    for epoch in range(flags.epochs):
        encode.train(), decode.train()
        start = time.perf_counter()
        for rows in torch.randperm(len(train)).split(batch):
            x = train[rows]
            error, divergence = losses(encode, decode, x, d)
            optimizer.zero_grad()
            ((error + divergence) / len(x)).backward()
            optimizer.step()
        seconds = time.perf_counter() - start
        encode.eval(), decode.eval()
        with torch.no_grad():
            parts = [losses(encode, decode, x, d) for x in test.split(256)]
        error = sum(p[0].item() for p in parts) / len(test)
        divergence = sum(p[1].item() for p in parts) / len(test)
        print(f"epoch {epoch + 1}: test ELBO {-(error + divergence):.2f} = -({error:.2f} + {divergence:.2f}), "
              f"{seconds:.2f} s", flush=True)


if __name__ == "__main__":
    main()

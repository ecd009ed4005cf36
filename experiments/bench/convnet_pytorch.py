"""The peer of convnet.lua: one training step in PyTorch, at its best settings.  NAME <tab> VALUE <tab> UNIT."""

import argparse
import statistics
import sys
import time

import torch
from torch import nn

from support.networks import convnet


def step_function(layout, compiled):
    torch.manual_seed(1)
    model = convnet().to(memory_format=layout)
    x = torch.randn(128, 3, 32, 32).contiguous(memory_format=layout)
    y = torch.randint(0, 10, (128,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = nn.CrossEntropyLoss()

    def loss():
        return loss_of(model(x), y)

    if compiled:
        loss = torch.compile(loss)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    return step


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--no-compile", action="store_true")
    options = flags.parse_args()
    best = {}
    for threads in (1, 2):
        for name, layout in (("NCHW", torch.contiguous_format), ("channels_last", torch.channels_last)):
            for compiled in (False,) if options.no_compile else (False, True):
                torch.set_num_threads(threads)
                label = f"{threads} threads, {name}, {'compiled' if compiled else 'eager'}"
                try:
                    step = step_function(layout, compiled)
                    step()
                    times = []
                    for _ in range(7):
                        begin = time.perf_counter()
                        step()
                        times.append(time.perf_counter() - begin)
                except Exception as problem:  # no compiler, say
                    print(f"{label}: {type(problem).__name__}", file=sys.stderr)
                    continue
                best[label] = statistics.median(times)
                print(f"step ({label})\t{best[label] * 1e3:.2f}\tms", flush=True)
    print(f"step\t{min(best.values()) * 1e3:.2f}\tms")


if __name__ == "__main__":
    main()

"""The peer of cae.lua: one training epoch of the convolutional auto-encoder in PyTorch, at its best settings.

Images lie in memory as float32; a batch is one index_select of a shuffled order; no DataLoader.  Every setting is
probed with a few steps, the fastest one then runs whole epochs.  Prints NAME <tab> VALUE <tab> UNIT.
"""

import argparse
import statistics
import sys
import time

import torch
from torch import nn

from support.fashion_mnist import images
from support.networks import autoencoder

BATCH = 256


def settings(with_compile):
    """(label, threads, channels_last, compiled)"""
    for threads in (1, 2):
        for channels_last in (False, True):
            for compiled in (False, True) if with_compile else (False,):
                layout = "channels_last" if channels_last else "NCHW"
                mode = "compiled" if compiled else "eager"
                yield f"{threads} threads, {layout}, {mode}", threads, channels_last, compiled


class Training:
    def __init__(self, x, channels_last, compiled):
        torch.manual_seed(1)
        self.x, self.channels_last = x, channels_last
        model = autoencoder(8, 14)
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5, fused=True)
        loss_of = nn.MSELoss()
        self.loss = lambda batch: loss_of(model(batch), batch)
        if compiled:
            self.loss = torch.compile(self.loss)

    def steps(self, count):
        order = torch.randperm(len(self.x))
        for begin in range(0, min(count * BATCH, len(self.x)), BATCH):
            batch = self.x[order[begin:begin + BATCH]]
            if self.channels_last:
                batch = batch.contiguous(memory_format=torch.channels_last)
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(batch).backward()
            self.optimizer.step()


def seconds(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--epochs", type=int, default=3)
    flags.add_argument("--setting", help="only this one")
    flags.add_argument("--no-compile", action="store_true")
    options = flags.parse_args()
    x = images("train")
    probed = []
    for label, threads, channels_last, compiled in settings(not options.no_compile):
        if options.setting not in (None, label):
            continue
        torch.set_num_threads(threads)
        try:
            training = Training(x, channels_last, compiled)
            training.steps(3)
            step = statistics.median(seconds(training.steps, 10) / 10 for _ in range(3))
        except Exception as problem:  # no compiler, say
            print(f"{label}: {type(problem).__name__}", file=sys.stderr)
            continue
        probed.append((step, label, threads, training))
        print(f"step ({label})\t{step * 1e3:.3f}\tms", flush=True)
    _, label, threads, training = min(probed, key=lambda p: p[0])
    torch.set_num_threads(threads)
    epochs = [seconds(training.steps, len(x)) for _ in range(options.epochs)]
    print(f"setting\t{label}\t")
    print(f"epoch\t{statistics.median(epochs):.4f}\ts")


if __name__ == "__main__":
    main()

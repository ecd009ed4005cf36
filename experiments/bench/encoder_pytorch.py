"""The peer of encoder.lua: inference through the encoder in PyTorch.  Prints NAME <tab> VALUE <tab> UNIT."""

import statistics
import time

import torch

from support.fashion_mnist import images
from support.networks import encoder


def median_seconds(function, rounds, inner=1):
    function()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(inner):
            function()
        times.append((time.perf_counter() - begin) / inner)
    return statistics.median(times)


def whole(model, x, batch):
    for begin in range(0, len(x), batch):
        model(x[begin:begin + batch])


@torch.inference_mode()
def main():
    x, best = images("test"), {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for layout in (torch.contiguous_format, torch.channels_last):
            torch.manual_seed(1)
            model = encoder(8, 14).eval().to(memory_format=layout)
            data = x.contiguous(memory_format=layout)
            for form in (model, torch.jit.freeze(torch.jit.trace(model, data[:8]))):
                for batch in (256, 1000):
                    t = median_seconds(lambda: whole(form, data, batch), 5)
                    best["10,000 images"] = min(best.get("10,000 images", t), t)
                for n in (1, 8):
                    t = median_seconds(lambda: form(data[:n]), 15, 50)
                    best[f"batch {n}"] = min(best.get(f"batch {n}", t), t)
    print(f"10,000 images\t{best['10,000 images'] * 1e3:.3f}\tms")
    for n in (1, 8):
        print(f"batch {n}\t{best[f'batch {n}'] * 1e6:.2f}\tus")


if __name__ == "__main__":
    main()

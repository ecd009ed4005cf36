"""Fashion-MNIST for the PyTorch side, from where the Debian package puts it, or PERILUNE_DATA."""

import gzip
import os

import numpy as np
import torch

FILES = {"train": "train-images-idx3-ubyte.gz", "test": "t10k-images-idx3-ubyte.gz"}


def images(split):
    """(n, 1, 28, 28) float32 in [0, 1]."""
    folder = os.environ.get("PERILUNE_DATA", "/usr/share/datasets/fashion-mnist")
    with gzip.open(os.path.join(folder, FILES[split])) as file:
        raw = np.frombuffer(file.read(), np.uint8, offset=16)
    return torch.from_numpy(raw.reshape(-1, 1, 28, 28).astype(np.float32) / 255)

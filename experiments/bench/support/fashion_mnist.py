"""Fashion-MNIST for the PyTorch side, from where the Debian package puts it, or PERILUNE_DATA."""

import gzip
import os

import numpy as np
import torch

PREFIX = {"train": "train", "test": "t10k"}


def read(split, what, header_bytes):
    folder = os.environ.get("PERILUNE_DATA", "/usr/share/datasets/fashion-mnist")
    with gzip.open(os.path.join(folder, f"{PREFIX[split]}-{what}-ubyte.gz")) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header_bytes)


def images(split):
    """(n, 1, 28, 28) float32 in [0, 1]."""
    raw = read(split, "images-idx3", 16)
    return torch.from_numpy(raw.reshape(-1, 1, 28, 28).astype(np.float32) / 255)


def labels(split):
    """(n) int64, 0 to 9."""
    return torch.from_numpy(read(split, "labels-idx1", 8).astype(np.int64))

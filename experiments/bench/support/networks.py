"""The networks of networks.lua in PyTorch."""

from torch import nn


def encoder(n, d):
    return nn.Sequential(
        nn.Conv2d(1, n, 3, stride=2, padding=2), nn.ReLU(),
        nn.Conv2d(n, 2 * n, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(2 * n, 4 * n, 3, stride=2, padding=0), nn.ReLU(),
        nn.Flatten(), nn.Linear(36 * n, 64), nn.ReLU(), nn.Linear(64, d),
    )


def decoder(n, d):
    return nn.Sequential(
        nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 36 * n), nn.ReLU(), nn.Unflatten(1, (4 * n, 3, 3)),
        nn.ConvTranspose2d(4 * n, 2 * n, 3, stride=2), nn.ReLU(),
        nn.ConvTranspose2d(2 * n, n, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
        nn.ConvTranspose2d(n, 1, 3, stride=2, padding=1, output_padding=1), nn.Sigmoid(),
    )


def autoencoder(n, d):
    return nn.Sequential(encoder(n, d), decoder(n, d))


def convnet():
    """3x32x32 -> 10 classes; five 3x3 convolutions with BatchNorm and ReLU, two poolings."""

    def block(channels_in, channels_out):
        return [nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU()]

    return nn.Sequential(
        *block(3, 32), *block(32, 64), nn.MaxPool2d(2), *block(64, 64), *block(64, 128), nn.MaxPool2d(2),
        *block(128, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )

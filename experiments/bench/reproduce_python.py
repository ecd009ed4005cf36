#!/usr/bin/env python3
"""The work of `make reproduce` with PyTorch, Optuna and scikit-learn: the same layers, batches, optimizers and counts.

    python3 experiments/bench/reproduce_python.py [--only cae,search,...] [--tsne sklearn|intelex]

What repeats is done once and multiplied: an epoch stands for all epochs of its stage, 60 steps for 600, four trials of
one epoch for the epochs that the search really trained (--search-epochs: the intermediate values in study.db).  Images
lie in memory as float32, a batch is one index_select, optimizers are fused: no DataLoader slows it down.  No pictures
are drawn and no checkpoints are written, which ours does.

Prints for each stage: what was measured, seconds, and the seconds that the whole of it would take.  On a machine that
others use, --cpu --threads 1 counts the seconds of the processor instead of those of the clock.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn

from support.fashion_mnist import images, labels
from support.networks import autoencoder
from vae_pytorch import decoder, encoder, losses

CODE = 14
BATCH = 128


clock = time.perf_counter


def measured(function):
    begin = clock()
    result = function()
    return clock() - begin, result


def in_parts(network, x, size=500):
    network.eval()
    with torch.no_grad():
        return torch.cat([network(part) for part in x.split(size)])


def adam(model, **settings):
    return torch.optim.Adam(model.parameters(), **{"lr": 1e-3, "fused": True, **settings})


def epoch(x, loss_of, optimizer, size=BATCH, steps=None):
    """loss_of(rows) of each batch of a shuffled order; steps: only so many."""
    for i, rows in enumerate(torch.randperm(len(x)).split(size)):
        if steps is not None and i == steps:
            return
        optimizer.zero_grad(set_to_none=True)
        loss_of(rows).backward()
        optimizer.step()


def reconstruction(model, x):
    return lambda rows: nn.functional.mse_loss(model(x[rows]), x[rows])


class Stages:
    """Each method returns { what: (seconds measured, how often it is done) }."""

    def __init__(self, options):
        self.options = options
        self.x, self.test = images("train"), images("test")
        self.y, self.test_y = labels("train"), labels("test")

    def auto_encoder_epoch(self, n=8, d=CODE, optimizer=None, x=None):
        """Training and, after it, the error on the test images."""
        model, x = autoencoder(n, d), self.x if x is None else x
        optimizer = optimizer(model) if optimizer else adam(model, weight_decay=1e-5)

        def once():
            model.train()
            epoch(x, reconstruction(model, x), optimizer)
            return nn.functional.mse_loss(in_parts(model, self.test), self.test).item()

        seconds, _ = measured(once)
        return seconds, model

    def cae(self):
        seconds, _ = self.auto_encoder_epoch()
        return {"an epoch": (seconds, 30)}

    def search(self):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        spent = []

        def objective(trial):
            n, d = trial.suggest_int("n_channels", 4, 12), trial.suggest_int("encoded_space_dim", 2, 32)
            kind = trial.suggest_categorical("optimizer", ["Adam", "SGD", "RMSprop"])
            settings = {"lr": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
                        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-3, log=True)}
            if kind != "Adam":
                settings["momentum"] = trial.suggest_float("momentum", 0.0, 0.95)
            if kind != "RMSprop":
                settings["fused"] = True
            seconds, _ = self.auto_encoder_epoch(
                n, d, lambda model: getattr(torch.optim, kind)(model.parameters(), **settings), self.x[:50000])
            spent.append(seconds)
            return 0.0

        optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).optimize(objective, n_trials=4)
        final, _ = self.auto_encoder_epoch(n=self.options.channels, d=self.options.code)
        return {"an epoch of a trial, mean of 4": (float(np.mean(spent)), self.options.search_epochs),
                "an epoch of the best setting": (final, 30)}

    def vae(self):
        encode, decode = encoder(8, CODE), decoder(8, CODE)
        optimizer = torch.optim.Adam([*encode.parameters(), *decode.parameters()], lr=1e-3, fused=True)

        def once():
            epoch(self.x, lambda rows: sum(losses(encode, decode, self.x[rows], CODE)) / len(rows), optimizer)
            with torch.no_grad():
                for part in self.test.split(256):
                    losses(encode, decode, part, CODE)

        return {"an epoch": (measured(once)[0], 30)}

    @staticmethod
    def classifier_network():
        def block(inputs, outputs):
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
                                 nn.ReLU(), nn.MaxPool2d(2))

        features = nn.Sequential(block(1, 24), block(24, 48), block(48, 96), nn.Flatten(), nn.Dropout(0.1),
                                 nn.Linear(9 * 96, 128), nn.ReLU())
        return nn.Sequential(features, nn.Dropout(0.1), nn.Linear(128, 10))

    def classify_once(self, model, x, y, test, loss, transform=lambda batch: batch):
        optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, fused=True)

        def once():
            model.train()
            epoch(x, lambda rows: loss(model(transform(x[rows])), y[rows]), optimizer)
            return (in_parts(model, test).argmax(1) == self.test_y).float().mean().item()

        return measured(once)[0]

    def classifier(self):
        pixels = torch.arange(28).view(28, 1) * 30 + torch.arange(28)

        def augment(batch):
            n = len(batch)
            batch = torch.where(torch.rand(n, 1, 1, 1) < 0.5, batch.flip(3), batch)
            wide = nn.functional.pad(batch, (1, 1, 1, 1)).view(n, 900)
            corners = torch.randint(0, 3, (n, 1)) * 30 + torch.randint(0, 3, (n, 1))
            return wide.gather(1, corners + pixels.view(1, 784)).view(n, 1, 28, 28)

        seconds = self.classify_once(self.classifier_network(), self.x, self.y, self.test,
                                     nn.CrossEntropyLoss(label_smoothing=0.1), augment)
        return {"an epoch": (seconds, 18)}

    @staticmethod
    def head(d):
        return nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 10), nn.LogSoftmax(1))

    def fine_tune(self):
        n, d = self.options.channels, self.options.code
        encode, loss = autoencoder(n, d)[0], nn.NLLLoss()
        coding, codes = measured(lambda: in_parts(encode, self.x))
        test_codes = in_parts(encode, self.test)
        head = self.classify_once(self.head(d), codes, self.y, test_codes, loss)
        network = nn.Sequential(encode, self.head(d))
        whole = self.classify_once(network, self.x, self.y, self.test, loss)
        few, few_y = self.x[:5000], self.y[:5000]

        def steps(model, x):
            optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, fused=True)
            model.train()
            return measured(lambda: epoch(x, lambda rows: loss(model(x[rows]), few_y[rows]), optimizer, 64, 60))[0]

        frozen, tuned = steps(self.head(d), codes[:5000]), steps(network, few)
        test = measured(lambda: in_parts(network, self.test))[0]
        return {"all codes": (coding, 1), "an epoch of the head": (head, 30), "an epoch of all": (whole, 15),
                "60 steps, frozen": (frozen, 10 * 4 * 5), "60 steps, not": (tuned, 2 * 10 * 4 * 5),
                "a test": (test, 3 * 4 * 5)}

    def samples(self):
        from scipy.linalg import sqrtm

        n, d = self.options.channels, self.options.code
        plain, decode, judge = autoencoder(n, d), decoder(8, CODE), self.classifier_network()[0]

        def distance(a, b):
            (mean_a, cov_a), (mean_b, cov_b) = ((f.mean(0), np.cov(f, rowvar=False)) for f in (a, b))
            return ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)

        def features(x):
            return in_parts(judge, x).double().numpy()

        def once():
            codes = in_parts(plain[0], self.x)
            gaussian = torch.distributions.MultivariateNormal(codes.mean(0), torch.cov(codes.T))
            some, wanted = self.x[:10000], features(self.test)
            kinds = [some, in_parts(plain, some), in_parts(decode, in_parts(encoder(8, CODE), some)[:, :CODE]),
                     in_parts(plain[1], torch.randn(10000, d)), in_parts(plain[1], gaussian.sample((10000,))),
                     in_parts(decode, torch.randn(10000, CODE))]
            return [distance(features(kind), wanted) for kind in kinds]

        return {"all": (measured(once)[0], 1)}

    def latent(self):
        if self.options.tsne == "intelex":
            from sklearnex import patch_sklearn

            patch_sklearn(verbose=False)
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE, trustworthiness
        from sklearn.neighbors import NearestNeighbors

        encode = autoencoder(self.options.channels, self.options.code)[0]
        _, trained = self.auto_encoder_epoch(self.options.channels, self.options.code)
        encode.load_state_dict(trained[0].state_dict())

        def quality(codes, plane):
            _, near = NearestNeighbors(n_neighbors=11).fit(plane).kneighbors(plane)
            np.apply_along_axis(np.bincount, 1, self.test_y.numpy()[near[:, 1:]], minlength=10).argmax(1)
            trustworthiness(codes, plane, n_neighbors=10)
            trustworthiness(plane, codes, n_neighbors=10)   # of the two exchanged: continuity

        def encode_and_project():
            codes = in_parts(encode, self.test).numpy()
            return codes, PCA().fit_transform(codes)[:, :2]

        projecting, (codes, plane) = measured(encode_and_project)
        mapping, embedded = measured(lambda: TSNE(perplexity=30, init="pca", random_state=1).fit_transform(codes))
        judging = measured(lambda: quality(codes, embedded))[0]
        return {"codes and PCA": (projecting, 2), f"t-SNE ({self.options.tsne})": (mapping, 2),
                "quality of a map": (judging, 4)}


NAMES = ["cae", "search", "vae", "classifier", "fine_tune", "samples", "latent"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(NAMES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels", type=int, default=8, help="of the best setting")
    parser.add_argument("--code", type=int, default=CODE, help="of the best setting")
    parser.add_argument("--search-epochs", type=int, default=178, help="that all trials together trained")
    parser.add_argument("--tsne", choices=["sklearn", "intelex"], default="sklearn")
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    if options.cpu:
        global clock
        clock = time.process_time
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    stages, total = Stages(options), 0.0
    for name in options.only.split(","):
        parts = getattr(stages, name)()
        seconds = sum(once * count for once, count in parts.values())
        total += seconds
        details = "; ".join(f"{what} {once:.2f} s x {count}" for what, (once, count) in parts.items())
        print(f"{name}\t{seconds:.1f} s\t({details})", flush=True)
    print(f"together\t{total:.1f} s")


if __name__ == "__main__":
    main()

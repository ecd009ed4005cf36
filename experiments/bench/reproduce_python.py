#!/usr/bin/env python3
"""The work of `make reproduce` with PyTorch, Optuna and scikit-learn: the same layers, batches, optimizers and counts.

    make reproduce
    python3 experiments/bench/reproduce_python.py [--only cae,search,...] [--tsne sklearn|intelex]

It takes the settings of the search from what `make reproduce` left (--run): every trial with its width, optimizer and
number of epochs, pruned ones too, and the best.  What repeats is done once and multiplied: an epoch stands for all
epochs of its stage, and of all trials of the same width and optimizer; 60 steps stand for 600.  Images lie in memory
as float32, a batch is one index_select, optimizers are fused where PyTorch can: no DataLoader slows it down.  No
pictures are drawn, no checkpoints are written and no database is kept, which ours does.

Prints for each stage the seconds that the whole of it would take, those that `make reproduce` took, and what was
measured.
"""

import argparse
import collections
import csv
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn

from support.fashion_mnist import images, labels
from support.networks import autoencoder
from vae_pytorch import decoder, encoder, losses

CODE = 14
BATCH = 128


def measured(function):
    begin = time.perf_counter()
    result = function()
    return time.perf_counter() - begin, result


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


def searched(folder):
    """All trials of both studies, read by Optuna itself; (n, d) of the setting that the later stages use."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = {name: optuna.load_study(study_name=name, storage=f"sqlite:///{folder}/study.db").trials
              for name in ("random", "tpe")}
    with open(folder / "best.csv") as file:
        row = next(csv.DictReader(file))
    best = trials[row["study"]][int(row["trial"])].params
    return sum(trials.values(), []), (best["n_channels"], best["encoded_space_dim"])


def seconds_of_ours(run, stage):
    file = run / stage / "stage.json"
    return json.loads(file.read_text())["seconds"] if file.exists() else float("nan")


class Stages:
    """Each method returns { what: (seconds measured, how often it is done) }."""

    def __init__(self, options):
        self.options = options
        self.x, self.test = images("train"), images("test")
        self.y, self.test_y = labels("train"), labels("test")
        self.trials, self.best = searched(options.run / "search")

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
        epochs = collections.Counter()
        for trial in self.trials:
            epochs[trial.params["n_channels"], trial.params["optimizer"]] += len(trial.intermediate_values)

        def optimizer(kind):
            settings = {} if kind == "RMSprop" else {"fused": True}
            if kind != "Adam":
                settings["momentum"] = 0.5
            return lambda model: getattr(torch.optim, kind)(model.parameters(), lr=1e-3, weight_decay=1e-5, **settings)

        trials = sum(count * self.auto_encoder_epoch(n, CODE, optimizer(kind), self.x[:50000])[0]
                     for (n, kind), count in sorted(epochs.items()))
        return {f"{sum(epochs.values())} epochs of {len(self.trials)} trials": (trials, 1),
                "an epoch of the best setting": (self.auto_encoder_epoch(*self.best)[0], 30)}

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
        return {"an epoch": (seconds, 15)}

    @staticmethod
    def head(d):
        return nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 10), nn.LogSoftmax(1))

    def fine_tune(self):
        n, d = self.best
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

        n, d = self.best
        plain, decode, judge = autoencoder(n, d), decoder(8, CODE), self.classifier_network()[0]

        def distance(a, b):
            # The judge is untrained here, and a unit that never fires would make its covariance singular.
            (mean_a, cov_a), (mean_b, cov_b) = ((f.mean(0), np.cov(f, rowvar=False) + 1e-6 * np.eye(f.shape[1]))
                                                for f in (a, b))
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

        encode = autoencoder(*self.best)[0]
        _, trained = self.auto_encoder_epoch(*self.best)
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
    parser.add_argument("--run", type=pathlib.Path, default=pathlib.Path("runs/reproduce"),
                        help="what `make reproduce` left")
    parser.add_argument("--tsne", choices=["sklearn", "intelex"], default="sklearn")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    stages, total, ours_total = Stages(options), 0.0, 0.0
    for name in options.only.split(","):
        parts = getattr(stages, name)()
        seconds, ours = sum(once * count for once, count in parts.values()), seconds_of_ours(options.run, name)
        total, ours_total = total + seconds, ours_total + ours
        details = "; ".join(f"{what} {once:.2f} s x {count}" for what, (once, count) in parts.items())
        print(f"{name}\t{seconds:.1f} s, ours {ours:.1f} s: {seconds / ours:.1f}\t({details})", flush=True)
    print(f"together\t{total:.1f} s, ours {ours_total:.1f} s: {total / ours_total:.1f}")


if __name__ == "__main__":
    main()

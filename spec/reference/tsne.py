#!/usr/bin/env python3
"""Probabilities, forces and divergence of t-SNE in float64, straight from the formulas: tsne.safetensors beside this.

    python3 spec/reference/tsne.py        needs NumPy, SciPy, scikit-learn and safetensors
"""
import pathlib

import numpy
from safetensors.numpy import save_file
from scipy.spatial.distance import cdist
from scipy.optimize import brentq

HERE = pathlib.Path(__file__).parent


def conditional(squared, perplexity):
    """Rows of exp(-beta d) / sum with entropy log(perplexity)."""
    rows = []
    for row in squared:
        def weights(log_beta):
            w = numpy.exp(-numpy.exp(log_beta) * (row - row.min()))
            return w / w.sum()

        def excess(log_beta):
            w = weights(log_beta)
            return -(w * numpy.log(numpy.maximum(w, 1e-300))).sum() - numpy.log(perplexity)
        rows.append(weights(brentq(excess, -30, 30, xtol=1e-14)))
    return numpy.array(rows)


def main():
    generator = numpy.random.default_rng(1)
    x = generator.normal(size=(60, 5)).astype(numpy.float32)
    squared = cdist(x.astype(numpy.float64), x.astype(numpy.float64), "sqeuclidean")
    order = numpy.argsort(squared + numpy.diag([-1.0] * 60), axis=1)[:, 1:]
    nearest = numpy.take_along_axis(squared, order, axis=1)
    p_conditional = conditional(nearest, 10)
    p = numpy.zeros((60, 60))
    numpy.put_along_axis(p, order, p_conditional, axis=1)
    p = (p + p.T) / 120
    out = {"x": x, "order": order + 1, "nearest": nearest.astype(numpy.float32), "p_conditional": p_conditional, "p": p}
    for m in (2, 3):
        y = generator.normal(size=(60, m)).astype(numpy.float32)
        difference = y[:, None, :].astype(numpy.float64) - y[None, :, :]
        q = 1 / (1 + (difference ** 2).sum(axis=2))
        numpy.fill_diagonal(q, 0)
        out[f"y{m}"] = y
        out[f"attraction{m}"] = (p[:, :, None] * q[:, :, None] * difference).sum(axis=1)
        out[f"repulsion{m}"] = (q[:, :, None] ** 2 * difference).sum(axis=1)
        out[f"q_sum{m}"] = numpy.array([q.sum()])
        ratio = numpy.where(p > 0, p / numpy.where(q > 0, q / q.sum(), 1), 1)
        out[f"divergence{m}"] = numpy.array([(p * numpy.log(ratio)).sum()])
    save_file({name: numpy.ascontiguousarray(value) for name, value in out.items()}, HERE / "tsne.safetensors")


main()

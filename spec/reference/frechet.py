#!/usr/bin/env python3
"""What NumPy and SciPy say of the Frechet distance of small sets of points: frechet.json and .safetensors beside this.

    python3 spec/reference/frechet.py        needs NumPy, SciPy and safetensors

The root of the product of the covariances is SciPy's sqrtm; of the singular ones, where that warns, it is taken from the
eigenvalues of the product, which is not symmetric.
"""
import json
import pathlib

import numpy
from safetensors.numpy import save_file
from scipy.linalg import sqrtm

HERE = pathlib.Path(__file__).parent


def distance(x, y, singular):
    x, y = x.astype(numpy.float64), y.astype(numpy.float64)
    a, b = numpy.cov(x, rowvar=False), numpy.cov(y, rowvar=False)
    if singular:
        root = numpy.sqrt(numpy.clip(numpy.linalg.eigvals(a @ b).real, 0, None)).sum()
    else:
        root = numpy.trace(sqrtm(a @ b)).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + numpy.trace(a) + numpy.trace(b) - 2 * root)


def main():
    generator = numpy.random.default_rng(5)

    def points(n, d, dtype):
        mixed = generator.normal(size=(n, d)) @ generator.normal(size=(d, d)) + generator.normal(size=d)
        return mixed.astype(dtype)

    pairs = {
        "float32": (points(40, 5, numpy.float32), points(30, 5, numpy.float32), False),
        "float64": (points(40, 5, numpy.float64), points(30, 5, numpy.float64), False),
        "far": (points(30, 3, numpy.float64) + 1e4, points(30, 3, numpy.float64) + 1e4, False),
        "few": (points(4, 6, numpy.float64), points(5, 6, numpy.float64), True),
    }
    save_file({f"{name}.{part}": pair[i] for name, pair in pairs.items() for i, part in enumerate("xy")},
              HERE / "frechet.safetensors")
    (HERE / "frechet.json").write_text(
        json.dumps({name: distance(*pair) for name, pair in pairs.items()}, indent=1) + "\n")


main()

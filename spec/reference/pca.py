#!/usr/bin/env python3
"""What scikit-learn's PCA makes of a small matrix and of Fashion-MNIST: spec/reference/pca.safetensors.

    python3 spec/reference/pca.py        needs NumPy, scikit-learn and safetensors, and the Debian package dataset-fashion-mnist
"""
import gzip
import pathlib

import numpy
from safetensors.numpy import save_file
from sklearn.decomposition import PCA

HERE = pathlib.Path(__file__).parent
IMAGES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"


def small():
    """50 points of 6 features of unlike spread and large means."""
    generator = numpy.random.default_rng(1)
    return generator.normal(size=(50, 6)) @ generator.normal(size=(6, 6)) + numpy.array([1e3, -5, 0, 2, 1e4, 7])


def fitted(prefix, x, **options):
    pca = PCA(**options).fit(x)
    names = ("components_", "explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_")
    out = {f"{prefix}.{name}": numpy.ascontiguousarray(getattr(pca, name)) for name in names}
    out[f"{prefix}.noise_variance_"] = numpy.array([pca.noise_variance_])
    return pca, out


def main():
    x = small()
    tensors = {"x": x}
    for solver in ("full", "covariance_eigh"):
        for n_components, name in ((None, "all"), (3, "three"), (0.9, "part")):
            prefix = f"{solver}.{name}"
            pca, out = fitted(prefix, x, n_components=n_components, svd_solver=solver)
            tensors.update(out)
            tensors[f"{prefix}.z"] = pca.transform(x)
            tensors[f"{prefix}.back"] = pca.inverse_transform(pca.transform(x))
    white = PCA(n_components=4, whiten=True).fit(x)
    tensors["white.z"] = white.transform(x)
    tensors["white.back"] = white.inverse_transform(tensors["white.z"])
    wide = x[:5]
    pca, out = fitted("wide", wide)
    tensors.update(out)
    tensors["wide.z"] = pca.transform(wide)
    pca, out = fitted("wide_eigh", wide, n_components=2, svd_solver="covariance_eigh")
    tensors.update(out)
    images = numpy.frombuffer(gzip.open(IMAGES).read()[16:], dtype=numpy.uint8).reshape(-1, 784)[:2000]
    pca, out = fitted("images", images.astype(numpy.float64), n_components=8, svd_solver="covariance_eigh")
    tensors.update({name: value.astype(numpy.float32) for name, value in out.items()})
    tensors["images.z"] = pca.transform(images[:20]).astype(numpy.float32)
    save_file({name: numpy.ascontiguousarray(value) for name, value in tensors.items()}, HERE / "pca.safetensors")


main()

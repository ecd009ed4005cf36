#!/usr/bin/env python3
"""What scikit-learn says of the neighbourhoods of a small map: neighbourhoods.safetensors and .json beside this.

    python3 spec/reference/neighbourhoods.py        needs NumPy, scikit-learn and safetensors
"""
import json
import pathlib

import numpy
from safetensors.numpy import save_file
from sklearn.manifold import trustworthiness
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

HERE = pathlib.Path(__file__).parent


def main():
    generator = numpy.random.default_rng(3)
    x = generator.normal(size=(70, 6)).astype(numpy.float32)
    y = (x[:, :2] + 0.5 * generator.normal(size=(70, 2))).astype(numpy.float32)
    labels = (x[:, 0] > 0).astype(numpy.int64) + (x[:, 1] > 0.5) + 1
    out = {"trustworthiness": {}, "continuity": {}, "knn_accuracy": {}}
    for k in (1, 5, 20):
        out["trustworthiness"][k] = trustworthiness(x, y, n_neighbors=k)
        out["continuity"][k] = trustworthiness(y, x, n_neighbors=k)
        scores = cross_val_score(KNeighborsClassifier(k), x, labels, cv=LeaveOneOut())
        out["knn_accuracy"][k] = scores.mean()
    (HERE / "neighbourhoods.json").write_text(json.dumps(out, indent=1) + "\n")
    save_file({"x": x, "y": y, "labels": labels}, HERE / "neighbourhoods.safetensors")


main()

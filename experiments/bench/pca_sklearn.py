"""The peer of pca.lua: PCA of scikit-learn, or of its extension, with the same solvers; medians after one to warm up."""

import statistics
import sys
import time

from support.fashion_mnist import images


def seconds(function, rounds):
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main(peer, all_solvers):
    if peer == "scikit-learn-intelex":
        try:
            from sklearnex import patch_sklearn
        except ImportError:
            return
        patch_sklearn(verbose=False)
    from sklearn.decomposition import PCA

    x = images("train").numpy().reshape(-1, 784) * 255
    for solver, rounds in [("covariance_eigh", 5)] + [("randomized", 3), ("full", 3)] * all_solvers:
        pca = PCA(n_components=50, svd_solver=solver, random_state=1)
        print(f"{peer} fit, {solver}\t{seconds(lambda: pca.fit(x), rounds):.4f}\ts", flush=True)
        if solver == "covariance_eigh":
            print(f"{peer} transform\t{seconds(lambda: pca.transform(x), rounds):.4f}\ts", flush=True)


main(sys.argv[1], "--all" in sys.argv)

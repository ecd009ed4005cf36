"""The peer of pca.lua: scikit-learn's PCA with the same solver; median of three fits after one to warm up."""

import statistics
import time

from sklearn.decomposition import PCA

from support.fashion_mnist import images

x = images("train").numpy().reshape(-1, 784) * 255
seconds = []
for _ in range(4):
    start = time.perf_counter()
    PCA(n_components=50, svd_solver="covariance_eigh").fit(x)
    seconds.append(time.perf_counter() - start)
print(f"fit\t{statistics.median(seconds[1:]):.4f}\ts")

"""The peer of tsne.lua: scikit-learn's TSNE on the backend of scikit-learn-intelex.  IN.npy OUT.npy PERPLEXITY -> seconds"""

import sys
import time

import numpy
from sklearnex import patch_sklearn

patch_sklearn(verbose=False)
from sklearn.manifold import TSNE  # noqa: E402

x = numpy.load(sys.argv[1])
start = time.perf_counter()
y = TSNE(perplexity=float(sys.argv[3]), init="pca", random_state=1).fit_transform(x)
print(time.perf_counter() - start)
numpy.save(sys.argv[2], y)

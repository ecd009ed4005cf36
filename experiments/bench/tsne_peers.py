"""The peers of tsne.lua.  PEER IN.npy OUT.npy PERPLEXITY -> seconds

PEER is intelex (scikit-learn on the backend of scikit-learn-intelex), sklearn, opentsne_bh or opentsne_fft; each with its
own defaults, started from PCA.
"""

import sys
import time

import numpy


def scikit_learn(x, perplexity):
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity, init="pca", random_state=1, n_jobs=-1).fit_transform(x)


def intelex(x, perplexity):
    from sklearnex import patch_sklearn

    patch_sklearn(verbose=False)
    return scikit_learn(x, perplexity)


def open_tsne(x, perplexity, method):
    import openTSNE

    made = openTSNE.TSNE(perplexity=perplexity, negative_gradient_method=method, random_state=1, n_jobs=-1).fit(x)
    return numpy.asarray(made)


PEERS = {
    "intelex": intelex,
    "sklearn": scikit_learn,
    "opentsne_bh": lambda x, perplexity: open_tsne(x, perplexity, "bh"),
    "opentsne_fft": lambda x, perplexity: open_tsne(x, perplexity, "fft"),
}

points = numpy.load(sys.argv[2])
run, perplexity = PEERS[sys.argv[1]], float(sys.argv[4])
run(points[:200], perplexity)  # imports are not timed
start = time.perf_counter()
y = run(points, perplexity)
print(time.perf_counter() - start)
numpy.save(sys.argv[3], numpy.ascontiguousarray(y, dtype=numpy.float32))

--- perilune.manifold: maps of many-dimensional points in two or three dimensions, with scikit-learn's names.
return require "perilune.lazy" ("perilune.manifold", { TSNE = "perilune.manifold.tsne" })

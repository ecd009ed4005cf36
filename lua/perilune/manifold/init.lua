--- perilune.manifold: maps of many-dimensional points in two or three dimensions, with scikit-learn's names.
return { TSNE = require("perilune.manifold.tsne") }

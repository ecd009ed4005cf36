--- perilune.decomposition: linear maps to fewer dimensions, with scikit-learn's names.
return { PCA = require("perilune.decomposition.pca") }

--- perilune.decomposition: linear maps to fewer dimensions, with scikit-learn's names.
return require "perilune.lazy" ("perilune.decomposition", { PCA = "perilune.decomposition.pca" })

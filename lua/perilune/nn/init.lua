-- init.lua -- perilune.nn: modules, losses, initialisers.

-- name -> file.  Where a file returns several classes, it returns them in a table.
local FILES = {
  Module = "module", Sequential = "sequential", ModuleList = "module_list",
  Conv2d = "conv2d", ConvTranspose2d = "conv_transpose2d", Linear = "linear", Embedding = "embedding",
  BatchNorm1d = "batch_norm", BatchNorm2d = "batch_norm", LayerNorm = "layer_norm", Dropout = "dropout",
  MaxPool2d = "pooling", AvgPool2d = "pooling", AdaptiveAvgPool2d = "pooling", Upsample = "upsample",
  Flatten = "shape", Unflatten = "shape", Identity = "shape",
  ReLU = "activations", LeakyReLU = "activations", ELU = "activations", GELU = "activations",
  SiLU = "activations", Softplus = "activations", Sigmoid = "activations", Tanh = "activations",
  Softmax = "activations", LogSoftmax = "activations",
  MSELoss = "losses", L1Loss = "losses", SmoothL1Loss = "losses", BCELoss = "losses",
  BCEWithLogitsLoss = "losses", NLLLoss = "losses", CrossEntropyLoss = "losses", KLDivLoss = "losses",
  init = "initializers", functional = "functional", utils = "utils",
}
local SEVERAL = { batch_norm = true, pooling = true, shape = true, activations = true, losses = true }

local entries = { Parameter = { "perilune.nn.parameter", "new" } }
for name, file in pairs(FILES) do
  entries[name] = SEVERAL[file] and { "perilune.nn." .. file, name } or "perilune.nn." .. file
end
return require "perilune.lazy" ("perilune.nn", entries)

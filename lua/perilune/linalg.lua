--- perilune.linalg: the operations on matrices, under the names that NumPy and PyTorch give them.

local ops = require("perilune.core").ops

local linalg = {}
for _, name in ipairs {
  "svd", "svdvals", "eigh", "eigvalsh", "qr", "cholesky", "solve", "lstsq", "inv", "det", "slogdet", "norm", "matmul",
} do
  linalg[name] = ops[name]
end

return setmetatable(linalg, { __tostring = require("perilune.shown").place("perilune.linalg", linalg) })

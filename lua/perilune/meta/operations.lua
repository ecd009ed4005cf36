---@meta
-- Made by spec/annotations.lua from the operations' descriptions; `make annotations` makes it again.

---@alias perilune.dtype "bool"|"uint8"|"int64"|"float32"|"float64"

---@class perilune.Tensor
---@field shape integer[]
---@field dtype perilune.dtype
---@field ndim integer
---@field grad perilune.Tensor?
---@field requires_grad boolean
---@field is_leaf boolean
---@field grad_fn string?
---@operator add(perilune.Tensor|number): perilune.Tensor
---@operator sub(perilune.Tensor|number): perilune.Tensor
---@operator mul(perilune.Tensor|number): perilune.Tensor
---@operator div(perilune.Tensor|number): perilune.Tensor
---@operator pow(perilune.Tensor|number): perilune.Tensor
---@operator mod(perilune.Tensor|number): perilune.Tensor
---@operator unm: perilune.Tensor
---@operator len: integer
local Tensor = {}

---@class perilune
local perilune = {}

---@class perilune.nn.functional
local functional = {}

---abs(x) -> tensor
---The absolute value, elementwise.
---@return perilune.Tensor
function Tensor:abs() end

---abs(x) -> tensor
---The absolute value, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.abs(x) end

---adaptive_avg_pool2d(x, output_size) -> tensor
---Means of x (N, C, H, W) over output_size (an integer or a pair) windows of nearly equal size.
---@param x perilune.Tensor|number
---@param output_size integer|integer[]
---@return perilune.Tensor
function functional.adaptive_avg_pool2d(x, output_size) end

---add(a, b) -> tensor
---a + b, elementwise with broadcasting; also written with the plus sign.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:add(b) end

---add(a, b) -> tensor
---a + b, elementwise with broadcasting; also written with the plus sign.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.add(a, b) end

---addmm(input, a, b, { beta = 1, alpha = 1 }) -> tensor
---beta * input + alpha * (a b), where a is (M, K), b (K, N), and input broadcasts to (M, N).  With beta = 0
---input is not read.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@param options? { beta?: number, alpha?: number }
---@return perilune.Tensor
function Tensor:addmm(a, b, options) end

---addmm(input, a, b, { beta = 1, alpha = 1 }) -> tensor
---beta * input + alpha * (a b), where a is (M, K), b (K, N), and input broadcasts to (M, N).  With beta = 0
---input is not read.
---@param input perilune.Tensor|number
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@param options? { beta?: number, alpha?: number }
---@return perilune.Tensor
function perilune.addmm(input, a, b, options) end

---all(x, dim = all, { keepdim = false }) -> bool tensor
---True where all elements, or all along one or several dims, are true.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:all(dim, options) end

---all(x, dim = all, { keepdim = false }) -> bool tensor
---True where all elements, or all along one or several dims, are true.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.all(x, dim, options) end

---amax(x, dim = all, { keepdim = false }) -> tensor
---The largest element of all, or along one or several dims; NaN where there is a NaN.
---Elements that share it share its gradient evenly.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:amax(dim, options) end

---amax(x, dim = all, { keepdim = false }) -> tensor
---The largest element of all, or along one or several dims; NaN where there is a NaN.
---Elements that share it share its gradient evenly.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.amax(x, dim, options) end

---amin(x, dim = all, { keepdim = false }) -> tensor
---The smallest element of all, or along one or several dims; NaN where there is a NaN.
---Elements that share it share its gradient evenly.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:amin(dim, options) end

---amin(x, dim = all, { keepdim = false }) -> tensor
---The smallest element of all, or along one or several dims; NaN where there is a NaN.
---Elements that share it share its gradient evenly.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.amin(x, dim, options) end

---any(x, dim = all, { keepdim = false }) -> bool tensor
---True where any element of all, or along one or several dims, is true.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:any(dim, options) end

---any(x, dim = all, { keepdim = false }) -> bool tensor
---True where any element of all, or along one or several dims, is true.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.any(x, dim, options) end

---argmax(x, dim = all, { keepdim = false }) -> int64 tensor
---The 1-based place of the largest element along dim, or of all in row order.  The first of equal ones; the first
---NaN if there is one.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:argmax(dim, options) end

---argmax(x, dim = all, { keepdim = false }) -> int64 tensor
---The 1-based place of the largest element along dim, or of all in row order.  The first of equal ones; the first
---NaN if there is one.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.argmax(x, dim, options) end

---argmin(x, dim = all, { keepdim = false }) -> int64 tensor
---The 1-based place of the smallest element along dim, or of all in row order.  The first of equal ones; the first
---NaN if there is one.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:argmin(dim, options) end

---argmin(x, dim = all, { keepdim = false }) -> int64 tensor
---The 1-based place of the smallest element along dim, or of all in row order.  The first of equal ones; the first
---NaN if there is one.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.argmin(x, dim, options) end

---argsort(x, dim = -1, descending = false) -> int64 tensor
---The 1-based places of the elements of x in order along dim.  Equal elements stay in their order; NaN counts as
---the largest.
---@param dim? integer
---@param descending? boolean
---@return perilune.Tensor
function Tensor:argsort(dim, descending) end

---argsort(x, dim = -1, descending = false) -> int64 tensor
---The 1-based places of the elements of x in order along dim.  Equal elements stay in their order; NaN counts as
---the largest.
---@param x perilune.Tensor|number
---@param dim? integer
---@param descending? boolean
---@return perilune.Tensor
function perilune.argsort(x, dim, descending) end

---avg_pool2d(x, kernel_size [, { stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true }]) -> tensor
---Means of x (N, C, H, W) over windows.  Sizes are integers or pairs.  ceil_mode keeps a last window that hangs over the edge; count_include_pad = false divides by the pixels inside x only.
---@param x perilune.Tensor|number
---@param kernel_size integer|integer[]
---@param options? { stride?: integer|integer[], padding?: integer|integer[], ceil_mode?: boolean, count_include_pad?: boolean }
---@return perilune.Tensor
function functional.avg_pool2d(x, kernel_size, options) end

---batch_norm(x [, weight [, bias [, running_mean [, running_var [, { training = false, momentum = 0.1, eps = 1e-5, activation = "none" }]]]]]) -> tensor
---Normalises each channel (dim 2) of x: with the mean and variance of the batch in training, which also moves the running statistics in place, otherwise with the running statistics; then scales by weight and adds bias.  activation = "relu" appends a ReLU at no cost.
---@param x perilune.Tensor|number
---@param weight perilune.Tensor?
---@param bias perilune.Tensor?
---@param running_mean perilune.Tensor?
---@param running_var perilune.Tensor?
---@param options? { training?: boolean, momentum?: number, eps?: number, activation?: "none"|"relu" }
---@return perilune.Tensor
function functional.batch_norm(x, weight, bias, running_mean, running_var, options) end

---binary_cross_entropy(input, target [, weight [, { reduction = "mean" }]]) -> tensor
----(t log x + (1 - t) log(1 - x)) for probabilities x, the logarithms bounded at -100; weight broadcasts to the input.  Differentiable in input and target.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param weight perilune.Tensor?
---@param options? { reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.binary_cross_entropy(input, target, weight, options) end

---binary_cross_entropy_with_logits(input, target [, weight [, pos_weight [, { reduction = "mean" }]]]) -> tensor
---binary_cross_entropy(sigmoid(input), target), computed without overflow; pos_weight multiplies the part of the positive class; both weights broadcast to the input.  Differentiable in input and target.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param weight perilune.Tensor?
---@param pos_weight perilune.Tensor?
---@param options? { reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.binary_cross_entropy_with_logits(input, target, weight, pos_weight, options) end

---bmm(x, other) -> tensor
---The products of two batches of matrices: x (B, M, K), other (B, K, N), result (B, M, N).
---@param other perilune.Tensor|number
---@return perilune.Tensor
function Tensor:bmm(other) end

---bmm(x, other) -> tensor
---The products of two batches of matrices: x (B, M, K), other (B, K, N), result (B, M, N).
---@param x perilune.Tensor|number
---@param other perilune.Tensor|number
---@return perilune.Tensor
function perilune.bmm(x, other) end

---cat(tensors, dim = 1) -> tensor
---The tensors of a list one behind the other along dim; their other sizes must be equal.
---A tensor (0) among tensors of more dims is left out.
---@param tensors perilune.Tensor[]
---@param dim? integer
---@return perilune.Tensor
function perilune.cat(tensors, dim) end

---ceil(x) -> tensor
---The smallest whole number that is not below x, elementwise.
---@return perilune.Tensor
function Tensor:ceil() end

---ceil(x) -> tensor
---The smallest whole number that is not below x, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.ceil(x) end

---cholesky(x) -> tensor
---The lower triangular L with x = L L^T, of symmetric positive definite matrices x (..., N, N).  The symmetric
---part of x is taken.  Any other matrix is an error.
---@return perilune.Tensor
function Tensor:cholesky() end

---cholesky(x) -> tensor
---The lower triangular L with x = L L^T, of symmetric positive definite matrices x (..., N, N).  The symmetric
---part of x is taken.  Any other matrix is an error.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.cholesky(x) end

---clamp(x, min = -inf, max = inf) -> tensor
---x brought into [min, max], elementwise; the bounds may also be given by name: x:clamp({ max = 1 }).  Where min > max the result is max.
---@param min? number
---@param max? number
---@return perilune.Tensor
function Tensor:clamp(min, max) end

---clamp(x, min = -inf, max = inf) -> tensor
---x brought into [min, max], elementwise; the bounds may also be given by name: x:clamp({ max = 1 }).  Where min > max the result is max.
---@param x perilune.Tensor|number
---@param min? number
---@param max? number
---@return perilune.Tensor
function perilune.clamp(x, min, max) end

---clone(x) -> tensor
---A copy with memory of its own, in x's memory order.
---@return perilune.Tensor
function Tensor:clone() end

---clone(x) -> tensor
---A copy with memory of its own, in x's memory order.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.clone(x) end

---contiguous(x) -> tensor
---x in row-major order: the same elements if it is already, else a copy.
---@return perilune.Tensor
function Tensor:contiguous() end

---contiguous(x) -> tensor
---x in row-major order: the same elements if it is already, else a copy.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.contiguous(x) end

---conv2d(x, weight, bias, { stride = 1, padding = 0, dilation = 1, groups = 1, activation = "none" }) -> tensor
---Cross-correlation of x (N, C_in, H, W) with weight (C_out, C_in / groups, KH, KW), plus bias (C_out) or
---nil; result (N, C_out, OH, OW).  stride, padding and dilation are a number or { height, width }.
---activation = "relu" takes max(0, result) in the same pass.
---@param x perilune.Tensor|number
---@param weight perilune.Tensor|number
---@param bias perilune.Tensor?
---@param options? { stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], groups?: integer, activation?: "none"|"relu" }
---@return perilune.Tensor
function functional.conv2d(x, weight, bias, options) end

---conv_transpose2d(x, weight, bias, { stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1,
---  activation = "none" }) -> tensor
---Transposed convolution of x (N, C_in, H, W) with weight (C_in, C_out / groups, KH, KW), plus bias (C_out)
---or nil; the gradient of conv2d with respect to its input.  output_padding makes the result larger on one
---side.  activation = "relu" takes max(0, result) in the same pass.
---@param x perilune.Tensor|number
---@param weight perilune.Tensor|number
---@param bias perilune.Tensor?
---@param options? { stride?: integer|integer[], padding?: integer|integer[], output_padding?: integer|integer[], dilation?: integer|integer[], groups?: integer, activation?: "none"|"relu" }
---@return perilune.Tensor
function functional.conv_transpose2d(x, weight, bias, options) end

---cos(x) -> tensor
---The cosine of x in radians, elementwise.
---@return perilune.Tensor
function Tensor:cos() end

---cos(x) -> tensor
---The cosine of x in radians, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.cos(x) end

---count_nonzero(x, dim = all, { keepdim = false }) -> int64 tensor
---The number of elements that are not 0, of all or along one or several dims.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:count_nonzero(dim, options) end

---count_nonzero(x, dim = all, { keepdim = false }) -> int64 tensor
---The number of elements that are not 0, of all or along one or several dims.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.count_nonzero(x, dim, options) end

---cross_entropy(input, target [, weight [, { label_smoothing = 0, ignore_index = -100, reduction = "mean" }]]) -> tensor
---nll_loss(log_softmax(input), target): input (N, C) or (N, C, d1, ...) holds any scores, target (N) or (N, d1, ...) the int64 classes 1..C.  The mean divides by the sum of the weights.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param weight perilune.Tensor?
---@param options? { ignore_index?: integer, label_smoothing?: number, reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.cross_entropy(input, target, weight, options) end

---cumprod(x, dim) -> tensor
---The running products along dim.  Integers and bool give int64.
---@param dim integer
---@return perilune.Tensor
function Tensor:cumprod(dim) end

---cumprod(x, dim) -> tensor
---The running products along dim.  Integers and bool give int64.
---@param x perilune.Tensor|number
---@param dim integer
---@return perilune.Tensor
function perilune.cumprod(x, dim) end

---cumsum(x, dim) -> tensor
---The running sums along dim.  Integers and bool give int64.
---@param dim integer
---@return perilune.Tensor
function Tensor:cumsum(dim) end

---cumsum(x, dim) -> tensor
---The running sums along dim.  Integers and bool give int64.
---@param x perilune.Tensor|number
---@param dim integer
---@return perilune.Tensor
function perilune.cumsum(x, dim) end

---det(x) -> tensor
---The determinants of the square matrices x (..., N, N): (...).
---@return perilune.Tensor
function Tensor:det() end

---det(x) -> tensor
---The determinants of the square matrices x (..., N, N): (...).
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.det(x) end

---div(a, b) -> tensor
---a / b, elementwise with broadcasting; also written with the slash.  Integers become float32.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:div(b) end

---div(a, b) -> tensor
---a / b, elementwise with broadcasting; also written with the slash.  Integers become float32.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.div(a, b) end

---dot(x, other) -> tensor
---The inner product of two vectors of one length; 0-dim.
---@param other perilune.Tensor|number
---@return perilune.Tensor
function Tensor:dot(other) end

---dot(x, other) -> tensor
---The inner product of two vectors of one length; 0-dim.
---@param x perilune.Tensor|number
---@param other perilune.Tensor|number
---@return perilune.Tensor
function perilune.dot(x, other) end

---dropout(x [, p = 0.5 [, training = true]]) -> tensor
---Zeroes each element with probability p and divides the others by 1 - p; x itself where training is false.  Which elements go depends on perilune.manual_seed and on x's memory order.
---@param x perilune.Tensor|number
---@param p? number
---@param training? boolean
---@return perilune.Tensor
function functional.dropout(x, p, training) end

---eigh(x) -> w, v
---Eigenvalues w (..., N), ascending, and eigenvectors v (..., N, N), one a column, of the symmetric part of x
---(..., N, N).  The item of largest magnitude in each vector is positive.
---@return perilune.Tensor, perilune.Tensor
function Tensor:eigh() end

---eigh(x) -> w, v
---Eigenvalues w (..., N), ascending, and eigenvectors v (..., N, N), one a column, of the symmetric part of x
---(..., N, N).  The item of largest magnitude in each vector is positive.
---@param x perilune.Tensor|number
---@return perilune.Tensor, perilune.Tensor
function perilune.eigh(x) end

---eigvalsh(x) -> tensor
---The eigenvalues (..., N), ascending, of the symmetric part of x (..., N, N).
---@return perilune.Tensor
function Tensor:eigvalsh() end

---eigvalsh(x) -> tensor
---The eigenvalues (..., N), ascending, of the symmetric part of x (..., N, N).
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.eigvalsh(x) end

---elu(x, { alpha = 1 }) -> tensor
---x where x > 0, else alpha * (exp(x) - 1), elementwise.
---@param x perilune.Tensor|number
---@param options? { alpha?: number }
---@return perilune.Tensor
function functional.elu(x, options) end

---embedding(index, weight [, { padding_idx }]) -> tensor
---The rows of weight (V, D) that index (*), int64 in 1..V, names: (*, D).  Row padding_idx gets no gradient.
---@param index perilune.Tensor|number
---@param weight perilune.Tensor|number
---@param options? { padding_idx?: integer }
---@return perilune.Tensor
function functional.embedding(index, weight, options) end

---eq(a, b) -> bool tensor
---a == b, elementwise with broadcasting.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:eq(b) end

---eq(a, b) -> bool tensor
---a == b, elementwise with broadcasting.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.eq(a, b) end

---erf(x) -> tensor
---The error function, elementwise.
---@return perilune.Tensor
function Tensor:erf() end

---erf(x) -> tensor
---The error function, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.erf(x) end

---exp(x) -> tensor
---e to the power of x, elementwise.
---@return perilune.Tensor
function Tensor:exp() end

---exp(x) -> tensor
---e to the power of x, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.exp(x) end

---expand(x, sizes...) -> tensor
---A view that repeats dims of size 1 (and new leading dims) without copying; -1 keeps a size.
---@param sizes integer|integer[]
---@return perilune.Tensor
function Tensor:expand(sizes) end

---expand(x, sizes...) -> tensor
---A view that repeats dims of size 1 (and new leading dims) without copying; -1 keeps a size.
---@param x perilune.Tensor|number
---@param sizes integer|integer[]
---@return perilune.Tensor
function perilune.expand(x, sizes) end

---expm1(x) -> tensor
---exp(x) - 1, elementwise, accurate for small x.
---@return perilune.Tensor
function Tensor:expm1() end

---expm1(x) -> tensor
---exp(x) - 1, elementwise, accurate for small x.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.expm1(x) end

---flatten(x, first = 1, last = -1) -> tensor
---Merges the dims first..last into one.  A view where x's strides allow that.
---@param first? integer
---@param last? integer
---@return perilune.Tensor
function Tensor:flatten(first, last) end

---flatten(x, first = 1, last = -1) -> tensor
---Merges the dims first..last into one.  A view where x's strides allow that.
---@param x perilune.Tensor|number
---@param first? integer
---@param last? integer
---@return perilune.Tensor
function perilune.flatten(x, first, last) end

---flip(x, dims...) -> tensor
---x with the order along one or several dims reversed.
---@param dims integer|integer[]
---@return perilune.Tensor
function Tensor:flip(dims) end

---flip(x, dims...) -> tensor
---x with the order along one or several dims reversed.
---@param x perilune.Tensor|number
---@param dims integer|integer[]
---@return perilune.Tensor
function perilune.flip(x, dims) end

---floor(x) -> tensor
---The largest whole number that is not above x, elementwise.
---@return perilune.Tensor
function Tensor:floor() end

---floor(x) -> tensor
---The largest whole number that is not above x, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.floor(x) end

---floor_divide(a, b) -> tensor
---floor(a / b), elementwise with broadcasting; also written a // b.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:floor_divide(b) end

---floor_divide(a, b) -> tensor
---floor(a / b), elementwise with broadcasting; also written a // b.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.floor_divide(a, b) end

---fmod(a, b) -> tensor
---a - b * trunc(a / b), elementwise with broadcasting: has the sign of a.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:fmod(b) end

---fmod(a, b) -> tensor
---a - b * trunc(a / b), elementwise with broadcasting: has the sign of a.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.fmod(a, b) end

---gather(x, dim, index) -> tensor
---Picks along dim: for dim = 1 of a matrix y[i][j] = x[index[i][j]][j].  index is int64, 1-based, with as many dims
---as x; the result has its shape.
---@param dim integer
---@param index perilune.Tensor|number
---@return perilune.Tensor
function Tensor:gather(dim, index) end

---gather(x, dim, index) -> tensor
---Picks along dim: for dim = 1 of a matrix y[i][j] = x[index[i][j]][j].  index is int64, 1-based, with as many dims
---as x; the result has its shape.
---@param x perilune.Tensor|number
---@param dim integer
---@param index perilune.Tensor|number
---@return perilune.Tensor
function perilune.gather(x, dim, index) end

---ge(a, b) -> bool tensor
---a >= b, elementwise with broadcasting.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:ge(b) end

---ge(a, b) -> bool tensor
---a >= b, elementwise with broadcasting.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.ge(a, b) end

---gelu(x, { approximate = "none" }) -> tensor
---x times the probability that a standard normal number is below x, elementwise.
---approximate: "none" (exact, by erf) or "tanh".
---@param x perilune.Tensor|number
---@param options? { approximate?: "none"|"tanh" }
---@return perilune.Tensor
function functional.gelu(x, options) end

---gt(a, b) -> bool tensor
---a > b, elementwise with broadcasting.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:gt(b) end

---gt(a, b) -> bool tensor
---a > b, elementwise with broadcasting.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.gt(a, b) end

---index_select(x, dim, index) -> tensor
---The slices of x along dim that index names: for dim = 1 of a matrix y[i] = x[index[i]].  index is int64, 1-based,
---with one dim, or a single one with none.
---@param dim integer
---@param index perilune.Tensor|number
---@return perilune.Tensor
function Tensor:index_select(dim, index) end

---index_select(x, dim, index) -> tensor
---The slices of x along dim that index names: for dim = 1 of a matrix y[i] = x[index[i]].  index is int64, 1-based,
---with one dim, or a single one with none.
---@param x perilune.Tensor|number
---@param dim integer
---@param index perilune.Tensor|number
---@return perilune.Tensor
function perilune.index_select(x, dim, index) end

---inv(x) -> tensor
---The inverses of the square matrices x (..., N, N).  A singular one is an error.
---@return perilune.Tensor
function Tensor:inv() end

---inv(x) -> tensor
---The inverses of the square matrices x (..., N, N).  A singular one is an error.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.inv(x) end

---isfinite(x) -> bool tensor
---True where x is neither NaN nor infinite, elementwise.
---@return perilune.Tensor
function Tensor:isfinite() end

---isfinite(x) -> bool tensor
---True where x is neither NaN nor infinite, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.isfinite(x) end

---isinf(x) -> bool tensor
---True where x is inf or -inf, elementwise.
---@return perilune.Tensor
function Tensor:isinf() end

---isinf(x) -> bool tensor
---True where x is inf or -inf, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.isinf(x) end

---isnan(x) -> bool tensor
---True where x is NaN, elementwise.
---@return perilune.Tensor
function Tensor:isnan() end

---isnan(x) -> bool tensor
---True where x is NaN, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.isnan(x) end

---kl_div(input, target [, { log_target = false, reduction = "mean" }]) -> tensor
---target (log target - input), where input holds logarithms of probabilities and target probabilities, or their logarithms with log_target.  reduction "batchmean" (the mathematical definition) divides the sum by the size of dim 1; "mean" divides by all elements.  Differentiable in both.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param options? { log_target?: boolean, reduction?: "none"|"mean"|"sum"|"batchmean" }
---@return perilune.Tensor
function functional.kl_div(input, target, options) end

---l1_loss(input, target [, { reduction = "mean" }]) -> tensor
---|input - target|, averaged ("mean"), added up ("sum") or by element ("none").  The shapes must be equal.  Differentiable in both.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param options? { reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.l1_loss(input, target, options) end

---layer_norm(x, normalized_shape [, weight [, bias [, { eps = 1e-5 }]]]) -> tensor
---Normalises each sample of x over its last dims, which must be normalized_shape (a table), then multiplies by weight and adds bias, which have that shape.
---@param x perilune.Tensor|number
---@param normalized_shape integer|integer[]
---@param weight perilune.Tensor?
---@param bias perilune.Tensor?
---@param options? { eps?: number }
---@return perilune.Tensor
function functional.layer_norm(x, normalized_shape, weight, bias, options) end

---le(a, b) -> bool tensor
---a <= b, elementwise with broadcasting.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:le(b) end

---le(a, b) -> bool tensor
---a <= b, elementwise with broadcasting.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.le(a, b) end

---leaky_relu(x, { negative_slope = 0.01 }) -> tensor
---x where x > 0, else negative_slope * x, elementwise.
---@param x perilune.Tensor|number
---@param options? { negative_slope?: number }
---@return perilune.Tensor
function functional.leaky_relu(x, options) end

---lerp(a, b, weight) -> tensor
---a + weight * (b - a), elementwise with broadcasting; weight is a number or a tensor.
---@param b perilune.Tensor|number
---@param weight perilune.Tensor|number
---@return perilune.Tensor
function Tensor:lerp(b, weight) end

---lerp(a, b, weight) -> tensor
---a + weight * (b - a), elementwise with broadcasting; weight is a number or a tensor.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@param weight perilune.Tensor|number
---@return perilune.Tensor
function perilune.lerp(a, b, weight) end

---linear(x, weight, bias, { activation = "none" }) -> tensor
---x W^T + b for x (..., K), weight (M, K) and bias (M) or nil: (..., M).  activation = "relu" applies
---max(., 0) in the same pass.
---@param x perilune.Tensor|number
---@param weight perilune.Tensor|number
---@param bias perilune.Tensor?
---@param options? { activation?: "none"|"relu" }
---@return perilune.Tensor
function functional.linear(x, weight, bias, options) end

---log(x) -> tensor
---The natural logarithm, elementwise: -inf at 0, NaN below.
---@return perilune.Tensor
function Tensor:log() end

---log(x) -> tensor
---The natural logarithm, elementwise: -inf at 0, NaN below.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.log(x) end

---log1p(x) -> tensor
---log(1 + x), elementwise, accurate for small x.
---@return perilune.Tensor
function Tensor:log1p() end

---log1p(x) -> tensor
---log(1 + x), elementwise, accurate for small x.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.log1p(x) end

---log_softmax(x, dim) -> tensor
---log(softmax(x, dim)), without overflow and without losing small probabilities.
---@param dim integer
---@return perilune.Tensor
function Tensor:log_softmax(dim) end

---log_softmax(x, dim) -> tensor
---log(softmax(x, dim)), without overflow and without losing small probabilities.
---@param x perilune.Tensor|number
---@param dim integer
---@return perilune.Tensor
function perilune.log_softmax(x, dim) end

---logical_and(a, b) -> bool tensor
---a and b, elementwise with broadcasting; what is not 0 is true.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:logical_and(b) end

---logical_and(a, b) -> bool tensor
---a and b, elementwise with broadcasting; what is not 0 is true.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.logical_and(a, b) end

---logical_not(x) -> bool tensor
---not x, elementwise; what is not 0 is true.
---@return perilune.Tensor
function Tensor:logical_not() end

---logical_not(x) -> bool tensor
---not x, elementwise; what is not 0 is true.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.logical_not(x) end

---logical_or(a, b) -> bool tensor
---a or b, elementwise with broadcasting; what is not 0 is true.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:logical_or(b) end

---logical_or(a, b) -> bool tensor
---a or b, elementwise with broadcasting; what is not 0 is true.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.logical_or(a, b) end

---logical_xor(a, b) -> bool tensor
---a or b but not both, elementwise with broadcasting; what is not 0 is true.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:logical_xor(b) end

---logical_xor(a, b) -> bool tensor
---a or b but not both, elementwise with broadcasting; what is not 0 is true.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.logical_xor(a, b) end

---logsumexp(x, dim = all, { keepdim = false }) -> tensor
---log(sum(exp(x))) over all elements, or over one or several dims, without overflow.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:logsumexp(dim, options) end

---logsumexp(x, dim = all, { keepdim = false }) -> tensor
---log(sum(exp(x))) over all elements, or over one or several dims, without overflow.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.logsumexp(x, dim, options) end

---lstsq(a, b, { rcond = -1 }) -> tensor
---The y of least norm that minimises |a y - b|, for a (..., M, N) and b (..., M, K) or (..., M).  Singular values
---below rcond times the largest count as zero; rcond < 0 means epsilon * max(M, N).  No gradient.
---@param b perilune.Tensor|number
---@param options? { rcond?: number }
---@return perilune.Tensor
function Tensor:lstsq(b, options) end

---lstsq(a, b, { rcond = -1 }) -> tensor
---The y of least norm that minimises |a y - b|, for a (..., M, N) and b (..., M, K) or (..., M).  Singular values
---below rcond times the largest count as zero; rcond < 0 means epsilon * max(M, N).  No gradient.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@param options? { rcond?: number }
---@return perilune.Tensor
function perilune.lstsq(a, b, options) end

---lt(a, b) -> bool tensor
---a < b, elementwise with broadcasting.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:lt(b) end

---lt(a, b) -> bool tensor
---a < b, elementwise with broadcasting.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.lt(a, b) end

---masked_fill(x, mask, value) -> tensor
---value where mask is true, else x.  mask is a bool tensor that broadcasts with x; value is a number or a 0-dim
---tensor.
---@param mask perilune.Tensor|number
---@param value perilune.Tensor|number
---@return perilune.Tensor
function Tensor:masked_fill(mask, value) end

---masked_fill(x, mask, value) -> tensor
---value where mask is true, else x.  mask is a bool tensor that broadcasts with x; value is a number or a 0-dim
---tensor.
---@param x perilune.Tensor|number
---@param mask perilune.Tensor|number
---@param value perilune.Tensor|number
---@return perilune.Tensor
function perilune.masked_fill(x, mask, value) end

---masked_select(x, mask) -> tensor
---The elements of x where mask, a bool tensor that broadcasts with x, is true: one dim, in row order.
---@param mask perilune.Tensor|number
---@return perilune.Tensor
function Tensor:masked_select(mask) end

---masked_select(x, mask) -> tensor
---The elements of x where mask, a bool tensor that broadcasts with x, is true: one dim, in row order.
---@param x perilune.Tensor|number
---@param mask perilune.Tensor|number
---@return perilune.Tensor
function perilune.masked_select(x, mask) end

---matmul(x, other) -> tensor
---The matrix product x (..., M, K) times other (..., K, N): (..., M, N).  Dims before the last two
---broadcast.  A vector x (K) counts as a row, a vector other (K) as a column; the result then lacks that
---dim.  float32 or float64; both of one dtype.
---@param other perilune.Tensor|number
---@return perilune.Tensor
function Tensor:matmul(other) end

---matmul(x, other) -> tensor
---The matrix product x (..., M, K) times other (..., K, N): (..., M, N).  Dims before the last two
---broadcast.  A vector x (K) counts as a row, a vector other (K) as a column; the result then lacks that
---dim.  float32 or float64; both of one dtype.
---@param x perilune.Tensor|number
---@param other perilune.Tensor|number
---@return perilune.Tensor
function perilune.matmul(x, other) end

---max(x, dim = all, { keepdim = false }) -> values [, indices]
---The largest element of all or over several dims; or those along one dim and their 1-based indices, of equal
---ones the first.  NaN where there is one.  See maximum and minimum for two tensors.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor, perilune.Tensor
function Tensor:max(dim, options) end

---max(x, dim = all, { keepdim = false }) -> values [, indices]
---The largest element of all or over several dims; or those along one dim and their 1-based indices, of equal
---ones the first.  NaN where there is one.  See maximum and minimum for two tensors.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor, perilune.Tensor
function perilune.max(x, dim, options) end

---max_pool2d(x, kernel_size [, { stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false }]) -> tensor
---Largest values of x (N, C, H, W) in windows; NaN counts as largest.  Sizes are integers or pairs.  ceil_mode keeps a last window that hangs over the edge.
---@param x perilune.Tensor|number
---@param kernel_size integer|integer[]
---@param options? { stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], ceil_mode?: boolean }
---@return perilune.Tensor
function functional.max_pool2d(x, kernel_size, options) end

---max_pool2d_with_indices(x, kernel_size [, { stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false }]) -> tensor, tensor
---max_pool2d, and where each maximum lies in its plane: int64, (row - 1) * width + column.
---@param x perilune.Tensor|number
---@param kernel_size integer|integer[]
---@param options? { stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], ceil_mode?: boolean }
---@return perilune.Tensor, perilune.Tensor
function functional.max_pool2d_with_indices(x, kernel_size, options) end

---maximum(a, b) -> tensor
---The larger of a and b, elementwise with broadcasting; NaN where either is NaN.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:maximum(b) end

---maximum(a, b) -> tensor
---The larger of a and b, elementwise with broadcasting; NaN where either is NaN.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.maximum(a, b) end

---mean(x, dim = all, { keepdim = false }) -> tensor
---The mean over all elements, or over one or several dims.  x must be float32 or float64.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:mean(dim, options) end

---mean(x, dim = all, { keepdim = false }) -> tensor
---The mean over all elements, or over one or several dims.  x must be float32 or float64.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.mean(x, dim, options) end

---min(x, dim = all, { keepdim = false }) -> values [, indices]
---The smallest element of all or over several dims; or those along one dim and their 1-based indices, of equal
---ones the first.  NaN where there is one.  See maximum and minimum for two tensors.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor, perilune.Tensor
function Tensor:min(dim, options) end

---min(x, dim = all, { keepdim = false }) -> values [, indices]
---The smallest element of all or over several dims; or those along one dim and their 1-based indices, of equal
---ones the first.  NaN where there is one.  See maximum and minimum for two tensors.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor, perilune.Tensor
function perilune.min(x, dim, options) end

---minimum(a, b) -> tensor
---The smaller of a and b, elementwise with broadcasting; NaN where either is NaN.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:minimum(b) end

---minimum(a, b) -> tensor
---The smaller of a and b, elementwise with broadcasting; NaN where either is NaN.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.minimum(a, b) end

---mm(x, other) -> tensor
---The product of two matrices: x (M, K), other (K, N), result (M, N).
---@param other perilune.Tensor|number
---@return perilune.Tensor
function Tensor:mm(other) end

---mm(x, other) -> tensor
---The product of two matrices: x (M, K), other (K, N), result (M, N).
---@param x perilune.Tensor|number
---@param other perilune.Tensor|number
---@return perilune.Tensor
function perilune.mm(x, other) end

---mse_loss(input, target [, { reduction = "mean" }]) -> tensor
---(input - target)^2, averaged ("mean"), added up ("sum") or by element ("none").  The shapes must be equal.  Differentiable in both.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param options? { reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.mse_loss(input, target, options) end

---mul(a, b) -> tensor
---a * b, elementwise with broadcasting; also written with the star.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:mul(b) end

---mul(a, b) -> tensor
---a * b, elementwise with broadcasting; also written with the star.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.mul(a, b) end

---mv(x, vector) -> tensor
---The product of a matrix x (M, K) and a vector (K): (M).
---@param vector perilune.Tensor|number
---@return perilune.Tensor
function Tensor:mv(vector) end

---mv(x, vector) -> tensor
---The product of a matrix x (M, K) and a vector (K): (M).
---@param x perilune.Tensor|number
---@param vector perilune.Tensor|number
---@return perilune.Tensor
function perilune.mv(x, vector) end

---narrow(x, dim, start, length) -> tensor
---The view of `length` positions of dim from `start` on.
---@param dim integer
---@param start integer
---@param length integer
---@return perilune.Tensor
function Tensor:narrow(dim, start, length) end

---narrow(x, dim, start, length) -> tensor
---The view of `length` positions of dim from `start` on.
---@param x perilune.Tensor|number
---@param dim integer
---@param start integer
---@param length integer
---@return perilune.Tensor
function perilune.narrow(x, dim, start, length) end

---ne(a, b) -> bool tensor
---a ~= b, elementwise with broadcasting.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:ne(b) end

---ne(a, b) -> bool tensor
---a ~= b, elementwise with broadcasting.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.ne(a, b) end

---neg(x) -> tensor
----x, elementwise; also written with the minus sign.
---@return perilune.Tensor
function Tensor:neg() end

---neg(x) -> tensor
----x, elementwise; also written with the minus sign.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.neg(x) end

---nll_loss(input, target [, weight [, { ignore_index = -100, reduction = "mean" }]]) -> tensor
----weight[y] input[s, y]: input (N, C) or (N, C, d1, ...) holds logarithms of probabilities, target (N) or (N, d1, ...) the int64 classes 1..C.  The mean divides by the sum of the weights.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param weight perilune.Tensor?
---@param options? { ignore_index?: integer, reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.nll_loss(input, target, weight, options) end

---nonzero(x) -> int64 tensor
---The places where x is not 0: one row for each, with its 1-based index along every dim.
---@return perilune.Tensor
function Tensor:nonzero() end

---nonzero(x) -> int64 tensor
---The places where x is not 0: one row for each, with its 1-based index along every dim.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.nonzero(x) end

---norm(x, p = 2, dim = all, { keepdim = false }) -> tensor
---The p-norm of all elements, or along one or several dims: sum(|x| ^ p) ^ (1 / p).  p = math.huge is the
---largest |x|, -math.huge the smallest, 0 the number of elements that are not 0.
---@param p? number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:norm(p, dim, options) end

---norm(x, p = 2, dim = all, { keepdim = false }) -> tensor
---The p-norm of all elements, or along one or several dims: sum(|x| ^ p) ^ (1 / p).  p = math.huge is the
---largest |x|, -math.huge the smallest, 0 the number of elements that are not 0.
---@param x perilune.Tensor|number
---@param p? number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.norm(x, p, dim, options) end

---one_hot(x, num_classes = -1) -> int64 tensor
---One dim more than x, with 1 at the place that x names and 0 elsewhere.  x is int64, 1-based; without num_classes
---the largest x counts.
---@param x perilune.Tensor|number
---@param num_classes? integer
---@return perilune.Tensor
function functional.one_hot(x, num_classes) end

---outer(x, other) -> tensor
---The outer product of the vectors x (M) and other (N): (M, N).
---@param other perilune.Tensor|number
---@return perilune.Tensor
function Tensor:outer(other) end

---outer(x, other) -> tensor
---The outer product of the vectors x (M) and other (N): (M, N).
---@param x perilune.Tensor|number
---@param other perilune.Tensor|number
---@return perilune.Tensor
function perilune.outer(x, other) end

---permute(x, dims...) -> tensor
---A view whose dim d is dim dims[d] of x.
---@param dims? integer|integer[]
---@return perilune.Tensor
function Tensor:permute(dims) end

---permute(x, dims...) -> tensor
---A view whose dim d is dim dims[d] of x.
---@param x perilune.Tensor|number
---@param dims? integer|integer[]
---@return perilune.Tensor
function perilune.permute(x, dims) end

---pow(a, b) -> tensor
---a to the power of b, elementwise with broadcasting; also written a ^ b.
---Integers to negative integer powers are an error.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:pow(b) end

---pow(a, b) -> tensor
---a to the power of b, elementwise with broadcasting; also written a ^ b.
---Integers to negative integer powers are an error.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.pow(a, b) end

---prod(x, dim = all, { keepdim = false }) -> tensor
---The product over all elements, or over one or several dims.  Integers and bool give int64.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:prod(dim, options) end

---prod(x, dim = all, { keepdim = false }) -> tensor
---The product over all elements, or over one or several dims.  Integers and bool give int64.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.prod(x, dim, options) end

---qr(x) -> q, r
---x = q r for x (..., M, N): q (..., M, K) with orthonormal columns and r (..., K, N) upper triangular,
---K = min(M, N).  The gradient is there for M >= N.
---@return perilune.Tensor, perilune.Tensor
function Tensor:qr() end

---qr(x) -> q, r
---x = q r for x (..., M, N): q (..., M, K) with orthonormal columns and r (..., K, N) upper triangular,
---K = min(M, N).  The gradient is there for M >= N.
---@param x perilune.Tensor|number
---@return perilune.Tensor, perilune.Tensor
function perilune.qr(x) end

---reciprocal(x) -> tensor
---1 / x, elementwise.
---@return perilune.Tensor
function Tensor:reciprocal() end

---reciprocal(x) -> tensor
---1 / x, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.reciprocal(x) end

---relu(x) -> tensor
---max(x, 0), elementwise.
---@return perilune.Tensor
function Tensor:relu() end

---relu(x) -> tensor
---max(x, 0), elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.relu(x) end

---remainder(a, b) -> tensor
---a - b * floor(a / b), elementwise with broadcasting: has the sign of b; also written a % b.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:remainder(b) end

---remainder(a, b) -> tensor
---a - b * floor(a / b), elementwise with broadcasting: has the sign of b; also written a % b.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.remainder(a, b) end

---reshape(x, sizes...) -> tensor
---The same elements in row-major order under another shape; one size may be -1.  A view of x where its strides allow that, else a copy.
---@param sizes integer|integer[]
---@return perilune.Tensor
function Tensor:reshape(sizes) end

---reshape(x, sizes...) -> tensor
---The same elements in row-major order under another shape; one size may be -1.  A view of x where its strides allow that, else a copy.
---@param x perilune.Tensor|number
---@param sizes integer|integer[]
---@return perilune.Tensor
function perilune.reshape(x, sizes) end

---roll(x, shifts, dims = none) -> tensor
---x moved by shifts along dims (each an integer or a list of them); what leaves at the end comes in at the
---beginning.  Without dims the elements move in row order.
---@param shifts integer|integer[]
---@param dims? integer|integer[]
---@return perilune.Tensor
function Tensor:roll(shifts, dims) end

---roll(x, shifts, dims = none) -> tensor
---x moved by shifts along dims (each an integer or a list of them); what leaves at the end comes in at the
---beginning.  Without dims the elements move in row order.
---@param x perilune.Tensor|number
---@param shifts integer|integer[]
---@param dims? integer|integer[]
---@return perilune.Tensor
function perilune.roll(x, shifts, dims) end

---round(x) -> tensor
---The nearest whole number, elementwise; halves go to the even one.
---@return perilune.Tensor
function Tensor:round() end

---round(x) -> tensor
---The nearest whole number, elementwise; halves go to the even one.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.round(x) end

---rsqrt(x) -> tensor
---1 / sqrt(x), elementwise.
---@return perilune.Tensor
function Tensor:rsqrt() end

---rsqrt(x) -> tensor
---1 / sqrt(x), elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.rsqrt(x) end

---scatter(x, dim, index, src) -> tensor
---A copy of x with elements of src put in along dim: for dim = 1 of a matrix y[index[i][j]][j] = src[i][j].
---index is int64 and 1-based; src is a tensor at least as large, or a number.
---@param dim integer
---@param index perilune.Tensor|number
---@param src perilune.Tensor|number
---@return perilune.Tensor
function Tensor:scatter(dim, index, src) end

---scatter(x, dim, index, src) -> tensor
---A copy of x with elements of src put in along dim: for dim = 1 of a matrix y[index[i][j]][j] = src[i][j].
---index is int64 and 1-based; src is a tensor at least as large, or a number.
---@param x perilune.Tensor|number
---@param dim integer
---@param index perilune.Tensor|number
---@param src perilune.Tensor|number
---@return perilune.Tensor
function perilune.scatter(x, dim, index, src) end

---scatter_add(x, dim, index, src) -> tensor
---A copy of x to which elements of src are added along dim: for dim = 1 of a matrix y[index[i][j]][j] += src[i][j].
---index is int64 and 1-based; src is a tensor at least as large, or a number.
---@param dim integer
---@param index perilune.Tensor|number
---@param src perilune.Tensor|number
---@return perilune.Tensor
function Tensor:scatter_add(dim, index, src) end

---scatter_add(x, dim, index, src) -> tensor
---A copy of x to which elements of src are added along dim: for dim = 1 of a matrix y[index[i][j]][j] += src[i][j].
---index is int64 and 1-based; src is a tensor at least as large, or a number.
---@param x perilune.Tensor|number
---@param dim integer
---@param index perilune.Tensor|number
---@param src perilune.Tensor|number
---@return perilune.Tensor
function perilune.scatter_add(x, dim, index, src) end

---select(x, dim, index) -> tensor
---The view at position `index` of dim, without that dim.
---@param dim integer
---@param index integer
---@return perilune.Tensor
function Tensor:select(dim, index) end

---select(x, dim, index) -> tensor
---The view at position `index` of dim, without that dim.
---@param x perilune.Tensor|number
---@param dim integer
---@param index integer
---@return perilune.Tensor
function perilune.select(x, dim, index) end

---sigmoid(x) -> tensor
---1 / (1 + exp(-x)), elementwise.
---@return perilune.Tensor
function Tensor:sigmoid() end

---sigmoid(x) -> tensor
---1 / (1 + exp(-x)), elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.sigmoid(x) end

---sign(x) -> tensor
----1, 0 or 1, elementwise; 0 for NaN.
---@return perilune.Tensor
function Tensor:sign() end

---sign(x) -> tensor
----1, 0 or 1, elementwise; 0 for NaN.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.sign(x) end

---silu(x) -> tensor
---x * sigmoid(x), elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function functional.silu(x) end

---sin(x) -> tensor
---The sine of x in radians, elementwise.
---@return perilune.Tensor
function Tensor:sin() end

---sin(x) -> tensor
---The sine of x in radians, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.sin(x) end

---slice(x, dim, first = 1, last = -1, step = 1) -> tensor
---The view of positions first..last of dim; both ends are in it.
---@param dim integer
---@param first? integer
---@param last? integer
---@param step? integer
---@return perilune.Tensor
function Tensor:slice(dim, first, last, step) end

---slice(x, dim, first = 1, last = -1, step = 1) -> tensor
---The view of positions first..last of dim; both ends are in it.
---@param x perilune.Tensor|number
---@param dim integer
---@param first? integer
---@param last? integer
---@param step? integer
---@return perilune.Tensor
function perilune.slice(x, dim, first, last, step) end

---slogdet(x) -> sign, logabsdet
---The signs (-1, 0 or 1) and the logarithms of the absolute values of the determinants of x (..., N, N).
---@return perilune.Tensor, perilune.Tensor
function Tensor:slogdet() end

---slogdet(x) -> sign, logabsdet
---The signs (-1, 0 or 1) and the logarithms of the absolute values of the determinants of x (..., N, N).
---@param x perilune.Tensor|number
---@return perilune.Tensor, perilune.Tensor
function perilune.slogdet(x) end

---smooth_l1_loss(input, target [, { beta = 1, reduction = "mean" }]) -> tensor
---(input - target)^2 / (2 beta) where the two are closer than beta, |input - target| - beta / 2 elsewhere; averaged ("mean"), added up ("sum") or by element ("none").  Differentiable in both.
---@param input perilune.Tensor|number
---@param target perilune.Tensor|number
---@param options? { beta?: number, reduction?: "none"|"mean"|"sum" }
---@return perilune.Tensor
function functional.smooth_l1_loss(input, target, options) end

---softmax(x, dim) -> tensor
---exp(x) / sum(exp(x)) along dim, without overflow.
---@param dim integer
---@return perilune.Tensor
function Tensor:softmax(dim) end

---softmax(x, dim) -> tensor
---exp(x) / sum(exp(x)) along dim, without overflow.
---@param x perilune.Tensor|number
---@param dim integer
---@return perilune.Tensor
function perilune.softmax(x, dim) end

---softplus(x, { beta = 1, threshold = 20 }) -> tensor
---log(1 + exp(beta * x)) / beta, elementwise; x itself where beta * x > threshold.
---@param x perilune.Tensor|number
---@param options? { beta?: number, threshold?: number }
---@return perilune.Tensor
function functional.softplus(x, options) end

---solve(a, b) -> tensor
---y with a y = b, for square a (..., N, N) and b (..., N, K) or vectors b (..., N).  A singular a is an error.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:solve(b) end

---solve(a, b) -> tensor
---y with a y = b, for square a (..., N, N) and b (..., N, K) or vectors b (..., N).  A singular a is an error.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.solve(a, b) end

---sort(x, dim = -1, descending = false) -> values, indices
---The elements in order along dim, and their 1-based places in x.  Equal elements stay in their order; NaN counts
---as the largest.
---@param dim? integer
---@param descending? boolean
---@return perilune.Tensor, perilune.Tensor
function Tensor:sort(dim, descending) end

---sort(x, dim = -1, descending = false) -> values, indices
---The elements in order along dim, and their 1-based places in x.  Equal elements stay in their order; NaN counts
---as the largest.
---@param x perilune.Tensor|number
---@param dim? integer
---@param descending? boolean
---@return perilune.Tensor, perilune.Tensor
function perilune.sort(x, dim, descending) end

---sqrt(x) -> tensor
---The square root, elementwise; NaN below 0.
---@return perilune.Tensor
function Tensor:sqrt() end

---sqrt(x) -> tensor
---The square root, elementwise; NaN below 0.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.sqrt(x) end

---square(x) -> tensor
---x * x, elementwise.
---@return perilune.Tensor
function Tensor:square() end

---square(x) -> tensor
---x * x, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.square(x) end

---squeeze(x, dims) -> tensor
---Drops the given dims where their size is 1; without dims, all of size 1.
---@param dims? integer|integer[]
---@return perilune.Tensor
function Tensor:squeeze(dims) end

---squeeze(x, dims) -> tensor
---Drops the given dims where their size is 1; without dims, all of size 1.
---@param x perilune.Tensor|number
---@param dims? integer|integer[]
---@return perilune.Tensor
function perilune.squeeze(x, dims) end

---stack(tensors, dim = 1) -> tensor
---The tensors of a list, all of one shape, side by side along a new dim.
---@param tensors perilune.Tensor[]
---@param dim? integer
---@return perilune.Tensor
function perilune.stack(tensors, dim) end

---std(x, dim = all, { correction = 1, unbiased = true, keepdim = false }) -> tensor
---The standard deviation over all elements, or over one or several dims: the squared deviations are divided by
---n - correction, or by n where unbiased is false.  x must be float32 or float64.
---@param dim? integer|integer[]
---@param options? { correction?: number, unbiased?: boolean, keepdim?: boolean }
---@return perilune.Tensor
function Tensor:std(dim, options) end

---std(x, dim = all, { correction = 1, unbiased = true, keepdim = false }) -> tensor
---The standard deviation over all elements, or over one or several dims: the squared deviations are divided by
---n - correction, or by n where unbiased is false.  x must be float32 or float64.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { correction?: number, unbiased?: boolean, keepdim?: boolean }
---@return perilune.Tensor
function perilune.std(x, dim, options) end

---sub(a, b) -> tensor
---a - b, elementwise with broadcasting; also written with the minus sign.
---@param b perilune.Tensor|number
---@return perilune.Tensor
function Tensor:sub(b) end

---sub(a, b) -> tensor
---a - b, elementwise with broadcasting; also written with the minus sign.
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.sub(a, b) end

---sum(x, dim = all, { keepdim = false }) -> tensor
---The sum over all elements, or over one or several dims.  Integers and bool give int64.
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function Tensor:sum(dim, options) end

---sum(x, dim = all, { keepdim = false }) -> tensor
---The sum over all elements, or over one or several dims.  Integers and bool give int64.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { keepdim?: boolean }
---@return perilune.Tensor
function perilune.sum(x, dim, options) end

---svd(x, { full_matrices = false }) -> u, s, vh
---x = u diag(s) vh for x (..., M, N): u (..., M, K), s (..., K) descending, vh (..., K, N), K = min(M, N).  With
---full_matrices u is (..., M, M) and vh (..., N, N).  The item of largest magnitude in
---each column of u is positive.
---@param options? { full_matrices?: boolean }
---@return perilune.Tensor, perilune.Tensor, perilune.Tensor
function Tensor:svd(options) end

---svd(x, { full_matrices = false }) -> u, s, vh
---x = u diag(s) vh for x (..., M, N): u (..., M, K), s (..., K) descending, vh (..., K, N), K = min(M, N).  With
---full_matrices u is (..., M, M) and vh (..., N, N).  The item of largest magnitude in
---each column of u is positive.
---@param x perilune.Tensor|number
---@param options? { full_matrices?: boolean }
---@return perilune.Tensor, perilune.Tensor, perilune.Tensor
function perilune.svd(x, options) end

---svdvals(x) -> tensor
---The singular values (..., min(M, N)), descending, of x (..., M, N).
---@return perilune.Tensor
function Tensor:svdvals() end

---svdvals(x) -> tensor
---The singular values (..., min(M, N)), descending, of x (..., M, N).
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.svdvals(x) end

---tanh(x) -> tensor
---The hyperbolic tangent, elementwise.
---@return perilune.Tensor
function Tensor:tanh() end

---tanh(x) -> tensor
---The hyperbolic tangent, elementwise.
---@param x perilune.Tensor|number
---@return perilune.Tensor
function perilune.tanh(x) end

---to(x, dtype) -> tensor
---x as bool, uint8, int64, float32 or float64; the same elements if it is already.  A float becomes an integer by truncation, clamped to the type's range; NaN becomes 0.
---@param dtype perilune.dtype
---@return perilune.Tensor
function Tensor:to(dtype) end

---to(x, dtype) -> tensor
---x as bool, uint8, int64, float32 or float64; the same elements if it is already.  A float becomes an integer by truncation, clamped to the type's range; NaN becomes 0.
---@param x perilune.Tensor|number
---@param dtype perilune.dtype
---@return perilune.Tensor
function perilune.to(x, dtype) end

---topk(x, k, dim = -1, largest = true) -> values, indices
---The k largest (or smallest) elements along dim, in order, and their 1-based places in x.  NaN counts as the
---largest.
---@param k integer
---@param dim? integer
---@param largest? boolean
---@return perilune.Tensor, perilune.Tensor
function Tensor:topk(k, dim, largest) end

---topk(x, k, dim = -1, largest = true) -> values, indices
---The k largest (or smallest) elements along dim, in order, and their 1-based places in x.  NaN counts as the
---largest.
---@param x perilune.Tensor|number
---@param k integer
---@param dim? integer
---@param largest? boolean
---@return perilune.Tensor, perilune.Tensor
function perilune.topk(x, k, dim, largest) end

---transpose(x, a, b) -> tensor
---A view with dims a and b exchanged.
---@param a integer
---@param b integer
---@return perilune.Tensor
function Tensor:transpose(a, b) end

---transpose(x, a, b) -> tensor
---A view with dims a and b exchanged.
---@param x perilune.Tensor|number
---@param a integer
---@param b integer
---@return perilune.Tensor
function perilune.transpose(x, a, b) end

---tril(x, diagonal = 0) -> tensor
---The elements of the last two dims on and below the diagonal, 0 above it.  diagonal = 1 is the one right
---of the main diagonal.
---@param diagonal? integer
---@return perilune.Tensor
function Tensor:tril(diagonal) end

---tril(x, diagonal = 0) -> tensor
---The elements of the last two dims on and below the diagonal, 0 above it.  diagonal = 1 is the one right
---of the main diagonal.
---@param x perilune.Tensor|number
---@param diagonal? integer
---@return perilune.Tensor
function perilune.tril(x, diagonal) end

---triu(x, diagonal = 0) -> tensor
---The elements of the last two dims on and above the diagonal, 0 below it.  diagonal = 1 is the one right
---of the main diagonal.
---@param diagonal? integer
---@return perilune.Tensor
function Tensor:triu(diagonal) end

---triu(x, diagonal = 0) -> tensor
---The elements of the last two dims on and above the diagonal, 0 below it.  diagonal = 1 is the one right
---of the main diagonal.
---@param x perilune.Tensor|number
---@param diagonal? integer
---@return perilune.Tensor
function perilune.triu(x, diagonal) end

---unflatten(x, dim, sizes...) -> tensor
---Splits dim into sizes, whose product is its size; one of them may be -1.
---@param dim integer
---@param sizes integer|integer[]
---@return perilune.Tensor
function Tensor:unflatten(dim, sizes) end

---unflatten(x, dim, sizes...) -> tensor
---Splits dim into sizes, whose product is its size; one of them may be -1.
---@param x perilune.Tensor|number
---@param dim integer
---@param sizes integer|integer[]
---@return perilune.Tensor
function perilune.unflatten(x, dim, sizes) end

---unsqueeze(x, dim) -> tensor
---Puts in a dim of size 1, which is then dim `dim` of the result.
---@param dim integer
---@return perilune.Tensor
function Tensor:unsqueeze(dim) end

---unsqueeze(x, dim) -> tensor
---Puts in a dim of size 1, which is then dim `dim` of the result.
---@param x perilune.Tensor|number
---@param dim integer
---@return perilune.Tensor
function perilune.unsqueeze(x, dim) end

---upsample(x, { size or scale_factor [, mode = "nearest", align_corners = false] }) -> tensor
---Images x (N, C, H, W) at another size: that of the nearest pixel, or bilinear interpolation.  size is an integer or a pair; align_corners makes the corner pixels' centres fall together.
---@param x perilune.Tensor|number
---@param options? { size?: integer|integer[], scale_factor?: number, mode?: "nearest"|"bilinear", align_corners?: boolean }
---@return perilune.Tensor
function functional.upsample(x, options) end

---var(x, dim = all, { correction = 1, unbiased = true, keepdim = false }) -> tensor
---The variance over all elements, or over one or several dims: the squared deviations are divided by
---n - correction, or by n where unbiased is false.  x must be float32 or float64.
---@param dim? integer|integer[]
---@param options? { correction?: number, unbiased?: boolean, keepdim?: boolean }
---@return perilune.Tensor
function Tensor:var(dim, options) end

---var(x, dim = all, { correction = 1, unbiased = true, keepdim = false }) -> tensor
---The variance over all elements, or over one or several dims: the squared deviations are divided by
---n - correction, or by n where unbiased is false.  x must be float32 or float64.
---@param x perilune.Tensor|number
---@param dim? integer|integer[]
---@param options? { correction?: number, unbiased?: boolean, keepdim?: boolean }
---@return perilune.Tensor
function perilune.var(x, dim, options) end

---where(condition, a, b) -> tensor
---a where condition is true, else b, elementwise with broadcasting.  condition is a bool tensor.
---@param condition perilune.Tensor|number
---@param a perilune.Tensor|number
---@param b perilune.Tensor|number
---@return perilune.Tensor
function perilune.where(condition, a, b) end

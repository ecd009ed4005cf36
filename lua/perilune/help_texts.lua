-- help_texts.lua -- what perilune.help says of the functions that are made in C and are no operations.  The first line
-- is the call; operations bring their texts along, Lua functions and classes have theirs in the comment above them.
local CREATE = "  Sizes are numbers or one table of them; options: dtype (default float32), requires_grad (false)."

return {
  tensor = "tensor(value, { dtype, requires_grad }) -> tensor\n\n" ..
    "Of a number, a boolean, or nested tables of them.  " ..
    "Without dtype, booleans give bool, integers int64, anything with a float in it float32.",
  zeros = "zeros(sizes..., { dtype, requires_grad }) -> tensor\n\nAll elements 0." .. CREATE,
  ones = "ones(sizes..., { dtype, requires_grad }) -> tensor\n\nAll elements 1." .. CREATE,
  empty = "empty(sizes..., { dtype, requires_grad }) -> tensor\n\nThe elements are whatever lay there." .. CREATE,
  full = "full(shape, value, { dtype, requires_grad }) -> tensor\n\n" ..
    "All elements are value; shape is a table of sizes.",
  zeros_like = "zeros_like(t, { dtype, requires_grad }) -> tensor\n\nZeros with t's shape, and its dtype by default.",
  ones_like = "ones_like(t, { dtype, requires_grad }) -> tensor\n\nOnes with t's shape, and its dtype by default.",
  empty_like = "empty_like(t, { dtype, requires_grad }) -> tensor\n\n" ..
    "Not filled, with t's shape, and its dtype by default.",
  full_like = "full_like(t, value, { dtype, requires_grad }) -> tensor\n\n" ..
    "Filled with value, with t's shape and its " ..
    "dtype by default.",
  arange = "arange(last), arange(first, last), arange(first, last, step) -> tensor\n\n" ..
    "Numbers from first (1) to last, " ..
    "both included, as Lua's `for`: int64 for integers, float32 otherwise.",
  linspace = "linspace(first, last, n) -> tensor\n\nn numbers at equal distances; both ends are included.",
  eye = "eye(n), eye(n, m) -> tensor\n\nOnes on the diagonal of an n x n (or n x m) matrix, zeros elsewhere.",

  manual_seed = "manual_seed(n)\n\nThe random numbers of this Lua state start anew from seed n.",
  get_rng_state = "get_rng_state() -> table\n\nWhere the random generator is: { seed, offset }, for set_rng_state.",
  set_rng_state = "set_rng_state(state)\n\nGoes on from what get_rng_state returned.",
  rand = "rand(sizes..., { dtype, requires_grad }) -> tensor\n\nUniform in [0, 1)." .. CREATE,
  randn = "randn(sizes..., { dtype, requires_grad }) -> tensor\n\nNormal with mean 0 and variance 1." .. CREATE,
  rand_like = "rand_like(t, { dtype, requires_grad }) -> tensor\n\nUniform in [0, 1), with t's shape.",
  randn_like = "randn_like(t, { dtype, requires_grad }) -> tensor\n\n" ..
    "Normal with mean 0 and variance 1, with t's shape.",
  randint = "randint(low, high, sizes...) -> tensor\n\nInteger numbers of low .. high, both included.",
  randint_like = "randint_like(t, low, high) -> tensor\n\n" ..
    "Integer numbers of low .. high, both included, with t's shape.",
  randperm = "randperm(n) -> tensor\n\n1 .. n in random order, int64.",
  bernoulli = "bernoulli(p) -> tensor\n\n1 with probability p[i], else 0; same shape and dtype as p.",
  multinomial = "multinomial(weights, n, { replacement = false }) -> tensor\n\n" ..
    "n positions (from 1) for each row of " ..
    "weights (K) or (M, K), each drawn with a probability proportional to its weight.",

  scope = "scope() -> scope\n\n" ..
    "local s <close> = perilune.scope() frees every tensor made in the block when it ends, " ..
    "also on an error; s:keep(t, ...) lets tensors out.  Gradients and an optimizer's state stay.",
  memory = "memory() -> table\n\nWhat the tensors of this Lua state take: live_bytes, peak_bytes, cached_bytes, " ..
    "live_blocks, tensors.",
  reset_peak_memory = "reset_peak_memory()\n\npeak_bytes of memory() starts anew from what is live now.",
  trim_memory = "trim_memory()\n\nGives the freed blocks that are kept for reuse back to the system.",
  set_memory_cap = "set_memory_cap(bytes)\n\n" ..
    "Tensors that would need more than this raise an error; nil or 0: no cap.",
  set_num_threads = "set_num_threads(n)\n\nHow many threads the operations use.  Results do not depend on it.",
  get_num_threads = "get_num_threads() -> integer\n\nHow many threads the operations use.",

  grad = "grad(outputs, inputs, { grad_outputs, retain_graph, allow_unused }) -> gradients...\n\n" ..
    "The gradient of each input; one that the outputs do not depend on is an error, or nil with " ..
    "allow_unused = true.  The .grad of the leaves stays as it is.",
  no_grad = "no_grad(fn, ...) -> what fn returns\n\nRuns fn(...) without recording on the tape.",
  enable_grad = "enable_grad(fn, ...) -> what fn returns\n\n" ..
    "Runs fn(...) with recording switched on again, inside a no_grad.",
  detect_anomaly = "detect_anomaly(fn, ...) -> what fn returns\n\n" ..
    "Runs fn(...) in anomaly mode: the first operation that " ..
    "makes a NaN raises an error that names it.  Slow.",
  is_grad_enabled = "is_grad_enabled() -> boolean\n\n" ..
    "Whether operations are recorded on the tape; no_grad switches it off.",
  set_detect_anomaly = "set_detect_anomaly(flag)\n\n" ..
    "With true, the first operation that makes a NaN raises an error " ..
    "that names it.  Slow.",
  is_tensor = "is_tensor(value) -> boolean\n\nWhether value is a tensor.",
}

--- The part of the tensor API that is plain Lua: operators, splitting, iteration, printing.

--- Adds everything to the `perilune` table and to the tensors' methods and metatable.
return function(perilune, core)
  local options = require "perilune.options"
  local ops, methods, meta = core.ops, core.methods, core.metatable

  for name, operation in pairs(core.plain_ops) do perilune[name] = operation end

  -- Operators.  Comparisons that return tensors are methods: Lua turns the result of `<` into a boolean.
  meta.__add, meta.__sub, meta.__mul, meta.__div = ops.add, ops.sub, ops.mul, ops.div
  meta.__pow, meta.__mod, meta.__idiv = ops.pow, ops.remainder, ops.floor_divide
  for name, method in pairs { __lt = "a:lt(b) or a:gt(b)", __le = "a:le(b) or a:ge(b)" } do
    meta[name] = function()
      core.raise(("comparing tensors would give one boolean; elementwise, use %s"):format(method))
    end
  end
  function meta.__unm(t) return ops.neg(t) end
  function meta.__tostring(t) return require("perilune.print").format(t) end
  function meta.__pairs(t) return t:iter() end

  -- Methods are functions of perilune, too, where what comes first may be anything.
  local function check_tensor(what, name, value)
    if core.is_tensor(value) then return value end
    return core.raise(("%s: %s must be a tensor, not %s"):format(what, name, type(value)))
  end

  local function check_std(std)
    local is_number = type(std) == "number"
    if not is_number and not core.is_tensor(std) then
      core.raise(("normal: std must be a number or a tensor, not %s"):format(type(std)))
    end
    local fits
    if is_number then fits = std >= 0 else fits = ops.all(ops.ge(std, 0)):item() end
    if fits then return end
    local what = is_number and (std == std and std or "nan") or "below 0 or NaN somewhere"
    core.raise(("normal: std is %s; it must be 0 or more"):format(what))
  end

  --- Draws from N(mean, std^2): normal(mean, std, sizes...) for numbers; tensors among mean and std give the shape.
  function perilune.normal(mean, std, ...)
    check_std(std)
    if mean ~= mean then core.raise("normal: mean is nan") end
    if not core.is_tensor(mean) and not core.is_tensor(std) then
      return core.random.randn(...):mul_(std):add_(mean)
    end
    local shaped = core.is_tensor(mean) and core.is_tensor(std) and mean + std or core.is_tensor(mean) and mean or std
    return core.random.randn_like(shaped) * std + mean
  end

  --- Matrix transpose of a tensor with at most two dims.
  function methods.t(x)
    local n = check_tensor("t", "x", x):dim()
    if n > 2 then core.raise(("t: the tensor has %d dims; use transpose(a, b)"):format(n)) end
    return n < 2 and ops.contiguous(x) or ops.transpose(x, 1, 2)
  end

  --- Like reshape, but an error where the result would have to be copied.
  function methods.view(x, ...)
    local y = ops.reshape(x, ...)
    if not core.shares_storage(x, y) then
      core.raise("view: these sizes need a copy of a tensor with these strides; use reshape")
    end
    return y
  end

  --- x where condition holds, other elsewhere.
  function methods.where(x, condition, other) return ops.where(condition, x, other) end

  --- x with y's shape, by expanding.
  function methods.expand_as(x, y) return ops.expand(x, check_tensor("expand_as", "other", y).shape) end

  --- x with y's shape, without copying.
  function methods.view_as(x, y) return methods.view(x, check_tensor("view_as", "other", y).shape) end

  --- x with y's dtype.
  function methods.type_as(x, y) return ops.to(x, check_tensor("type_as", "other", y).dtype) end

  -- count copies of x along dim, one after the other.
  local function tiled(x, dim, count)
    if count == 0 then return ops.narrow(x, dim, 1, 0) end
    local shape, before = table.move(x.shape, 1, x:dim(), 1, {}), 1
    for d = 1, dim - 1 do before = before * shape[d] end
    shape[dim] = shape[dim] * count
    if x:numel() == 0 then return ops.reshape(x, shape) end
    local rest = x:numel() // before
    return ops.reshape(ops.expand(ops.reshape(x, { before, 1, rest }), { before, count, rest }), shape)
  end

  --- x repeated counts[d] times along each dim d, as NumPy's and PyTorch's tile; counts may be more than x has dims.
  function methods.tile(x, ...)
    check_tensor("tile", "x", x)
    local counts = type(...) == "table" and ... or { ... }
    for _ = x:dim() + 1, #counts do x = ops.unsqueeze(x, 1) end
    local missing = x:dim() - #counts
    for i, count in ipairs(counts) do
      if math.type(count) ~= "integer" or count < 0 then core.raise("tile: a count must be an integer of 0 or more") end
      if count ~= 1 then x = tiled(x, missing + i, count) end
    end
    return x
  end

  --- The covariance of the rows of x (variables, samples), as NumPy's and PyTorch's cov, with n - 1: (variables,
  --- variables).  Where each row is a sample, x:t():cov().
  function methods.cov(x)
    check_tensor("cov", "x", x)
    if x:dim() ~= 2 or x.shape[2] < 2 then
      core.raise(("cov: x must be (variables, samples) with 2 samples or more, got %s"):format(x.shape))
    end
    local centred = x - x:mean(2, { keepdim = true })
    return centred:matmul(centred:t()) / (x.shape[2] - 1)
  end

  -- The in-place forms of what gives a bool tensor: x keeps its dtype.
  for _, name in ipairs { "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor",
    "logical_not" } do
    methods[name .. "_"] = function(x, ...) return check_tensor(name .. "_", "x", x):copy_(ops[name](x, ...)) end
  end

  -- PyTorch's short forms of to(dtype).
  for name, dtype in pairs { float = "float32", double = "float64", long = "int64", byte = "uint8", bool = "bool" } do
    methods[name] = function(x) return ops.to(x, dtype) end
  end

  --- Whether a and b have the same shape and equal elements.
  function perilune.equal(a, b)
    check_tensor("equal", "a", a)
    check_tensor("equal", "b", b)
    return table.concat(a.shape, ",") == table.concat(b.shape, ",") and (a:numel() == 0 or ops.all(ops.eq(a, b)):item())
  end

  local read_closeness = {}
  for _, name in ipairs { "isclose", "allclose" } do
    read_closeness[name] = options.reader(name, { { "rtol", 1e-5 }, { "atol", 1e-8 }, { "equal_nan", false } })
  end

  local function close(what, a, b, given)
    check_tensor(what, "a", a)
    check_tensor(what, "b", b)
    local chosen = read_closeness[what](given)
    a, b = a:detach(), b:detach()
    local near = ops.logical_and(ops.isfinite(b), ops.le((a - b):abs(), b:abs() * chosen.rtol + chosen.atol))
    near = ops.logical_or(ops.eq(a, b), near)
    return chosen.equal_nan and ops.logical_or(near, ops.logical_and(ops.isnan(a), ops.isnan(b))) or near
  end

  --- Where |a - b| <= atol + rtol |b|, as a bool tensor; a NaN is close to nothing, or with equal_nan to another NaN.
  ---@param given? { rtol: number, atol: number, equal_nan: boolean }  default 1e-5, 1e-8, false
  function perilune.isclose(a, b, given) return close("isclose", a, b, given) end

  --- Whether isclose holds everywhere.
  ---@param given? { rtol: number, atol: number, equal_nan: boolean }  default 1e-5, 1e-8, false
  function perilune.allclose(a, b, given) return ops.all(close("allclose", a, b, given)):item() end

  local function resolve_dim(x, dim, name)
    local n = check_tensor(name, "x", x):dim()
    dim = dim or 1
    if math.type(dim) ~= "integer" then
      core.raise(("%s: dim must be an integer, not %s"):format(name, options.described(dim)))
    end
    local resolved = dim < 0 and dim + n + 1 or dim
    if resolved < 1 or resolved > n then
      core.raise(("%s: dim %d does not exist in a tensor of %d dims"):format(name, dim, n))
    end
    return resolved
  end

  local function split_by_sizes(x, sizes, dim)
    local pieces, start, total = {}, 1, x:size(dim)
    for i, length in ipairs(sizes) do
      pieces[i] = ops.narrow(x, dim, start, length)
      start = start + length
    end
    if start ~= total + 1 then
      core.raise(("split: the sizes add up to %d, but dim %d has %d"):format(start - 1, dim, total))
    end
    return pieces
  end

  --- Views of `size` positions of dim each (the last may be shorter), or of the sizes in a list; as a table.
  function methods.split(x, size, dim)
    dim = resolve_dim(x, dim, "split")
    if type(size) == "table" then return split_by_sizes(x, size, dim) end
    if math.type(size) ~= "integer" or size < 1 then core.raise("split: the size must be an integer of 1 or more") end
    local total, pieces = x:size(dim), {}
    for start = 1, math.max(total, 1), size do
      pieces[#pieces + 1] = ops.narrow(x, dim, start, math.min(size, total - start + 1))
    end
    return pieces
  end

  --- At most `n` views of equal size along dim, of nothing n views of nothing; as a table.
  function methods.chunk(x, n, dim)
    dim = resolve_dim(x, dim, "chunk")
    if math.type(n) ~= "integer" or n < 1 then core.raise("chunk: the number must be an integer of 1 or more") end
    local total = x:size(dim)
    if total > 0 then return methods.split(x, (total - 1) // n + 1, dim) end
    local pieces = {}
    for i = 1, n do pieces[i] = ops.narrow(x, dim, 1, 0) end
    return pieces
  end

  --- The views at each position of dim, without that dim; as a table.
  function methods.unbind(x, dim)
    dim = resolve_dim(x, dim, "unbind")
    local pieces = {}
    for i = 1, x:size(dim) do pieces[i] = ops.select(x, dim, i) end
    return pieces
  end

  --- for i, row in t:iter() do ... end (also: for i, row in pairs(t))
  function methods.iter(x)
    local n = #x
    return function(_, i)
      if i < n then return i + 1, ops.select(x, 1, i + 1) end
    end, nil, 0
  end

  for _, name in ipairs { "t", "tile", "view", "split", "chunk", "unbind", "cov" } do perilune[name] = methods[name] end

  local indexing = require "perilune.indexing"
  methods._read_at, methods._assign_at = indexing.read, indexing.assign
end

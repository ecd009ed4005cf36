--- Makes the operands of a sample, in any memory order, and calls the operation with them.
local core = require "perilune.core"
local perilune = require "perilune"
local samples = require "support.sample"

local M = {}

-- What lies beside a tensor's elements must never be read: NaN, or an index that is out of range.
local fillers = { bool = false, uint8 = 255, int64 = -99 }

--- A contiguous tensor of the sizes from a flat list in row order.
function M.tensor(values, sizes, dtype)
  if #values == 0 then return perilune.zeros(sizes, { dtype = dtype }) end
  return perilune.tensor(values, { dtype = dtype }):reshape(sizes)
end

--- A view with the given elements.  Dimension j of the memory holds dimension order[j] of the tensor, with
-- before[j] and after[j] foreign elements around it.
local function laid_out(values, sizes, dtype, order, before, after)
  local physical, n, stride = {}, 1, {}
  for j, d in ipairs(order) do physical[j] = before[j] + sizes[d] + after[j] end
  for j = #order, 1, -1 do
    stride[order[j]] = n
    n = n * physical[j]
  end
  local filler = fillers[dtype]
  if filler == nil then filler = 0 / 0 end
  local memory, first = {}, 0
  for i = 1, n do memory[i] = filler end
  for j, d in ipairs(order) do first = first + before[j] * stride[d] end
  for i, value in ipairs(values) do
    local rest, place = i - 1, first
    for d = #sizes, 1, -1 do
      place = place + rest % sizes[d] * stride[d]
      rest = rest // sizes[d]
    end
    memory[place + 1] = value
  end
  local t, back = M.tensor(memory, physical, dtype), {}
  for j, d in ipairs(order) do
    t = t:narrow(j, before[j] + 1, sizes[d])
    back[d] = j
  end
  return t:permute(back)
end

local function filled(n, value)
  local list = {}
  for i = 1, n do list[i] = value end
  return list
end

local function identity(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

local function in_larger(values, sizes, dtype)
  if #sizes == 0 then return M.tensor({ values[1], values[1], values[1] }, { 3 }, dtype):select(1, 2) end
  local n = #sizes
  return laid_out(values, sizes, dtype, identity(n), filled(n, 1), filled(n, 2))
end

local makers = {
  contiguous = M.tensor,

  --- The last two dims swapped in memory; every second element for a vector.
  t = function(values, sizes, dtype)
    local n = #sizes
    if n == 0 then return in_larger(values, sizes, dtype) end
    if n == 1 then
      local pairs_of = {}
      for i, value in ipairs(values) do pairs_of[2 * i - 1], pairs_of[2 * i] = value, value end
      return M.tensor(pairs_of, { sizes[1], 2 }, dtype):select(2, 1)
    end
    local order = identity(n)
    order[n - 1], order[n] = n, n - 1
    return laid_out(values, sizes, dtype, order, filled(n, 0), filled(n, 0))
  end,

  --- A window of a larger tensor, which begins at an offset.
  slice = in_larger,

  --- Samples innermost, padded (csrc/tensor/tensor.h).
  lanes = function(values, sizes, dtype)
    local n = #sizes
    if n < 2 then return in_larger(values, sizes, dtype) end
    local order, after = {}, filled(n, 0)
    for d = 2, n do order[d - 1] = d end
    order[n] = 1
    local padded = sizes[1] <= 8 and 8 or (sizes[1] + 15) // 16 * 16
    after[n] = padded - sizes[1]
    return laid_out(values, sizes, dtype, order, filled(n, 0), after)
  end,

  --- Contiguous, though the strides of its dims of one item are not what they would be in a new tensor.
  ones = function(values, sizes, dtype)
    local n, order, around = #sizes, {}, filled(#sizes, 0)
    for d = 1, n do if sizes[d] == 1 then order[#order + 1] = d end end
    for j = 1, #order do around[j] = 1 end
    for d = 1, n do if sizes[d] ~= 1 then order[#order + 1] = d end end
    return laid_out(values, sizes, dtype, order, around, around)
  end,
}

--- order: "contiguous", "t", "slice", "lanes" or "ones".
function M.ordered(values, sizes, dtype, order)
  if #values == 0 then return M.tensor(values, sizes, dtype) end
  return makers[order](values, sizes, dtype)
end

--- The elements in row order; booleans for bool.
function M.flat(t)
  if t:dim() == 0 then return { t:item() } end
  if t:numel() == 0 then return {} end
  return t:reshape(-1):totable()
end

--- Whether the operation has a gradient for the operand (an entry of sample.tensors).
function M.wants_gradient(operation, operand)
  return operation.differentiable and operand.spec.dtype == nil and not operand.constant
end

--- Numbers for each tensor operand of the sample, in its order: { label, spec, values, sizes, dtype }.
function M.draw(operation, sample, float_dtype)
  local operands = {}
  for i, operand in ipairs(sample.tensors) do
    local spec, label = operand.spec, samples.label(operand)
    operands[i] = {
      label = label, name = operand.name, item = operand.item, spec = spec, sizes = spec.sizes,
      dtype = spec.dtype or float_dtype, is_float = spec.dtype == nil,
      wants_gradient = M.wants_gradient(operation, operand),
      values = samples.values(spec, samples.key(operation, sample, label)),
    }
  end
  return operands
end

--- Tensors for drawn operands.  order: one for all, or nil for what the sample says.
function M.make(operands, order)
  local tensors = {}
  for i, operand in ipairs(operands) do
    tensors[i] = M.ordered(operand.values, operand.sizes, operand.dtype, order or operand.spec.order or "contiguous")
  end
  return tensors
end

local BLOCK = 8191

--- As many elements as wanted: a block of drawn numbers, repeated.
local function repeated(spec, float_dtype)
  local n, dtype = samples.numel(spec.sizes), spec.dtype or float_dtype
  local draw = { domain = spec.domain, bound = spec.bound, sizes = { math.min(n, BLOCK) } }
  if n <= BLOCK or spec.domain == "spd" then return M.tensor(samples.values(spec, "large"), spec.sizes, dtype) end
  local block = M.tensor(samples.values(draw, "large"), { 1, BLOCK }, dtype)
  return block:expand((n + BLOCK - 1) // BLOCK, BLOCK):reshape(-1):narrow(1, 1, n):contiguous():reshape(spec.sizes)
end

--- A tensor of the sample's domain for sizes that are too large for Lua lists, in the sample's memory order (lanes
-- without padding).
function M.random(spec, float_dtype)
  local x, n = repeated(spec, float_dtype), #spec.sizes
  if not spec.order or n < 2 then return x end
  local order, back = identity(n), {}
  if spec.order == "lanes" then order = table.move(order, 2, n, 1, {}); order[n] = 1
  else order[n - 1], order[n] = n, n - 1 end
  for j, d in ipairs(order) do back[d] = j end
  return x:permute(order):contiguous():permute(back)
end

--- The argument list of a call (1 .. n, with holes): positional parameters, then the options if there are any.
function M.arguments(operation, sample, tensors)
  local by_name = {}
  for name, value in pairs(sample.given) do by_name[name] = value end
  for name, value in pairs(sample.given) do
    if type(value) == "table" and value.number then by_name[name] = value.number end
  end
  for i, operand in ipairs(sample.tensors) do
    if operand.item then
      if operand.item == 1 then by_name[operand.name] = {} end
      by_name[operand.name][operand.item] = tensors[i]
    else
      by_name[operand.name] = tensors[i]
    end
  end
  local arguments, n, options = {}, 0, nil
  for _, parameter in ipairs(operation.parameters) do
    if parameter.option then
      if by_name[parameter.name] ~= nil then
        options = options or {}
        options[parameter.name] = by_name[parameter.name]
      end
    else
      n = n + 1
      arguments[n] = by_name[parameter.name]
    end
  end
  if options then
    n = n + 1
    arguments[n] = options
  end
  return arguments, n
end

--- Calls the operation; the random generator starts from the same seed each time.
function M.call(operation, sample, tensors)
  local arguments, n = M.arguments(operation, sample, tensors)
  perilune.manual_seed(1)
  return core.ops[operation.name](table.unpack(arguments, 1, n))
end

return M

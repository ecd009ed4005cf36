-- indexing.lua -- t[key] and t[key] = value where key is a tensor, or a list with tensors in it.
--
-- The rules are NumPy's, as PyTorch has them.  Integers and ranges of a list are applied first.  A mask stands for as
-- many dims as it has, and for the index tensors of the places where it is true.  Index tensors are broadcast together;
-- their common shape takes the place of the dims that they index, or stands in front where those are not neighbours.
-- Reading goes through operations, so that the tape sees it; an assignment is checked whole before it writes.
local core = require "perilune.core"

local ops = core.ops

local indexing = {}

local function product(sizes, first, last)
  local n = 1
  for d = first, last do n = n * sizes[d] end
  return n
end

-- The sizes before dim `first`, those of `middle`, and the sizes behind dim `last`.
local function spliced(sizes, first, last, middle)
  local all = table.move(sizes, 1, first - 1, 1, {})
  table.move(middle, 1, #middle, #all + 1, all)
  return table.move(sizes, last + 1, #sizes, #all + 1, all)
end

-- NumPy's rule for two shapes, or nil.
local function broadcast(a, b)
  if #a < #b then a, b = b, a end
  local shape = table.move(a, 1, #a, 1, {})
  for d = 1, #b do
    local at = #a - #b + d
    if a[at] == 1 then shape[at] = b[d] elseif b[d] ~= 1 and b[d] ~= a[at] then return nil end
  end
  return shape
end

-- key -----------------------------------------------------------------------------------------------------------------

-- Index tensors with 1 .. n for one that may count from the end.
local function from_start(index, n)
  if index:numel() == 0 or index:min():item() >= 1 and index:max():item() <= n then return index end
  local outside = ops.logical_or(ops.eq(index, 0), ops.gt(ops.abs(index), n))
  if outside:any():item() then
    local wrong = ops.masked_select(index, outside)[1]:item()
    core.raise(("index: the index tensor has %d, which is not in 1..%d"):format(wrong, n))
  end
  return ops.where(ops.lt(index, 0), index + (n + 1), index)
end

-- The index tensors that a tensor in a key stands for, for the dims from `dim` on.
local function index_tensors(part, sizes, dim)
  if part.dtype == "int64" then
    if dim > #sizes then core.raise "index: too many indices" end
    return { from_start(part, sizes[dim]) }
  end
  if part.dtype ~= "bool" then
    core.raise(("index: an index tensor must be bool or int64, not %s"):format(part.dtype))
  end
  local n = part:dim()
  for d = 1, n do
    if part.shape[d] ~= sizes[dim + d - 1] then
      core.raise(("index: the mask is %s, which does not fit dim %d of %s"):format(part.shape, dim + d - 1, sizes))
    end
  end
  if n == 0 then core.raise "index: a mask of a part must have at least one dim" end
  local places, columns = part:nonzero(), {}
  for d = 1, n do columns[d] = ops.select(places, 2, d) end
  return columns
end

-- basic: the key with {} in the place of tensors, nil if that keeps all; then the index tensors, and for each the dim
-- of t[basic] that it indexes.
local function parse(t, key)
  local sizes, parts = t.shape, core.is_tensor(key) and { key } or key
  local basic, tensors, dims, kept, is_whole = {}, {}, {}, 0, true
  for k = 1, #parts do
    local part = parts[k]
    if core.is_tensor(part) then
      for _, index in ipairs(index_tensors(part, sizes, #basic + 1)) do
        kept = kept + 1
        basic[#basic + 1], tensors[#tensors + 1], dims[#dims + 1] = {}, index, kept
      end
    else
      if #basic >= #sizes then core.raise "index: too many indices" end
      basic[#basic + 1], is_whole = part, false
      if type(part) == "table" then kept = kept + 1 end
    end
  end
  return not is_whole and basic or nil, tensors, dims
end

local function common_shape(tensors)
  local shape = {}
  for _, index in ipairs(tensors) do
    local wider = broadcast(shape, index.shape)
    if not wider then
      core.raise(("index: the index tensors are %s and %s, which do not broadcast"):format(tensors[1].shape,
        index.shape))
    end
    shape = wider
  end
  return shape
end

-- Moves the indexed dims to the front unless they are neighbours: the view, and its first indexed dim.
local function gathered_dims(view, dims)
  if dims[#dims] - dims[1] == #dims - 1 then return view, dims[1] end
  local order, is_indexed = table.move(dims, 1, #dims, 1, {}), {}
  for _, d in ipairs(dims) do is_indexed[d] = true end
  for d = 1, view:dim() do
    if not is_indexed[d] then order[#order + 1] = d end
  end
  return ops.permute(view, order), 1
end

-- Reshaped where that is needed.
local function shaped(t, sizes)
  return t:dim() == #sizes and t or ops.reshape(t, sizes)
end

-- What a key picks: of the view, whose dims first .. last are taken for one, the positions `index`, one after the
-- other; the result has the given shape.
local function selection(t, key)
  local basic, tensors, dims = parse(t, key)
  local view, first = gathered_dims(basic and t[basic] or t, dims)
  local sizes, last = view.shape, first + #dims - 1
  local common, index = common_shape(tensors), nil
  for k, tensor in ipairs(tensors) do
    index = index and (index - 1) * sizes[first + k - 1] + tensor or tensor
  end
  return { view = view, first = first, last = last, index = shaped(index, { product(common, 1, #common) }),
    shape = spliced(sizes, first, last, common),
    merged = spliced(sizes, first, last, { product(sizes, first, last) }) }
end

local function is_whole_mask(t, key)
  return core.is_tensor(key) and key.dtype == "bool" and tostring(key.shape) == tostring(t.shape)
end

--- t[key]; called by the core.
function indexing.read(t, key)
  if is_whole_mask(t, key) then return ops.masked_select(t, key) end
  local s = selection(t, key)
  local picked = ops.index_select(shaped(s.view, s.merged), s.first, s.index)
  return shaped(picked, s.shape)
end

-- assignment ----------------------------------------------------------------------------------------------------------

local function check_value(t, value)
  local is_tensor = core.is_tensor(value)
  if not is_tensor and type(value) ~= "number" and type(value) ~= "boolean" then
    core.raise(("index: the value must be a number, a boolean or a tensor, not %s"):format(type(value)))
  end
  if core.is_grad_enabled() and (t.requires_grad or is_tensor and value.requires_grad) then
    core.raise("an element assignment cannot be recorded on the tape; use where, cat or stack, or no_grad")
  end
end

-- value as a tensor of t's dtype that shares nothing with t.
local function source(t, value)
  if not core.is_tensor(value) then
    local number = core.create.empty({}, { dtype = t.dtype })
    number[{}] = value
    return number
  end
  value = value:detach():to(t.dtype)
  return core.shares_storage(value, t) and value:clone() or value
end

-- value expanded to the shape.  As in PyTorch, ones in front of its shape do not count.
local function spread(value, shape)
  local sizes, surplus = value.shape, value:dim() - #shape
  if surplus > 0 and product(sizes, 1, surplus) == 1 then
    value = ops.reshape(value, table.move(sizes, surplus + 1, #sizes, 1, {}))
  end
  local fits = broadcast(value.shape, shape)
  if not fits or table.concat(fits, ",") ~= table.concat(shape, ",") then
    core.raise(("index: a value %s cannot be written into %s"):format(sizes,
      "(" .. table.concat(shape, ", ") .. ")"))
  end
  return ops.expand(value, shape)
end

-- A few rows are copied one by one; many go by one scatter, which takes a copy of the whole.
local ELEMENTS_A_ROW <const> = 1000

local function write_rows(s, rows)
  for k, i in ipairs(s.index:totable()) do
    ops.select(s.view, s.first, i):copy_(ops.select(rows, s.first, k))
  end
end

local function write_all(s, rows)
  local ones = {}
  for d = 1, #s.merged do ones[d] = d == s.first and s.index:numel() or 1 end
  local index = ops.expand(ops.reshape(s.index, ones), rows.shape)
  local written = ops.scatter(ops.reshape(s.view, s.merged), s.first, index, rows)
  s.view:copy_(ops.reshape(written, s.view.shape))
end

--- t[key] = value; called by the core.
function indexing.assign(t, key, value)
  check_value(t, value)
  local from = source(t, value)
  if is_whole_mask(t, key) and from:numel() == 1 then
    t:copy_(ops.where(key, ops.reshape(from, {}), t))
    return
  end
  local s = selection(t, key)
  local rows = ops.reshape(spread(from, s.shape), spliced(s.merged, s.first, s.first, { s.index:numel() }))
  if rows:numel() == 0 then return end
  local is_few = s.first == s.last and s.index:numel() * ELEMENTS_A_ROW < s.view:numel()
  if is_few then write_rows(s, rows) else write_all(s, rows) end
end

return indexing

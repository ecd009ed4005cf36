-- Every registered operation, at every sample of its description: a new operation needs no line here.
--
-- What PyTorch says of it lies in spec/reference/ops/ (see the README there); what a check cannot ask of an
-- operation is listed, with the reason, in spec/reference/exemptions.lua.
local core = require "perilune.core"
local perilune = require "perilune"
local close = require "support.close"
local operands = require "support.operands"
local reference = require "support.reference"
local samples = require "support.sample"

local exemptions = dofile("spec/reference/exemptions.lua")

local TOLERANCE = { float32 = 1e-5, float64 = 1e-10 }
local FLOATS = { "float32", "float64" }
local REFERENCE_DTYPE = { F64 = "float64", F32 = "float32", I64 = "int64", U8 = "uint8", BOOL = "bool" }

-- -- running an operation --------------------------------------------------------------------------------------

local function is_float(t) return t.dtype == "float32" or t.dtype == "float64" end

local function output_gradient(operation, sample, k, y, order)
  local spec = { domain = "normal", sizes = y.shape }
  local values = samples.values(spec, samples.key(operation, sample, "gradient " .. k))
  return operands.ordered(values, y.shape, y.dtype, order or "contiguous")
end

--- Walks back from every output that requires a gradient, with the gradients that the references were made with.
local function walk_back(operation, sample, outputs, order)
  local last
  for k, y in ipairs(outputs) do
    if y.requires_grad then last = k end
  end
  for k, y in ipairs(outputs) do
    if y.requires_grad then
      y:backward(output_gradient(operation, sample, k, y, order), { retain_graph = k ~= last })
    end
  end
end

local function require_gradients(drawn, tensors)
  for i, operand in ipairs(drawn) do
    if operand.wants_gradient then tensors[i]:requires_grad_(true) end
  end
end

--- Forward and backward; returns { outputs = { flat lists }, gradients = { by operand: flat list or nil },
-- shapes = { of the outputs }, dtypes }.
local function run(operation, sample, drawn, order, gradient_order, call)
  local tensors = operands.make(drawn, order)
  require_gradients(drawn, tensors)
  local outputs = { (call or operands.call)(operation, sample, tensors) }
  walk_back(operation, sample, outputs, gradient_order)
  local result = { outputs = {}, shapes = {}, dtypes = {}, gradients = {}, gradient_shapes = {} }
  for k, y in ipairs(outputs) do
    result.outputs[k], result.shapes[k], result.dtypes[k] = operands.flat(y), y.shape, y.dtype
  end
  for i, t in ipairs(tensors) do
    local g = t.grad
    if g then result.gradients[i], result.gradient_shapes[i] = operands.flat(g), g.shape end
  end
  return result
end

-- -- collecting failures ---------------------------------------------------------------------------------------

--- A list of complaints that fails the test with the first few of them.
local function complaints()
  local list, self = {}, {}
  function self.add(message)
    if message then list[#list + 1] = message end
  end
  function self.finish()
    if #list == 0 then return end
    local shown = table.concat(list, "\n", 1, math.min(#list, 8))
    error(("%s%s"):format(shown, #list > 8 and ("\n... and %d more"):format(#list - 8) or ""), 0)
  end
  return self
end

local function title(operation, sample, detail)
  return ("%s, sample %q, %s"):format(operation.name, sample.text, detail)
end

--- Compares two results of run(), element by element.
local function compare(add, operation, sample, what, actual, expected, drawn, tolerance)
  for k, values in ipairs(expected.outputs) do
    add(close.differs(title(operation, sample, ("%s: output %d"):format(what, k)), actual.outputs[k], values,
                      expected.shapes[k], tolerance))
  end
  for i, operand in ipairs(drawn) do
    local a, e = actual.gradients[i], expected.gradients[i]
    if a and e then
      add(close.differs(title(operation, sample, ("%s: gradient of %s"):format(what, operand.label)), a, e,
                        operand.sizes, tolerance))
    elseif a or e then
      add(title(operation, sample, ("%s: gradient of %s: expected %s, got %s"):format(
        what, operand.label, e and "one" or "none", a and "one" or "none")))
    end
  end
end

-- -- 1, 2: the reference ---------------------------------------------------------------------------------------

local function all_zero(values)
  for _, v in ipairs(values) do
    if v ~= 0 then return false end
  end
  return true
end

local function check_shape(add, what, actual, expected)
  local a, e = "(" .. table.concat(actual, ", ") .. ")", "(" .. table.concat(expected, ", ") .. ")"
  if a ~= e then add(("%s: expected shape %s, got %s"):format(what, e, a)) end
end

-- The references were computed in float64: a result in another float dtype follows the operands.
local function expected_dtype(sample, drawn, stored, float_dtype)
  local dtype = REFERENCE_DTYPE[stored.dtype]
  if dtype ~= "float64" or sample.given.dtype then return dtype end
  for _, operand in ipairs(drawn) do
    if operand.is_float then return float_dtype end
  end
  return "float32"
end

local function check_output(add, sample, drawn, what, result, k, stored, float_dtype)
  local dtype = expected_dtype(sample, drawn, stored, float_dtype)
  if result.dtypes[k] ~= dtype then
    add(("%s: expected dtype %s, got %s"):format(what, dtype, tostring(result.dtypes[k])))
  end
  check_shape(add, what, result.shapes[k], stored.shape)
  add(close.differs(what, result.outputs[k], stored.values, stored.shape, TOLERANCE[dtype] or 0))
end

local function check_gradient(add, what, drawn, result, i, stored, float_dtype)
  if drawn[i].wants_gradient and result.gradients[i] then
    check_shape(add, what, result.gradient_shapes[i], stored.shape)
    add(close.differs(what, result.gradients[i], stored.values, stored.shape, TOLERANCE[float_dtype]))
  elseif not all_zero(stored.values) then
    add(what .. ": expected one, got none")
  end
end

local function check_reference(add, operation, sample, stored, float_dtype)
  local drawn = operands.draw(operation, sample, float_dtype)
  local result = run(operation, sample, drawn)
  local k = 1
  if not stored[sample.text .. "|y1"] then
    return add(title(operation, sample, "no reference: add its line to equivalents.py and run `make references`"))
  end
  while stored[sample.text .. "|y" .. k] or result.outputs[k] do
    local expected = stored[sample.text .. "|y" .. k]
    local what = title(operation, sample, ("%s, output %d"):format(float_dtype, k))
    if expected and result.outputs[k] then
      check_output(add, sample, drawn, what, result, k, expected, float_dtype)
    else
      add(("%s: expected %s, got %s"):format(what, expected and "one" or "none", expected and "none" or "one"))
    end
    k = k + 1
  end
  for i, operand in ipairs(drawn) do
    local expected = stored[sample.text .. "|d" .. operand.label]
    local what = title(operation, sample, ("%s, gradient of %s"):format(float_dtype, operand.label))
    if expected then check_gradient(add, what, drawn, result, i, expected, float_dtype) end
  end
end

-- -- 3: central differences ------------------------------------------------------------------------------------

local STEP, MOST_ELEMENTS = 1e-5, 80

--- sum over the outputs of <output, its gradient>, as a Lua number.  weights: filled with the gradients.
local function weighted_sum(operation, sample, drawn, weights)
  local _ <close> = perilune.scope()
  local total = 0.0
  perilune.no_grad(function()
    for k, y in ipairs { operands.call(operation, sample, operands.make(drawn, "contiguous")) } do
      if is_float(y) then
        local w = weights[k] or samples.values({ domain = "normal", sizes = y.shape },
                                               samples.key(operation, sample, "gradient " .. k))
        weights[k] = w
        for i, v in ipairs(operands.flat(y)) do total = total + v * w[i] end
      end
    end
  end)
  return total
end

--- The positions that move together with i: of an spd matrix both halves.
local function moved(operand, i)
  local k = operand.sizes[#operand.sizes]
  if operand.spec.domain ~= "spd" then return { i } end
  local within = (i - 1) % (k * k)
  local row, column = within // k, within % k
  local mirrored = i - within + column * k + row
  return mirrored == i and { i } or { i, mirrored }
end

local function slope(operation, sample, drawn, weights, operand, positions)
  local sums, kept = {}, {}
  for _, p in ipairs(positions) do kept[p] = operand.values[p] end
  for side = -1, 1, 2 do
    for _, p in ipairs(positions) do operand.values[p] = kept[p] + side * STEP end
    sums[side] = weighted_sum(operation, sample, drawn, weights)
  end
  for _, p in ipairs(positions) do operand.values[p] = kept[p] end
  return (sums[1] - sums[-1]) / (2 * STEP)
end

local function check_operand(add, operation, sample, drawn, weights, i, gradient)
  local operand, expected, actual = drawn[i], {}, {}
  local n = #operand.values
  local stride = math.max(1, n // MOST_ELEMENTS)
  for p = 1, n do expected[p], actual[p] = 0.0, 0.0 end
  for p = 1, n, stride do
    local positions = moved(operand, p)
    expected[p] = slope(operation, sample, drawn, weights, operand, positions)
    for _, q in ipairs(positions) do actual[p] = actual[p] + (gradient and gradient[q] or 0.0) end
  end
  add(close.differs(title(operation, sample, ("gradient of %s against central differences"):format(operand.label)),
                    actual, expected, operand.sizes, 1e-6))
end

local function check_differences(add, operation, sample)
  if sample.given.dtype then return end   -- differences drown in the rounding to another dtype
  local drawn = operands.draw(operation, sample, "float64")
  local result, weights = run(operation, sample, drawn), {}
  for i, operand in ipairs(drawn) do
    if operand.wants_gradient then check_operand(add, operation, sample, drawn, weights, i, result.gradients[i]) end
  end
end

-- -- 4: bad arguments ------------------------------------------------------------------------------------------

local function same_but(list, position, value)
  local copy = table.move(list, 1, #list, 1, {})
  copy[position] = value
  return copy
end

local function without(list, position)
  local copy = table.move(list, 1, #list, 1, {})
  table.remove(copy, position)
  return copy
end

--- Every operand spoiled in turn: { detail, operand, tensor }.
local function spoiled(operand)
  local cases, sizes = {}, operand.sizes
  local function case(detail, shape, dtype)
    cases[#cases + 1] = { detail = operand.label .. " " .. detail, shape = shape, dtype = dtype or operand.dtype }
  end
  for d = 1, #sizes do
    case(("with dim %d one larger"):format(d), same_but(sizes, d, sizes[d] + 1))
    case(("with dim %d one smaller"):format(d), same_but(sizes, d, math.max(sizes[d] - 1, 0)))
    case(("with dim %d empty"):format(d), same_but(sizes, d, 0))
    case(("without dim %d"):format(d), without(sizes, d))
  end
  case("with one dim more", same_but(sizes, #sizes + 1, 2))
  case("0-dim", {})
  for _, dtype in ipairs { "bool", "uint8", "int64", "float32", "float64" } do
    if dtype ~= operand.dtype then case("as " .. dtype, sizes, dtype) end
  end
  return cases
end

--- The message without its position; nil and a complaint when it has none, or does not begin with the name.
local function check_message(add, operation, what, message, needle)
  message = tostring(message)
  local rest = message:match("^[^\n]-spec/[^\n:]*%.lua:%d+: (.*)$")
  if not rest then return add(("%s: the error has no position of the caller: %s"):format(what, message)) end
  if rest:sub(1, #operation.name + 2) ~= operation.name .. ": " then
    return add(("%s: the error does not begin with the operation's name: %s"):format(what, message))
  end
  if needle and not rest:find(needle, 1, true) then
    return add(("%s: the error does not mention %s: %s"):format(what, needle, message))
  end
end

local function check_spoiled(add, operation, sample)
  local drawn = operands.draw(operation, sample, "float32")
  for i, operand in ipairs(drawn) do
    for _, case in ipairs(spoiled(operand)) do
      local _ <close> = perilune.scope()
      local tensors = operands.make(drawn)
      tensors[i] = perilune.ones(case.shape, { dtype = case.dtype })
      local ok, message = pcall(function()
        for j, t in ipairs(tensors) do
          if is_float(t) and drawn[j].wants_gradient then t:requires_grad_(true) end
        end
        local outputs = { operands.call(operation, sample, tensors) }
        walk_back(operation, sample, outputs)
      end)
      if not ok then check_message(add, operation, title(operation, sample, case.detail), message) end
    end
  end
end

local function is_positional(parameter) return not parameter.option end

local function check_missing(add, operation, sample)
  local tensors = operands.make(operands.draw(operation, sample, "float32"))
  local position = 0
  for _, parameter in ipairs(operation.parameters) do
    if is_positional(parameter) then
      position = position + 1
      if parameter.fallback == nil and parameter.kind ~= "tensor?" then
        local arguments, n = operands.arguments(operation, sample, tensors)
        arguments[position] = nil
        local ok, message = pcall(core.ops[operation.name], table.unpack(arguments, 1, n))
        local what = title(operation, sample, "without " .. parameter.name)
        if ok then add(what .. ": no error") else check_message(add, operation, what, message, parameter.name) end
      end
    end
  end
end

local function is_value(parameter) return not parameter.kind:find("^tensor") end

--- Every value may be given by name, so every value is listed; an operation without values has no options.
local function check_unknown_option(add, operation, sample)
  local tensors = operands.make(operands.draw(operation, sample, "float32"))
  local arguments = operands.arguments(operation, sample, tensors)
  local n, known = 1, {}
  for _, parameter in ipairs(operation.parameters) do
    if is_positional(parameter) then n = n + 1 end
    if is_value(parameter) then known[#known + 1] = parameter.name end
  end
  arguments[n] = { no_such_option = 1 }
  local ok, message = pcall(core.ops[operation.name], table.unpack(arguments, 1, n))
  local what = title(operation, sample, "with an unknown option")
  if ok then return add(what .. ": no error") end
  check_message(add, operation, what, message, #known > 0 and "no_such_option" or nil)
  for _, name in ipairs(known) do check_message(add, operation, what, message, name) end
end

-- -- 5: memory orders ------------------------------------------------------------------------------------------

local function check_orders(add, operation, sample, float_dtype)
  local drawn = operands.draw(operation, sample, float_dtype)
  local expected = run(operation, sample, drawn, "contiguous")
  for _, order in ipairs { "t", "slice", "lanes", "ones" } do
    compare(add, operation, sample, ("%s, operands in order %q"):format(float_dtype, order),
            run(operation, sample, drawn, order), expected, drawn, TOLERANCE[float_dtype])
    compare(add, operation, sample, ("%s, output gradient in order %q"):format(float_dtype, order),
            run(operation, sample, drawn, "contiguous", order), expected, drawn, TOLERANCE[float_dtype])
  end
end

--- The operand with one row along dim d repeated: by stride 0, or in full.
local function check_expanded(add, operation, sample, drawn, i, d)
  local operand = drawn[i]
  local function call_with(full)
    return function(_, _, tensors)
      local row = tensors[i]:narrow(d, 1, 1):expand(table.unpack(operand.sizes))
      return operands.call(operation, sample, same_but(tensors, i, full and row:contiguous() or row))
    end
  end
  local expected = run(operation, sample, drawn, "contiguous", nil, call_with(true))
  local actual = run(operation, sample, drawn, "contiguous", nil, call_with(false))
  compare(add, operation, sample, ("%s expanded along dim %d"):format(operand.label, d), actual, expected, drawn,
          TOLERANCE.float32)
end

local function check_all_expanded(add, operation, sample)
  local drawn = operands.draw(operation, sample, "float32")
  for i, operand in ipairs(drawn) do
    for d, size in ipairs(operand.sizes) do
      if size > 1 and operand.spec.domain ~= "spd" and operand.spec.domain ~= "distinct" then
        check_expanded(add, operation, sample, drawn, i, d)
      end
    end
  end
end

-- -- 6: threads ------------------------------------------------------------------------------------------------

--- Operands of any size, and their descriptions.
local function large_operands(operation, sample)
  local tensors, drawn = {}, {}
  for i, operand in ipairs(sample.tensors) do
    tensors[i] = operands.random(operand.spec, "float32")
    drawn[i] = { label = samples.label(operand), wants_gradient = operands.wants_gradient(operation, operand) }
  end
  return tensors, drawn
end

local function clones(tensors)
  local copies = {}
  for i, t in ipairs(tensors) do copies[i] = t:clone() end
  return copies
end

local function run_large(operation, sample, drawn, tensors, n_threads)
  perilune.set_num_threads(n_threads)
  require_gradients(drawn, tensors)
  local outputs = { operands.call(operation, sample, tensors) }
  perilune.manual_seed(8)
  for k, y in ipairs(outputs) do
    if y.requires_grad then
      y:backward(perilune.randn(y.shape, { dtype = y.dtype }), { retain_graph = k < #outputs })
    end
  end
  local named = {}
  for k, y in ipairs(outputs) do named[#named + 1] = { "output " .. k, y:detach() } end
  for i, t in ipairs(tensors) do named[#named + 1] = { "gradient of " .. drawn[i].label, t.grad } end
  return named
end

local function same_bits(a, b)
  if core.ops.eq and core.ops.all and a:eq(b):all():item() then return true end
  if a:numel() > 50000 then a, b = a:reshape(-1):narrow(1, 1, 50000), b:reshape(-1):narrow(1, 1, 50000) end
  local x, y = operands.flat(a), operands.flat(b)   -- NaN is not equal to itself
  for i, v in ipairs(x) do
    if v ~= y[i] and (v == v or y[i] == y[i]) then return false end
  end
  return true
end

local function check_threads(add, operation, sample)
  local _ <close> = perilune.scope()
  local tensors, drawn = large_operands(operation, sample)
  local one = run_large(operation, sample, drawn, clones(tensors), 1)
  for n_threads = 2, 3 do
    for i, pair in ipairs(run_large(operation, sample, drawn, clones(tensors), n_threads)) do
      if pair[2] and not same_bits(pair[2], one[i][2]) then
        add(title(operation, sample, ("%s: other bits with %d threads than with 1"):format(pair[1], n_threads)))
      end
    end
  end
end

-- -- 7, 8: memory ----------------------------------------------------------------------------------------------

local function live()
  local use = perilune.memory()
  return use.live_bytes, use.tensors
end

local function settled()
  collectgarbage()
  collectgarbage()
  return live()
end

--- The collector steps before the call and before the backward; the result must not change.
local function stressed(add, operation, sample, mode)
  local drawn = operands.draw(operation, sample, "float32")
  local expected = run(operation, sample, drawn)
  for _ = 1, 2 do
    local actual = run(operation, sample, drawn, nil, nil, function(...)
      collectgarbage("step")
      return operands.call(...)
    end)
    compare(add, operation, sample, mode .. " collector", actual, expected, drawn, 0)
  end
end

--- Stresses what `walk(stress)` calls stress(operation, sample) on, and compares memory before and after.
local function memory_returns(add, mode, walk)
  local bytes, tensors = settled()
  local old = collectgarbage(mode)
  walk(function(operation, sample) stressed(add, operation, sample, mode) end)
  collectgarbage(old)
  local bytes_after, tensors_after = settled()
  if bytes_after == bytes and tensors_after == tensors then return nil end
  return ("%d bytes in %d tensors before, %d in %d after"):format(bytes, tensors, bytes_after, tensors_after)
end

--- All operations in one go, since looking at the memory takes full collections; one by one only to find who leaks.
local function check_collector(add, mode, firsts)
  local function every(stress)
    for _, pair in ipairs(firsts) do stress(pair[1], pair[2]) end
  end
  if not memory_returns(add, mode, every) then return end
  for _, pair in ipairs(firsts) do
    local grown = memory_returns(add, mode, function(stress) stress(pair[1], pair[2]) end)
    if grown then add(title(pair[1], pair[2], mode .. " collector: " .. grown)) end
  end
end

local MOST_ALLOCATIONS = 400

--- One forward and backward in which allocation n fails; true when there were fewer than n.
local function try_with_failure(operation, sample, drawn, n)
  local _ <close> = perilune.scope()
  local tensors = operands.make(drawn)
  require_gradients(drawn, tensors)
  perilune.manual_seed(1)
  core.debug.fail_allocation(n)
  local ok, message = pcall(function()
    walk_back(operation, sample, { operands.call(operation, sample, tensors) })
  end)
  core.debug.fail_allocation(0)
  return ok, message
end

--- The collector is stopped, and every tensor made in a scope: what is alive afterwards has leaked.
local function fail_each_allocation(add, operation, sample)
  local drawn = operands.draw(operation, sample, "float32")
  local bytes, tensors = live()
  for n = 1, MOST_ALLOCATIONS do
    local ok, message = try_with_failure(operation, sample, drawn, n)
    local what = title(operation, sample, ("allocation %d fails"):format(n))
    local bytes_after, tensors_after = live()
    if bytes_after ~= bytes or tensors_after ~= tensors then
      return add(("%s: %d bytes in %d tensors before, %d in %d after"):format(
        what, bytes, tensors, bytes_after, tensors_after))
    end
    if ok then return end
    if not tostring(message):find("memory") then add(what .. ": the error does not mention memory: " .. message) end
  end
end

local function check_allocation_failures(add, operation, sample)
  local _ <close> = perilune.scope()
  local drawn = operands.draw(operation, sample, "float32")
  local expected = run(operation, sample, drawn)
  collectgarbage("stop")
  local ok, message = pcall(fail_each_allocation, add, operation, sample)
  collectgarbage("restart")
  if not ok then error(message, 0) end
  compare(add, operation, sample, "after failed allocations", run(operation, sample, drawn), expected, drawn, 0)
end

-- -- 9, 10: in place, and without a tape -----------------------------------------------------------------------

local function same_list(a, b)
  if #a ~= #b then return false end
  for i, v in ipairs(a) do
    if v ~= b[i] then return false end
  end
  return true
end

--- x is no leaf in the twin's call: the tape refuses to overwrite a leaf.
local function in_place_call(operation, sample, tensors)
  local copies = table.move(tensors, 1, #tensors, 1, {})
  copies[1] = tensors[1]:clone()
  local arguments, n = operands.arguments(operation, sample, copies)
  perilune.manual_seed(1)
  local returned = copies[1][operation.name .. "_"](table.unpack(arguments, 1, n))
  assert(rawequal(returned, copies[1]), operation.name .. "_ must return its tensor")
  return returned
end

local function check_in_place(add, operation, sample)
  local drawn = operands.draw(operation, sample, "float32")
  if not drawn[1] or sample.given[operation.parameters[1].name].number then return end
  local expected = run(operation, sample, drawn)
  if expected.dtypes[1] ~= drawn[1].dtype or not same_list(expected.shapes[1], drawn[1].sizes) then return end
  for _, order in ipairs { "contiguous", "t", "slice", "lanes" } do
    local ok, actual = pcall(run, operation, sample, drawn, order, nil, in_place_call)
    if ok then
      compare(add, operation, sample, "in place, order " .. order, actual, expected, drawn, TOLERANCE.float32)
    else
      add(title(operation, sample, "in place: " .. tostring(actual)))
    end
  end
end

local function check_no_grad(add, operation, sample)
  local drawn = operands.draw(operation, sample, "float32")
  local tensors = operands.make(drawn)
  require_gradients(drawn, tensors)
  local recorded = { operands.call(operation, sample, tensors) }
  local outputs
  perilune.no_grad(function() outputs = { operands.call(operation, sample, tensors) } end)
  local any = false
  for _, operand in ipairs(drawn) do any = any or operand.wants_gradient end
  local records, floats = false, false
  for k, y in ipairs(outputs) do
    if y.requires_grad then add(title(operation, sample, ("output %d requires a gradient in no_grad"):format(k))) end
    records, floats = records or recorded[k].requires_grad, floats or is_float(y)
    add(close.differs(title(operation, sample, ("no_grad: output %d"):format(k)), operands.flat(y),
                      operands.flat(recorded[k]), y.shape, 0))
  end
  if any and floats and operation.differentiable and not records then
    add(title(operation, sample, "no output requires a gradient"))
  end
end

--- Read by the benchmark only.
local function check_flops(add, operation, sample)
  local tensors = operands.make(operands.draw(operation, sample, "float32"))
  local arguments, n = operands.arguments(operation, sample, tensors)
  local count = core.flops[operation.name](table.unpack(arguments, 1, n))
  if type(count) ~= "number" or count < 0 then
    add(title(operation, sample, "floating-point operations: " .. tostring(count)))
  end
end

-- -- the walk through the registry -----------------------------------------------------------------------------

local function parsed(operation)
  local small, large = {}, {}
  for _, text in ipairs(operation.samples) do
    local sample = samples.parse(operation, text)
    local list = sample.bench and large or small
    list[#list + 1] = sample
  end
  return small, large
end

--- One test that runs check(add, operation, sample, extra) on each sample.
local function each(description, list, check, operation, extra)
  it(description, function()
    local found = complaints()
    for _, sample in ipairs(list) do
      local ok, message = xpcall(check, function(m) return tostring(m) end, found.add, operation, sample, extra)
      if not ok then found.add(title(operation, sample, message)) end
    end
    found.finish()
  end)
end

local function reference_tests(operation, small)
  local reason = exemptions.reference[operation.name]
  if reason then return end
  local path = "spec/reference/ops/" .. operation.name .. ".safetensors"
  local stored = nil
  for _, dtype in ipairs(FLOATS) do
    each("equals the reference in " .. dtype, small, function(add, op, sample)
      stored = stored or reference.load(path) or {}
      check_reference(add, op, sample, stored, dtype)
    end, operation)
  end
end

local function first(list, n)
  return table.move(list, 1, math.min(#list, n), 1, {})
end

local firsts = {}   -- { operation, its first sample }

for _, operation in ipairs(core.registry()) do
  describe(operation.name, function()
    local small, large = parsed(operation)
    local all = table.move(large, 1, #large, 2, first(small, 1))
    firsts[#firsts + 1] = { operation, small[1] }
    local n_threads = perilune.get_num_threads()
    before_each(function() perilune.set_num_threads(1) end)
    after_each(function()
      perilune.set_num_threads(n_threads)
      core.debug.fail_allocation(0)
    end)

    it("has samples and help", function()
      assert(#small > 0, operation.name .. " has no samples")
      assert(#operation.help > 0, operation.name .. " has no help")
    end)
    reference_tests(operation, small)
    if operation.differentiable and not exemptions.differences[operation.name] then
      each("passes central differences", small, check_differences, operation)
    end
    each("refuses bad operands by name", small, check_spoiled, operation)
    each("asks for what is missing", first(small, 1), check_missing, operation)
    each("lists the options it knows", first(small, 1), check_unknown_option, operation)
    each("does not see the memory order in float32", small, check_orders, operation, "float32")
    each("does not see the memory order in float64", small, check_orders, operation, "float64")
    each("reads expanded operands", small, check_all_expanded, operation)
    each("has the same bits for any number of threads", all, check_threads, operation)
    each("survives each failed allocation", small, check_allocation_failures, operation)
    if operation.has_flops then each("counts its operations", small, check_flops, operation) end
    if operation.flags.in_place then each("does the same in place", small, check_in_place, operation) end
    each("leaves no tape under no_grad", small, check_no_grad, operation)
  end)
end

describe("every operation", function()
  for _, mode in ipairs { "incremental", "generational" } do
    it("survives the " .. mode .. " collector", function()
      local found = complaints()
      check_collector(found.add, mode, firsts)
      found.finish()
    end)
  end
end)

-- core.optimizers against ten steps of PyTorch's (spec/reference/optimizers.py), and what bad calls leave behind.
local cjson = require "cjson"
local core = require "perilune.core"
local perilune = require "perilune"

local TOLERANCE = { float32 = 1e-5, float64 = 1e-12 }

local function read_reference()
  local file = assert(io.open("spec/reference/optimizers.json"))
  local text = file:read("a")
  file:close()
  return cjson.decode(text)
end

local reference = read_reference()

local function make(values, shape, dtype)
  local t = perilune.tensor(values, { dtype = dtype })
  return #shape == 0 and t:reshape({}) or t:reshape(shape)
end

local function make_all(lists, dtype)
  local tensors = {}
  for i, values in ipairs(lists) do tensors[i] = make(values, reference.shapes[i], dtype) end
  return tensors
end

local function flat(t) return t:dim() == 0 and { t:item() } or t:reshape(-1):totable() end

local function differs(what, actual, expected, tolerance)
  for i, e in ipairs(expected) do
    local a = actual[i]
    if not (math.abs(a - e) <= tolerance * (1 + math.abs(e))) then
      return ("%s[%d]: expected %.10g, got %.10g"):format(what, i, e, a)
    end
  end
end

local function title(case)
  local parts = {}
  for name, value in pairs(case.options) do
    if type(value) == "table" then value = table.concat(value, ", ") end
    parts[#parts + 1] = name .. "=" .. tostring(value)
  end
  table.sort(parts)
  return case.optimizer .. " { " .. table.concat(parts, ", ") .. " }"
end

-- The transposed memory order of the same numbers.
local function transposed(t) return t:dim() == 2 and t:t():contiguous():t() or t end

--- Ten steps; order(gradient) may change its memory order.  Returns the complaints.
local function follow(case, dtype, order)
  local parameters, states, complaints = make_all(reference.start, dtype), {}, {}
  for step, lists in ipairs(reference.gradients) do
    local gradients = make_all(lists, dtype)
    for i, g in ipairs(gradients) do gradients[i] = order(g) end
    if step % 2 == 0 then gradients[3] = false end
    core.optimizers[case.optimizer](parameters, gradients, states, case.options)
    for i, expected in ipairs(case.parameters[tostring(step)] or {}) do
      complaints[#complaints + 1] = differs(("%s, step %d, parameter %d"):format(dtype, step, i), flat(parameters[i]),
                                            expected, TOLERANCE[dtype])
    end
  end
  for i, state in ipairs(case.states) do
    for name, expected in pairs(state) do
      local mine = (states[i] or {})[name]
      local what = ("%s, state %s of parameter %d"):format(dtype, name, i)
      if mine == nil then complaints[#complaints + 1] = what .. " is missing"
      else
        complaints[#complaints + 1] = differs(what, name == "step" and { mine } or flat(mine), expected,
                                              TOLERANCE[dtype])
      end
    end
  end
  return complaints
end

describe("optimizers", function()
  for _, case in ipairs(reference.cases) do
    it("step as PyTorch's: " .. title(case), function()
      for _, dtype in ipairs { "float32", "float64" } do
        assert.same({}, follow(case, dtype, function(g) return g end))
        assert.same({}, follow(case, dtype, transposed))
      end
    end)
  end

  it("step parameters in any memory order", function()
    local states = {}
    local p, plain = perilune.randn(9, 4):t(), {}
    local g = perilune.randn(4, 9)
    plain[1] = p:contiguous()
    core.optimizers.adam({ p }, { g }, states, { amsgrad = true })
    core.optimizers.adam(plain, { g }, {}, { amsgrad = true })
    assert.same(flat(plain[1]), flat(p))
  end)

  it("read each parameter's own gradient where no table is given", function()
    local p, q = perilune.ones(3), perilune.ones(2)
    p:requires_grad_(true)
    p:backward(perilune.ones(3))
    core.optimizers.sgd({ p, q }, nil, {}, { lr = 0.5 })
    assert.same({ 0.5, 0.5, 0.5 }, p:detach():totable())
    assert.same({ 1.0, 1.0 }, q:totable())
  end)

  -- The second pair is wrong; the first must not have moved.
  local function refused(needle, name, second, gradient, states, options)
    local p = perilune.ones(2, 3)
    local ok, message = pcall(core.optimizers[name], { p, second }, { perilune.ones(2, 3), gradient }, states, options)
    assert.is_false(ok)
    assert.truthy(tostring(message):find(needle, 1, true), message)
    assert.same({ { 1.0, 1.0, 1.0 }, { 1.0, 1.0, 1.0 } }, p:totable())
  end

  it("check everything before they write", function()
    local q, g = perilune.ones(4), perilune.ones(4)
    local states = {}
    refused("adam: parameter 2 is (4) but its gradient is (3)", "adam", q, perilune.ones(3), states)
    refused("adam: parameter 2 is float32 but its gradient is float64", "adam", q,
            perilune.ones(4, { dtype = "float64" }), states)
    refused("parameter 2 is int64", "adam", perilune.ones(4, { dtype = "int64" }), g, states)
    refused("parameter 2 is an expanded view", "adam", perilune.ones(1):expand(4), g, states)
    refused("parameter 2 is not a tensor but a string", "adam", "x", g, states)
    refused("lr is -1", "adam", q, g, states, { lr = -1 })
    refused("betas[2] is 1", "adam", q, g, states, { betas = { 0.9, 1 } })
    refused("lr must be a number", "adam", q, g, states, { lr = "fast" })
    refused("nesterov needs a momentum", "sgd", q, g, states, { nesterov = true })
    assert.same({}, states)
    refused("parameter 2 is (4) but its exp_avg is (5)", "adam", q, g, { {}, { exp_avg = perilune.ones(5) } })
    refused("step of parameter 2", "adam", q, g, { {}, { step = -3 } })
  end)
end)

describe("gradient clipping", function()
  local function gradients(dtype)
    return { perilune.tensor({ 3, -4 }, { dtype = dtype }), false, perilune.tensor({ { 12 } }, { dtype = dtype }) }
  end

  it("scales by the common norm", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local g = gradients(dtype)
      assert.equal(13.0, core.optimizers.clip_grad_norm(g, 6.5))
      assert.is_true(math.abs(g[1][2]:item() + 2) < 1e-6)
      assert.is_true(math.abs(g[3][1][1]:item() - 6) < 1e-6)
      assert.equal(19.0, core.optimizers.clip_grad_norm(gradients(dtype), 100, 1))
      assert.equal(12.0, core.optimizers.clip_grad_norm(gradients(dtype), 100, math.huge))
      assert.is_true(math.abs(core.optimizers.clip_grad_norm(gradients(dtype), 100, 3) - 1819 ^ (1 / 3)) < 1e-5)
    end
  end)

  it("leaves small gradients alone and passes NaN on", function()
    local g = gradients("float32")
    core.optimizers.clip_grad_norm(g, 13.5)
    assert.same({ 3.0, -4.0 }, g[1]:totable())
    local norm = core.optimizers.clip_grad_norm({ perilune.tensor { 0 / 0, 1 } }, 1, math.huge)
    assert.is_true(norm ~= norm)
  end)

  it("has the same bits for any number of threads", function()
    local g = { perilune.randn(300, 401), perilune.randn(50000) }
    local kept = perilune.get_num_threads()
    local norms = {}
    for threads = 1, 3 do
      perilune.set_num_threads(threads)
      norms[threads] = core.optimizers.clip_grad_norm(g, 1e9)
    end
    perilune.set_num_threads(kept)
    assert.equal(norms[1], norms[2])
    assert.equal(norms[1], norms[3])
  end)

  it("clamps by value", function()
    local g = gradients("float32")
    core.optimizers.clip_grad_value(g, 3.5)
    assert.same({ 3.0, -3.5 }, g[1]:totable())
    assert.same({ { 3.5 } }, g[3]:totable())
    assert.has_error(function() core.optimizers.clip_grad_value(g, -1) end)
  end)
end)

-- cross_entropy with probabilities as target, against PyTorch.  (With classes it is an operation as the others.)
local behaviour = require "support.behaviour"
local cjson = require "cjson"
local perilune = require "perilune"
local nn = perilune.nn
local cross_entropy = nn.functional.cross_entropy

local function tensor(values, shape)
  local sizes = {}
  for i, size in ipairs(shape) do sizes[i] = math.tointeger(size) end
  return perilune.tensor(values, { dtype = "float64" }):reshape(sizes)
end

local function check(name, expected, actual)
  local wanted = tensor(expected, actual.shape)
  assert.is_true(perilune.allclose(actual:detach(), wanted, { rtol = 1e-10, atol = 1e-12 }), name)
end

local function refused(text, ...)
  local fine, message = pcall(cross_entropy, ...)
  assert.is_false(fine)
  assert.matches(text, message, 1, true)
  assert.matches("cross_entropy_spec.lua:%d+: ", message)
end

describe("cross_entropy of probabilities", function()
  it("is PyTorch's, with gradients of input and target", function()
    for i, case in ipairs(behaviour.probabilities) do
      local name = "case " .. i
      local input, target = tensor(case.input, case.shape), tensor(case.target, case.shape)
      local weight = case.weight ~= cjson.null and perilune.tensor(case.weight, { dtype = "float64" }) or nil
      input:requires_grad_()
      target:requires_grad_()
      local loss = cross_entropy(input, target, weight, case.options)
      check(name, case.loss, loss)
      loss:sum():backward()
      check(name, case.input_gradient, input.grad)
      check(name, case.target_gradient, target.grad)
      case.options.weight = weight
      check(name, case.loss, nn.CrossEntropyLoss(case.options)(input, target))
    end
  end)

  it("is that of classes where they are certain", function()
    local x, classes = perilune.randn(5, 3), perilune.tensor { 1, 3, 2, 2, 1 }
    local certain = nn.functional.one_hot(classes, 3):to("float32")
    local options = { label_smoothing = 0.1, reduction = "sum" }
    assert.near(cross_entropy(x, classes, options):item(), cross_entropy(x, certain, options):item(), 1e-4)
  end)

  it("refuses what does not fit", function()
    local x = perilune.zeros(2, 3)
    refused("input is float32 (2, 3) but target is float32 (2); it must hold int64 classes, or probabilities", x,
      perilune.zeros(2))
    refused("but target is float64 (2, 3)", x, x:to("float64"))
    refused("weight must be a tensor of 3 classes", x, x, perilune.ones(2))
    refused("ignore_index is for targets of classes", x, x, { ignore_index = 1 })
    refused("label_smoothing must be a number in [0, 1]", x, x, { label_smoothing = 2.0 })
    refused("unknown option 'reduce'", x, x, { reduce = "sum" })
  end)
end)

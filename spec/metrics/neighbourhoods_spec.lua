-- trustworthiness, continuity and knn_accuracy against scikit-learn (spec/reference/neighbourhoods.py).
local cjson = require "cjson"
local perilune = require "perilune"
local metrics = perilune.metrics

local data = assert(perilune.load("spec/reference/neighbourhoods.safetensors", { flat = true }))
local file = assert(io.open("spec/reference/neighbourhoods.json"))
local reference = cjson.decode(file:read("a"))
file:close()

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
  assert.matches("neighbourhoods_spec.lua:%d+: ", message)
end

describe("metrics of neighbourhoods", function()
  for _, name in ipairs { "trustworthiness", "continuity" } do
    it(name .. " is scikit-learn's", function()
      for k, expected in pairs(reference[name]) do
        local found = metrics[name](data.x, data.y, { n_neighbors = math.tointeger(tonumber(k)) })
        assert.is_true(math.abs(found - expected) < 1e-12, ("k %s: %.15g, not %.15g"):format(k, found, expected))
      end
      assert.equal(1.0, metrics[name](data.x, data.x))
    end)
  end

  it("knn_accuracy is scikit-learn's, each point left out once", function()
    for k, expected in pairs(reference.knn_accuracy) do
      local found = metrics.knn_accuracy(data.x, data.labels, { n_neighbors = math.tointeger(tonumber(k)) })
      assert.is_true(math.abs(found - expected) < 1e-12, ("k %s: %g, not %g"):format(k, found, expected))
    end
  end)

  it("say what is wrong", function()
    raises("less than half of 70", metrics.trustworthiness, data.x, data.y, { n_neighbors = 35 })
    raises("70 points but a map of 69", metrics.trustworthiness, data.x, data.y:narrow(1, 1, 69))
    raises("x must be a float tensor", metrics.continuity, data.labels, data.y)
    raises("embedding has NaN", metrics.trustworthiness, data.x, data.y * (0 / 0))
    raises("there are 70 points", metrics.knn_accuracy, data.x, data.labels, { n_neighbors = 70 })
    raises("70 points but 3 targets", metrics.knn_accuracy, data.x, data.labels:narrow(1, 1, 3))
    raises("NaN", metrics.knn_accuracy, data.x / 0, data.labels)
  end)
end)

local perilune = require "perilune"
local FashionMNIST = perilune.datasets.FashionMNIST

local function raises(text, f, ...)
  local fine, message = pcall(f, ...)
  assert.is_false(fine, "no error")
  assert.matches(text, message, 1, true)
end

describe("datasets.FashionMNIST", function()
  it("reads the test split", function()
    local set = FashionMNIST { split = "test" }
    assert.equal(10000, #set)
    assert.same({ 10000, 1, 28, 28 }, set:images().shape)
    assert.equal("uint8", set:images().dtype)
    assert.same({ "int64", 1, 10 }, { set:labels().dtype, set:labels():min():item(), set:labels():max():item() })
    assert.equal("Ankle boot", set.classes[set:labels()[1]:item()])
    assert.equal(10, #set.classes)
    local image, label = set:get(1)
    assert.same({ 1, 28, 28 }, image.shape)
    assert.equal(10, label)
  end)

  it("makes batches in [0, 1] that are the images", function()
    local set = FashionMNIST { split = "test" }
    local loader = perilune.data.DataLoader(set, { batch_size = 1000 })
    local n, sum = 0, 0
    for x, y in loader:iter() do
      n = n + x.shape[1]
      sum = sum + x:mean():item()
      assert.is_true(x:min():item() == 0 and x:max():item() == 1)
      assert.equal(1000, y.shape[1])
    end
    assert.equal(10000, n)
    assert.is_true(math.abs(sum / 10 - 0.2868) < 1e-3)
  end)

  it("says what to install where there are no files", function()
    raises("split must be one of train, test", FashionMNIST, { split = "valid" })
    raises("unknown option 'path'", FashionMNIST, { path = "/" })
  end)
end)

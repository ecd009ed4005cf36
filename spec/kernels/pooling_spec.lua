-- What the generic spec cannot ask of pooling and upsampling: NaN, indices, sizes that do not fit.
local core = require "perilune.core"
local perilune = require "perilune"

local ops = core.ops

local function refuses(fn, wanted)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.truthy(message:find(wanted, 1, true), message)
end

describe("max_pool2d", function()
  it("lets NaN win, and the first of equals", function()
    local x = perilune.tensor { { { { 1, 0 / 0, 5, 5 }, { 2, 3, 5, 4 } } } }
    local y, index = ops.max_pool2d_with_indices(x, 2)
    local nan = y[1][1][1][1]:item()
    assert.is_true(nan ~= nan)
    assert.equal(5.0, y[1][1][1][2]:item())
    assert.same({ { { { 2, 3 } } } }, index:totable())
  end)

  it("counts indices in the whole plane", function()
    local x = perilune.arange(1, 16, { dtype = "float32" }):reshape(1, 1, 4, 4)
    local _, index = ops.max_pool2d_with_indices(x, 3, { stride = 1 })
    assert.same({ { { { 11, 12 }, { 15, 16 } } } }, index:totable())
  end)

  it("says which window does not fit", function()
    local ok, message = pcall(ops.max_pool2d, perilune.ones(1, 1, 3, 3), 4)
    assert.is_false(ok)
    assert.truthy(message:find("max_pool2d: a window of 4 pixels does not fit into x, which is (1, 1, 3, 3)", 1, true),
                  message)
    for _, options in ipairs { { stride = -1 }, { padding = 2 }, { dilation = 0 }, { padding = -1 } } do
      assert.has_error(function() ops.max_pool2d(perilune.ones(1, 1, 5, 5), 2, options) end)
    end
    assert.has_error(function() ops.max_pool2d(perilune.ones(1, 5, 5), 2) end)
  end)

  it("names the range of its sizes", function()
    local x = perilune.ones(1, 1, 5, 5)
    for _, pool in ipairs { ops.max_pool2d, ops.avg_pool2d } do
      refuses(function() pool(x, 1 << 62) end, "kernel_size must be in 1..1073741824, not 4611686018427387904")
      refuses(function() pool(x, 0) end, "kernel_size must be in 1..1073741824, not 0")
      refuses(function() pool(x, 2, { stride = 1 << 40 }) end, "stride must be in 1..1073741824, not 1099511627776")
      refuses(function() pool(x, 2, { padding = 1 << 40 }) end, "padding 1099511627776 must be 0 to half of kernel_size 2")
    end
    refuses(function() ops.adaptive_avg_pool2d(x, 1 << 40) end, "output_size must be in 1..16777216, not 1099511627776")
    refuses(function() ops.max_pool2d(x, 1 << 20, { dilation = 1 << 20 }) end,
            "kernel_size 1048576 x dilation 1048576 must not be over 1073741824")
  end)
end)

describe("upsample", function()
  it("wants exactly one of size and scale_factor", function()
    local x = perilune.ones(1, 1, 2, 2)
    assert.has_error(function() ops.upsample(x) end)
    assert.has_error(function() ops.upsample(x, { size = 4, scale_factor = 2 }) end)
    assert.has_error(function() ops.upsample(x, { scale_factor = -2 }) end)
    assert.has_error(function() ops.upsample(x, { size = 4, align_corners = true }) end)
    refuses(function() ops.upsample(x, { size = 1 << 40 }) end, "size must be in 1..16777216, not 1099511627776")
    refuses(function() ops.upsample(x, { scale_factor = 1e7 }) end, "scale_factor is 1e+07; it must be above 0 and at most 1e6")
    refuses(function() ops.upsample(x, { scale_factor = 0 / 0 }) end, "scale_factor is nan")
  end)
end)

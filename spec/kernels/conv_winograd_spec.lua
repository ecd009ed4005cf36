-- Winograd's filtering (csrc/kernels/conv_winograd*.c) against the direct sum in float64, which the generic spec
-- compares with PyTorch: sizes that leave tiles, panels and rows of lanes unfilled, all paddings, both directions,
-- gradients.
local perilune = require "perilune"
local core = require "perilune.core"

-- Of an element, relative to it or to the mean of their absolute values: the direct way reaches 6.1e-6 here.
local TOLERANCE <const> = 6e-6

--- { batch, input channels, output channels, height, width, padding }
local CASES = {
  { 16, 16, 16, 10, 10, 1 }, { 17, 24, 17, 9, 8, 1 }, { 40, 33, 20, 7, 11, 0 }, { 17, 20, 40, 6, 9, 2 },
  { 16, 48, 33, 7, 7, { 0, 2 } }, { 130, 17, 16, 6, 8, 1 }, { 144, 24, 16, 7, 6, { 2, 1 } }, { 16, 64, 72, 8, 8, 1 },
  { 17, 32, 32, 10, 10, 1 }, { 130, 32, 32, 8, 8, 1 },   -- runs of samples that eight does not divide, in all passes
}

local function run(case, op, dtype, threads, activation)
  local n, inputs, outputs, height, width, padding = table.unpack(case)
  perilune.manual_seed(5)
  local weight_shape = op == "conv2d" and { outputs, inputs, 3, 3 } or { inputs, outputs, 3, 3 }
  local function leaf(t) return t:to(dtype):detach():requires_grad_() end
  local x = leaf(perilune.randn { n, inputs, height, width }:lanes())
  local weight, bias = leaf(perilune.randn(weight_shape)), leaf(perilune.randn { outputs })
  local before = core.get_num_threads()
  core.set_num_threads(threads or 1)
  local y = core.ops[op](x, weight, bias, { padding = padding, activation = activation })
  y:backward(perilune.randn(y.shape):to(dtype))
  core.set_num_threads(before)
  return { y = y:detach(), dx = x.grad, dw = weight.grad, db = bias.grad }
end

local NAMES <const> = { "y", "dx", "dw", "db" }

local function error_of(actual, expected)
  local scale = expected:abs():clamp { min = expected:abs():mean():item() }
  return ((actual:to("float64") - expected):abs() / scale):max():item()
end

local function same(a, b) return a:eq(b):all():item() end

--- Of the processor, or of what `make older` takes for it.
local function has_avx2()
  local file = io.open "/proc/cpuinfo"
  if not file or (os.getenv "PERILUNE_BUILD" or ""):find "base$" then return false end
  local text = file:read "a"
  file:close()
  return text:find "%f[%w]avx2%f[%W]" ~= nil
end

describe("Winograd's filtering", function()
  it("is as exact as the direct sum", function()
    for _, case in ipairs(CASES) do
      for _, op in ipairs { "conv2d", "conv_transpose2d" } do
        local actual, expected = run(case, op, "float32"), run(case, op, "float64")
        for _, name in ipairs(NAMES) do
          local wrong = error_of(actual[name], expected[name])
          assert(wrong < TOLERANCE, ("%s of %s, batch %d, %d -> %d channels of %d x %d: %g"):format(name, op, case[1],
            case[2], case[3], case[4], case[5], wrong))
        end
      end
    end
  end)

  it("takes large batches of many channels, and nothing else", function()
    local function same_as_one_by_one(n, channels, side)
      local x, weight = perilune.randn { n, channels, side, side }, perilune.randn { channels, channels, 3, 3 }
      return perilune.no_grad(function()
        local y = core.ops.conv2d(x, weight, nil, { padding = 1 })
        return same(y:narrow(1, 1, 1), core.ops.conv2d(x:narrow(1, 1, 1), weight, nil, { padding = 1 }))
      end)
    end
    assert.are.equal(not has_avx2(), same_as_one_by_one(16, 32, 8))
    assert.is_true(same_as_one_by_one(15, 32, 8))
    assert.is_true(same_as_one_by_one(16, 4, 8))
    assert.is_true(same_as_one_by_one(16, 32, 2))
  end)

  it("does ReLU in the same pass, and keeps NaN", function()
    local case = { 16, 32, 24, 8, 8, 1 }
    local plain, relu = run(case, "conv2d", "float32"), run(case, "conv2d", "float32", 1, "relu")
    assert.is_true(same(plain.y:relu(), relu.y))
    local x, weight = perilune.randn { 16, 32, 8, 8 }, perilune.randn { 24, 32, 3, 3 }
    x[3][5][4][4] = 0 / 0
    local y = core.ops.conv2d(x, weight, nil, { padding = 1, activation = "relu" })
    assert.are.equal(24 * 9, y:isnan():to("int64"):sum():item())   -- where it is read, and nowhere else
    assert.are.equal(24 * 9, y[3]:narrow(2, 3, 3):narrow(3, 3, 3):isnan():to("int64"):sum():item())
  end)

  it("never looks at what lies between the samples and the end of a row", function()
    local case = { 17, 24, 32, 8, 8, 1 }
    local clean = run(case, "conv2d", "float32", 1, "relu")
    for _, channels in ipairs { 24, 32 } do   -- blocks that are used again, full of NaN
      local blocks = {}
      for i = 1, 6 do blocks[i] = perilune.full({ 32, channels, 8, 8 }, 0 / 0):lanes() end
      assert.are.equal(6, #blocks)
    end
    collectgarbage() collectgarbage()
    local dirty = run(case, "conv2d", "float32", 1, "relu")
    for _, name in ipairs(NAMES) do assert.is_true(same(clean[name], dirty[name]), name) end
  end)

  it("gives the same bits for any number of threads", function()
    local case = { 40, 48, 40, 9, 9, 1 }
    local one, three = run(case, "conv2d", "float32", 1), run(case, "conv2d", "float32", 3)
    for _, name in ipairs(NAMES) do assert.is_true(same(one[name], three[name]), name) end
  end)
end)

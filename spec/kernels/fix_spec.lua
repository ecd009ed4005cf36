-- fix_spec.lua -- core.fix: an operation with options of its own as defaults.
local core = require "perilune.core"
local perilune = require "perilune"

local ops = core.ops

describe("core.fix", function()
  local x = perilune.tensor { { { { 1, -2, 3 }, { 4, 5, -6 }, { -7, 8, 9 } } } }:to("float32")
  local weight = perilune.tensor { { { { 1, 1 }, { 1, -1 } } } }:to("float32")

  it("gives the results that the same options give in the call", function()
    local fixed = core.fix(ops.conv2d, { stride = 2, padding = { 1, 0 }, activation = "relu" })
    local expected = ops.conv2d(x, weight, nil, { stride = 2, padding = { 1, 0 }, activation = "relu" })
    assert.are.same(expected:totable(), fixed(x, weight):totable())
    assert.are.same(expected:size(), fixed(x, weight, nil):size())
  end)

  it("leaves the operation as it was, and lets a call say otherwise", function()
    local options = { stride = 2 }
    local fixed = core.fix(ops.conv2d, options)
    options.stride = 3
    assert.are.same({ 1, 1, 1, 1 }, fixed(x, weight):size())
    assert.are.same({ 1, 1, 2, 2 }, fixed(x, weight, nil, { stride = 1 }):size())
    assert.are.same({ 1, 1, 2, 2 }, ops.conv2d(x, weight):size())
  end)

  it("refuses what is no operation, and options that do not exist", function()
    assert.has_error(function() core.fix(print, {}) end)
    assert.has_error(function() core.fix(ops.conv2d, { strides = 2 }) end)
    assert.has_error(function() core.fix(ops.conv2d, { stride = "wide" }) end)
  end)
end)

local perilune = require "perilune"
local state = perilune.state

describe("state", function()
  it("goes to flat tables and back", function()
    local nested = { step = 3, lr = 0.1, name = "a b", on = true, off = false, empty = {}, best = math.huge,
      list = { 1, 2.5, { deep = "x" } }, tensors = { [2] = perilune.ones(2), moment = perilune.zeros(1) } }
    local tensors, metadata = state.flatten(nested)
    assert.same({ 1, 1 }, tensors["tensors/2"]:totable())
    assert.equal("float 0x1.999999999999ap-4", metadata.lr)
    for _, text in pairs(metadata) do assert.equal("string", type(text)) end
    metadata["somebody else's"] = "words"
    local back = state.unflatten(tensors, metadata)
    assert.equal(nested.tensors[2], back.tensors[2])
    assert.equal(nested.tensors.moment, back.tensors.moment)
    nested.tensors, back.tensors = nil, nil
    assert.same(nested, back)
    assert.equal("integer", math.type(back.step))
  end)

  it("refuses what a file cannot hold", function()
    for _, bad in ipairs { { f = print }, { ["a/b"] = 1 }, { ["12"] = 1 }, { [""] = 1 }, { [1.5] = 1 } } do
      assert.has_error(function() state.flatten(bad) end)
    end
    assert.has_error(function() state.flatten(3) end)
  end)
end)

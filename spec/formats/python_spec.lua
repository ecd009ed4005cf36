-- The other direction: what we write, read by NumPy, safetensors and a PNG decoder of its own.
-- Runs when PERILUNE_PYTHON names a Python that has numpy and safetensors.
local core = require "perilune.core"
local support = require "formats.support"
local formats, tensor = core.formats, support.tensor

local python = os.getenv("PERILUNE_PYTHON")

local function json(value)
  if type(value) ~= "table" then return tostring(value) end
  local items = {}
  for i, item in ipairs(value) do items[i] = json(item) end
  return "[" .. table.concat(items, ",") .. "]"
end

describe("Python reads what we write", function()
  it("npy, safetensors and PNG", function()
    if not python then return pending("PERILUNE_PYTHON is not set") end
    local serialize = require "perilune.serialize"
    local directory = support.directory()
    local values = {
      float32 = tensor({ { -2.5, -1.5, -0.5 }, { 0.5, 1.5, 2.5 } }, "float32"),
      float64 = tensor({ 0 / 3, 1 / 3, 2 / 3, 3 / 3 }, "float64"),
      int64 = tensor({ { -(2 ^ 53 | 0) - 1 }, { 7 } }, "int64"),
      uint8 = tensor({ { { 250, 251 }, { 252, 253 }, { 254, 255 } } }, "uint8"),
      bool = tensor({ true, false, true }, "bool"),
      scalar = tensor(0.5, "float32"),
      empty = core.create.zeros(0, 3),
    }
    local turned = values.float32:transpose(1, 2)
    for name, value in pairs(values) do assert(formats.save_npy(directory .. name .. ".npy", value)) end
    assert(formats.save_npy(directory .. "transposed.npy", turned))
    assert(serialize.save(directory .. "all.safetensors", values,
      { metadata = { ["made by"] = "numpy \"2\"\n\u{fc}\u{20ac}" } }))
    assert(serialize.save(directory .. "nested.safetensors",
      { encoder = { ["0.weight"] = values.float32 }, decoder = { values.int64, turned } }))
    for channels = 1, 4 do
      for _, depth in ipairs { 8, 16 } do
        local numbers = {}
        for i = 1, channels * 35 do numbers[i] = (i - 1) * (depth == 8 and 1 or 467) end
        local samples = tensor(numbers, "int64"):reshape(channels, 5, 7)
        local path = directory .. "p" .. channels .. "_" .. depth
        assert(formats.save_png(path .. ".png", samples, depth))
        support.write(path .. ".json", ('{"bit_depth":%d,"samples":%s}'):format(depth, json(samples:totable())))
      end
    end
    local output = support.run(("LD_PRELOAD= '%s' spec/reference/formats.py --check %s 2>&1"):format(python, directory))
    support.remove(directory)
    assert.equal("same\n", output)
  end)
end)

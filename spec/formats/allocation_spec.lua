-- No memory: each allocation of each call fails once.  Every time an error, nothing left over, no temporary file, and
-- the next call works.
local core = require "perilune.core"
local support = require "formats.support"
local formats = core.formats

local function each_failure(call)
  call()
  collectgarbage()
  collectgarbage()
  local before = core.memory().live_blocks
  local failures = 0
  for n = 1, 1000 do
    core.debug.fail_allocation(n)
    local ok, message = pcall(call)
    core.debug.fail_allocation(0)
    collectgarbage()
    collectgarbage()
    assert.equal(before, core.memory().live_blocks, "after failure " .. n)
    if ok then break end
    assert.matches("memory", message)
    failures = n
  end
  call()
  return failures
end

describe("files without memory", function()
  for _, case in ipairs { { "npy", "fortran.npy" }, { "npy", "convert_big_i2.npy" }, { "idx", "images.idx.gz" },
    { "idx", "i4.idx" }, { "safetensors", "torch.safetensors" }, { "png", "rgb16_interlaced.png" },
    { "png", "palette_alpha.png" } } do
    it("reads " .. case[2], function()
      local load = formats["load_" .. case[1]]
      assert.is_true(each_failure(function() assert(load(support.reference(case[2]))) end) >= 1)
    end)
  end

  it("writes", function()
    local directory = support.directory()
    local t = core.create.full({ 3, 7, 5 }, 0.5)
    local turned = t:transpose(2, 3)
    local calls = {
      function() assert(formats.save_npy(directory .. "a", turned)) end,
      function() formats.dumps_npy(turned) end,
      function() assert(formats.save_safetensors(directory .. "a", { "a", "b" }, { t, turned }, { "k" }, { "v" })) end,
      function() formats.dumps_safetensors({ "a", "b" }, { t, turned }, { "k" }, { "v" }) end,
      function() assert(formats.save_png(directory .. "a", turned, 8)) end,
      function() formats.dumps_png(turned, 16) end,
    }
    for _, call in ipairs(calls) do
      assert.is_true(each_failure(call) >= 1)
      assert.matches("^a?$", support.list(directory))
    end
    support.remove(directory)
  end)
end)

-- The README stays true: every Lua block runs by itself, and prints what the block below it says.

local BUILD = os.getenv("PERILUNE_BUILD") or "build"

local function readme()
  local handle = assert(io.open("README.md"))
  local text = handle:read("a")
  handle:close()
  return text
end

-- { { code = ..., output = text of the ```text block that follows at once, or "" }, ... }
local function blocks()
  local found, text, at = {}, readme(), 1
  while true do
    local _, stop, code = text:find("\n```lua\n(.-)\n```\n", at)
    if not stop then return found end
    found[#found + 1] = { code = code, output = text:match("^%s*```text\n(.-)```\n", stop + 1) or "" }
    at = stop
  end
end

-- Runs the block in a Lua of its own, as a reader would.
local function run(code)
  local name = os.tmpname()
  local handle = assert(io.open(name, "w"))
  handle:write(code)
  handle:close()
  local pipe = assert(io.popen(([[LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="%s/?.so;;" lua5.4 %s 2>&1]])
    :format(BUILD, name)))
  local output = pipe:read("a")
  local ok = pipe:close()
  os.remove(name)
  return output, ok == true
end

describe("README", function()
  it("has Lua blocks", function() assert.is_true(#blocks() >= 2) end)

  for i, block in ipairs(blocks()) do
    it("block " .. i .. " prints what it says", function()
      local output, ok = run(block.code)
      assert.equal(block.output, output)
      assert.is_true(ok)
    end)
  end

  it("names targets that the Makefile has, and files that are there", function()
    local makefile = assert(io.open("Makefile")):read("a")
    for target in readme():gmatch("`?make ([a-z]+)[`%s]") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), "make " .. target)
    end
    for path in readme():gmatch("[`%s](%l+/[%w_/]+%.%l+)[`%s]") do
      local handle = io.open(path)
      assert.is_truthy(handle or path:find("^runs/"), path)   -- runs/ holds what experiments leave
      if handle then handle:close() end
    end
  end)
end)

-- perilune as a guest in a program that is not lua5.4 (spec/embedding/host.c), and the shared library from outside.

local BUILD = os.getenv("PERILUNE_BUILD") or "build"
local CORE = BUILD .. "/perilune/core.so"

-- The programs that a spec starts do not inherit a sanitizer's preloaded library.
local function run(command)
  local pipe = assert(io.popen("export LD_PRELOAD=; (" .. command .. ") 2>&1"))
  local output = pipe:read("a")
  return output, (pipe:close()) == true
end

describe("embedding", function()
  it("serves states on several threads, keeps to its cap, and leaves the host as it was", function()
    local output, ok = run(BUILD .. "/embedding/host lua")
    assert.equal("", output)
    assert.is_true(ok)
  end)

  it("exports what perilune.h promises and nothing else", function()
    local names = {}
    for name in run("nm -D --defined-only " .. CORE):gmatch("%x+ %a ([^\n]+)") do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "luaopen_perilune_core", "perilune_set_memory_cap", "perilune_version" }, names)
  end)

  it("does not link liblua: the host has one already", function()
    local output = run("readelf -d " .. CORE)
    assert.is_truthy(output:find("libopenblas", 1, true))
    assert.is_nil(output:find("liblua", 1, true))
  end)

  it("stays under 2 MB", function()
    if BUILD ~= "build" then return end   -- sanitizers make it larger
    local handle = assert(io.open(CORE, "rb"))
    local size = handle:seek("end")
    handle:close()
    assert.is_true(size > 100000 and size < 2000000, "core.so has " .. size .. " bytes")
  end)

  it("needs nothing but its own files: no global is set, nothing is printed", function()
    local output, ok = run(([[LUA_PATH="lua/?.lua;lua/?/init.lua" LUA_CPATH="$PWD/%s/?.so" %s lua5.4 -e '
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local perilune = require "perilune"
      for name in pairs(_G) do assert(before[name], name) end
      assert(perilune.ones(2, 2)[2][1]:item() == 1)']]):format(BUILD,
      BUILD ~= "build" and 'LD_PRELOAD="$(cc -print-file-name=libasan.so)"' or ""))
    assert.equal("", output)
    assert.is_true(ok)
  end)
end)

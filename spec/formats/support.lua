-- support.lua -- what the specs of files share.
local assert = require "luassert"
local core = require "perilune.core"

local support = { REFERENCE = "spec/reference/formats/" }

function support.reference(name) return support.REFERENCE .. name end

function support.read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

function support.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

function support.run(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  pipe:close()
  return output
end

--- A new empty directory; support.remove(directory) when done.
function support.directory() return (support.run("mktemp -d"):gsub("%s+$", "")) .. "/" end

function support.remove(directory)
  assert(directory:match("^/tmp/.+"))
  os.execute("rm -rf " .. directory)
end

--- The names in a directory, sorted, as one string.
function support.list(directory) return (support.run("ls -A " .. directory):gsub("%s+$", ""):gsub("%s+", " ")) end

--- Same dtype, shape and values; NaN equals NaN.
function support.same(expected, actual, what)
  what = what or "tensor"
  assert.equal(expected.dtype, actual.dtype, what .. ": dtype")
  assert.same(expected.shape, actual.shape, what .. ": shape")
  local function compare(a, b, place)
    if type(a) == "table" then
      for i = 1, #a do compare(a[i], b[i], i) end
    elseif a ~= b and (a == a or b == b) then
      error(("%s: expected %s, got %s, in item %s of a row"):format(what, a, b, place), 0)
    end
  end
  compare(expected:totable(), actual:totable())
end

--- tensor(values, dtype)
function support.tensor(values, dtype) return core.create.tensor(values, { dtype = dtype }) end

-- Calls load(bytes) and checks what everybody may expect of hostile bytes: a tensor or nil and a message, no block
-- left over, and never much more memory than the bytes can justify.
local function survive(load, bytes, limit, what)
  core.reset_peak_memory()
  local before = core.memory()
  local value, message = load(bytes)
  local peak = core.memory().peak_bytes - before.live_bytes
  if value == nil then
    if type(message) ~= "string" or #message == 0 then error(what .. ": no message") end
  elseif type(value) ~= "table" and not core.is_tensor(value) then
    error(what .. ": neither a tensor nor nil")
  end
  if peak > limit then error(("%s: %d bytes allocated for %d bytes"):format(what, peak, #bytes)) end
  return value ~= nil
end

local function live_blocks()
  collectgarbage()
  collectgarbage()
  return core.memory().live_blocks
end

--- Every shorter version of bytes (at most `tries` of them), all of which must be refused, then `tries` with random
--- damage.  limit: of the bytes that a call may allocate.
function support.damage(load, bytes, tries, limit)
  local before = live_blocks()
  local step = math.max(1, #bytes // tries)
  for length = 0, #bytes - 1, step do
    if survive(load, bytes:sub(1, length), limit, "cut to " .. length) then error("accepted, cut to " .. length) end
  end
  math.randomseed(7)
  for try = 1, tries do
    local damaged = bytes
    for _ = 1, math.random(1, 4) do
      local at = math.random(1, #damaged)
      local byte = damaged:byte(at) ~ (1 << math.random(0, 7))
      damaged = damaged:sub(1, at - 1) .. string.char(byte) .. damaged:sub(at + 1)
    end
    survive(load, damaged, limit, "damage " .. try)
    if try % 100 == 0 then collectgarbage() end
  end
  assert.equal(before, live_blocks())
end

return support

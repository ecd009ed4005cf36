-- A run that is killed again and again, at random moments, ends with the bits of one that was not.
local core = require "perilune.core"
local perilune = require "perilune"

local BUILD = os.getenv("PERILUNE_BUILD") or "build"
local KILLS, EPOCHS = 20, 20
local KILLED = 128 + 9   -- what `timeout -s KILL` exits with

-- Sanitizers' libraries are preloaded for lua5.4 only.
local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local function shell(command)
  local pipe = assert(io.popen(("export LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./%s/?.so;;'; %s")
    :format(BUILD, command)))
  local output = pipe:read("a")
  local _, _, code = pipe:close()
  return output, code
end


-- Values as text, exact to the bit; the strings are paths, which differ.
local function described(path)
  local tensors, metadata = perilune.load(path, { flat = true })
  assert.is_table(tensors, tostring(metadata))
  local held = {}
  for name, tensor in pairs(tensors) do
    local values = tensor:reshape(-1):totable()
    for i, value in ipairs(values) do values[i] = ("%a"):format(value) end
    held[name] = table.concat(values, " ")
  end
  for name, text in pairs(metadata) do
    if not text:find("^string") then held["metadata " .. name] = text end
  end
  return held
end

describe("a run that goes on from its checkpoint", function()
  local root

  setup(function() root = shell("mktemp -d"):match("%S+") end)
  teardown(function() shell("rm -rf " .. root) end)

  local function run(folder, prefix, rest)
    return shell(("%s lua5.4 spec/support/training_run.lua %s %s 2>&1"):format(prefix or "", folder, rest or ""))
  end

  it("ends with the same bits after kill -9 at random moments", function()
    local start = core.terminal.now()
    local whole, status = run(root .. "/whole", nil, EPOCHS)
    local seconds = core.terminal.now() - start
    assert.equal(0, status, whole)
    local expected, log = described(root .. "/whole/final.safetensors"), read(root .. "/whole/metrics.csv")
    local kills, round = 0, 0
    local seed = math.randomseed(os.time())
    while kills < KILLS do
      round = round + 1
      local folder = ("%s/%d"):format(root, round)
      local output, code
      repeat
        output, code = run(folder, ("timeout -s KILL %.3f"):format(seconds * (0.1 + 0.8 * math.random())), EPOCHS)
        assert.is_true(code == 0 or code == KILLED, ("seed %d: %s"):format(seed, output))
        if code ~= 0 then kills = kills + 1 end
      until code == 0 or kills >= 4 * KILLS
      -- As a kill in the middle of a save leaves it.
      shell(("head -c 100 %s/final.safetensors > %s/last.safetensors.tmp-1"):format(root .. "/whole", folder))
      if code ~= 0 then output, code = run(folder, nil, EPOCHS) end
      assert.equal(0, code, ("seed %d: %s"):format(seed, output))
      assert.same(expected, described(folder .. "/final.safetensors"))
      assert.equal(log, read(folder .. "/metrics.csv"))
    end
    assert.is_true(kills >= KILLS)
  end)

  it("ends with the same bits after Ctrl-C at random moments", function()
    local whole, status = run(root .. "/calm", nil, 3)
    assert.equal(0, status, whole)
    local interruptions = 0
    for i = 1, 3 do
      local folder = root .. "/interrupted" .. i
      -- One that comes before fit ends the script; where starting is slow, later ones come in time.
      for try = 1, 3 + (interruptions == 0 and 10 or 0) do
        local output = run(folder, ("timeout -s INT %.3f"):format(0.1 * try * (0.5 + math.random())), "3 slow")
        if output:find("interrupted\t") then interruptions = interruptions + 1 end
      end
      local output, code = run(folder, nil, 3)
      assert.equal(0, code, output)
      assert.same(described(root .. "/calm/final.safetensors"), described(folder .. "/final.safetensors"))
      assert.equal(read(root .. "/calm/metrics.csv"), read(folder .. "/metrics.csv"))
    end
    if interruptions == 0 then pending("no interruption came in time on this machine") end
  end)
end)

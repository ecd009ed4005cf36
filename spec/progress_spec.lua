local Progress = require "perilune.progress".Progress

local function recorder()
  local stream = { text = "" }
  function stream:write(...)
    self.text = self.text .. table.concat({ ... })
    return self
  end
  function stream.flush() end
  return stream
end

describe("progress", function()
  it("draws one line again and again on a terminal", function()
    local now, stream = 0, recorder()
    local bar = Progress.new { total = 4, title = "epoch 1", width = 8, stream = stream, interactive = true,
      clock = function() return now end }
    now = 1
    bar:update(1, "loss 0.5")
    assert.equal("\repoch 1  [##......]  1/4  1.00 it/s  00:01<00:03  loss 0.5", stream.text)
    now = 1.05
    bar:update()
    assert.equal(2, bar.done)
    assert.is_nil(stream.text:find("2/4", 1, true))
    now = 4
    bar:update(2, "done")
    bar:finish()
    bar:finish()
    assert.matches("\repoch 1  %[########%]  4/4  1.00 it/s  00:04  done *\n$", stream.text)
  end)

  it("writes plain lines now and then elsewhere", function()
    local now, stream = 0, recorder()
    do
      local bar <close> = Progress.new { total = 100, unit = "batch", interval = 10, stream = stream,
        clock = function() return now end }
      for i = 1, 100 do
        now = i / 5
        bar:update()
      end
    end
    assert.equal("50/100  5.00 batch/s  00:10<00:10\n100/100  5.00 batch/s  00:20\n100/100  5.00 batch/s  00:20\n",
      stream.text)
  end)

  it("writes more plain lines where the environment asks for them", function()
    local now, stream, getenv = 0, recorder(), os.getenv
    -- luacheck: push ignore 122
    os.getenv = function(name) return name == "PERILUNE_PROGRESS_INTERVAL" and "1" or getenv(name) end
    local bar = Progress.new { total = 4, stream = stream, clock = function() return now end }
    os.getenv = getenv
    -- luacheck: pop
    now = 1.5
    bar:update()
    assert.equal("1/4  0.67 it/s  00:02<00:05\n", stream.text)
  end)

  it("refuses what it does not know", function()
    assert.has_error(function() Progress.new {} end)
    assert.has_error(function() Progress.new { total = 3, titel = "x" } end)
  end)
end)

-- Who a process is: its number alone is used again by others.
local process = require "perilune.study.process"

describe("the identity of a process", function()
  local function fate(changes)
    local identity = {}
    for key, value in pairs(process.own()) do identity[key] = value end
    for key, value in pairs(changes) do identity[key] = value end
    return process.fate(identity)
  end

  it("tells the living from the dead, and from those that ran elsewhere", function()
    assert.equal("alive", fate {})
    assert.equal("dead", fate { started = process.own().started - 1 })
    assert.equal("dead", fate { pid = 2 ^ 30 // 1 | 0 })
    assert.equal("unknown", fate { place = "another machine" })
    assert.equal("unknown", process.fate(nil))
  end)

  it("takes one that ended, and that nobody asked about, for dead", function()
    local pipe = assert(io.popen("sh -c 'sleep 0 & echo $!; exec sleep 1'"))
    local pid = pipe:read("n")
    local status
    repeat
      local file = io.open(("/proc/%d/stat"):format(pid))
      status = file and file:read("a") or ""
      if file then file:close() end
    until status:find("%) Z ")
    local fields = {}
    for field in status:match("%) (.*)$"):gmatch("%S+") do fields[#fields + 1] = field end
    assert.equal("dead", fate { pid = pid, started = math.tointeger(fields[20]) })
    pipe:close()
  end)
end)

-- experiments/support/pipeline.lua on stages of a line or two.
package.path = "experiments/?.lua;" .. package.path
local Pipeline = require "support.pipeline"
local View = require "support.view"

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

-- Adds its first argument to the log, and leaves it in result.txt.
local STAGE <const> = [[
local out = arg[#arg]
local log = assert(io.open("%s/log", "a"))
log:write(arg[1], arg[2] == "--resume" and "+ " or " ")
log:close()
print("this is " .. arg[1])
if arg[1] == "bad" then os.exit(3) end
if arg[1] == "killed" and arg[2] ~= "--resume" then
  assert(io.open(out .. "/checkpoint", "w")):close()
  os.execute("kill -9 $PPID")
end
if arg[2] == "--resume" then assert(io.open(out .. "/checkpoint")) end
local file = assert(io.open(out .. "/result.txt", "w"))
file:write(arg[1])
file:close()
]]

describe("the pipeline of stages", function()
  local root, script, said

  before_each(function()
    root = os.tmpname()
    os.remove(root)
    os.execute("mkdir " .. root)
    script = root .. "/it's a stage.lua"
    write(script, STAGE:format(root))
    write(root .. "/library.lua", "1")
    write(root .. "/log", "")
    said = {}
  end)
  after_each(function() os.execute("rm -rf '" .. root .. "'") end)

  local function stage(name, word, needs)
    return { name = name, title = "of " .. name, script = script, arguments = { word }, needs = needs,
      leaves = { "result.txt" }, resume = { "--resume" } }
  end

  -- A stream of lines.
  local function recorder()
    local stream = {}
    function stream.write(_, ...) said[#said + 1] = table.concat({ ... }):gsub("\n$", "") end
    function stream.flush() end
    return stream
  end

  local function pipeline(stages)
    return Pipeline.new(stages, { root = root .. "/runs", common = { root .. "/library.lua" },
      view = View.new { stream = recorder(), interactive = false } })
  end

  local function three(first)
    return pipeline { stage("a", first or "one"), stage("b", "two", { "a" }), stage("c", "three") }
  end

  it("runs the stages in order, and skips them when nothing changed", function()
    assert.is_true(three():run())
    assert.are.equal("one two three ", read(root .. "/log"))
    assert.are.equal("two", read(root .. "/runs/b/result.txt"))
    assert.matches("^%[1/3%] a: of a", said[1])
    assert.equal("this is one", said[2])
    assert.matches("^%[1/3%] a: done in 0:0", said[3])
    assert.equal("this is two\n", read(root .. "/runs/b/output.txt"))
    assert.is_true(three():run())
    assert.are.equal("one two three ", read(root .. "/log"))
    assert.matches("nothing changed", said[#said])
  end)

  it("runs a stage again, and those that need it, when its arguments changed", function()
    three():run()
    three("other"):run()
    assert.are.equal("one two three other two ", read(root .. "/log"))
  end)

  it("runs everything again when the library or the script changed", function()
    three():run()
    write(root .. "/library.lua", "2")
    three():run()
    assert.are.equal("one two three one two three ", read(root .. "/log"))
    write(script, STAGE:format(root) .. "\n-- changed")
    three():run()
    assert.are.equal(("one two three "):rep(3), read(root .. "/log"))
  end)

  it("runs a stage again whose result is gone, or when forced; and only those asked for", function()
    three():run()
    os.remove(root .. "/runs/c/result.txt")
    three():run()
    assert.are.equal("one two three three ", read(root .. "/log"))
    three():run { force = true, only = { b = true } }
    assert.are.equal("one two three three two ", read(root .. "/log"))
  end)

  it("stops at a stage that fails, and goes on from there", function()
    local ok, message = pipeline({ stage("a", "one"), stage("b", "bad"), stage("c", "three") }):run()
    assert.is_nil(ok)
    assert.matches("b stopped after 0:00 %(exit status 3%)", message)
    assert.is_true(three():run())
    assert.are.equal("one bad two three ", read(root .. "/log"))
  end)

  it("goes on where a stage was killed, unless its inputs changed or it is forced", function()
    local function killed(name) return pipeline { stage("a", name or "killed") } end
    local ok, message = killed():run()
    assert.is_nil(ok)
    assert.matches("a stopped after 0:00 %(signal 9%)", message)
    assert.is_true(killed():run())
    assert.matches("^%[1/1%] a: goes on", said[#said - 2])
    assert.are.equal("killed killed+ ", read(root .. "/log"))
    assert.is_nil(killed():run { force = true })
    assert.is_true(killed("other"):run())
    assert.are.equal("killed killed+ killed other ", read(root .. "/log"))
    assert.is_nil(io.open(root .. "/runs/a/checkpoint"))
  end)

  it("leaves alone what is in a folder that is not its own", function()
    os.execute(("mkdir -p %s/runs/a"):format(root))
    write(root .. "/runs/a/letter", "mine")
    three():run()
    assert.equal("mine", read(root .. "/runs/a/letter"))
  end)

  it("says when a stage left nothing, or needs one that does not stand before it", function()
    local lazy = stage("a", "one")
    lazy.leaves = { "result.txt", "more.txt" }
    local ok, message = pipeline({ lazy }):run()
    assert.is_nil(ok)
    assert.matches("left no more.txt", message)
    assert.error_matches(function() pipeline { stage("b", "x", { "a" }), stage("a", "y") } end, "b needs a")
  end)

  it("puts the folder of the results into arguments", function()
    local last = stage("b", "{root}/a", { "a" })
    assert.is_true(pipeline({ stage("a", "one"), last }):run())
    assert.are.equal(root .. "/runs/a", read(root .. "/runs/b/result.txt"))
  end)
end)

describe("the view of a pipeline", function()
  local now, text

  local function new_view(interactive)
    local stream = {}
    function stream.write(_, ...) text = text .. table.concat({ ... }) end
    function stream.flush() end
    return View.new { stream = stream, interactive = interactive, columns = 90, clock = function() return now end }
  end

  before_each(function() now, text = 0, "" end)

  it("shows the stage, its bar, and the times of it and of all", function()
    local view = new_view(true)
    view:start { 0, 40, 20 }
    view:begin(2, { name = "search", title = "The search" }, 10, true)
    now = 10
    text = ""
    view:line("epoch 3/10\r")
    assert.matches("[2/3] search  [########........]  0:20 of ~0:40  all 0:10 of ~0:50\n  epoch 3/10",
      text, 1, true)
    now = 70   -- later than expected
    assert.matches("%[################%]  1:20 of ~1:20  all 1:10 of ~1:30", view:text())
    text = ""
    view:done(80)
    assert.equal("\r\27[2K\27[1A\r\27[2K[2/3] search: done in 1:20\n", text)
  end)

  it("says what it can where no time is known, and shows what a stage said that failed", function()
    local view = new_view(true)
    view:start { 0 }
    view:begin(1, { name = "a", title = "A" }, 0, false)
    assert.equal("[1/1] a  0:00  all 0:00", view:text())
    view:line("cannot open")
    text = ""
    view:failed()
    assert.matches("cannot open\n$", text)
  end)

  it("writes plain lines elsewhere", function()
    local view = new_view(false)
    view:start { 30 }
    view:begin(1, { name = "a", title = "A" }, 0, false)
    view:line("epoch 1")
    view:done(31)
    assert.equal("[1/1] a: A (0:00 of ~0:30; all 0:00 of ~0:30)\nepoch 1\n[1/1] a: done in 0:31\n", text)
    assert.equal("", view:environment())
  end)
end)

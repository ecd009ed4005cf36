-- experiments/support/pipeline.lua on stages of a line or two.
package.path = "experiments/?.lua;" .. package.path
local Pipeline = require "support.pipeline"

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
log:write(arg[1], " ")
log:close()
if arg[1] == "bad" then os.exit(3) end
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
      leaves = { "result.txt" } }
  end

  local function pipeline(stages)
    return Pipeline.new(stages, { root = root .. "/runs", common = { root .. "/library.lua" },
      log = function(line) said[#said + 1] = line end })
  end

  local function three(first)
    return pipeline { stage("a", first or "one"), stage("b", "two", { "a" }), stage("c", "three") }
  end

  it("runs the stages in order, and skips them when nothing changed", function()
    assert.is_true(three():run())
    assert.are.equal("one two three ", read(root .. "/log"))
    assert.are.equal("two", read(root .. "/runs/b/result.txt"))
    assert.matches("^%[1/3%] a: of a", said[1])
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

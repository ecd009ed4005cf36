-- Paths and disks: a file appears whole or not at all, the old one stays, no temporary is left.
local core = require "perilune.core"
local support = require "formats.support"
local formats = core.formats

local t = core.create.full({ 300, 1000 }, 0.25)      -- 1.2 MB
local directory

local function save(path) return formats.save_npy(path, t) end
local function is_root() return support.run("id -u"):match("^0%s") ~= nil end

describe("writing", function()
  before_each(function() directory = support.directory() end)
  after_each(function() support.remove(directory) end)

  local function refused(path, pattern)
    local ok, message = save(path)
    assert.is_nil(ok)
    assert.is_truthy(message:find(pattern, 1, true), message)
  end

  it("replaces a file and leaves nothing else", function()
    assert.is_true(save(directory .. "a.npy"))
    assert.is_true(save(directory .. "a.npy"))
    assert.equal("a.npy", support.list(directory))
    support.same(t, assert(formats.load_npy(directory .. "a.npy")))
  end)

  it("keeps permissions and symbolic links", function()
    support.write(directory .. "real", "old")
    support.run("chmod 640 " .. directory .. "real; ln -s real " .. directory .. "link")
    assert.is_true(save(directory .. "link"))
    assert.equal("link real", support.list(directory))
    assert.matches("^640", support.run("stat -c %a " .. directory .. "real"))
    assert.is_truthy(support.run("readlink " .. directory .. "link"):find("real", 1, true))
    assert(formats.load_npy(directory .. "real"))
    local fresh = directory .. "fresh"
    support.run("touch " .. directory .. "plain")
    assert.is_true(save(fresh))
    assert.equal(support.run("stat -c %a " .. directory .. "plain"), support.run("stat -c %a " .. fresh))
  end)

  it("says what is wrong with a path", function()
    refused("", "the path is empty")
    refused(directory, "it is a directory")
    refused(directory .. "a\0b", "zero byte")
    refused(directory .. "none/a.npy", "its directory does not exist")
    support.write(directory .. "file", "")
    refused(directory .. "file/a.npy", "Not a directory")
    refused(directory .. string.rep("x", 300), "File name too long")
    refused("/proc/a.npy", "/proc/a.npy")
    assert.equal("file", support.list(directory))
    assert.error_matches(function() save(nil) end, "path is a nil")
  end)

  it("says what is wrong with a path to read from", function()
    local function unreadable(path, pattern)
      for _, load in ipairs { formats.load_npy, formats.load_idx, formats.load_png, formats.load_safetensors } do
        local value, message = load(path)
        assert.is_nil(value)
        assert.is_truthy(message:find(pattern, 1, true), message)
      end
    end
    unreadable("", "the path is empty")
    unreadable(directory, "it is a directory")
    unreadable(directory .. "a\0b", "zero byte")
    unreadable(directory .. "none", "No such file")
    unreadable("/dev/zero", "not a regular file")
    support.run("mkfifo " .. directory .. "pipe")
    unreadable(directory .. "pipe", "not a regular file")
    support.write(directory .. "nothing", "")
    unreadable(directory .. "nothing", "truncated")
  end)

  it("leaves the old file alone where it may not write", function()
    if is_root() then return pending("root may write everywhere") end
    support.write(directory .. "a.npy", "old")
    support.run("chmod 500 " .. directory)
    refused(directory .. "a.npy", "Permission denied")
    refused(directory .. "b.npy", "Permission denied")
    support.run("chmod 700 " .. directory .. "; chmod 400 " .. directory .. "a.npy")
    refused(directory .. "a.npy", "Permission denied")
    assert.equal("old", support.read(directory .. "a.npy"))
    assert.equal("a.npy", support.list(directory))
  end)

  it("writes devices in place, also when they are full", function()
    assert.is_true(save("/dev/null"))
    assert.matches("^character special file", support.run("stat -c %F /dev/null"))
    refused("/dev/full", "cannot write '/dev/full': No space left on device")
  end)

  -- A child process with a limit on the size of files, whose signal is ignored: write fails with EFBIG.
  it("keeps the old file when the disk is full", function()
    support.write(directory .. "a.npy", "old")
    support.write(directory .. "child.lua", [[
      package.cpath = arg[2]
      local core = require "perilune.core"
      local t = core.create.full({ 300, 1000 }, 0.25)
      local path = arg[1] .. "a"
      print(core.formats.save_npy(path .. ".npy", t))
      print(core.formats.save_safetensors(path .. ".npy", { "t" }, { t }, {}, {}))
      print(core.formats.save_png(path .. ".npy", core.create.full({ 3, 300, 500 }, 0.25), 8))
      collectgarbage() collectgarbage()
      print(core.memory().live_blocks)
    ]])
    local output = support.run(("trap '' XFSZ; ulimit -f 1; LD_PRELOAD=\"$LD_PRELOAD\" lua5.4 %schild.lua %s '%s' 2>&1")
      :format(directory, directory, package.cpath))
    local lines = {}
    for line in output:gmatch("[^\n]+") do lines[#lines + 1] = line end
    for i = 1, 2 do
      assert.is_truthy(lines[i]:find("nil\tcannot write '" .. directory .. "a.npy': File too large", 1, true), output)
    end
    assert.equal("old", support.read(directory .. "a.npy"):sub(1, 3) == "old" and "old" or "replaced")
    os.remove(directory .. "child.lua")
    assert.equal("a.npy", support.list(directory))
  end)

  it("keeps the old file on a file system without space", function()
    if not is_root() then return pending("only root can mount") end
    if support.run("mount -t tmpfs -o size=256k none " .. directory .. " 2>&1") ~= "" then
      return pending("cannot mount here")
    end
    support.write(directory .. "a.npy", "old")
    local ok, message = save(directory .. "a.npy")
    local old, list = support.read(directory .. "a.npy"), support.list(directory)
    support.run("umount " .. directory)
    assert.is_nil(ok)
    assert.is_truthy(message:find("No space left on device", 1, true), message)
    assert.equal("old", old)
    assert.equal("a.npy", list)
  end)
end)

-- The loggers: CSV rows, and event files byte by byte.  spec/reference/event_file.py asks TensorBoard itself.
local perilune = require "perilune"
local checksums = require "perilune.train.loggers.crc32c"
local event_file = require "perilune.train.loggers.event_file"
local loggers = perilune.loggers

local function shell(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  pipe:close()
  return output
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- The records of an event file, its checksums checked.
local function records(bytes)
  local list, at = {}, 1
  while at <= #bytes do
    local length, check = string.unpack("<I8I4", bytes, at)
    assert.equal(checksums.masked(bytes:sub(at, at + 7)), check)
    local data = bytes:sub(at + 12, at + 11 + length)
    assert.equal(checksums.masked(data), (string.unpack("<I4", bytes, at + 12 + length)))
    list[#list + 1] = data
    at = at + 16 + length
  end
  return list
end

local function hex(bytes) return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end

describe("crc32c", function()
  it("gives the values of RFC 3720, B.4", function()
    assert.equal(0x8A9136AA, checksums.crc32c(("\0"):rep(32)))
    assert.equal(0x62A8AB43, checksums.crc32c(("\255"):rep(32)))
    local rising = {}
    for i = 0, 31 do rising[i + 1] = string.char(i) end
    assert.equal(0x46DD794E, checksums.crc32c(table.concat(rising)))
    assert.equal(0xE3069283, checksums.crc32c("123456789"))
    assert.equal(0, checksums.crc32c(""))
  end)
end)

-- The right sides are what protobuf's own encoder makes of the same messages (spec/reference/event_file.py).
describe("an event", function()
  it("is encoded as protobuf does it", function()
    assert.equal("09000000000000f83f1a0d627261696e2e4576656e743a32", hex(event_file.version(1.5)))
    assert.equal("09000000000000f83f10ac022a0b0a090a02616215" .. "0000203f",
      hex(event_file.scalar(1.5, 300, "ab", 0.625)))
    assert.equal("09000000000000f83f10033a020801", hex(event_file.session_start(1.5, 3)))
    assert.equal("09000000000000f83f10012a110a0f0a0174220a" .. "08021003180122" .. "02504e",
      hex(event_file.image(1.5, 1, "t", { height = 2, width = 3, channels = 1, png = "PN" })))
  end)
end)

describe("TensorBoardLogger", function()
  local root
  before_each(function() root = shell("mktemp -d"):match("%S+") end)
  after_each(function() shell("rm -rf " .. root) end)

  local function new_logger() return loggers.TensorBoardLogger(root, { version = 0, clock = function() return 10.0 end }) end

  it("writes whole records, in a new file for each process", function()
    local logger = new_logger()
    logger:log_metrics({ b = 1, a = 2 }, 5)
    logger:add_histogram("h", perilune.tensor { 1.0, 2.0, 2.0, 5.0 }, 6, 2)
    logger:add_image("i", perilune.zeros(3, 2, 4), 6)
    logger:finalize()
    local list = records(read(root .. "/lightning_logs/version_0/events.out.tfevents.10.perilune.0"))
    assert.equal(5, #list)
    assert.equal(event_file.version(10), list[1])
    assert.equal(event_file.scalar(10, 5, "a", 2), list[2])
    assert.equal(event_file.histogram(10, 6, "h", { min = 1, max = 5, num = 4, sum = 10, sum_squares = 34,
      limits = { 3, 5 }, counts = { 3, 1 } }), list[4])
    assert.matches("\137PNG", list[5], 1, true)
    logger = new_logger()
    logger:resume(5)
    logger:finalize()
    list = records(read(root .. "/lightning_logs/version_0/events.out.tfevents.10.perilune.1"))
    assert.equal(event_file.session_start(10, 6), list[2])
  end)

  it("a run that goes on says again what it had said of the checkpoint's step, and voids the rest", function()
    local folder = root .. "/lightning_logs/version_0/events.out.tfevents.10.perilune."
    local logger = new_logger()
    logger:log_metrics({ a = 1 }, 4)
    logger:log_metrics({ a = 2 }, 5)
    logger:add_image("i", perilune.zeros(1, 2, 2), 5)
    local state = logger:state_dict()
    logger:log_metrics({ late = 3 }, 5)   -- after the checkpoint: it will come again
    logger:finalize()
    local first = records(read(folder .. 0))
    logger = new_logger()
    logger:resume(5, state)
    assert.same({ event_file.version(10), event_file.session_start(10, 5), first[3], first[4] }, records(read(folder .. 1)))
    state = logger:state_dict()           -- once more, from a checkpoint at the same step
    logger:log_metrics({ late = 3 }, 5)
    logger:finalize()
    logger = new_logger()
    logger:resume(5, state)
    logger:finalize()
    assert.same({ event_file.version(10), event_file.session_start(10, 5), first[3], first[4] }, records(read(folder .. 2)))
    logger = new_logger()
    logger:resume(6, state)               -- nothing was said of step 6 then
    logger:finalize()
    assert.same({ event_file.version(10), event_file.session_start(10, 6) }, records(read(folder .. 3)))
    os.remove(folder .. 0)
    logger = new_logger()
    logger:resume(5, { path = folder .. 0, step = 5, first = 0, stop = 10 })
    logger:finalize()
    assert.same({ event_file.version(10), event_file.session_start(10, 6) }, records(read(folder .. 0)))
  end)

  it("says what is wrong", function()
    local logger = new_logger()
    assert.error_matches(function() logger:add_histogram("h", perilune.tensor { 0 / 0 }, 1) end, "not finite")
    assert.error_matches(function() logger:add_image("i", perilune.zeros(3), 1) end, "a picture")
    assert.error_matches(function() logger:add_scalar("s", 1, -1) end, "step must be")
    assert.error_matches(function() loggers.TensorBoardLogger() end, "the folder must be a string, got nil")
    assert.is_nil(logger.file)   -- nothing was written
  end)
end)

describe("CSVLogger", function()
  local root
  before_each(function() root = shell("mktemp -d"):match("%S+") end)
  after_each(function() shell("rm -rf " .. root) end)

  it("writes a row a call; new names become columns; a run that goes on replaces its later rows", function()
    local logger = loggers.CSVLogger(root)
    assert.matches("/lightning_logs/version_0$", logger.log_dir)
    logger:log_metrics({ epoch = 1, a = 0.1 }, 1)
    logger:log_metrics({ epoch = 1, b = 2 }, 2)
    logger:log_metrics({ epoch = 2, a = 3.5 }, 3)
    logger:finalize()
    local path = logger.log_dir .. "/metrics.csv"
    assert.equal("step,epoch,a,b\n1,1,0.1,\n2,1,,2\n3,2,3.5,\n", read(path))
    assert.matches("version_1$", loggers.CSVLogger(root).log_dir)
    local again = loggers.CSVLogger(root, { version = 0 })
    again:resume(2, { rows = 2 })
    again:log_metrics({ epoch = 2, a = 7 }, 3)
    again:finalize()
    assert.equal("step,epoch,a,b\n1,1,0.1,\n2,1,,2\n3,2,7,\n", read(path))
  end)
end)

-- event_file.lua -- TensorBoard's event files: TFRecords of protobuf messages, written by hand.
--
-- A record is  length (uint64), masked crc32c of the length, data, masked crc32c of the data,  little-endian.
-- The data is a message Event, whose fields, with the wire types of protobuf (0 varint, 1 eight bytes, 2 length and
-- bytes, 5 four bytes), are
--   Event           1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary, 7 session_log
--   Summary         1 value Value (repeated)
--   Value           1 tag string, 2 simple_value float, 4 image Image, 5 histo Histogram
--   Image           1 height, 2 width, 3 colorspace (the number of channels), 4 encoded_image_string (PNG)
--   Histogram       1 min, 2 max, 3 num, 4 sum, 5 sum_squares, doubles; 6 bucket_limit, 7 bucket, packed doubles
--   SessionLog      1 status (1: START; what an earlier file says of this step and later ones is void)
local checksums = require "perilune.train.loggers.crc32c"

local event_file = {}

local pack = string.pack

local function varint(value)
  local bytes = {}
  repeat
    local low = value & 0x7F
    value = value >> 7
    bytes[#bytes + 1] = string.char(value ~= 0 and low | 0x80 or low)
  until value == 0
  return table.concat(bytes)
end

local function integer(field, value) return varint(field << 3) .. varint(value) end
local function double(field, value) return varint(field << 3 | 1) .. pack("<d", value) end
local function float(field, value) return varint(field << 3 | 5) .. pack("<f", value) end
local function bytes(field, value) return varint(field << 3 | 2) .. varint(#value) .. value end

local function packed_doubles(field, values)
  local parts = {}
  for i, value in ipairs(values) do parts[i] = pack("<d", value) end
  return bytes(field, table.concat(parts))
end

--- A TFRecord of the data.
---@param data string
---@return string
function event_file.record(data)
  local length = pack("<I8", #data)
  return length .. pack("<I4", checksums.masked(length)) .. data .. pack("<I4", checksums.masked(data))
end

local function event(wall_time, step, field, content)
  return double(1, wall_time) .. (step and integer(2, step) or "") .. bytes(field, content)
end

--- The first event of a file.
---@param wall_time number  seconds since 1970
---@return string
function event_file.version(wall_time) return event(wall_time, nil, 3, "brain.Event:2") end

--- A run that goes on: what other files say of this step and later ones is void.
function event_file.session_start(wall_time, step) return event(wall_time, step, 7, integer(1, 1)) end

local function value_event(wall_time, step, tag, content)
  return event(wall_time, step, 5, bytes(1, bytes(1, tag) .. content))
end

---@param wall_time number
---@param step integer
---@param tag string
---@param value number
---@return string
function event_file.scalar(wall_time, step, tag, value) return value_event(wall_time, step, tag, float(2, value)) end

---@param picture table  height, width, channels, png
---@return string
function event_file.image(wall_time, step, tag, picture)
  return value_event(wall_time, step, tag, bytes(4, integer(1, picture.height) .. integer(2, picture.width) ..
    integer(3, picture.channels) .. bytes(4, picture.png)))
end

---@param histogram table  min, max, num, sum, sum_squares, limits (right ends), counts
---@return string
function event_file.histogram(wall_time, step, tag, histogram)
  return value_event(wall_time, step, tag, bytes(5, double(1, histogram.min) .. double(2, histogram.max) ..
    double(3, histogram.num) .. double(4, histogram.sum) .. double(5, histogram.sum_squares) ..
    packed_doubles(6, histogram.limits) .. packed_doubles(7, histogram.counts)))
end

return event_file

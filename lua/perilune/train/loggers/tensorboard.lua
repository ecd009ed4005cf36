-- tensorboard.lua -- perilune.loggers.TensorBoardLogger: event files that TensorBoard shows.
local core = require "perilune.core"
local event_file = require "perilune.train.loggers.event_file"
local folders = require "perilune.train.folders"
local Logger = require "perilune.train.loggers.logger"
local options = require "perilune.options"
local sorted_keys = require "perilune.sorted_keys"

---@class perilune.loggers.TensorBoardLogger
---@field log_dir string
local TensorBoardLogger = Logger:extend("TensorBoardLogger")

local read = options.reader("TensorBoardLogger", { { "name", "lightning_logs" }, { "version", nil, "any" },
  { "clock", nil, "function" } })

--- Writes what is logged to event files in SAVE_DIR/NAME/VERSION; tensorboard --logdir SAVE_DIR shows them.
--- logger:add_scalar(tag, value, step), add_image and add_histogram write more.
---
--- Options: name = "lightning_logs" ("": none), version: default the first free version_N; an integer or a name ("":
--- none); clock: a function that returns seconds since 1970 (default os.time).
---@param save_dir string
---@param given? table
function TensorBoardLogger:init(save_dir, given)
  options.string("TensorBoardLogger", "the folder", save_dir)
  local chosen = read(given)
  self:place(save_dir, chosen.name, chosen.version)
  self.clock = chosen.clock or function() return os.time() + 0.0 end
  self.experiment = self   -- PyTorch Lightning's way to add_image and add_histogram
end

-- A new file for each process: an old one may end in half a record.
local function new_file(self)
  folders.make(self.log_dir)
  local base = ("%s/events.out.tfevents.%d.perilune."):format(self.log_dir, self.clock() // 1)
  local n = 0
  while folders.exists(base .. n) do n = n + 1 end
  local file, message = io.open(base .. n, "wb")
  if not file then core.raise("TensorBoardLogger: " .. message) end
  self.path = base .. n
  file:write(event_file.record(event_file.version(self.clock())))
  return file
end

local function append(self, bytes)
  self.file = self.file or new_file(self)
  local ok, message = self.file:write(bytes)
  if ok then ok, message = self.file:flush() end
  if not ok then core.raise("TensorBoardLogger: " .. tostring(message)) end
  self.position = self.file:seek()
end

-- Remembers where in the file the events of the newest step begin: a run that goes on wants them again.
local function write(self, data, step)
  self.file = self.file or new_file(self)
  if step ~= self.step then self.step, self.first_of_step = step, self.file:seek() end
  append(self, event_file.record(data))
end

local function check(what, tag, step)
  options.string(what, "the tag", tag)
  options.integer(what, "step", step, 0)
end

local function values_of(what, tensor)
  if not core.is_tensor(tensor) or tensor:numel() == 0 then
    core.raise(what .. ": a tensor with elements is needed, got " .. options.described(tensor))
  end
  return tensor:detach():to("float64"):reshape(-1)
end

--- A number, under Scalars.
---@param tag string
---@param value number|perilune.Tensor
---@param step integer
function TensorBoardLogger:add_scalar(tag, value, step)
  check("add_scalar", tag, step)
  if core.is_tensor(value) then value = value:item() end
  write(self, event_file.scalar(self.clock(), step, tag, value), step)
end

--- A picture (C, H, W) or (H, W), under Images; numbers as in perilune.image.save.
---@param tag string
---@param picture perilune.Tensor
---@param step integer
function TensorBoardLogger:add_image(tag, picture, step)
  check("add_image", tag, step)
  if not core.is_tensor(picture) or picture:dim() < 2 or picture:dim() > 3 then
    core.raise("add_image: a picture (C, H, W) or (H, W) is needed")
  end
  local shape = picture.shape
  write(self, event_file.image(self.clock(), step, tag, { height = shape[#shape - 1], width = shape[#shape],
    channels = #shape == 3 and shape[1] or 1, png = core.formats.dumps_png(picture, 8) }), step)
end

local BINS = 64

-- Equal bins from min to max.
local function count(values, low, high, bins)
  local counts, limits, width = {}, {}, (high - low) / bins
  for b = 1, bins do counts[b], limits[b] = 0, low + b * width end
  limits[bins] = high
  for _, value in ipairs(values) do
    local b = width > 0 and math.min(bins, (value - low) // width + 1) or 1
    b = math.tointeger(b)
    counts[b] = counts[b] + 1
  end
  return counts, limits
end

--- How the numbers of a tensor are distributed, under Histograms; they must be finite.
---@param tag string
---@param tensor perilune.Tensor
---@param step integer
---@param bins? integer  default 64
function TensorBoardLogger:add_histogram(tag, tensor, step, bins)
  check("add_histogram", tag, step)
  bins = options.integer("add_histogram", "bins", bins or BINS)
  local values = values_of("add_histogram", tensor)
  local low, high, sum = values:min():item(), values:max():item(), values:sum():item()
  if low ~= low or high - low == math.huge or low == -math.huge then
    core.raise("add_histogram: " .. tag .. " has numbers that are not finite")
  end
  local counts, limits = count(values:totable(), low, high, bins)
  write(self, event_file.histogram(self.clock(), step, tag, { min = low, max = high, num = values:numel(), sum = sum,
    sum_squares = (values * values):sum():item(), limits = limits, counts = counts }), step)
end

--- One scalar for each value, in the order of the names.
---@param values table<string, number>
---@param step integer
function TensorBoardLogger:log_metrics(values, step)
  for _, name in ipairs(sorted_keys(values)) do self:add_scalar(name, values[name], step) end
end

--- Which part of the file holds the events of the newest step.
---@return { path: string, step: integer, first: integer, stop: integer }
function TensorBoardLogger:state_dict()
  if not self.step then return {} end
  return { path = self.path, step = self.step, first = self.first_of_step, stop = self.position }
end

-- Whole records, nil if they are not there.
local function read_part(path, first, stop)
  local file = io.open(path, "rb")
  if not file then return nil end
  file:seek("set", first)
  local bytes = file:read(stop - first)
  file:close()
  return bytes and #bytes == stop - first and bytes or nil
end

--- What the files of an earlier process say of this step and later ones is void, and what it had said of this step when
--- it saved is said again.  Where that cannot be read, only later steps are void.
---@param step integer
---@param state? table  from state_dict
function TensorBoardLogger:resume(step, state)
  local again = state and ""
  if state and state.step == step then again = read_part(state.path, state.first, state.stop) end
  write(self, event_file.session_start(self.clock(), again and step or step + 1))
  if not again or again == "" then return end
  self.step, self.first_of_step = step, self.position
  append(self, again)
end

function TensorBoardLogger:finalize()
  if self.file then self.file:close() end
  self.file = nil
end

return TensorBoardLogger

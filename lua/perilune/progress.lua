-- progress.lua -- how far a loop is, on stderr.
--
-- On a terminal one line is drawn again and again, at most ten times a second; elsewhere (a file, a pipe) a plain line
-- appears about every `interval` seconds, and one at the end.  A program that reads those lines may ask for more of
-- them: PERILUNE_PROGRESS_INTERVAL=1 in the environment.
local core = require "perilune.core"
local options = require "perilune.options"

---@class perilune.Progress
local Progress = {}
Progress.__index = Progress

local read = options.reader("progress", { { "total", nil, "integer" }, { "title", "" }, { "unit", "it" },
  { "interval", nil, "number" }, { "width", 24, "integer" }, { "stream", nil, "any" },
  { "interactive", nil, "boolean" }, { "clock", nil, "function" } })

-- Seconds between plain lines.
local function plain_interval() return tonumber(os.getenv("PERILUNE_PROGRESS_INTERVAL")) or 10 end

--- A bar for total steps: bar:update(1, "loss 0.02") after each of them, bar:finish() at the end (or
--- local bar <close> = ...).
---@param given table  { total, title, unit, interval, width, stream, interactive, clock }
---  unit "it"; interval 10 seconds (or PERILUNE_PROGRESS_INTERVAL) between plain lines; stream io.stderr;
---  interactive: whether it is a terminal
---@return perilune.Progress
function Progress.new(given)
  local chosen = read(given)
  options.integer("progress", "total", chosen.total, 0)
  local clock = chosen.clock or core.terminal.now
  local interactive = chosen.interactive
  if interactive == nil then interactive = chosen.stream == nil and core.terminal.is_interactive() end
  return setmetatable({ total = chosen.total, title = chosen.title, unit = chosen.unit, width = chosen.width,
    interval = interactive and 0.1 or chosen.interval or plain_interval(), stream = chosen.stream or io.stderr,
    clock = clock, interactive = interactive, done = 0, skipped = 0, note = "", start = clock(), drawn = clock(),
    drawn_length = 0, finished = false }, Progress)
end

local COLUMNS = 79

local function duration(seconds)
  if seconds ~= seconds or seconds >= 360000 then return "--:--" end
  seconds = math.floor(seconds + 0.5)
  if seconds >= 3600 then
    return string.format("%d:%02d:%02d", seconds // 3600, seconds // 60 % 60, seconds % 60)
  end
  return string.format("%02d:%02d", seconds // 60, seconds % 60)
end

local function bar(self, width)
  local part = self.total > 0 and self.done / self.total or 1
  local filled = math.floor(math.min(part, 1) * width)
  return "[" .. string.rep("#", filled) .. string.rep(".", width - filled) .. "]"
end

local function rate_text(self, elapsed)
  local rate = elapsed > 0 and (self.done - self.skipped) / elapsed or 0
  if rate >= 10 then return string.format("%.0f %s/s", rate, self.unit) end
  if rate >= 0.1 or rate == 0 then return string.format("%.2f %s/s", rate, self.unit) end
  return string.format("%.1f s/%s", 1 / rate, self.unit)
end

--- Seconds since the bar was made.
---@return number
function Progress:elapsed() return self.clock() - self.start end

--- The line as it is drawn.
---@return string
function Progress:text()
  local elapsed = self.clock() - self.start
  local parts = {}
  if self.title ~= "" then parts[1] = self.title end
  parts[#parts + 1] = string.format("%d/%d", self.done, self.total)
  parts[#parts + 1] = rate_text(self, elapsed)
  if self.finished or self.done >= self.total then
    parts[#parts + 1] = duration(elapsed)
  else
    local counted = self.done - self.skipped
    local left = counted > 0 and elapsed / counted * (self.total - self.done) or 0 / 0
    parts[#parts + 1] = duration(elapsed) .. "<" .. duration(left)
  end
  local note = type(self.note) == "function" and self.note() or self.note
  if note ~= "" then parts[#parts + 1] = note end
  if not self.interactive then return table.concat(parts, "  ") end
  -- A line that wraps could not be drawn over: the bar takes what is left of COLUMNS, and the rest is cut.
  local width = math.min(self.width, COLUMNS - #table.concat(parts, "  ") - 4)
  if width >= 4 then table.insert(parts, self.title ~= "" and 2 or 1, bar(self, width)) end
  return table.concat(parts, "  "):sub(1, COLUMNS)
end

local function draw(self)
  local text = self:text()
  if self.interactive then
    local blank = string.rep(" ", math.max(0, self.drawn_length - #text))
    self.stream:write("\r", text, blank)
    self.drawn_length = #text
  else
    self.stream:write(text, "\n")
  end
  self.stream:flush()
  self.drawn = self.clock()
end

--- Counts n steps that were done before, such as those of a run that goes on: they are not part of the rate.
---@param n integer
function Progress:skip(n)
  self.done, self.skipped = self.done + n, self.skipped + n
end

--- Counts n more steps; note is shown at the end of the line; as a function, it is called when the line is drawn.
---@param n? integer  default 1
---@param note? string|fun(): string
function Progress:update(n, note)
  self.done = self.done + (n or 1)
  if note then self.note = note end
  if self.clock() - self.drawn >= self.interval then draw(self) end
end

--- Draws the last state and ends the line.  More calls do nothing.
---@param note? string
function Progress:finish(note)
  if self.finished then return end
  if note then self.note = note end
  self.finished = true
  draw(self)
  if self.interactive then self.stream:write("\n") end
end

Progress.__tostring = Progress.text

Progress.__close = function(self) self:finish() end

return { progress = Progress.new, Progress = Progress }

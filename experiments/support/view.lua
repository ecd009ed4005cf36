--- What one sees of a pipeline that runs: on a terminal two lines that are drawn again and again (the stage with its
--- bar and times, and what it said last), elsewhere plain lines.
local core = require "perilune.core"

local View = {}
View.__index = View

local BAR <const> = 16
local KEPT <const> = 30   -- lines of a stage, in case it fails

--- options: stream (io.stderr), interactive (whether that is a terminal), columns, clock.
function View.new(options)
  options = options or {}
  local interactive = options.interactive
  if interactive == nil then interactive = core.terminal.is_interactive() end
  return setmetatable({ stream = options.stream or io.stderr, interactive = interactive, columns = options.columns,
    clock = options.clock or core.terminal.now, times = {}, last = {}, drawn = false }, View)
end

--- "4:05" of seconds.
function View.duration(seconds) return ("%d:%02d"):format(seconds // 60, math.floor(seconds % 60)) end

--- What stands before the command of a stage: bars speak every second, so that the view moves.
function View:environment() return self.interactive and "env PERILUNE_PROGRESS_INTERVAL=1 " or "" end

-- A line that wraps could not be drawn over.
local function cut(self, text) return text:sub(1, (self.columns or core.terminal.columns() or 80) - 1) end

local function of_expected(elapsed, expected)
  local text = View.duration(elapsed)
  return expected > 0 and text .. " of ~" .. View.duration(math.max(expected, elapsed)) or text
end

-- Seconds that all will take together: what has passed, the rest of this stage, and the stages after it.  0: unknown.
local function whole(self, elapsed)
  if math.max(table.unpack(self.times)) == 0 then return 0 end
  local all = self.clock() - self.started + math.max(0, self.times[self.i] - elapsed)
  for i = self.i + 1, #self.times do all = all + self.times[i] end
  return all
end

local function bar(elapsed, expected)
  if expected <= 0 then return "" end
  local filled = math.floor(math.min(elapsed / expected, 1) * BAR)
  return "[" .. ("#"):rep(filled) .. ("."):rep(BAR - filled) .. "]  "
end

--- The line of the stage.
function View:text()
  local elapsed = self.spent + self.clock() - self.begun
  local expected = self.times[self.i]
  return ("%s  %s%s  all %s"):format(self.head, bar(elapsed, expected), of_expected(elapsed, expected),
    of_expected(self.clock() - self.started, whole(self, elapsed)))
end

local CLEAR <const> = "\r\27[2K"

local function erase(self)
  if self.drawn then self.stream:write(CLEAR, "\27[1A", CLEAR) end
  self.drawn = false
end

local function draw(self)
  erase(self)
  local said = (self.last[#self.last] or ""):gsub("%c", "")
  self.stream:write(cut(self, self:text()), "\n", cut(self, "  " .. said))
  self.stream:flush()
  self.drawn = true
end

local function say(self, text)
  erase(self)
  self.stream:write(text, "\n")
  self.stream:flush()
end

--- Before the first stage.
---@param times number[]  seconds that each stage will take: 0 where it is skipped, or nobody knows
function View:start(times) self.times, self.started = times, self.clock() end

function View:skipped(i, stage, stamp)
  say(self, ("[%d/%d] %s: nothing changed since %s (%s)"):format(i, #self.times, stage.name, stamp.finished,
    View.duration(stamp.seconds)))
end

--- A stage begins.
---@param spent number  seconds, of runs that were stopped
---@param goes_on boolean
function View:begin(i, stage, spent, goes_on)
  self.i, self.spent, self.begun, self.last = i, spent, self.clock(), {}
  self.head = ("[%d/%d] %s"):format(i, #self.times, stage.name)
  if self.interactive then return draw(self) end
  say(self, ("%s: %s%s (%s; all %s)"):format(self.head, goes_on and "goes on: " or "", stage.title,
    of_expected(spent, self.times[i]), of_expected(self.clock() - self.started, whole(self, spent))))
end

--- The stage wrote a line.
function View:line(text)
  table.insert(self.last, text)
  if #self.last > KEPT then table.remove(self.last, 1) end
  if self.interactive then draw(self) else say(self, text) end
end

function View:done(seconds) say(self, ("%s: done in %s"):format(self.head, View.duration(seconds))) end

--- What the stage said last, where it is not on the screen already.
function View:failed()
  if self.interactive then say(self, table.concat(self.last, "\n")) end
end

return View

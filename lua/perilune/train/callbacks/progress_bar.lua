-- progress_bar.lua -- perilune.callbacks.ProgressBar: epoch, rate, time left and running metrics, on stderr.
--
-- On a terminal one line is drawn again and again; elsewhere plain lines appear, see perilune.progress.
local options = require "perilune.options"
local progress = require "perilune.progress"
local shown = require "perilune.shown"

---@class perilune.callbacks.ProgressBar
local ProgressBar = require "perilune.train.callbacks.callback":extend("ProgressBar")

local read = options.reader("ProgressBar", { { "interval", nil, "number" }, { "unit", "it" }, { "stream", nil, "any" },
  { "interactive", nil, "boolean" }, { "clock", nil, "function" } })

ProgressBar.__tostring = shown.by(read)

--- Shows how far an epoch is, its rate, the time left, and what was logged with prog_bar = true.
---
--- Options: interval = 10 seconds (or PERILUNE_PROGRESS_INTERVAL) between lines where stderr is no terminal,
--- unit = "it", stream = io.stderr, interactive: whether the stream is a terminal, clock.
---@param given? table
function ProgressBar:init(given) self.options = read(given) end

local function new_bar(self, title, total)
  local chosen = self.options
  return progress.progress { title = title, total = total, interval = chosen.interval, unit = chosen.unit,
    stream = chosen.stream, interactive = chosen.interactive, clock = chosen.clock }
end

--- The text of the metrics: "loss=0.123  val_loss=0.1".
---@param metrics table<string, number>
---@return string
function ProgressBar.describe(metrics)
  local parts = {}
  for name, value in pairs(metrics) do
    parts[#parts + 1] = math.type(value) == "integer" and name .. "=" .. value or ("%s=%.4g"):format(name, value)
  end
  table.sort(parts)
  return table.concat(parts, "  ")
end

local function title_of(trainer)
  if trainer.max_epochs >= 0 then return ("epoch %d/%d"):format(trainer.current_epoch, trainer.max_epochs) end
  return ("epoch %d"):format(trainer.current_epoch)
end

-- The text is made only when the bar is drawn: most batches go by undrawn.
function ProgressBar:on_train_batch_start(trainer, _, _, i)
  if self.bar then return end
  self.bar = new_bar(self, title_of(trainer), trainer.num_training_batches)
  self.bar:skip(i - 1)
  self.note = function() return self.describe(trainer.progress_bar_metrics) end
end

function ProgressBar:on_train_batch_end() self.bar:update(1, self.note) end

function ProgressBar:on_train_epoch_end(trainer)
  if not self.bar then return end
  self.bar:finish(self.describe(trainer.progress_bar_metrics))
  self.bar = nil
end

-- Drawn after the metrics of the epoch are known, like EarlyStopping's check.
ProgressBar.monitoring = true

local function evaluation_start(self, trainer, title)
  if trainer.stage_of_run == "fit" then return end
  self.evaluation = new_bar(self, title, trainer.num_evaluation_batches)
end

local function evaluation_batch(self)
  if self.evaluation then self.evaluation:update(1) end
end

local function evaluation_end(self, trainer)
  if not self.evaluation then return end
  self.evaluation:finish(self.describe(trainer.evaluation_metrics))
  self.evaluation = nil
end

for event, title in pairs { validation = "validate", test = "test", predict = "predict" } do
  ProgressBar["on_" .. event .. "_start"] = function(self, trainer) evaluation_start(self, trainer, title) end
  ProgressBar["on_" .. event .. "_batch_end"] = evaluation_batch
  ProgressBar["on_" .. event .. "_end"] = evaluation_end
end

-- An error or Ctrl-C leaves the line as it stands.
function ProgressBar:on_exception()
  for _, name in ipairs { "bar", "evaluation" } do
    if self[name] then self[name]:finish() end
    self[name] = nil
  end
end

return ProgressBar

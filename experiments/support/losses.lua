--- A callback that leaves losses.csv: a row for each epoch, those before a --resume included.
local perilune = require "perilune"
local tables = require "support.tables"

local Losses = perilune.callbacks.Callback:extend("Losses")

Losses.monitoring = true   -- runs when the means of the epoch are known

---@param path string
---@param columns string[]  the names of logged values
function Losses:init(path, columns)
  self.path, self.columns, self.rows = path, columns, {}
  self.head = { "epoch", table.unpack(columns) }
  self.head[#self.head + 1] = "seconds"
end

function Losses:on_train_epoch_start() self.epoch = perilune.progress { total = 0 } end   -- for its clock

-- An epoch that was taken up in its middle was not timed.
function Losses:on_validation_start() self.seconds = self.epoch and ("%.2f"):format(self.epoch:elapsed()) or "" end

function Losses:on_train_epoch_end(trainer)
  local row = { trainer.current_epoch }
  for _, name in ipairs(self.columns) do row[#row + 1] = ("%.6f"):format(trainer.callback_metrics[name]) end
  row[#row + 1] = self.seconds
  self.rows[#self.rows + 1] = row
  tables.write_csv(self.path, self.head, self.rows)
end

function Losses:state_dict() return { rows = self.rows } end
function Losses:load_state_dict(dict) self.rows = dict.rows end

return Losses

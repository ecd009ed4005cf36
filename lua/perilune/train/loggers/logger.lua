-- logger.lua -- perilune.loggers.Logger: what a Trainer asks of a logger.
local folders = require "perilune.train.folders"
local shown = require "perilune.shown"

---@class perilune.loggers.Logger
---@field log_dir string
local Logger = require "perilune.train.class".new("Logger")

Logger.__tostring = shown.by("Logger", function(self) return self.log_dir and shown.value(self.log_dir) end)

--- The base of loggers.  local Mine = Logger:extend("Mine"); override log_metrics(values, step), where values are
--- numbers by name (epoch among them), and where they matter log_hyperparams(values), finalize(status), and for
--- runs that go on from a checkpoint state_dict() and resume(step, state).
function Logger.init() end

--- Sets self.log_dir: SAVE_DIR/NAME/VERSION, where the version is the first free version_N unless it is given.
---@param save_dir string
---@param name string
---@param version string|integer|nil
function Logger:place(save_dir, name, version)
  local folder = name ~= "" and save_dir .. "/" .. name or save_dir
  if math.type(version) == "integer" then version = "version_" .. version end
  self.version = version or folders.free_name(folder, "version_")
  self.log_dir = self.version ~= "" and folder .. "/" .. self.version or folder
end

--- Values of the run, such as its settings.
function Logger.log_hyperparams() end

--- Numbers for the checkpoint, such as how much has been logged.
---@return table
function Logger.state_dict() return {} end

--- The run goes on from a checkpoint at this step, with what state_dict() said then; what was logged after it will
--- come again.
function Logger.resume() end

--- The run is over; status is "success" or "failed".
function Logger.finalize() end

return Logger

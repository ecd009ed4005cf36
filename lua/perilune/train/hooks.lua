-- hooks.lua -- who is called when: the names are Lightning's.
--
-- A callback is a table (or an object of a class that extends perilune.callbacks.Callback) with functions under these
-- names, called as callback:on_train_epoch_end(trainer, module, ...).  The module may have them too, called as
-- module:on_train_epoch_end(...), after the callbacks.
local core = require "perilune.core"

local hooks = {}

local NAMES = {
  "setup", "teardown", "on_fit_start", "on_fit_end", "on_sanity_check_start", "on_sanity_check_end",
  "on_train_start", "on_train_end", "on_train_epoch_start", "on_train_epoch_end",
  "on_train_batch_start", "on_train_batch_end", "on_before_zero_grad", "on_before_backward", "on_after_backward",
  "on_before_optimizer_step", "on_exception", "on_save_checkpoint", "on_load_checkpoint",
}
for _, stage in ipairs { "validation", "test", "predict" } do
  for _, event in ipairs { "start", "end", "epoch_start", "epoch_end", "batch_start", "batch_end" } do
    NAMES[#NAMES + 1] = "on_" .. stage .. "_" .. event
  end
end
local KNOWN = {}
for _, name in ipairs(NAMES) do KNOWN[name] = true end

local function check_names(callback, i)
  for name, value in pairs(callback) do
    if type(name) == "string" and name:find("^on_") and type(value) == "function" and not KNOWN[name] then
      core.raise(string.format("Trainer: callback %d has a function '%s', which no event calls; known: %s", i, name,
        table.concat(NAMES, ", ")))
    end
  end
end

--- Checks a list of callbacks: each must be a table, and its on_... functions must have names that are called.
---@param callbacks table[]
function hooks.check(callbacks)
  for i, callback in ipairs(callbacks) do
    if type(callback) ~= "table" then
      core.raise(string.format("Trainer: callback %d is a %s, not a table of hooks", i, type(callback)))
    end
    check_names(callback, i)
    local class = getmetatable(callback)
    if type(class) == "table" then check_names(class, i) end
  end
end

-- The objects of list that have the hook.
local function having(list, name, wanted)
  local found = {}
  for _, object in ipairs(list) do
    if type(object[name]) == "function" and (wanted == nil or wanted(object)) then found[#found + 1] = object end
  end
  return found
end

local function is_monitoring(callback) return callback.monitoring == true end
local function is_plain(callback) return callback.monitoring ~= true end

--- What call, below, needs: for each hook the callbacks that have it, those that watch metrics last.
---@param callbacks table[]
---@param module perilune.nn.Module
---@return table plan
function hooks.plan(callbacks, module)
  local plan = { module = module }
  for _, name in ipairs(NAMES) do
    plan[name] = { plain = having(callbacks, name, is_plain), monitoring = having(callbacks, name, is_monitoring),
      own = type(module[name]) == "function" }
  end
  return plan
end

--- The callbacks that only look on, then the module.
function hooks.first(trainer, name, ...)
  local entry = trainer._hooks[name]
  for _, callback in ipairs(entry.plain) do callback[name](callback, trainer, trainer.module, ...) end
  if entry.own then trainer.module[name](trainer.module, ...) end
end

--- The callbacks that watch metrics (EarlyStopping, ModelCheckpoint), then what they left for when all are done.
function hooks.last(trainer, name, ...)
  local module = trainer.module
  for _, callback in ipairs(trainer._hooks[name].monitoring) do callback[name](callback, trainer, module, ...) end
  local waiting = trainer._waiting
  if #waiting == 0 then return end
  trainer._waiting = {}
  for _, work in ipairs(waiting) do work() end
end

--- Both.
function hooks.call(trainer, name, ...)
  hooks.first(trainer, name, ...)
  hooks.last(trainer, name, ...)
end

return hooks

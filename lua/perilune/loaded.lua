-- loaded.lua -- what perilune.load returned, as the arguments of another call: load_state_dict(perilune.load(path)).
--
-- load returns a value and the metadata of the file, or nil and a message.  In the place of options the metadata has
-- to be told from options, and the message has to be passed on; so the metadata tables that load made are remembered.
local core = require "perilune.core"
local options = require "perilune.options"

local remembered = setmetatable({}, { __mode = "k" })

local loaded = {}

--- What stands in front of the names of the weights in a Trainer's checkpoint.
loaded.WEIGHTS = "state_dict/"

--- Remembers the metadata of a file.
---@param metadata table<string, string>
---@return table<string, string> metadata  the same
function loaded.remember(metadata)
  remembered[metadata] = true
  return metadata
end

--- The options of a call whose arguments may be the results of load: metadata is none.
---@param given any
---@return any given  nil in the place of metadata
function loaded.options(given)
  if given ~= nil and remembered[given] then return nil end
  return given
end

--- Takes the tensors whose names begin with prefix out of the table.
---@param tensors table<string, perilune.Tensor>
---@param prefix string
---@return table<string, perilune.Tensor> taken  without the prefix
function loaded.take(tensors, prefix)
  local taken = {}
  for name, tensor in pairs(tensors) do
    if type(name) == "string" and name:sub(1, #prefix) == prefix then taken[name:sub(#prefix + 1)] = tensor end
  end
  for name in pairs(taken) do tensors[prefix .. name] = nil end
  return taken
end

-- As load gives it, or after state.unflatten.
local function is_checkpoint(tensors)
  if type(tensors.state_dict) == "table" then return true end
  for name in pairs(tensors) do
    if type(name) == "string" and name:sub(1, #loaded.WEIGHTS) == loaded.WEIGHTS then return true end
  end
  return false
end

--- Checks that the first argument of a call is a table, and no Trainer's checkpoint; raises otherwise.
---@param what string  the called function
---@param wanted string  such as "a table of tensors"
---@param value any
---@param second any  what came after it: load's message, should value be nil
---@param hint string  what to do with a Trainer's checkpoint
function loaded.check(what, wanted, value, second, hint)
  if value == nil and type(second) == "string" then core.raise(what .. ": " .. second) end
  if type(value) ~= "table" then
    core.raise(("%s: %s is needed, got %s"):format(what, wanted, options.described(value)))
  end
  if is_checkpoint(value) then core.raise(("%s: this is a Trainer's checkpoint; %s"):format(what, hint)) end
end

return loaded

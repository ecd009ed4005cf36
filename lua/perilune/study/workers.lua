-- workers.lua -- which part of optimize's work this process has.
local core = require "perilune.core"

local workers = {}

--- Whether this process was started by an optimize call with n_jobs.
---@return boolean
function workers.is_worker() return false end

function workers.is_replaying() return false end

function workers.part() return "alone" end

function workers.supervise() core.raise("Study:optimize: n_jobs is 1; start the script in several terminals") end

return workers

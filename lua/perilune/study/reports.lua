-- reports.lua -- what pruners look for among the values that a trial reported.
local reports = {}

--- The last step and the one before it; nil where there is none.
---@param values table  { step = value }
---@return integer|nil
---@return integer|nil
function reports.last_two(values)
  local last, previous
  for step in pairs(values) do
    if not last or step > last then last, previous = step, last
    elseif not previous or step > previous then previous = step end
  end
  return last, previous
end

--- Whether a check is due: every interval steps after the warm-up, at the first report from there on.
---@param step integer  the last one
---@param previous? integer  the one before it
---@param n_warmup_steps integer
---@param interval_steps integer
---@return boolean
function reports.is_due(step, previous, n_warmup_steps, interval_steps)
  if step < n_warmup_steps then return false end
  local from = (step - n_warmup_steps) // interval_steps * interval_steps + n_warmup_steps
  return not previous or previous < from
end

--- The lowest of sign * value, NaN left out; nil if nothing is left.
---@param values table
---@param sign integer
---@return number|nil
function reports.best(values, sign)
  local best
  for _, value in pairs(values) do
    if value == value and (not best or sign * value < best) then best = sign * value end
  end
  return best
end

--- 1 where the study's only objective is minimised, -1 where it is maximised.
---@param study table
---@return integer
function reports.sign(study) return study.directions[1] == "maximize" and -1 or 1 end

return reports

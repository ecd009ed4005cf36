local options = require "perilune.options"
local plot = require "perilune.plot"
local storage = require "perilune.study.storages.base"
local view = require "perilune.study.visualization.view"

local WHAT = "timeline"
local read = options.reader(WHAT, { { "title", "" } })

local STATES = { "COMPLETE", "PRUNED", "FAIL", "RUNNING" }
local COLORS = { COMPLETE = "#0072B2", PRUNED = "#E69F00", FAIL = "#D55E00", RUNNING = "#009E73" }

local function palette_of(names)
  local colors = {}
  for i, name in ipairs(names) do colors[i] = COLORS[name] end
  return #colors > 0 and colors or nil
end

-- The trial's state among those that occur, in the order of STATES.
local function states_of(trials)
  local occurs, place, names = {}, {}, {}
  for _, trial in ipairs(trials) do occurs[trial.state] = true end
  for _, state in ipairs(STATES) do
    if occurs[state] then
      names[#names + 1] = state
      place[state] = #names
    end
  end
  return place, names
end

--- When each trial ran, and how it ended; a RUNNING one until now.
-- Options: title.
---@param study table
---@param given? table
---@return perilune.plot.Figure
local function timeline(study, given)
  local option = read(given)
  local trials = view.trials(WHAT, study, { COMPLETE = true, PRUNED = true, FAIL = true, RUNNING = true })
  local title = option.title ~= "" and option.title or study.study_name
  if #trials == 0 then return view.nothing(WHAT, title, "no trials") end
  local place, names = states_of(trials)
  local start, length, state, lane = {}, {}, {}, {}
  local now, zero = view.seconds(storage.now()), math.huge
  for i, trial in ipairs(trials) do
    start[i] = trial.datetime_start and view.seconds(trial.datetime_start) or 0 / 0
    length[i] = (trial.datetime_complete and view.seconds(trial.datetime_complete) or now) - start[i]
    state[i], lane[i] = place[trial.state], trial.number
    if start[i] < zero then zero = start[i] end
  end
  for i = 1, #start do start[i] = start[i] - zero end
  return plot.timeline { start = start, length = length, lane = lane, label = state, names = names, legend = "right",
    title = title, xlabel = "seconds since the first trial began",
    ylabel = "trial", palette = palette_of(names) }
end

return timeline

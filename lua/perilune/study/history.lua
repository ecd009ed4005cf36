-- history.lua -- what a sampler has learned from the finished trials of a study, each read once.
--
-- A sampler may serve several studies.  Under a pruner that has brackets (Hyperband) a trial is compared with those of
-- its own bracket only, so that each bracket has a history of its own; until brackets are known, all trials share one.

--- A function (study, record) -> the state of the record's study and bracket, up to date.
---@param make fun(study: table): table  a state without trials
---@param add fun(state: table, record: table, study: table)  called for each finished trial, in finishing order
---@return fun(study: table, record: table): table
return function(make, add)
  local by_study = setmetatable({}, { __mode = "k" })
  return function(study, record)
    local pruner, states = study.pruner, by_study[study] or {}
    by_study[study] = states
    local bracket = pruner.bracket_of and pruner:bracket_of(study, record)
    local key = bracket or "all"
    local entry = states[key] or { cursor = 0, state = make(study) }
    states[key] = entry
    local fresh
    fresh, entry.cursor = study:finished_since(entry.cursor)
    for _, trial in ipairs(fresh) do
      if not bracket or pruner:bracket_of(study, trial) == bracket then add(entry.state, trial, study) end
    end
    return entry.state
  end
end

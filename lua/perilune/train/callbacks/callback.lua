-- callback.lua -- perilune.callbacks.Callback: what user-written callbacks may extend.
local Callback = require "perilune.train.class".new("Callback")

--- What a Trainer calls while it runs.  local Mine = Callback:extend("Mine")
--- function Mine:on_train_epoch_end(trainer, module) ... end; a plain table with such functions does as well.
--- The hooks are Lightning's: setup, teardown (with the stage), on_fit_start/_end, on_train_start/_end,
--- on_train_epoch_start/_end, on_train_batch_start (batch, i), on_train_batch_end (outputs, batch, i),
--- on_before_zero_grad, on_before_backward (loss), on_after_backward, on_before_optimizer_step (optimizer),
--- on_validation_start/_end, on_validation_epoch_start/_end, on_validation_batch_start/_end, the same for test and
--- predict, on_sanity_check_start/_end, on_exception (message), on_save_checkpoint/on_load_checkpoint (contents).
--- state_dict() and load_state_dict(dict) go into checkpoints.
function Callback.init() end

return Callback

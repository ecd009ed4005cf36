/* optimizers.c -- perilune.core.optimizers: one call is one step over a list of parameters, in place.
**
** core.optimizers.NAME(parameters, gradients, states, options)
**
**   parameters  { p1, ..., pn }: float32 or float64 tensors, written in place (their storage version rises).
**   gradients   { g1, ..., gn }: gradients[i] is a tensor of p[i]'s shape and dtype (any strides), or false: then
**               parameter i is skipped and its state is neither read nor made.
**               nil instead of the table: each parameter's own .grad, and those without one are skipped.
**   states      a table; states[i] is the table of what parameter i's steps remember, under PyTorch's names.
**               A table or tensor that is missing is made (zeros in the parameter's memory order), so a new
**               optimizer starts with {}.  `step` is a Lua integer, the number of steps taken (missing = 0).
**   options     a table of hyper-parameters under PyTorch's names; a missing one has PyTorch's default.  Names
**               that are not known here are ignored: a parameter group { params = ..., lr = ... } may be passed.
**
**   NAME     what states[i] holds                                options and defaults
**   sgd      momentum_buffer (only if momentum ~= 0)             lr 1e-3, momentum 0, dampening 0, weight_decay 0,
**                                                                nesterov false, maximize false
**   adam     step, exp_avg, exp_avg_sq, max_exp_avg_sq           lr 1e-3, betas {0.9, 0.999}, eps 1e-8,
**            (the last only if amsgrad)                          weight_decay 0, amsgrad false, maximize false
**   adamw    the same                                            the same, but weight_decay 1e-2
**   rmsprop  square_avg, momentum_buffer (if momentum > 0),      lr 1e-2, alpha 0.99, eps 1e-8, weight_decay 0,
**            grad_avg (if centered), step                        momentum 0, centered false, maximize false
**   adagrad  step, sum (starts at initial_accumulator_value)     lr 1e-2, lr_decay 0, weight_decay 0, eps 1e-10,
**                                                                initial_accumulator_value 0, maximize false
**
** They return nothing.  Formulas are PyTorch 2's (see csrc/kernels/).  Everything is checked before the first
** write: a call that raises has left parameters and states as they were.  Nothing here is recorded by the tape.
** Ranges (lr >= 0, betas in [0, 1), eps >= 0 ...) are checked here, so that Lua does not need to.
**
** core.optimizers.clip_grad_norm(gradients, max_norm [, norm_type = 2]) -> total norm (a number)
**   Norm of all elements of all gradients (false entries are skipped; math.huge = the largest magnitude);
**   if it exceeds max_norm, all are scaled in place by max_norm / (norm + 1e-6).
** core.optimizers.clip_grad_value(gradients, clip_value)
**   Clamps every element to [-clip_value, clip_value] in place; NaN stays. */
#include "bind.h"

void bind_optimizers(lua_State *L) {
  lua_newtable(L);
  lua_setfield(L, -2, "optimizers");
}

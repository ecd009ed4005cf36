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
**   Clamps every element to [-clip_value, clip_value] in place; NaN stays.
**
** A step: read everything into an array of items (checks), make what state is missing, hang it into `states`,
** count the steps, then update.  Tables are read without metamethods. */
#include <math.h>

#include "../autograd/autograd.h"
#include "../kernels/optimizer.h"
#include "bind.h"

enum { PARAMETERS = 1, GRADIENTS, STATES, OPTIONS, FRESH };   /* stack slots of a step */

/* -- options -- */

static double number_option(lua_State *L, const char *name, const char *key, double fallback) {
  if (lua_isnil(L, OPTIONS)) return fallback;
  lua_getfield(L, OPTIONS, key);
  if (!lua_isnil(L, -1)) {
    int is_number;
    fallback = lua_tonumberx(L, -1, &is_number);
    if (!is_number) bind_error(L, "%s: %s must be a number, not %s", name, key, luaL_tolstring(L, -1, NULL));
    if (isnan(fallback)) bind_error(L, "%s: %s must be a number, not nan", name, key);
  }
  lua_pop(L, 1);
  return fallback;
}

static bool flag_option(lua_State *L, const char *key) {
  if (lua_isnil(L, OPTIONS)) return false;
  lua_getfield(L, OPTIONS, key);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static void betas_option(lua_State *L, const char *name, optimizer_options *o) {
  if (lua_isnil(L, OPTIONS)) return;
  lua_getfield(L, OPTIONS, "betas");
  if (!lua_isnil(L, -1)) {
    if (!lua_istable(L, -1)) bind_error(L, "%s: betas must be a table of two numbers", name);
    int first, second;
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    o->beta1 = lua_tonumberx(L, -2, &first);
    o->beta2 = lua_tonumberx(L, -1, &second);
    if (!first || !second) bind_error(L, "%s: betas must be a table of two numbers", name);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

static void require(lua_State *L, bool holds, const char *name, const char *key, double value, const char *range) {
  if (!holds) bind_error(L, "%s: %s is %g; it must be %s", name, key, message_number(value), range);
}

static void check_options(lua_State *L, const char *name, const optimizer_options *o) {
  require(L, o->lr >= 0.0, name, "lr", o->lr, "0 or more");
  require(L, o->weight_decay >= 0.0, name, "weight_decay", o->weight_decay, "0 or more");
  require(L, o->eps >= 0.0, name, "eps", o->eps, "0 or more");
  require(L, o->beta1 >= 0.0 && o->beta1 < 1.0, name, "betas[1]", o->beta1, "in [0, 1)");
  require(L, o->beta2 >= 0.0 && o->beta2 < 1.0, name, "betas[2]", o->beta2, "in [0, 1)");
  require(L, o->alpha >= 0.0, name, "alpha", o->alpha, "0 or more");
  require(L, o->momentum >= 0.0, name, "momentum", o->momentum, "0 or more");
  require(L, o->lr_decay >= 0.0, name, "lr_decay", o->lr_decay, "0 or more");
  require(L, o->initial_accumulator_value >= 0.0, name, "initial_accumulator_value",
          o->initial_accumulator_value, "0 or more");
  if (o->nesterov && (o->momentum == 0.0 || o->dampening != 0.0))
    bind_error(L, "%s: nesterov needs a momentum and no dampening", name);
}

static optimizer_options read_options(lua_State *L, const optimizer *kind) {
  const char *name = kind->name;
  optimizer_options o = kind->defaults;
  o.lr = number_option(L, name, "lr", o.lr);
  o.weight_decay = number_option(L, name, "weight_decay", o.weight_decay);
  o.eps = number_option(L, name, "eps", o.eps);
  o.alpha = number_option(L, name, "alpha", o.alpha);
  o.momentum = number_option(L, name, "momentum", o.momentum);
  o.dampening = number_option(L, name, "dampening", o.dampening);
  o.lr_decay = number_option(L, name, "lr_decay", o.lr_decay);
  o.initial_accumulator_value =
    number_option(L, name, "initial_accumulator_value", o.initial_accumulator_value);
  betas_option(L, name, &o);
  o.nesterov = flag_option(L, "nesterov");
  o.amsgrad = flag_option(L, "amsgrad");
  o.centered = flag_option(L, "centered");
  o.maximize = flag_option(L, "maximize");
  check_options(L, name, &o);
  return o;
}

/* -- reading the items -- */

static bool is_writable(const tensor *t) {
  for (int d = 0; d < t->n_dims; d++)
    if (t->stride[d] == 0 && t->shape[d] > 1) return false;
  return true;
}

static tensor *read_parameter(lua_State *L, const char *name, int i) {
  lua_rawgeti(L, PARAMETERS, i);
  tensor *p = bind_test_tensor(L, -1);
  if (p == NULL) bind_error(L, "%s: parameter %d is not a tensor but a %s", name, i, luaL_typename(L, -1));
  if (!dtype_is_float(p->dtype))
    bind_error(L, "%s: parameter %d is %s; it must be float32 or float64", name, i, dtype_name(p->dtype));
  if (!is_writable(p)) bind_error(L, "%s: parameter %d is an expanded view; its elements overlap", name, i);
  lua_pop(L, 1);
  return p;
}

static void check_fits(lua_State *L, const char *name, int i, const tensor *p, const tensor *t, const char *what) {
  if (!tensor_same_shape(p, t))
    bind_error(L, "%s: parameter %d is %s but its %s is %s", name, i, tensor_shape_text(p).text, what,
               tensor_shape_text(t).text);
  if (p->dtype != t->dtype)
    bind_error(L, "%s: parameter %d is %s but its %s is %s", name, i, dtype_name(p->dtype), what,
               dtype_name(t->dtype));
}

/* NULL: this parameter has none. */
static tensor *read_gradient(lua_State *L, const char *name, int i, const tensor *p) {
  tensor *g = NULL;
  if (lua_isnil(L, GRADIENTS)) {
    g = tensor_gradient(p);
  } else {
    lua_rawgeti(L, GRADIENTS, i);
    g = bind_test_tensor(L, -1);
    if (g == NULL && lua_toboolean(L, -1))
      bind_error(L, "%s: gradient %d is not a tensor but a %s", name, i, luaL_typename(L, -1));
    lua_pop(L, 1);
  }
  if (g != NULL) check_fits(L, name, i, p, g, "gradient");
  return g;
}

static int64_t read_step(lua_State *L, const char *name, int i) {
  int is_integer;
  lua_pushliteral(L, "step");
  lua_rawget(L, -2);
  int64_t step = lua_isnil(L, -1) ? 0 : lua_tointegerx(L, -1, &is_integer);
  if (!lua_isnil(L, -1) && (!is_integer || step < 0 || step == INT64_MAX))
    bind_error(L, "%s: step of parameter %d must be an integer of 0 or more", name, i);
  lua_pop(L, 1);
  return step;
}

/* What is missing stays NULL and is_new is set. */
static void read_state(lua_State *L, const optimizer *kind, const optimizer_options *o, int i, optimizer_item *item) {
  lua_rawgeti(L, STATES, i);
  bool is_table = lua_istable(L, -1);
  if (!is_table && !lua_isnil(L, -1))
    bind_error(L, "%s: the state of parameter %d is not a table but a %s", kind->name, i, luaL_typename(L, -1));
  item->step = 1 + (is_table ? read_step(L, kind->name, i) : 0);
  for (int k = 0; k < MAX_OPTIMIZER_STATES; k++) {
    if (kind->states[k] == NULL || !kind->uses_state(o, k)) continue;
    if (is_table) {
      lua_pushstring(L, kind->states[k]);
      lua_rawget(L, -2);
      item->states[k] = bind_test_tensor(L, -1);
      if (item->states[k] == NULL && !lua_isnil(L, -1))
        bind_error(L, "%s: %s of parameter %d is not a tensor", kind->name, kind->states[k], i);
      lua_pop(L, 1);
    }
    item->is_new[k] = item->states[k] == NULL;
    if (item->states[k] != NULL) check_fits(L, kind->name, i, item->parameter, item->states[k], kind->states[k]);
  }
  lua_pop(L, 1);
}

/* -- missing state -- */

/* Makes what is missing; the tensors wait in the table FRESH, so that a failure leaves `states` alone. */
static void make_states(lua_State *L, context *c, const optimizer *kind, const optimizer_options *o, int n,
                        optimizer_item *items) {
  double start = kind->state_start != NULL ? kind->state_start(o) : 0.0;
  lua_Integer n_fresh = 0;
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < MAX_OPTIMIZER_STATES; k++) {
      if (!items[i].is_new[k]) continue;
      tensor **handle = bind_new_kept_tensor(L);
      *handle = tensor_zeros_like(c, items[i].parameter, items[i].parameter->dtype);
      if (*handle == NULL) bind_check(L, STATUS_NO_MEMORY);
      if (start != 0.0) bind_check(L, tensor_fill(c, *handle, start));
      items[i].states[k] = *handle;
      lua_rawseti(L, FRESH, ++n_fresh);
    }
  }
}

/* Leaves the table of parameter i on the stack. */
static void push_state_table(lua_State *L, int i) {
  if (lua_rawgeti(L, STATES, i) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, STATES, i);
}

static void hang_states(lua_State *L, const optimizer *kind, int n, const optimizer_item *items) {
  lua_Integer n_fresh = 0;
  for (int i = 0; i < n; i++) {
    if (items[i].gradient == NULL) continue;
    bool has_new = items[i].is_new[0] || items[i].is_new[1] || items[i].is_new[2];
    if (!has_new && !kind->counts_steps) continue;
    push_state_table(L, i + 1);
    for (int k = 0; k < MAX_OPTIMIZER_STATES; k++) {
      if (!items[i].is_new[k]) continue;
      lua_pushstring(L, kind->states[k]);
      lua_rawgeti(L, FRESH, ++n_fresh);
      lua_rawset(L, -3);
    }
    if (kind->counts_steps) {
      lua_pushliteral(L, "step");
      lua_pushinteger(L, items[i].step);
      lua_rawset(L, -3);
    }
    lua_pop(L, 1);
  }
}

static void check_table(lua_State *L, const char *name, int slot, const char *what, bool optional) {
  if (lua_istable(L, slot) || (optional && lua_isnil(L, slot))) return;
  bind_error(L, "%s: %s must be a table, not a %s", name, what, luaL_typename(L, slot));
}

/* core.optimizers.NAME(parameters, gradients, states, options); upvalue: the optimizer. */
static int step(lua_State *L) {
  const optimizer *kind = lua_touserdata(L, lua_upvalueindex(1));
  context *c = bind_enter(L);
  lua_settop(L, OPTIONS);
  check_table(L, kind->name, PARAMETERS, "parameters", false);
  check_table(L, kind->name, GRADIENTS, "gradients", true);
  check_table(L, kind->name, STATES, "states", false);
  check_table(L, kind->name, OPTIONS, "options", true);
  optimizer_options o = read_options(L, kind);
  lua_newtable(L);
  int n = (int)lua_rawlen(L, PARAMETERS);
  if (n == 0) return 0;
  optimizer_item *items = bind_scratch(L, (size_t)n * sizeof *items);
  for (int i = 0; i < n; i++) {
    items[i] = (optimizer_item){ .parameter = read_parameter(L, kind->name, i + 1) };
    items[i].gradient = read_gradient(L, kind->name, i + 1, items[i].parameter);
    if (items[i].gradient != NULL) read_state(L, kind, &o, i + 1, &items[i]);
  }
  make_states(L, c, kind, &o, n, items);
  hang_states(L, kind, n, items);
  optimizer_step(c, kind, n, items, &o);
  return 0;
}

/* -- clipping -- */

/* The tensors of the table at `PARAMETERS`, without its false entries; pushes the scratch that holds them. */
static tensor **read_gradients(lua_State *L, const char *name, int *count) {
  check_table(L, name, 1, "gradients", false);
  int n = (int)lua_rawlen(L, 1);
  tensor **gradients = bind_scratch(L, (size_t)(n + 1) * sizeof *gradients);
  *count = 0;
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    tensor *g = bind_test_tensor(L, -1);
    if (g == NULL && lua_toboolean(L, -1))
      bind_error(L, "%s: gradient %d is not a tensor but a %s", name, i, luaL_typename(L, -1));
    if (g != NULL && !dtype_is_float(g->dtype))
      bind_error(L, "%s: gradient %d is %s; it must be float32 or float64", name, i, dtype_name(g->dtype));
    if (g != NULL && !is_writable(g))
      bind_error(L, "%s: gradient %d is an expanded view; its elements overlap", name, i);
    if (g != NULL) gradients[(*count)++] = g;
    lua_pop(L, 1);
  }
  return gradients;
}

static double check_positive(lua_State *L, const char *name, int slot, const char *what) {
  int is_number;
  double x = lua_tonumberx(L, slot, &is_number);
  if (!is_number || !(x >= 0.0)) bind_error(L, "%s: %s must be a number of 0 or more", name, what);
  return x;
}

static int clip_norm(lua_State *L) {
  context *c = bind_enter(L);
  double max_norm = check_positive(L, "clip_grad_norm", 2, "max_norm");
  double norm_type = lua_isnoneornil(L, 3) ? 2.0 : check_positive(L, "clip_grad_norm", 3, "norm_type");
  if (norm_type == 0.0) bind_error(L, "clip_grad_norm: norm_type must be more than 0");
  int n;
  tensor **gradients = read_gradients(L, "clip_grad_norm", &n);
  double norm = 0.0;
  bind_check(L, clip_grad_norm(c, n, gradients, max_norm, norm_type, &norm));
  lua_pushnumber(L, norm);
  return 1;
}

static int clip_value(lua_State *L) {
  context *c = bind_enter(L);
  double limit = check_positive(L, "clip_grad_value", 2, "clip_value");
  int n;
  tensor **gradients = read_gradients(L, "clip_grad_value", &n);
  clip_grad_value(c, n, gradients, limit);
  return 0;
}

void bind_optimizers(lua_State *L) {
  static const optimizer *const kinds[] = { &optimizer_sgd, &optimizer_adam, &optimizer_adamw,
                                            &optimizer_rmsprop, &optimizer_adagrad };
  lua_newtable(L);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)kinds[k]);
    lua_pushcclosure(L, step, 1);
    lua_setfield(L, -2, kinds[k]->name);
  }
  lua_pushcfunction(L, clip_norm);
  lua_setfield(L, -2, "clip_grad_norm");
  lua_pushcfunction(L, clip_value);
  lua_setfield(L, -2, "clip_grad_value");
  lua_setfield(L, -2, "optimizers");
}

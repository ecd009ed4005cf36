/* autograd.c -- backward, gradients, hooks, the recording switch, operations written in Lua. */
#include "../autograd/autograd.h"

#include <string.h>

#include "state.h"

/* Reads a flag from the options table at `at`, which may be absent; any other name raises. */
static bool option(lua_State *L, int at, const char *function, const char *name) {
  if (lua_isnoneornil(L, at)) return false;
  if (!lua_istable(L, at)) bind_error(L, "%s: options must be a table: { %s = true }", function, name);
  bool value = false;
  lua_pushnil(L);
  while (lua_next(L, at) != 0) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    if (strcmp(key, "create_graph") == 0)
      bind_error(L, "%s: create_graph: gradients of gradients are not supported", function);
    if (strcmp(key, name) != 0) bind_error(L, "%s: unknown option '%s'; known: %s", function, key, name);
    value = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return value;
}

/* User code (hooks, backwards in Lua) runs on the coroutine that called. */
static status run_on(lua_State *L, tensor *root, tensor *gradient, bool retain_graph) {
  state *s = bind_state(L);
  lua_State *before = s->running;
  s->running = L;
  status code = autograd_backward(s->context, root, gradient, retain_graph);
  s->running = before;
  return code;
}

/* t:backward(gradient, { retain_graph }).  gradient may be left out for a tensor of one element.
** Adds to .grad of every leaf that requires it, and frees the graph. */
static int backward(lua_State *L) {
  bind_enter(L);
  tensor *root = bind_check_tensor(L, 1);
  int options = lua_istable(L, 2) ? 2 : 3;
  bool given = options == 3 && !lua_isnoneornil(L, 2);
  if (given && !bind_is_tensor(L, 2)) bind_error(L, "backward: the gradient must be a tensor, not %s", luaL_typename(L, 2));
  tensor *gradient = given ? bind_check_tensor(L, 2) : NULL;
  bool retain_graph = option(L, options, "backward", "retain_graph");
  bind_check(L, run_on(L, root, gradient, retain_graph));
  return 0;
}

/* -- perilune.grad -- */

/* One tensor or a list of them at `at`; the array is scratch on the stack. */
static tensor **tensors_at(lua_State *L, int at, const char *what, int *n) {
  bool is_list = lua_istable(L, at);
  *n = is_list ? (int)lua_rawlen(L, at) : 1;
  if (*n == 0) bind_error(L, "grad: %s is an empty list", what);
  tensor **tensors = lua_newuserdatauv(L, (size_t)*n * sizeof *tensors, 0);
  for (int i = 0; i < *n; i++) {
    if (is_list) lua_rawgeti(L, at, i + 1);
    else lua_pushvalue(L, at);
    tensors[i] = bind_test_tensor(L, -1);
    if (tensors[i] == NULL) bind_error(L, "grad: %s must be a tensor or a list of tensors", what);
    lua_pop(L, 1);
  }
  return tensors;
}

/* grad(outputs, inputs, { grad_outputs, retain_graph }) -> a gradient for each input (nil where unrelated).
** .grad of the leaves stays as it is. */
static int grad(lua_State *L) {
  state *s = bind_state(L);
  bind_enter(L);
  int n_outputs, n_inputs, n_given = 0;
  bool retain_graph = false;
  tensor **given = NULL;
  lua_settop(L, 3);
  tensor **outputs = tensors_at(L, 1, "outputs", &n_outputs);
  tensor **inputs = tensors_at(L, 2, "inputs", &n_inputs);
  if (lua_istable(L, 3)) {
    if (lua_getfield(L, 3, "grad_outputs") != LUA_TNIL) given = tensors_at(L, lua_gettop(L), "grad_outputs", &n_given);
    lua_pushnil(L);
    lua_setfield(L, 3, "grad_outputs");
    retain_graph = option(L, 3, "grad", "retain_graph");
  }
  if (given != NULL && n_given != n_outputs) bind_error(L, "grad: %d outputs but %d grad_outputs", n_outputs, n_given);
  for (int i = 0; i < n_inputs; i++)
    if (!inputs[i]->requires_grad) bind_error(L, "grad: input %d does not require a gradient", i + 1);
  tensor **none = lua_newuserdatauv(L, (size_t)n_outputs * sizeof *none, 0);
  memset(none, 0, (size_t)n_outputs * sizeof *none);
  tensor **results = lua_newuserdatauv(L, (size_t)n_inputs * sizeof *results, 0);
  luaL_checkstack(L, n_inputs + 4, "grad");
  int first = lua_gettop(L) + 1;
  for (int i = 0; i < n_inputs; i++) bind_new_tensor(L);
  lua_State *before = s->running;
  s->running = L;
  status code = autograd_gradients(s->context, n_outputs, outputs, given != NULL ? given : none, n_inputs, inputs,
                                   retain_graph, results);
  s->running = before;
  bind_check(L, code);
  for (int i = 0; i < n_inputs; i++) {
    *(tensor **)lua_touserdata(L, first + i) = results[i];
    if (results[i] != NULL) continue;
    lua_pushnil(L);
    lua_replace(L, first + i);
  }
  return n_inputs;
}

/* -- the recording switch -- */

/* setting = value while the function at 1 runs with the arguments behind it; returns what it returns.  A plain
** lua_pcall: a coroutine cannot yield out of it, nor die in it, and leave the setting to everybody else. */
static int call_with(lua_State *L, const char *name, bool *setting, bool value) {
  bool callable = lua_isfunction(L, 1) || luaL_getmetafield(L, 1, "__call") != LUA_TNIL;
  if (!callable) bind_error(L, "%s: give it a function: %s(function() ... end)", name, name);
  if (!lua_isfunction(L, 1)) lua_pop(L, 1);
  bool before = *setting;
  *setting = value;
  int code = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  *setting = before;
  return code == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* no_grad(fn, ...): runs fn(...) without recording on the tape and returns what it returns. */
static int no_grad(lua_State *L) { return call_with(L, "no_grad", &bind_context(L)->grad_enabled, false); }

/* enable_grad(fn, ...): runs fn(...) with recording switched on again, inside a no_grad. */
static int enable_grad(lua_State *L) { return call_with(L, "enable_grad", &bind_context(L)->grad_enabled, true); }

/* detect_anomaly(fn, ...): runs fn(...) in anomaly mode: the first operation that makes a NaN raises an error that
** names it.  Slow. */
static int detect_anomaly(lua_State *L) { return call_with(L, "detect_anomaly", &bind_context(L)->anomaly, true); }

static int is_grad_enabled(lua_State *L) {
  lua_pushboolean(L, bind_context(L)->grad_enabled);
  return 1;
}

static int set_detect_anomaly(lua_State *L) {
  bind_context(L)->anomaly = lua_toboolean(L, 1);
  return 0;
}

/* t:requires_grad_(flag = true) -> t */
static int requires_grad_in_place(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  bind_check(L, tensor_set_requires_grad(c, t, lua_isnone(L, 2) || lua_toboolean(L, 2)));
  lua_settop(L, 1);
  return 1;
}

/* -- Lua functions that the tape calls -- */

/* Lives as long as the hook or node; the references are given back on the main thread, which always exists. */
typedef struct callback {
  state *state;
  int function;
} callback;

static void callback_release(void *data) {
  callback *k = data;
  luaL_unref(k->state->main, LUA_REGISTRYINDEX, k->function);
  context_put(k->state->context, k, sizeof *k);
}

/* Takes the function on top of the stack. */
static callback *callback_new(lua_State *L) {
  state *s = bind_state(L);
  int function = luaL_ref(L, LUA_REGISTRYINDEX);   /* may raise: before there is anything to lose */
  callback *k = context_get(s->context, sizeof *k);
  if (k == NULL) {
    luaL_unref(L, LUA_REGISTRYINDEX, function);
    bind_raise(L);
  }
  *k = (callback){ .state = s, .function = function };
  return k;
}

/* A function of the user's, called from inside a walk: tensors in, tensors out. */
typedef struct user_call {
  int function;
  int n_arguments, n_results;
  tensor **arguments, **results;   /* results: new references; NULL where it returned no tensor */
  bool is_hook;                    /* what it returns is a tensor or nil */
} user_call;

/* The results are retained last: nothing raises then. */
static int call_user(lua_State *L) {
  const user_call *u = lua_touserdata(L, 1);
  luaL_checkstack(L, u->n_arguments + u->n_results + 6, "too many tensors");
  lua_rawgeti(L, LUA_REGISTRYINDEX, u->function);
  for (int i = 0; i < u->n_arguments; i++) bind_push_tensor(L, u->arguments[i]);
  lua_call(L, u->n_arguments, u->n_results);
  if (u->is_hook && !lua_isnil(L, 2) && bind_test_tensor(L, 2) == NULL)
    bind_error(L, "hook: it must return the new gradient or nothing, not a %s", luaL_typename(L, 2));
  for (int i = 0; i < u->n_results; i++) {
    tensor *t = bind_test_tensor(L, 2 + i);
    u->results[i] = t != NULL ? tensor_retain(t) : NULL;
  }
  return 0;
}

/* An error must not jump over the walk, which has the recording switched off and holds references: so all that may
** raise, the userdata of the arguments too, is made inside the protected call. */
static status run_user_call(const callback *k, user_call *u) {
  lua_State *L = k->state->running;
  u->function = k->function;
  if (!lua_checkstack(L, 4)) return context_fail(k->state->context, STATUS_NO_MEMORY, "backward: the Lua stack is full");
  lua_pushcfunction(L, call_user);
  lua_pushlightuserdata(L, u);
  return bind_call_back(k->state, L, 1, 0) ? STATUS_OK : STATUS_INVALID;
}

static status check_replacement(context *c, const tensor *replacement, const tensor *gradient) {
  if (tensor_same_shape(replacement, gradient) && replacement->dtype == gradient->dtype) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "hook: the new gradient is %s %s but the gradient is %s %s",
                      tensor_shape_text(replacement).text, dtype_name(replacement->dtype),
                      tensor_shape_text(gradient).text, dtype_name(gradient->dtype));
}

static status run_hook(context *c, tensor **gradient, void *data) {
  tensor *replacement = NULL;
  user_call u = { .n_arguments = 1, .arguments = gradient, .n_results = 1, .results = &replacement,
                  .is_hook = true };
  status code = run_user_call(data, &u);
  if (replacement == NULL) return code;
  code = check_replacement(c, replacement, *gradient);
  tensor *unused = code == STATUS_OK ? *gradient : replacement;
  if (code == STATUS_OK) *gradient = replacement;
  tensor_release(unused);
  return code;
}

/* t:register_hook(function(gradient) ... end) -> id.  A tensor that the function returns replaces the gradient.
** The tape holds the function: one that uses the tensor itself keeps both alive until the hook is removed. */
static int register_hook(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  if (!lua_isfunction(L, 2)) bind_error(L, "register_hook: needs a function, not %s", luaL_typename(L, 2));
  lua_settop(L, 2);
  callback *k = callback_new(L);
  int64_t id;
  status code = tensor_add_hook(c, t, run_hook, k, callback_release, &id);
  if (code != STATUS_OK) callback_release(k);
  bind_check(L, code);
  lua_pushinteger(L, id);
  return 1;
}

static int remove_hook(lua_State *L) {
  tensor *t = bind_check_tensor(L, 1);
  tensor_remove_hook(t, bind_check_integer(L, 2, "remove_hook: id", INT64_MIN, INT64_MAX));
  return 0;
}

/* -- operations written in Lua -- */

static status run_custom_backward(op_call *call) {
  user_call u = { .n_arguments = call->op->n_outputs, .arguments = call->output_gradients,
                  .n_results = call->n_inputs, .results = call->input_gradients };
  status code = run_user_call(call->data, &u);
  for (int i = 0; i < call->n_inputs && code == STATUS_OK; i++)
    if (call->needs_gradient[i] && call->input_gradients[i] == NULL)
      code = op_fail(call, "its backward must return a tensor for input %d", i + 1);
  return code;
}

/* core.record(name, backward, inputs, outputs): outputs were computed by Lua without recording and get a node whose
** backward is the Lua function: gradients of the outputs in, gradients of the inputs out. */
static int record(lua_State *L) {
  context *c = bind_enter(L);
  int n_inputs, n_outputs;
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  tensor **inputs = tensors_at(L, 3, "inputs", &n_inputs);
  tensor **outputs = tensors_at(L, 4, "outputs", &n_outputs);
  if (n_outputs > MAX_OUTPUTS) bind_error(L, "%s: an operation has at most %d outputs", name, MAX_OUTPUTS);
  lua_pushvalue(L, 2);
  custom_op custom = { .name = name, .backward = run_custom_backward, .release = callback_release,
                       .data = callback_new(L) };
  bind_check(L, autograd_record_custom(c, custom, n_inputs, inputs, n_outputs, outputs));
  return 0;
}

/* core.written(t): how often its memory has been written in place. */
static int written(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)atomic_load(&bind_check_tensor(L, 1)->storage->version));
  return 1;
}

void bind_autograd(lua_State *L) {
  static const luaL_Reg functions[] = { { "grad", grad },
                                        { "no_grad", no_grad },
                                        { "enable_grad", enable_grad },
                                        { "detect_anomaly", detect_anomaly },
                                        { "is_grad_enabled", is_grad_enabled },
                                        { "set_detect_anomaly", set_detect_anomaly },
                                        { "record", record },
                                        { "written", written },
                                        { NULL, NULL } };
  static const luaL_Reg methods[] = { { "backward", backward },
                                      { "requires_grad_", requires_grad_in_place },
                                      { "register_hook", register_hook },
                                      { "remove_hook", remove_hook },
                                      { NULL, NULL } };
  luaL_setfuncs(L, functions, 0);
  bind_push_methods(L);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}

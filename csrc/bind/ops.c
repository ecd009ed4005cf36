/* ops.c -- every operation of the registry as a Lua function, from its description.
**
** A call: positional arguments in the order of `parameters`, then an optional table that gives any of the values by
** name.  The description is compiled once for each state: defaults are parsed, names looked at, nothing is built
** during a call. */
#include <stdlib.h>
#include <string.h>

#include "../autograd/autograd.h"
#include "../kernels/registry.h"
#include "state.h"

enum { FEW_INPUTS = 8 };

typedef struct compiled {
  const op *operation;
  int n_parameters, n_values;
  op_value fallback[MAX_VALUES];
  bool has_fallback[MAX_VALUES];
} compiled;

typedef struct call {
  lua_State *L;
  context *context;
  const compiled *compiled;
  int top;                      /* arguments before the options table */
  int options;                  /* stack index of the options table, or 0 */
  int next;                     /* stack index of the next positional argument */
  int n_inputs;
  tensor **inputs;
  tensor *few[FEW_INPUTS];
  op_value values[MAX_VALUES];
} call;

static bool takes_tensors(parameter_kind kind) {
  return kind == P_TENSOR || kind == P_TENSOR_OR_NIL || kind == P_TENSOR_LIST;
}

static bool takes_list(parameter_kind kind) {
  return kind == P_TENSOR_LIST || kind == P_DIMS || kind == P_SIZES || kind == P_PAIR;
}

/* -- tensors -- */

/* Lua numbers keep their precision; is_number makes them promote weakly. */
static tensor *number_tensor(call *k, int argument) {
  lua_State *L = k->L;
  tensor **slot = bind_new_tensor(L);
  if (lua_isinteger(L, argument)) *slot = tensor_integer(k->context, DTYPE_INT64, lua_tointeger(L, argument));
  else *slot = tensor_number(k->context, DTYPE_FLOAT64, lua_tonumber(L, argument));
  if (*slot == NULL) bind_raise(L);
  (*slot)->is_number = true;
  return *slot;
}

/* argument 0: not given. */
static tensor *check_tensor(call *k, const parameter *p, int argument) {
  lua_State *L = k->L;
  const char *name = k->compiled->operation->name;
  if (argument != 0 && lua_type(L, argument) == LUA_TNUMBER) return number_tensor(k, argument);
  if (argument == 0 || lua_isnil(L, argument)) {
    if (p->kind == P_TENSOR_OR_NIL) return NULL;
    bind_error(L, "%s: %s is missing: it must be a tensor", name, p->name);
  }
  tensor *t = bind_test_tensor(L, argument);
  if (t != NULL) return t;
  if (lua_isuserdata(L, argument)) return bind_check_tensor(L, argument);
  bind_error(L, "%s: %s must be a tensor, not %s", name, p->name, luaL_typename(L, argument));
}

/* The list stays on the stack, so its tensors stay alive. */
static void check_list(call *k, const parameter *p, int argument) {
  lua_State *L = k->L;
  const char *name = k->compiled->operation->name;
  if (argument == 0 || !lua_istable(L, argument))
    bind_error(L, "%s: %s must be a list of tensors", name, p->name);
  int64_t n = (int64_t)lua_rawlen(L, argument);
  if (n == 0) bind_error(L, "%s: %s is an empty list", name, p->name);
  if (n > INT32_MAX / 64) bind_error(L, "%s: %s has too many tensors", name, p->name);
  k->inputs = lua_newuserdatauv(L, ((size_t)n + FEW_INPUTS) * sizeof *k->inputs, 0);
  for (int64_t i = 1; i <= n; i++) {
    lua_rawgeti(L, argument, i);
    tensor *t = bind_test_tensor(L, -1);
    if (t == NULL) bind_error(L, "%s: item %lld of %s must be a tensor, not %s", name, (long long)i, p->name, luaL_typename(L, -1));
    k->inputs[k->n_inputs++] = t;
    lua_pop(L, 1);
  }
}

/* -- values -- */

static int64_t check_integer(call *k, const parameter *p, int argument) {
  int is_integer;
  lua_Integer value = lua_tointegerx(k->L, argument, &is_integer);
  if (!is_integer || lua_type(k->L, argument) != LUA_TNUMBER)
    bind_error(k->L, "%s: %s must be an integer, not %s", k->compiled->operation->name, p->name, luaL_typename(k->L, argument));
  return value;
}

static void push_item(call *k, const parameter *p, op_value *value, int64_t item) {
  if (value->list.count == MAX_DIMS)
    bind_error(k->L, "%s: %s has more than %d items", k->compiled->operation->name, p->name, MAX_DIMS);
  value->list.items[value->list.count++] = item;
}

static void check_items(call *k, const parameter *p, int argument, op_value *value) {
  value->list.count = 0;
  if (!lua_istable(k->L, argument)) {
    push_item(k, p, value, check_integer(k, p, argument));
    return;
  }
  int64_t n = (int64_t)lua_rawlen(k->L, argument);
  for (int64_t i = 1; i <= n; i++) {
    lua_rawgeti(k->L, argument, i);
    push_item(k, p, value, check_integer(k, p, lua_gettop(k->L)));
    lua_pop(k->L, 1);
  }
}

static void check_pair(call *k, const parameter *p, int argument, op_value *value) {
  check_items(k, p, argument, value);
  if (value->list.count == 1) push_item(k, p, value, value->list.items[0]);
  if (value->list.count != 2)
    bind_error(k->L, "%s: %s must be an integer or two of them", k->compiled->operation->name, p->name);
}

/* Position of text among "a|b|c", or -1. */
static int find_choice(const char *choices, const char *text) {
  size_t n = strlen(text);
  for (int i = 0; choices != NULL; i++) {
    const char *end = strchr(choices, '|');
    size_t length = end != NULL ? (size_t)(end - choices) : strlen(choices);
    if (length == n && memcmp(choices, text, n) == 0) return i;
    choices = end != NULL ? end + 1 : NULL;
  }
  return -1;
}

static int64_t check_choice(call *k, const parameter *p, int argument) {
  bool is_text = lua_type(k->L, argument) == LUA_TSTRING;
  const char *text = is_text ? lua_tostring(k->L, argument) : luaL_typename(k->L, argument);
  int choice = find_choice(p->choices, text);
  if (choice < 0)
    bind_error(k->L, "%s: %s must be one of %s, not '%s'", k->compiled->operation->name, p->name, p->choices, text);
  return choice;
}

static int64_t check_dtype(call *k, const parameter *p, int argument) {
  dtype d;
  bool is_text = lua_type(k->L, argument) == LUA_TSTRING;
  const char *text = is_text ? lua_tostring(k->L, argument) : luaL_typename(k->L, argument);
  if (!dtype_from_name(text, &d))
    bind_error(k->L, "%s: %s must be one of bool, uint8, int64, float32, float64, not '%s'", k->compiled->operation->name, p->name, text);
  return d;
}

static double check_number(call *k, const parameter *p, int argument) {
  if (lua_type(k->L, argument) != LUA_TNUMBER)
    bind_error(k->L, "%s: %s must be a number, not %s", k->compiled->operation->name, p->name, luaL_typename(k->L, argument));
  return lua_tonumber(k->L, argument);
}

static bool check_flag(call *k, const parameter *p, int argument) {
  if (!lua_isboolean(k->L, argument))
    bind_error(k->L, "%s: %s must be true or false, not %s", k->compiled->operation->name, p->name, luaL_typename(k->L, argument));
  return lua_toboolean(k->L, argument);
}

static void check_value(call *k, const parameter *p, int argument, op_value *value) {
  switch (p->kind) {
    case P_NUMBER: value->number = check_number(k, p, argument); break;
    case P_INTEGER:
    case P_DIM: value->integer = check_integer(k, p, argument); break;
    case P_FLAG: value->flag = check_flag(k, p, argument); break;
    case P_DIMS:
    case P_SIZES: check_items(k, p, argument, value); break;
    case P_PAIR: check_pair(k, p, argument, value); break;
    case P_CHOICE: value->integer = check_choice(k, p, argument); break;
    case P_DTYPE: value->integer = check_dtype(k, p, argument); break;
    case P_TENSOR:
    case P_TENSOR_OR_NIL:
    case P_TENSOR_LIST: break;
  }
}

/* Sizes may be spread over the remaining arguments: x:reshape(2, 3). */
static void check_spread_sizes(call *k, const parameter *p, op_value *value) {
  value->list.count = 0;
  while (k->next <= k->top) push_item(k, p, value, check_integer(k, p, k->next++));
}

/* -- a whole call -- */

static void take_value(call *k, const parameter *p, int at) {
  op_value *value = &k->values[at];
  if (p->flags & OPTION) return;
  if (k->next > k->top || lua_isnil(k->L, k->next)) {
    k->next++;
    return;
  }
  if (p->kind == P_SIZES && !lua_istable(k->L, k->next)) {
    check_spread_sizes(k, p, value);
    return;
  }
  check_value(k, p, k->next++, value);
}

static void unknown_option(call *k, const char *name) {
  luaL_Buffer known;
  luaL_buffinit(k->L, &known);
  for (const parameter *p = k->compiled->operation->parameters; p->name != NULL; p++) {
    if (takes_tensors(p->kind)) continue;
    if (luaL_bufflen(&known) > 0) luaL_addstring(&known, ", ");
    luaL_addstring(&known, p->name);
  }
  luaL_pushresult(&known);
  bind_error(k->L, "%s: unknown option '%s'; known: %s", k->compiled->operation->name, name, lua_tostring(k->L, -1));
}

static void take_option(call *k, const char *name, int argument) {
  int at = 0;
  for (const parameter *p = k->compiled->operation->parameters; p->name != NULL; p++) {
    if (takes_tensors(p->kind)) continue;
    if (strcmp(p->name, name) == 0) {
      check_value(k, p, argument, &k->values[at]);
      return;
    }
    at++;
  }
  unknown_option(k, name);
}

static bool was_given(const call *k, const parameter *wanted) {
  if (k->options == 0) return false;
  lua_pushstring(k->L, wanted->name);
  bool given = lua_rawget(k->L, k->options) != LUA_TNIL;
  lua_pop(k->L, 1);
  return given;
}

static void take_options(call *k) {
  lua_State *L = k->L;
  lua_pushnil(L);
  while (lua_next(L, k->options) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING)
      bind_error(L, "%s: options are given by name, not by position", k->compiled->operation->name);
    take_option(k, lua_tostring(L, -2), lua_gettop(L));
    lua_pop(L, 1);
  }
}

/* A trailing table is the options unless a parameter in its place takes a list and it looks like one. */
static bool is_options(lua_State *L, const compiled *description, int argument) {
  if (!lua_istable(L, argument) || description->n_values == 0) return false;
  if (lua_rawlen(L, argument) > 0) return false;
  int position = 1;
  for (const parameter *p = description->operation->parameters; p->name != NULL; p++, position++) {
    if ((p->flags & OPTION) || position < argument) continue;
    if (!takes_list(p->kind)) return true;
    lua_pushnil(L);
    if (lua_next(L, argument) == 0) return false;
    lua_pop(L, 2);
    return true;
  }
  return true;
}

static void take_arguments(call *k) {
  int at = 0;
  for (const parameter *p = k->compiled->operation->parameters; p->name != NULL; p++) {
    if (p->kind == P_TENSOR_LIST) {
      check_list(k, p, k->next <= k->top ? k->next : 0);
      k->next++;
    } else if (takes_tensors(p->kind)) {
      k->inputs[k->n_inputs++] = check_tensor(k, p, k->next <= k->top ? k->next : 0);
      k->next++;
    } else {
      int before = k->next;
      take_value(k, p, at);
      bool given = !(p->flags & OPTION) && before <= k->top && !lua_isnil(k->L, before);
      if (!given && !k->compiled->has_fallback[at] && !was_given(k, p))
        bind_error(k->L, "%s: %s is missing", k->compiled->operation->name, p->name);
      at++;
    }
  }
  if (k->next <= k->top)
    bind_error(k->L, "%s: too many arguments (%d)", k->compiled->operation->name, k->top);
  if (k->options != 0) take_options(k);
}

static void begin_call(call *k, lua_State *L) {
  k->L = L;
  k->context = bind_enter(L);
  k->compiled = lua_touserdata(L, lua_upvalueindex(1));
  k->top = lua_gettop(L);
  k->options = k->top > 0 && is_options(L, k->compiled, k->top) ? k->top : 0;
  if (k->options != 0) k->top--;
  k->next = 1;
  k->n_inputs = 0;
  k->inputs = k->few;
  memcpy(k->values, k->compiled->fallback, (size_t)k->compiled->n_values * sizeof *k->values);
  take_arguments(k);
}

static int call_op(lua_State *L) {
  call k;
  begin_call(&k, L);
  const op *operation = k.compiled->operation;
  tensor **slots[MAX_OUTPUTS], *outputs[MAX_OUTPUTS] = { 0 };
  int first = lua_gettop(L) + 1;
  for (int i = 0; i < operation->n_outputs; i++) slots[i] = bind_new_tensor(L);
  bind_check(L, autograd_apply(k.context, operation, k.n_inputs, k.inputs, k.values, outputs));
  int n_results = 0;
  for (int i = 0; i < operation->n_outputs; i++) {
    *slots[i] = outputs[i];
    if (outputs[i] != NULL) n_results = i + 1;
  }
  lua_settop(L, first + n_results - 1);
  return n_results;
}

static int call_op_in_place(lua_State *L) {
  call k;
  begin_call(&k, L);
  if (k.n_inputs == 0 || k.inputs[0] == NULL) bind_error(L, "%s_: needs a tensor", k.compiled->operation->name);
  bind_check(L, autograd_apply_in_place(k.context, k.compiled->operation, k.n_inputs, k.inputs, k.values));
  lua_settop(L, 1);
  return 1;
}

/* -- compiling a description -- */

static void parse_items(const char *text, op_value *value) {
  value->list.count = 0;
  while (*text != '\0' && value->list.count < MAX_DIMS) {
    char *end;
    value->list.items[value->list.count++] = strtoll(text, &end, 10);
    text = *end == ',' ? end + 1 : end;
  }
}

static void parse_fallback(const parameter *p, op_value *value) {
  dtype d;
  switch (p->kind) {
    case P_NUMBER: value->number = strtod(p->fallback, NULL); break;
    case P_INTEGER:
    case P_DIM: value->integer = strtoll(p->fallback, NULL, 10); break;
    case P_FLAG: value->flag = strcmp(p->fallback, "true") == 0; break;
    case P_CHOICE: value->integer = find_choice(p->choices, p->fallback); break;
    case P_DTYPE: value->integer = dtype_from_name(p->fallback, &d) ? (int64_t)d : -1; break;
    case P_DIMS:
    case P_SIZES: parse_items(p->fallback, value); break;
    case P_PAIR:
      parse_items(p->fallback, value);
      if (value->list.count == 1) {
        value->list.items[1] = value->list.items[0];
        value->list.count = 2;
      }
      break;
    case P_TENSOR:
    case P_TENSOR_OR_NIL:
    case P_TENSOR_LIST: break;
  }
}

static void compile(lua_State *L, const op *operation) {
  compiled *description = lua_newuserdatauv(L, sizeof *description, 0);
  memset(description, 0, sizeof *description);
  description->operation = operation;
  for (const parameter *p = operation->parameters; p->name != NULL; p++) {
    description->n_parameters++;
    if (takes_tensors(p->kind)) continue;
    int at = description->n_values++;
    description->has_fallback[at] = p->fallback != NULL;
    if (p->fallback != NULL) parse_fallback(p, &description->fallback[at]);
  }
}

/* -- core.registry(): the descriptions, for help, the generic spec and the benchmark -- */

static const char *kind_name(parameter_kind kind) {
  static const char *const NAMES[] = { "tensor", "tensor?", "tensors", "number", "integer", "flag", "dim",
                                       "dims",   "sizes",   "pair",    "choice", "dtype" };
  return NAMES[kind];
}

static void set_string(lua_State *L, const char *field, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void set_flag(lua_State *L, const char *field, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, field);
}

static void push_parameters(lua_State *L, const op *operation) {
  lua_newtable(L);
  int i = 0;
  for (const parameter *p = operation->parameters; p->name != NULL; p++) {
    lua_newtable(L);
    set_string(L, "name", p->name);
    set_string(L, "kind", kind_name(p->kind));
    set_string(L, "fallback", p->fallback);
    set_string(L, "choices", p->choices);
    set_flag(L, "option", (p->flags & OPTION) != 0);
    set_flag(L, "constant", (p->flags & CONSTANT) != 0);
    lua_rawseti(L, -2, ++i);
  }
}

static void push_samples(lua_State *L, const op *operation) {
  lua_newtable(L);
  for (int i = 0; operation->samples != NULL && operation->samples[i] != NULL; i++) {
    lua_pushstring(L, operation->samples[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_description(lua_State *L, const op *operation) {
  lua_newtable(L);
  set_string(L, "name", operation->name);
  set_string(L, "help", operation->help);
  set_flag(L, "differentiable", operation->backward != NULL);
  set_flag(L, "has_flops", operation->flops != NULL);
  lua_pushinteger(L, operation->n_outputs);
  lua_setfield(L, -2, "n_outputs");
  lua_newtable(L);
  set_flag(L, "method", (operation->flags & OP_METHOD) != 0);
  set_flag(L, "functional", (operation->flags & OP_FUNCTIONAL) != 0);
  set_flag(L, "in_place", (operation->flags & OP_IN_PLACE) != 0);
  lua_setfield(L, -2, "flags");
  push_parameters(L, operation);
  lua_setfield(L, -2, "parameters");
  push_samples(L, operation);
  lua_setfield(L, -2, "samples");
}

static int list_registry(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; registry[i] != NULL; i++) {
    push_description(L, registry[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* core.flops(name, the operation's arguments ...) -> floating-point operations of the forward, or nil. */
static int count_flops(lua_State *L) {
  call k;
  begin_call(&k, L);
  const op *operation = k.compiled->operation;
  if (operation->flops == NULL) return 0;
  op_call plain = { .context = k.context, .op = operation, .n_inputs = k.n_inputs, .inputs = k.inputs };
  memcpy(plain.values, k.values, sizeof plain.values);
  lua_pushnumber(L, operation->flops(&plain));
  return 1;
}

/* table[name .. suffix] = the value on top of the stack, which stays there. */
static void set_named(lua_State *L, int table, const char *name, const char *suffix) {
  lua_pushfstring(L, "%s%s", name, suffix);
  lua_pushvalue(L, -2);
  lua_rawset(L, table);
}

/* Pushes a function of the description at the given index. */
static void push_function(lua_State *L, int description, lua_CFunction function) {
  lua_pushvalue(L, description);
  lua_pushcclosure(L, function, 1);
}

/* core.ops: all of them; core.plain_ops: those of the `perilune` table.  Leaves the core table on top. */
void bind_ops(lua_State *L) {
  int core = lua_gettop(L);
  lua_newtable(L);
  lua_newtable(L);
  lua_newtable(L);
  bind_push_methods(L);
  int ops = core + 1, plain_ops = core + 2, flops = core + 3, methods = core + 4;
  for (int i = 0; registry[i] != NULL; i++) {
    const op *operation = registry[i];
    bool is_method = operation->flags & OP_METHOD;
    compile(L, operation);
    int description = lua_gettop(L);
    push_function(L, description, call_op);
    set_named(L, ops, operation->name, "");
    if (!(operation->flags & OP_FUNCTIONAL)) set_named(L, plain_ops, operation->name, "");
    if (is_method) set_named(L, methods, operation->name, "");
    push_function(L, description, call_op_in_place);
    if (operation->flags & OP_IN_PLACE) set_named(L, ops, operation->name, "_");
    if (is_method && operation->flags & OP_IN_PLACE) set_named(L, methods, operation->name, "_");
    push_function(L, description, count_flops);
    set_named(L, flops, operation->name, "");
    lua_settop(L, methods);
  }
  lua_settop(L, flops);
  lua_setfield(L, core, "flops");
  lua_setfield(L, core, "plain_ops");
  lua_setfield(L, core, "ops");
  lua_pushcfunction(L, list_registry);
  lua_setfield(L, core, "registry");
}

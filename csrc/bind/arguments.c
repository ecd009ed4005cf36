/* arguments.c -- reads a call: positional arguments in the order of `parameters`, then an optional table that gives
** any of the values by name.  Every refusal names the operation and the parameter. */
#include <string.h>

#include "call.h"

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
  if (bind_is_tensor(L, argument))
    bind_error(L, "%s: %s was freed when its scope closed; scope:keep(t) lets it out", name, p->name);
  bind_error(L, "%s: %s must be a tensor, not %s", name, p->name, luaL_typename(L, argument));
}

/* A nil between items can hide from rawlen what stands behind it. */
static void check_whole(call *k, const parameter *p, int argument, int64_t n) {
  lua_State *L = k->L;
  lua_pushnil(L);
  while (lua_next(L, argument) != 0) {
    bool is_behind = lua_isinteger(L, -2) && lua_tointeger(L, -2) > n;
    if (is_behind) bind_error(L, "%s: item %lld of %s is nil", k->compiled->operation->name, (long long)n + 1, p->name);
    lua_pop(L, 1);
  }
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
  check_whole(k, p, argument, n);
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
static bool is_options(const call *k, int argument) {
  lua_State *L = k->L;
  if (!lua_istable(L, argument) || k->compiled->n_values == 0) return false;
  if (lua_rawlen(L, argument) > 0) return false;
  int position = k->base + 1;
  for (const parameter *p = k->compiled->operation->parameters; p->name != NULL; p++, position++) {
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
    } else if (k->first != NULL && k->n_inputs == 0) {
      k->inputs[k->n_inputs++] = k->first;
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
    bind_error(k->L, "%s: too many arguments (%d)", k->compiled->operation->name, k->top - k->base);
  if (k->options != 0) take_options(k);
}

void read_call(call *k, lua_State *L, const compiled *description, tensor *first, int base, int top) {
  k->L = L;
  k->compiled = description;
  k->first = first;
  k->base = base;
  k->top = top;
  while (k->top > base && lua_isnil(L, k->top)) k->top--; /* f(x, nil) is f(x): wrappers hand on what they were given */
  k->options = k->top > base && is_options(k, k->top) ? k->top : 0;
  if (k->options != 0) k->top--;
  k->next = base + 1;
  k->n_inputs = 0;
  k->inputs = k->few;
  memcpy(k->values, description->fallback, (size_t)description->n_values * sizeof *k->values);
  take_arguments(k);
}

void begin_call(call *k, lua_State *L) {
  k->context = bind_enter(L);
  read_call(k, L, lua_touserdata(L, lua_upvalueindex(1)), NULL, 0, lua_gettop(L));
}

void fix_options(lua_State *L, compiled *description, int options) {
  call k = { .L = L, .context = bind_enter(L), .compiled = description, .options = options };
  size_t n_bytes = (size_t)description->n_values * sizeof *k.values;
  memcpy(k.values, description->fallback, n_bytes);
  take_options(&k);
  int at = 0;
  for (const parameter *p = description->operation->parameters; p->name != NULL; p++) {
    if (takes_tensors(p->kind)) continue;
    if (was_given(&k, p)) description->has_fallback[at] = true;
    at++;
  }
  memcpy(description->fallback, k.values, n_bytes);
}

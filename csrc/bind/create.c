/* create.c -- new tensors from Lua: tensor, zeros, ones, full, empty, arange, linspace, eye and their likes.
**
** Shapes are given as sizes or as one table; options in a trailing table: { dtype, requires_grad }. */
#include "create.h"

#include <math.h>
#include <string.h>

#include "../autograd/autograd.h"

/* -- options -- */

static void unknown_option(lua_State *L, const char *function, const char *name) {
  bind_error(L, "%s: unknown option '%s'; known: dtype, requires_grad", function, name);
}

/* The table at `at`: strings as keys, nothing in its list part. */
static bool looks_like_options(lua_State *L, int at) {
  if (!lua_istable(L, at) || lua_rawlen(L, at) > 0) return false;
  lua_pushnil(L);
  if (lua_next(L, at) == 0) return false;
  bool named = lua_type(L, -2) == LUA_TSTRING;
  lua_pop(L, 2);
  return named;
}

creation creation_options(lua_State *L, const char *function, dtype fallback) {
  creation made = { .function = function, .dtype = fallback };
  int top = lua_gettop(L);
  if (top == 0 || !looks_like_options(L, top)) return made;
  lua_pushnil(L);
  while (lua_next(L, top) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) bind_error(L, "%s: options are given by name, not by position", function);
    const char *name = lua_tostring(L, -2);
    if (strcmp(name, "dtype") == 0) {
      const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, -1);
      if (!dtype_from_name(text, &made.dtype))
        bind_error(L, "%s: dtype must be one of bool, uint8, int64, float32, float64, not '%s'", function, text);
      made.dtype_given = true;
    } else if (strcmp(name, "requires_grad") == 0) {
      if (!lua_isboolean(L, -1))
        bind_error(L, "%s: requires_grad must be true or false, not %s", function, luaL_typename(L, -1));
      made.requires_grad = lua_toboolean(L, -1);
    } else {
      unknown_option(L, function, name);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, top - 1);
  return made;
}

static int64_t check_size(lua_State *L, const char *function, int at) {
  int is_integer;
  lua_Integer n = lua_tointegerx(L, at, &is_integer);
  if (!is_integer || lua_type(L, at) != LUA_TNUMBER)
    bind_error(L, "%s: a size must be an integer, not %s", function, luaL_typename(L, at));
  if (n < 0) bind_error(L, "%s: a size cannot be negative (%lld)", function, (long long)n);
  return n;
}

/* A table of sizes holds nothing else, and nothing comes behind it. */
static void check_table_of_sizes(lua_State *L, const char *function, int table, bool alone) {
  if (alone && lua_gettop(L) > table) bind_error(L, "%s: sizes come as one table or as arguments, not both", function);
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    if (lua_type(L, -2) == LUA_TSTRING)
      bind_error(L, "%s: '%s' stands among the sizes; options go into a table of their own: %s({ 2, 3 }, { dtype = ... })",
                 function, lua_tostring(L, -2), function);
    lua_pop(L, 1);
  }
}

int creation_shape(lua_State *L, const char *function, int first, int64_t shape[MAX_DIMS]) {
  int table = lua_istable(L, first) ? first : 0;
  if (table) check_table_of_sizes(L, function, table, strcmp(function, "full") != 0);
  int64_t n = table ? (int64_t)lua_rawlen(L, table) : lua_gettop(L) - first + 1;
  if (n < 0) n = 0;
  if (n > MAX_DIMS) bind_error(L, "%s: a tensor has at most %d dims, not %lld", function, MAX_DIMS, (long long)n);
  for (int d = 0; d < n; d++) {
    if (table) lua_rawgeti(L, table, d + 1);
    else lua_pushvalue(L, first + d);
    shape[d] = check_size(L, function, lua_gettop(L));
    lua_pop(L, 1);
  }
  return (int)n;
}

/* "zeros: " before a message from below. */
static void fail(lua_State *L, const char *function) {
  bind_error(L, "%s: %s", function, bind_context(L)->error);
}

int creation_finish(lua_State *L, const creation *made, tensor **slot, tensor *t) {
  *slot = t;
  if (t == NULL) fail(L, made->function);
  if (made->requires_grad) bind_check(L, tensor_set_requires_grad(bind_context(L), t, true));
  return 1;
}

/* -- constants -- */

static int filled(lua_State *L, const char *function, const double *value) {
  context *c = bind_enter(L);
  int64_t shape[MAX_DIMS];
  creation made = creation_options(L, function, DTYPE_FLOAT32);
  int n_dims = creation_shape(L, function, 1, shape);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, made.dtype, n_dims, shape));
  if (value != NULL && tensor_fill(c, *slot, *value) != STATUS_OK) fail(L, function);
  return 1;
}

static int zeros(lua_State *L) { return filled(L, "zeros", &(double){ 0.0 }); }
static int ones(lua_State *L) { return filled(L, "ones", &(double){ 1.0 }); }
static int empty(lua_State *L) { return filled(L, "empty", NULL); }

static double number_at(lua_State *L, int at) {
  return lua_isboolean(L, at) ? lua_toboolean(L, at) : lua_tonumber(L, at);
}

static void check_fits(lua_State *L, const char *function, dtype d, int at) {
  if (d != DTYPE_UINT8 && d != DTYPE_INT64) return;
  context *c = bind_context(L);
  if (lua_isinteger(L, at)) bind_check(L, dtype_check_integer(c, function, d, lua_tointeger(L, at)));
  else bind_check(L, dtype_check_number(c, function, d, number_at(L, at)));
}

tensor *bind_push_number(lua_State *L, const char *function, dtype d, int at) {
  context *c = bind_context(L);
  check_fits(L, function, d, at);
  tensor **number = bind_new_tensor(L);
  if (lua_isinteger(L, at)) *number = tensor_integer(c, d, lua_tointeger(L, at));
  else *number = tensor_number(c, d, number_at(L, at));
  if (*number == NULL) bind_raise(L);
  return *number;
}

/* Writes the Lua value at `at` into every element. */
static void fill_with(lua_State *L, const char *function, tensor *t, int at) {
  int type = lua_type(L, at);
  if (type != LUA_TNUMBER && type != LUA_TBOOLEAN)
    bind_error(L, "%s: the value must be a number, not %s", function, luaL_typename(L, at));
  const tensor *number = bind_push_number(L, function, t->dtype, at);
  if (tensor_copy(bind_context(L), t, number) != STATUS_OK) fail(L, function);
  lua_pop(L, 1);
}

static dtype dtype_of_value(lua_State *L, int at) {
  if (lua_isboolean(L, at)) return DTYPE_BOOL;
  return lua_isinteger(L, at) ? DTYPE_INT64 : DTYPE_FLOAT32;
}

/* full(shape, value, { dtype }) */
static int full(lua_State *L) {
  context *c = bind_enter(L);
  int64_t shape[MAX_DIMS];
  creation made = creation_options(L, "full", DTYPE_FLOAT32);
  if (!lua_istable(L, 1)) bind_error(L, "full: the shape must be a table: full({ 2, 3 }, value)");
  int n_dims = creation_shape(L, "full", 1, shape);
  lua_settop(L, 2);
  if (!made.dtype_given) made.dtype = dtype_of_value(L, 2);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, made.dtype, n_dims, shape));
  fill_with(L, "full", *slot, 2);
  return 1;
}

static int like(lua_State *L, const char *function, const double *value) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  creation made = creation_options(L, function, t->dtype);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new_like(c, t, made.dtype));
  if (value != NULL && tensor_fill(c, *slot, *value) != STATUS_OK) fail(L, function);
  return 1;
}

static int zeros_like(lua_State *L) { return like(L, "zeros_like", &(double){ 0.0 }); }
static int ones_like(lua_State *L) { return like(L, "ones_like", &(double){ 1.0 }); }
static int empty_like(lua_State *L) { return like(L, "empty_like", NULL); }

static int full_like(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  creation made = creation_options(L, "full_like", t->dtype);
  lua_settop(L, 2);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new_like(c, t, made.dtype));
  fill_with(L, "full_like", *slot, 2);
  return 1;
}

/* t:fill_(value) */
static int fill_in_place(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  if (c->grad_enabled && t->requires_grad) bind_error(L, "fill_: the tensor is on the tape; use no_grad");
  fill_with(L, "fill_", t, 2);
  lua_settop(L, 1);
  return 1;
}

static int zero_in_place(lua_State *L) {
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  return fill_in_place(L);
}

/* -- ranges -- */

/* Writes doubles into t element by element. */
static void set_item(tensor *t, int64_t i, double value) {
  switch (t->dtype) {
    case DTYPE_BOOL: tensor_uint8(t)[i] = value != 0.0; break;
    case DTYPE_UINT8: tensor_uint8(t)[i] = (uint8_t)double_to_integer(value, 0, UINT8_MAX); break;
    case DTYPE_INT64: tensor_int64(t)[i] = double_to_integer(value, INT64_MIN, INT64_MAX); break;
    case DTYPE_FLOAT32: tensor_float32(t)[i] = (float)value; break;
    case DTYPE_FLOAT64: tensor_float64(t)[i] = value; break;
  }
}

/* Integers in 64 bits throughout: doubles would lose those beyond 2^53. */
static int arange_integers(lua_State *L, const creation *made, int n_arguments) {
  int64_t first = n_arguments > 1 ? lua_tointeger(L, 1) : 1, last = lua_tointeger(L, n_arguments > 1 ? 2 : 1);
  int64_t step = n_arguments > 2 ? lua_tointeger(L, 3) : 1;
  if (step == 0) bind_error(L, "arange: the step must not be 0");
  uint64_t distance = step > 0 ? (uint64_t)last - (uint64_t)first : (uint64_t)first - (uint64_t)last;
  uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
  bool none = step > 0 ? last < first : last > first;
  uint64_t count = none ? 0 : distance / stride + 1;
  if (count > (uint64_t)1 << 53 || (!none && count == 0)) bind_error(L, "arange: too many numbers");
  int64_t n = (int64_t)count;
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, made, slot, tensor_new(bind_context(L), DTYPE_INT64, 1, &n));
  for (int64_t i = 0; i < n; i++)
    tensor_int64(*slot)[i] = (int64_t)((uint64_t)first + (uint64_t)i * (uint64_t)step);
  return 1;
}

/* arange(last), arange(first, last), arange(first, last, step): both ends are in it. */
static int arange(lua_State *L) {
  context *c = bind_enter(L);
  creation made = creation_options(L, "arange", DTYPE_INT64);
  int n_arguments = lua_gettop(L);
  bool integers = true;
  for (int k = 1; k <= n_arguments; k++) {
    if (lua_type(L, k) != LUA_TNUMBER) bind_error(L, "arange: argument %d must be a number, not %s", k, luaL_typename(L, k));
    integers = integers && lua_isinteger(L, k);
  }
  if (n_arguments == 0) bind_error(L, "arange: needs at least the last number");
  if (n_arguments > 3) bind_error(L, "arange: first, last and step are numbers enough, not %d", n_arguments);
  if (integers && made.dtype == DTYPE_INT64) return arange_integers(L, &made, n_arguments);
  double first = n_arguments > 1 ? lua_tonumber(L, 1) : 1.0;
  double last = lua_tonumber(L, n_arguments > 1 ? 2 : 1);
  double step = n_arguments > 2 ? lua_tonumber(L, 3) : 1.0;
  if (step == 0.0 || !isfinite(first) || !isfinite(last) || !isfinite(step))
    bind_error(L, "arange: the ends and the step must be finite, and the step not 0");
  double count = floor((last - first) / step * (1.0 + 1e-15) + 1e-9) + 1.0;
  if (count > 0x1p53) bind_error(L, "arange: too many numbers");
  int64_t n = count > 0.0 ? (int64_t)count : 0;
  if (!made.dtype_given && !integers) made.dtype = DTYPE_FLOAT32;
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, made.dtype, 1, &n));
  if (n > 0) bind_check(L, dtype_check_number(c, "arange", made.dtype, first));
  if (n > 0) bind_check(L, dtype_check_number(c, "arange", made.dtype, first + (double)(n - 1) * step));
  for (int64_t i = 0; i < n; i++) set_item(*slot, i, first + (double)i * step);
  return 1;
}

static double check_end(lua_State *L, int at, const char *what) {
  if (lua_type(L, at) != LUA_TNUMBER) bind_error(L, "linspace: %s must be a number, not %s", what, luaL_typename(L, at));
  return lua_tonumber(L, at);
}

/* linspace(first, last, n): n numbers, both ends in it. */
static int linspace(lua_State *L) {
  context *c = bind_enter(L);
  creation made = creation_options(L, "linspace", DTYPE_FLOAT32);
  double first = check_end(L, 1, "first"), last = check_end(L, 2, "last");
  int64_t n = bind_check_integer(L, 3, "linspace: n", 0, INT64_MAX);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, made.dtype, 1, &n));
  bind_check(L, dtype_check_number(c, "linspace", made.dtype, first));
  bind_check(L, dtype_check_number(c, "linspace", made.dtype, last));
  double step = n > 1 ? (last - first) / (double)(n - 1) : 0.0;
  for (int64_t i = 0; i < n; i++) {
    bool upper_half = i >= n / 2 && n > 1;
    set_item(*slot, i, upper_half ? last - (double)(n - 1 - i) * step : first + (double)i * step);
  }
  return 1;
}

/* eye(n), eye(n, m) */
static int eye(lua_State *L) {
  context *c = bind_enter(L);
  creation made = creation_options(L, "eye", DTYPE_FLOAT32);
  int64_t shape[2] = { bind_check_integer(L, 1, "eye: n", 0, INT64_MAX), 0 };
  shape[1] = lua_isnoneornil(L, 2) ? shape[0] : bind_check_integer(L, 2, "eye: m", 0, INT64_MAX);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_zeros(c, made.dtype, 2, shape));
  int64_t n = shape[0] < shape[1] ? shape[0] : shape[1];
  for (int64_t i = 0; i < n; i++) set_item(*slot, i * shape[1] + i, 1.0);
  return 1;
}

/* -- tensor(nested tables) -- */

/* The shape, by the first element of each level.  A table may be a proxy: metamethods are asked. */
static int measure(lua_State *L, int64_t shape[MAX_DIMS]) {
  int n_dims = 0;
  lua_pushvalue(L, 1);
  while (lua_istable(L, -1)) {
    if (n_dims == MAX_DIMS) bind_error(L, "tensor: tables are nested more than %d deep", MAX_DIMS);
    shape[n_dims++] = luaL_len(L, -1);
    lua_geti(L, -1, 1);
    lua_remove(L, -2);
  }
  lua_pop(L, 1);
  return n_dims;
}

typedef struct nested {
  lua_State *L;
  int n_dims;
  const int64_t *shape;
  dtype dtype;                /* found so far */
  tensor *t;                  /* NULL: only look */
  int64_t at;
} nested;

static void take_number(nested *s) {
  lua_State *L = s->L;
  int type = lua_type(L, -1);
  if (type == LUA_TTABLE) bind_error(L, "tensor: the nested tables are ragged: some elements are tables, others not");
  if (type != LUA_TNUMBER && type != LUA_TBOOLEAN)
    bind_error(L, "tensor: an element must be a number or a boolean, not %s", luaL_typename(L, -1));
  if (s->t == NULL) {
    dtype d = dtype_of_value(L, -1);
    if (d > s->dtype) s->dtype = d;
  } else if (s->t->dtype == DTYPE_INT64 && lua_isinteger(L, -1)) {
    tensor_int64(s->t)[s->at++] = lua_tointeger(L, -1);
  } else {
    check_fits(L, "tensor", s->t->dtype, lua_gettop(L));
    set_item(s->t, s->at++, number_at(L, -1));
  }
}

/* The value on top of the stack is level d of the nesting. */
static void walk(nested *s, int d) {
  lua_State *L = s->L;
  if (d == s->n_dims) {
    take_number(s);
    return;
  }
  if (!lua_istable(L, -1) || luaL_len(L, -1) != s->shape[d])
    bind_error(L, "tensor: the nested tables are ragged: level %d should have %lld items everywhere", d + 1,
               (long long)s->shape[d]);
  luaL_checkstack(L, 3, "tensor");
  for (int64_t i = 1; i <= s->shape[d]; i++) {
    lua_geti(L, -1, i);
    walk(s, d + 1);
    lua_pop(L, 1);
  }
}

/* tensor(value, { dtype, requires_grad }): a number, a boolean, or nested tables of them.
** Without dtype: booleans give bool, integers int64, anything with a float in it float32. */
static int tensor_from_lua(lua_State *L) {
  context *c = bind_enter(L);
  int64_t shape[MAX_DIMS];
  creation made = { .function = "tensor", .dtype = DTYPE_FLOAT32 };
  if (lua_gettop(L) > 1) made = creation_options(L, "tensor", DTYPE_FLOAT32);
  lua_settop(L, 1);
  if (bind_test_tensor(L, 1) != NULL) bind_error(L, "tensor: this is a tensor already; use clone() or to()");
  nested look = { .L = L, .n_dims = measure(L, shape), .shape = shape, .dtype = DTYPE_BOOL };
  walk(&look, 0);
  int64_t n;
  if (!made.dtype_given && shape_numel(look.n_dims, shape, &n) && n > 0) made.dtype = look.dtype;
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, made.dtype, look.n_dims, shape));
  look.t = *slot;
  lua_pushvalue(L, 1);
  walk(&look, 0);
  lua_pop(L, 1);
  return 1;
}

void bind_create(lua_State *L) {
  static const luaL_Reg functions[] = {
    { "tensor", tensor_from_lua }, { "zeros", zeros },           { "ones", ones },           { "empty", empty },
    { "full", full },              { "zeros_like", zeros_like }, { "ones_like", ones_like }, { "empty_like", empty_like },
    { "full_like", full_like },    { "arange", arange },         { "linspace", linspace },   { "eye", eye },
    { NULL, NULL }
  };
  static const luaL_Reg methods[] = { { "fill_", fill_in_place }, { "zero_", zero_in_place }, { NULL, NULL } };
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "create");
  bind_push_methods(L);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}

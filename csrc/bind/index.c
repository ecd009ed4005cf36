/* index.c -- t[key]: integers, ranges, lists of them, masks and index tensors.
**
** An integer selects (and drops the dimension), { first, last } and { first, last, step } keep a range, {} keeps a
** whole dimension; a list holds one of these for each leading dimension.  A key that is or holds a tensor is
** lua/perilune/indexing.lua's.
** Everything goes through the operations select and slice, so that the tape sees it. */
#include <stdio.h>
#include <string.h>

#include "../autograd/autograd.h"
#include "state.h"

extern const op op_select, op_slice;

static tensor *apply(context *c, const op *operation, int n_inputs, tensor **inputs, const op_value *values) {
  tensor *outputs[MAX_OUTPUTS] = { 0 };
  autograd_apply(c, operation, n_inputs, inputs, values, outputs);
  return outputs[0];
}

/* Takes over the reference to t. */
static tensor *select_one(context *c, tensor *t, int dim, int64_t i) {
  op_value values[MAX_VALUES] = { { .integer = dim + 1 }, { .integer = i } };
  tensor *out = apply(c, &op_select, 1, &t, values);
  tensor_release(t);
  return out;
}

static tensor *take_range(context *c, tensor *t, int dim, int64_t first, int64_t last, int64_t step) {
  op_value values[MAX_VALUES] = { { .integer = dim + 1 }, { .integer = first }, { .integer = last },
                                  { .integer = step } };
  tensor *out = apply(c, &op_slice, 1, &t, values);
  tensor_release(t);
  return out;
}

/* Field k of the table at `list` as an integer; fallback when it is absent; false when it is something else. */
static bool integer_at(lua_State *L, int list, int k, int64_t fallback, int64_t *out) {
  int is_integer = 1;
  *out = fallback;
  if (lua_rawgeti(L, list, k) != LUA_TNIL) *out = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  return is_integer;
}

/* The range in the table on top of the stack. */
static tensor *apply_range(lua_State *L, context *c, tensor *t, int dim) {
  int64_t first, last, step;
  int list = lua_gettop(L);
  bool fine = integer_at(L, list, 1, 1, &first) && integer_at(L, list, 2, -1, &last) &&
              integer_at(L, list, 3, 1, &step);
  if (fine && lua_rawlen(L, list) <= 3) return take_range(c, t, dim, first, last, step);
  context_fail(c, STATUS_INVALID, "index: a range is {}, { first, last } or { first, last, step }");
  tensor_release(t);
  return NULL;
}

/* One element of the list, on top of the stack; advances *dim past what it keeps. */
static tensor *apply_part(lua_State *L, context *c, tensor *t, int *dim) {
  int is_integer;
  int64_t i = lua_tointegerx(L, -1, &is_integer);
  if (*dim >= t->n_dims) {
    context_fail(c, STATUS_INVALID, "index: too many indices");
    tensor_release(t);
    return NULL;
  }
  if (is_integer && lua_type(L, -1) == LUA_TNUMBER) return select_one(c, t, *dim, i);
  if (lua_istable(L, -1)) return apply_range(L, c, t, (*dim)++);
  context_fail(c, STATUS_INVALID, "index: an index is an integer, a range, a list of these, or a tensor, not %s",
               luaL_typename(L, -1));
  tensor_release(t);
  return NULL;
}

static tensor *apply_list(lua_State *L, context *c, tensor *t, int key) {
  int64_t n = (int64_t)lua_rawlen(L, key);
  int dim = 0;
  tensor *out = tensor_retain(t);
  for (int64_t k = 1; k <= n && out != NULL; k++) {
    lua_rawgeti(L, key, k);
    out = apply_part(L, c, out, &dim);
    lua_pop(L, 1);
  }
  if (out != t) return out;
  tensor_release(out);
  return tensor_alias(c, t);
}

/* One row more than there is: so ends ipairs(t), which asks for rows until it gets nil. */
static void hint_at_iter(lua_State *L, context *c, const tensor *t, int key) {
  if (t->n_dims == 0 || !lua_isinteger(L, key) || lua_tointeger(L, key) != t->shape[0] + 1) return;
  size_t length = strlen(c->error);
  snprintf(c->error + length, sizeof c->error - length, " (ipairs? use t:iter())");
}

tensor *bind_index(lua_State *L, context *c, tensor *t, int key) {
  if (lua_istable(L, key)) return apply_list(L, c, t, key);
  int dim = 0;
  lua_pushvalue(L, key);
  tensor *out = apply_part(L, c, tensor_retain(t), &dim);
  lua_pop(L, 1);
  if (out == NULL) hint_at_iter(L, c, t, key);
  return out;
}

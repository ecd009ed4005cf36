/* study.c -- perilune.core.study: the Parzen estimators of TPE, and random numbers that belong to a trial.
**
**   study.parzen_log_pdf(observations, space, points) -> (m) float64
**   study.parzen_sample(observations, space, uniforms) -> (m, d) float64
**   study.uniform(seed, trial, name, n) -> (n) float64 in [0, 1), a pure function of its arguments: the state's
**                                          generator is left alone
**   study.truncated_normal_quantile(q, a, b) -> number, in standard deviations; q in [0, 1], a < b
**
** observations (n, d) or nil for none, oldest first; points (m, d); uniforms (m, 1 + d), of which the first of a row
** picks the kernel: float64 tensors, checked against the space.  space: d tables, { choices = n } or
** { low =, high =, step = 0, log = false }.  See study/parzen.h. */
#include <math.h>

#include "../study/parzen.h"
#include "../study/truncated_normal.h"
#include "../tensor/random.h"
#include "bind.h"

enum { OBSERVATIONS = 1, SPACE, POINTS };

/* -- reading -- */

static double number_field(lua_State *L, const char *function, int64_t j, const char *key, bool needed) {
  int is_number = 1;
  double value = 0.0;
  if (lua_getfield(L, -1, key) != LUA_TNIL || needed) value = lua_tonumberx(L, -1, &is_number);
  if (!is_number || !isfinite(value))
    bind_error(L, "%s: %s of parameter %lld must be a finite number", function, key, (long long)j + 1);
  lua_pop(L, 1);
  return value;
}

/* The table on top of the stack. */
static parzen_parameter read_parameter(lua_State *L, const char *function, int64_t j) {
  parzen_parameter q = { 0 };
  if (!lua_istable(L, -1)) bind_error(L, "%s: space[%lld] is not a table", function, (long long)j + 1);
  if (lua_getfield(L, -1, "choices") != LUA_TNIL) {
    q.n_choices = bind_check_integer(L, -1, "choices", 1, INT32_MAX);
    lua_pop(L, 1);
    return q;
  }
  lua_pop(L, 1);
  q.low = number_field(L, function, j, "low", true);
  q.high = number_field(L, function, j, "high", true);
  q.step = number_field(L, function, j, "step", false);
  lua_getfield(L, -1, "log");
  q.is_log = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!(q.low < q.high) || q.step < 0.0 || !isfinite(q.high - q.low) || (q.is_log && !(q.low - 0.5 * q.step > 0.0)))
    bind_error(L, "%s: parameter %lld needs low < high, step of 0 or more, and low - step/2 > 0 where log is set",
               function, (long long)j + 1);
  return q;
}

/* Pushes the scratch that holds it. */
static const parzen_parameter *read_space(lua_State *L, const char *function, int64_t *d) {
  if (!lua_istable(L, SPACE)) bind_error(L, "%s: the space must be a table", function);
  *d = (int64_t)lua_rawlen(L, SPACE);
  if (*d < 1 || *d > 1 << 20) bind_error(L, "%s: the space has no parameters, or more than 2^20", function);
  parzen_parameter *space = bind_scratch(L, (size_t)*d * sizeof *space);
  for (int64_t j = 0; j < *d; j++) {
    lua_rawgeti(L, SPACE, j + 1);
    space[j] = read_parameter(L, function, j);
    lua_pop(L, 1);
  }
  return space;
}

/* A contiguous (rows, columns) float64 tensor; pushes what holds it. */
static const tensor *read_rows(lua_State *L, const char *function, int argument, int64_t columns) {
  context *c = bind_context(L);
  tensor *t = bind_check_tensor(L, argument);
  if (t->dtype != DTYPE_FLOAT64 || t->n_dims != 2 || t->shape[1] != columns)
    bind_error(L, "%s: argument %d is %s, %s; it must be (rows, %lld), float64", function, argument,
               tensor_shape_text(t).text, dtype_name(t->dtype), (long long)columns);
  tensor **dense = bind_new_tensor(L);
  *dense = tensor_contiguous(c, t);
  if (*dense == NULL) bind_raise(L);
  return *dense;
}

/* A value outside its range would have no density, and a category outside would index nothing. */
static void check_values(lua_State *L, const char *function, const char *what, const tensor *rows,
                         const parzen_parameter *space, int64_t d) {
  const double *x = tensor_float64(rows);
  for (int64_t i = 0; i < rows->shape[0] * d; i++) {
    const parzen_parameter *q = &space[i % d];
    bool inside = q->n_choices > 0 ? x[i] >= 0.0 && x[i] < (double)q->n_choices && x[i] == floor(x[i])
                                   : x[i] >= q->low && x[i] <= q->high;
    if (!inside)
      bind_error(L, "%s: %s[%lld][%lld] is %g, outside its range", function, what, (long long)(i / d) + 1,
                 (long long)(i % d) + 1, message_number(x[i]));
  }
}

/* -- the estimator: everything that can raise is done before it is made, so that no error can leak it -- */

static parzen *read_estimator(lua_State *L, context *c, const char *function, const parzen_parameter *space,
                              int64_t d, const tensor *observations) {
  int64_t n = observations == NULL ? 0 : observations->shape[0];
  parzen *p = parzen_new(c, n, d, observations == NULL ? NULL : tensor_float64(observations), space);
  if (p == NULL) bind_error(L, "%s: %s", function, c->error);
  return p;
}

static const tensor *read_observations(lua_State *L, const char *function, const parzen_parameter *space, int64_t d) {
  if (lua_isnil(L, OBSERVATIONS)) return NULL;
  const tensor *observations = read_rows(L, function, OBSERVATIONS, d);
  check_values(L, function, "observations", observations, space, d);
  return observations;
}

static tensor *new_result(lua_State *L, context *c, int n_dims, const int64_t *shape) {
  tensor **slot = bind_new_tensor(L);
  *slot = tensor_new(c, DTYPE_FLOAT64, n_dims, shape);
  if (*slot == NULL) bind_raise(L);
  return *slot;
}

static int log_pdf(lua_State *L) {
  const char *function = "parzen_log_pdf";
  context *c = bind_enter(L);
  int64_t d;
  lua_settop(L, POINTS);
  const parzen_parameter *space = read_space(L, function, &d);
  const tensor *observations = read_observations(L, function, space, d);
  const tensor *points = read_rows(L, function, POINTS, d);
  check_values(L, function, "points", points, space, d);
  tensor *result = new_result(L, c, 1, &points->shape[0]);
  parzen *p = read_estimator(L, c, function, space, d, observations);
  parzen_log_pdf(p, points->shape[0], tensor_float64(points), tensor_float64(result));
  parzen_free(c, p);
  return 1;
}

static int sample(lua_State *L) {
  const char *function = "parzen_sample";
  context *c = bind_enter(L);
  int64_t d;
  lua_settop(L, POINTS);
  const parzen_parameter *space = read_space(L, function, &d);
  const tensor *observations = read_observations(L, function, space, d);
  const tensor *uniforms = read_rows(L, function, POINTS, d + 1);
  for (int64_t i = 0; i < tensor_numel(uniforms); i++)
    if (!(tensor_float64(uniforms)[i] >= 0.0 && tensor_float64(uniforms)[i] < 1.0))
      bind_error(L, "%s: uniforms must be in [0, 1)", function);
  tensor *result = new_result(L, c, 2, (int64_t[]){ uniforms->shape[0], d });
  parzen *p = read_estimator(L, c, function, space, d, observations);
  parzen_sample(p, uniforms->shape[0], tensor_float64(uniforms), tensor_float64(result));
  parzen_free(c, p);
  return 1;
}

/* -- random numbers -- */

/* FNV-1a over the name, then Philox over it: neighbouring seeds and names give unrelated streams. */
static uint64_t stream_of(uint64_t seed, const char *name, size_t length) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 0x100000001B3u;
  uint32_t words[4];
  philox(words, seed, hash);
  return (uint64_t)words[0] << 32 | words[1];
}

/* uniform(seed, trial, name, n): draw i of a trial has counter trial * 2^32 + i. */
static int uniform(lua_State *L) {
  context *c = bind_enter(L);
  size_t length;
  uint64_t seed = (uint64_t)bind_check_integer(L, 1, "uniform: seed", INT64_MIN, INT64_MAX);
  uint64_t trial = (uint64_t)bind_check_integer(L, 2, "uniform: trial", 0, INT32_MAX);
  const char *name = luaL_checklstring(L, 3, &length);
  int64_t n = bind_check_integer(L, 4, "uniform: n", 0, INT32_MAX);
  tensor *result = new_result(L, c, 1, &n);
  uint64_t stream = stream_of(seed, name, length);
  for (int64_t i = 0; i < n; i++) {
    uint32_t words[4];
    philox(words, stream, trial << 32 | (uint64_t)i);
    tensor_float64(result)[i] = (double)(((uint64_t)words[0] << 32 | words[1]) >> 11) * 0x1p-53;
  }
  return 1;
}

static int quantile(lua_State *L) {
  double q = luaL_checknumber(L, 1), a = luaL_checknumber(L, 2), b = luaL_checknumber(L, 3);
  if (!(q >= 0.0 && q <= 1.0) || !(a < b) || !isfinite(a) || !isfinite(b))
    bind_error(L, "truncated_normal_quantile: needs q in [0, 1] and finite a < b");
  lua_pushnumber(L, truncated_normal_quantile(q, a, b));
  return 1;
}

void bind_study(lua_State *L) {
  static const luaL_Reg functions[] = {
    { "parzen_log_pdf", log_pdf }, { "parzen_sample", sample }, { "uniform", uniform },
    { "truncated_normal_quantile", quantile }, { NULL, NULL }
  };
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "study");
}

/* study.c -- perilune.core.study: the Parzen estimators of TPE, and random numbers that belong to a trial.
**
**   study.parzen(space) -> estimator without observations, with the methods
**     :insert(number, row)        row: a list of d numbers
**     :remove(number) -> boolean  whether there was one
**     #estimator                  how many there are
**     :log_pdf(points) -> (m) float64
**     :sample(uniforms) -> (m, d) float64
**   study.tpe(better, others, seed, trial, names, m) -> list of d values: the best of m candidates, see study/tpe.h.
**                                          names (1 + d): under which kernels and values are drawn, as by uniform
**   study.uniform(seed, trial, name, n) -> (n) float64 in [0, 1), a pure function of its arguments: the state's
**                                          generator is left alone
**   study.truncated_normal_quantile(q, a, b) -> number, in standard deviations; q in [0, 1], a < b
**   study.log_normal_mass(a, b) -> number, the logarithm of P(a < X <= b); a < b
**
** points (m, d); uniforms (m, 1 + d), of which the first of a row picks the kernel: float64 tensors.  Values are
** checked against the space: d tables, { choices = n } or { low =, high =, step = 0, log = false }.  See
** study/parzen.h. */
#include <math.h>

#include "../study/parzen.h"
#include "../study/tpe.h"
#include "../study/truncated_normal.h"
#include "../tensor/random.h"
#include "bind.h"

static const char ESTIMATOR[] = "perilune.parzen";

typedef struct estimator {
  parzen *p;
} estimator;

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
    q.n_choices = bind_check_integer(L, lua_gettop(L), "choices", 1, INT32_MAX);
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
  if (!lua_istable(L, 1)) bind_error(L, "%s: the space must be a table", function);
  *d = (int64_t)lua_rawlen(L, 1);
  if (*d < 1 || *d > 1 << 20) bind_error(L, "%s: the space has no parameters, or more than 2^20", function);
  parzen_parameter *space = bind_scratch(L, (size_t)*d * sizeof *space);
  for (int64_t j = 0; j < *d; j++) {
    lua_rawgeti(L, 1, j + 1);
    space[j] = read_parameter(L, function, j);
    lua_pop(L, 1);
  }
  return space;
}

static parzen *check_estimator(lua_State *L, int argument) {
  const estimator *e = luaL_checkudata(L, argument, ESTIMATOR);
  if (e->p == NULL) bind_error(L, "parzen: the estimator was closed");
  return e->p;
}

static int new_estimator(lua_State *L) {
  context *c = bind_enter(L);
  int64_t d;
  lua_settop(L, 1);
  const parzen_parameter *space = read_space(L, "parzen", &d);
  estimator *made = lua_newuserdatauv(L, sizeof *made, 0);
  made->p = NULL;
  luaL_setmetatable(L, ESTIMATOR);
  made->p = parzen_new(c, d, space);
  if (made->p == NULL) bind_raise(L);
  return 1;
}

static int estimator_gc(lua_State *L) {
  estimator *e = luaL_checkudata(L, 1, ESTIMATOR);
  parzen_free(bind_context(L), e->p);
  e->p = NULL;
  return 0;
}

/* A contiguous (rows, columns) float64 tensor; pushes what holds it. */
static const tensor *read_rows(lua_State *L, const char *function, int64_t columns) {
  context *c = bind_context(L);
  tensor *t = bind_check_tensor(L, 2);
  if (t->dtype != DTYPE_FLOAT64 || t->n_dims != 2 || t->shape[1] != columns)
    bind_error(L, "%s: the argument is %s, %s; it must be (rows, %lld), float64", function, tensor_shape_text(t).text,
               dtype_name(t->dtype), (long long)columns);
  tensor **dense = bind_new_tensor(L);
  *dense = tensor_contiguous(c, t);
  if (*dense == NULL) bind_raise(L);
  return *dense;
}

/* A value outside its range would have no density, and a category outside would be no choice. */
static void check_value(lua_State *L, const char *function, const parzen_parameter *q, double x, int64_t row,
                        int64_t column) {
  bool inside = q->n_choices > 0 ? x >= 0.0 && x < (double)q->n_choices && x == floor(x) : x >= q->low && x <= q->high;
  if (!inside)
    bind_error(L, "%s: the value in row %lld, column %lld is %g, outside its range", function, (long long)row,
               (long long)column, message_number(x));
}

static tensor *new_result(lua_State *L, context *c, int n_dims, const int64_t *shape) {
  tensor **slot = bind_new_tensor(L);
  *slot = tensor_new(c, DTYPE_FLOAT64, n_dims, shape);
  if (*slot == NULL) bind_raise(L);
  return *slot;
}

static int insert(lua_State *L) {
  context *c = bind_enter(L);
  parzen *p = check_estimator(L, 1);
  int64_t number = bind_check_integer(L, 2, "insert: number", 0, INT64_MAX), d = parzen_dimensions(p);
  luaL_checktype(L, 3, LUA_TTABLE);
  double *row = bind_scratch(L, (size_t)d * sizeof *row);
  for (int64_t j = 0; j < d; j++) {
    if (lua_rawgeti(L, 3, j + 1) != LUA_TNUMBER) bind_error(L, "insert: a row has %lld numbers", (long long)d);
    row[j] = lua_tonumber(L, -1);
    check_value(L, "insert", parzen_parameter_of(p, j), row[j], 1, j + 1);
    lua_pop(L, 1);
  }
  bind_check(L, parzen_insert(c, p, number, row));
  return 0;
}

static int remove_observation(lua_State *L) {
  bind_enter(L);
  parzen *p = check_estimator(L, 1);
  lua_pushboolean(L, parzen_remove(p, bind_check_integer(L, 2, "remove: number", 0, INT64_MAX)));
  return 1;
}

static int count(lua_State *L) {
  lua_pushinteger(L, parzen_count(check_estimator(L, 1)));
  return 1;
}

static int log_pdf(lua_State *L) {
  context *c = bind_enter(L);
  parzen *p = check_estimator(L, 1);
  int64_t d = parzen_dimensions(p);
  const tensor *points = read_rows(L, "log_pdf", d);
  for (int64_t i = 0; i < tensor_numel(points); i++)
    check_value(L, "log_pdf", parzen_parameter_of(p, i % d), tensor_float64(points)[i], i / d + 1, i % d + 1);
  const tensor *result = new_result(L, c, 1, &points->shape[0]);
  bind_check(L, parzen_log_pdf(c, p, points->shape[0], tensor_float64(points), tensor_float64(result)));
  return 1;
}

static int sample(lua_State *L) {
  context *c = bind_enter(L);
  parzen *p = check_estimator(L, 1);
  int64_t d = parzen_dimensions(p);
  const tensor *uniforms = read_rows(L, "sample", d + 1);
  for (int64_t i = 0; i < tensor_numel(uniforms); i++)
    if (!(tensor_float64(uniforms)[i] >= 0.0 && tensor_float64(uniforms)[i] < 1.0))
      bind_error(L, "sample: uniforms must be in [0, 1)");
  const tensor *result = new_result(L, c, 2, (int64_t[]){ uniforms->shape[0], d });
  parzen_sample(p, uniforms->shape[0], tensor_float64(uniforms), tensor_float64(result));
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

static double draw(uint64_t stream, uint64_t trial, int64_t i) {
  uint32_t words[4];
  philox(words, stream, trial << 32 | (uint64_t)i);
  return (double)(((uint64_t)words[0] << 32 | words[1]) >> 11) * 0x1p-53;
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
  for (int64_t i = 0; i < n; i++) tensor_float64(result)[i] = draw(stream, trial, i);
  return 1;
}

static int tpe(lua_State *L) {
  context *c = bind_enter(L);
  parzen *better = check_estimator(L, 1), *others = check_estimator(L, 2);
  int64_t d = parzen_dimensions(better);
  uint64_t seed = (uint64_t)bind_check_integer(L, 3, "tpe: seed", INT64_MIN, INT64_MAX);
  uint64_t trial = (uint64_t)bind_check_integer(L, 4, "tpe: trial", 0, INT32_MAX);
  luaL_checktype(L, 5, LUA_TTABLE);
  int64_t m = bind_check_integer(L, 6, "tpe: candidates", 1, INT16_MAX);
  if (parzen_dimensions(others) != d) bind_error(L, "tpe: the estimators are of different spaces");
  double *best = bind_scratch(L, (size_t)(d + m * (d + 1)) * sizeof *best), *uniforms = best + d;
  for (int64_t j = 0; j <= d; j++) {
    size_t length = 0;
    lua_rawgeti(L, 5, j + 1);
    const char *name = lua_tolstring(L, -1, &length);
    if (name == NULL) bind_error(L, "tpe: there must be %lld names", (long long)d + 1);
    uint64_t stream = stream_of(seed, name, length);
    for (int64_t i = 0; i < m; i++) uniforms[i * (d + 1) + j] = draw(stream, trial, i);
    lua_pop(L, 1);
  }
  bind_check(L, tpe_choose(c, better, others, m, uniforms, best));
  lua_createtable(L, (int)d, 0);
  for (int64_t j = 0; j < d; j++) {
    lua_pushnumber(L, best[j]);
    lua_rawseti(L, -2, j + 1);
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

static int normal_mass(lua_State *L) {
  double a = luaL_checknumber(L, 1), b = luaL_checknumber(L, 2);
  if (!(a < b) || !isfinite(a) || !isfinite(b)) bind_error(L, "log_normal_mass: needs finite a < b");
  lua_pushnumber(L, log_normal_mass(a, b));
  return 1;
}

void bind_study(lua_State *L) {
  static const luaL_Reg functions[] = {
    { "parzen", new_estimator }, { "tpe", tpe }, { "uniform", uniform }, { "truncated_normal_quantile", quantile },
    { "log_normal_mass", normal_mass }, { NULL, NULL }
  };
  static const luaL_Reg methods[] = {
    { "insert", insert }, { "remove", remove_observation }, { "log_pdf", log_pdf }, { "sample", sample },
    { "__len", count }, { "__gc", estimator_gc }, { NULL, NULL }
  };
  luaL_newmetatable(L, ESTIMATOR);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "study");
}

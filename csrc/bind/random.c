/* random.c -- the state's generator and the tensors drawn from it. */
#include <math.h>
#include <string.h>

#include "../tensor/random.h"
#include "create.h"

/* perilune.manual_seed(n): the stream starts anew. */
static int manual_seed(lua_State *L) {
  context *c = bind_enter(L);
  int is_integer;
  lua_Integer seed = lua_tointegerx(L, 1, &is_integer);
  if (!is_integer) bind_error(L, "manual_seed: the seed must be an integer, not %s", luaL_typename(L, 1));
  c->random = (generator){ .seed = (uint64_t)seed };
  return 0;
}

/* get_rng_state() -> { seed, offset }; set_rng_state(that) goes on from there. */
static int get_rng_state(lua_State *L) {
  context *c = bind_context(L);
  lua_createtable(L, 2, 0);
  lua_pushinteger(L, (lua_Integer)c->random.seed);
  lua_rawseti(L, -2, 1);
  lua_pushinteger(L, (lua_Integer)c->random.offset);
  lua_rawseti(L, -2, 2);
  return 1;
}

static int set_rng_state(lua_State *L) {
  context *c = bind_context(L);
  if (!lua_istable(L, 1)) bind_error(L, "set_rng_state: needs what get_rng_state returned");
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  if (!lua_isinteger(L, -2) || !lua_isinteger(L, -1)) bind_error(L, "set_rng_state: needs what get_rng_state returned");
  c->random.seed = (uint64_t)lua_tointeger(L, -2);
  c->random.offset = (uint64_t)lua_tointeger(L, -1);
  return 0;
}

static void draw(context *c, tensor *t, bool is_normal) {
  int64_t n = tensor_numel(t);
  if (t->dtype == DTYPE_FLOAT32) (is_normal ? random_normal_float32 : random_uniform_float32)(c, tensor_float32(t), n);
  else (is_normal ? random_normal_float64 : random_uniform_float64)(c, tensor_float64(t), n);
}

static tensor *new_float(lua_State *L, const creation *made, int n_dims, const int64_t *shape) {
  if (!dtype_is_float(made->dtype)) bind_error(L, "%s: dtype must be float32 or float64", made->function);
  return tensor_new(bind_context(L), made->dtype, n_dims, shape);
}

static int drawn(lua_State *L, const char *function, bool is_normal) {
  context *c = bind_enter(L);
  int64_t shape[MAX_DIMS];
  creation made = creation_options(L, function, DTYPE_FLOAT32);
  int n_dims = creation_shape(L, function, 1, shape);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, new_float(L, &made, n_dims, shape));
  draw(c, *slot, is_normal);
  return 1;
}

static int rand_uniform(lua_State *L) { return drawn(L, "rand", false); }
static int randn(lua_State *L) { return drawn(L, "randn", true); }

static int drawn_like(lua_State *L, const char *function, bool is_normal) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  creation made = creation_options(L, function, t->dtype);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, new_float(L, &made, t->n_dims, t->shape));
  draw(c, *slot, is_normal);
  return 1;
}

static int rand_like(lua_State *L) { return drawn_like(L, "rand_like", false); }
static int randn_like(lua_State *L) { return drawn_like(L, "randn_like", true); }

/* Pushes integers in low..high, both in it; these two are the arguments at `at` and after it. */
static int integers(lua_State *L, const creation *made, int at, int n_dims, const int64_t *shape) {
  context *c = bind_context(L);
  int64_t low = bind_check_integer(L, at, lua_pushfstring(L, "%s: low", made->function), INT64_MIN, INT64_MAX);
  int64_t high = bind_check_integer(L, at + 1, lua_pushfstring(L, "%s: high", made->function), low, INT64_MAX);
  if (made->dtype != DTYPE_INT64) bind_error(L, "%s: gives int64; convert with to()", made->function);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, made, slot, tensor_new(c, made->dtype, n_dims, shape));
  random_integers(c, tensor_int64(*slot), tensor_numel(*slot), low, high);
  return 1;
}

/* randint(low, high, sizes...) */
static int randint(lua_State *L) {
  int64_t shape[MAX_DIMS];
  bind_enter(L);
  creation made = creation_options(L, "randint", DTYPE_INT64);
  int n_dims = creation_shape(L, "randint", 3, shape);
  return integers(L, &made, 1, n_dims, shape);
}

/* randint_like(t, low, high): with t's shape. */
static int randint_like(lua_State *L) {
  bind_enter(L);
  const tensor *t = bind_check_tensor(L, 1);
  creation made = creation_options(L, "randint_like", DTYPE_INT64);
  return integers(L, &made, 2, t->n_dims, t->shape);
}

/* randperm(n): 1..n in random order. */
static int randperm(lua_State *L) {
  context *c = bind_enter(L);
  creation made = { .function = "randperm", .dtype = DTYPE_INT64 };
  int64_t n = bind_check_integer(L, 1, "randperm: n", 0, INT64_MAX);
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, made.dtype, 1, &n));
  random_permutation(c, tensor_int64(*slot), n);
  return 1;
}

/* A float tensor of contiguous elements, held by a userdata on the stack. */
static tensor *dense_float(lua_State *L, const char *what, int argument) {
  context *c = bind_context(L);
  tensor *t = bind_check_tensor(L, argument);
  if (!dtype_is_float(t->dtype)) bind_error(L, "%s must be float32 or float64, not %s", what, dtype_name(t->dtype));
  tensor **wide = bind_new_tensor(L);
  *wide = tensor_to(c, t, DTYPE_FLOAT64);
  if (*wide == NULL) bind_raise(L);
  tensor **dense = bind_new_tensor(L);
  *dense = tensor_contiguous(c, *wide);
  if (*dense == NULL) bind_raise(L);
  return *dense;
}

/* bernoulli(p): 1 with probability p[i], else 0; p in [0, 1]; same shape and dtype. */
static int bernoulli(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  const tensor *p = dense_float(L, "bernoulli: p", 1);
  int64_t n = tensor_numel(p);
  for (int64_t i = 0; i < n; i++)
    if (!(tensor_float64(p)[i] >= 0.0 && tensor_float64(p)[i] <= 1.0))
      bind_error(L, "bernoulli: p has %g; it must be in 0..1", message_number(tensor_float64(p)[i]));
  double *uniform = bind_scratch(L, (size_t)n * sizeof *uniform);
  creation made = { .function = "bernoulli", .dtype = t->dtype };
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, t->dtype, t->n_dims, t->shape));
  random_uniform_float64(c, uniform, n);
  for (int64_t i = 0; i < n; i++) {
    bool one = uniform[i] < tensor_float64(p)[i];
    if (t->dtype == DTYPE_FLOAT32) tensor_float32(*slot)[i] = one;
    else tensor_float64(*slot)[i] = one;
  }
  return 1;
}

/* Running sums of one row of weights; raises unless they are finite, >= 0 and enough of them are > 0. */
static double check_weights(lua_State *L, const double *weights, int64_t n, int64_t n_needed) {
  double total = 0.0;
  int64_t n_positive = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!(weights[i] >= 0.0) || isinf(weights[i]))
      bind_error(L, "multinomial: a weight is %g; weights must be finite and 0 or more",
                 message_number(weights[i]));
    total += weights[i];
    n_positive += weights[i] > 0.0;
  }
  if (n_positive < n_needed)
    bind_error(L, "multinomial: %lld draws asked for, but only %lld weights are above 0", (long long)n_needed,
               (long long)n_positive);
  return total;
}

static void draw_row(double *weights, int64_t n, double total, const double *uniform, int64_t n_draws, bool replace,
                     int64_t *out) {
  for (int64_t k = 0; k < n_draws; k++) {
    double left = uniform[k] * total;
    int64_t chosen = -1;
    for (int64_t i = 0; i < n; i++) {
      if (weights[i] <= 0.0) continue;
      chosen = i;
      left -= weights[i];
      if (left < 0.0) break;
    }
    out[k] = chosen + 1;
    if (replace) continue;
    total -= weights[chosen];
    weights[chosen] = 0.0;
  }
}

static bool option_replacement(lua_State *L, int at) {
  if (lua_isnoneornil(L, at)) return false;
  if (!lua_istable(L, at)) bind_error(L, "multinomial: options must be a table: { replacement = true }");
  bool replacement = false;
  lua_pushnil(L);
  while (lua_next(L, at) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "replacement") != 0)
      bind_error(L, "multinomial: unknown option; known: replacement");
    replacement = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return replacement;
}

/* multinomial(weights, n, { replacement = false }): n positions (1-based) for each row of weights (K) or (M, K). */
static int multinomial(lua_State *L) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  int64_t n_draws = bind_check_integer(L, 2, "multinomial: n", 1, INT64_MAX / 64);
  bool replace = option_replacement(L, 3);
  if (t->n_dims < 1 || t->n_dims > 2)
    bind_error(L, "multinomial: weights must be (K) or (M, K), not %s", tensor_shape_text(t).text);
  const tensor *weights = dense_float(L, "multinomial: weights", 1);
  int64_t n_rows = t->n_dims == 2 ? t->shape[0] : 1, n = t->shape[t->n_dims - 1];
  for (int64_t row = 0; row < n_rows; row++)
    check_weights(L, tensor_float64(weights) + row * n, n, replace ? 1 : n_draws);
  double *row_weights = bind_scratch(L, (size_t)n * sizeof *row_weights);
  double *uniform = bind_scratch(L, (size_t)n_draws * sizeof *uniform);
  int64_t shape[2] = { n_rows, n_draws };
  creation made = { .function = "multinomial", .dtype = DTYPE_INT64 };
  tensor **slot = bind_new_tensor(L);
  creation_finish(L, &made, slot, tensor_new(c, DTYPE_INT64, t->n_dims, t->n_dims == 2 ? shape : shape + 1));
  for (int64_t row = 0; row < n_rows; row++) {
    memcpy(row_weights, tensor_float64(weights) + row * n, (size_t)n * sizeof *row_weights);
    double total = check_weights(L, row_weights, n, 1);
    random_uniform_float64(c, uniform, n_draws);
    draw_row(row_weights, n, total, uniform, n_draws, replace, tensor_int64(*slot) + row * n_draws);
  }
  return 1;
}

/* -- in place: t:uniform_(low, high), t:normal_(mean, std) -- */

static int redraw(lua_State *L, const char *function, bool is_normal) {
  context *c = bind_enter(L);
  tensor *t = bind_check_tensor(L, 1);
  double a = luaL_optnumber(L, 2, 0.0), b = luaL_optnumber(L, 3, 1.0);
  if (!dtype_is_float(t->dtype)) bind_error(L, "%s: the tensor must be float32 or float64", function);
  if (c->grad_enabled && t->requires_grad) bind_error(L, "%s: the tensor is on the tape; use no_grad", function);
  if (is_normal && isnan(a)) bind_error(L, "%s: mean is nan", function);
  if (!is_normal && !(a <= b && isfinite(b - a)))
    bind_error(L, "%s: %g to %g is no range: give finite numbers, the lower one first", function, message_number(a),
               message_number(b));
  if (is_normal && !(b >= 0.0)) bind_error(L, "%s: std is %g; it must be 0 or more", function, message_number(b));
  double scale = is_normal ? b : b - a;
  tensor **slot = bind_new_tensor(L);
  *slot = tensor_new(c, t->dtype, t->n_dims, t->shape);
  if (*slot == NULL) bind_raise(L);
  draw(c, *slot, is_normal);
  int64_t n = tensor_numel(t);
  for (int64_t i = 0; i < n; i++) {
    if (t->dtype == DTYPE_FLOAT32) tensor_float32(*slot)[i] = (float)(a + scale * (double)tensor_float32(*slot)[i]);
    else tensor_float64(*slot)[i] = a + scale * tensor_float64(*slot)[i];
  }
  bind_check(L, tensor_copy(c, t, *slot));
  lua_settop(L, 1);
  return 1;
}

static int uniform_in_place(lua_State *L) { return redraw(L, "uniform_", false); }
static int normal_in_place(lua_State *L) { return redraw(L, "normal_", true); }

void bind_random(lua_State *L) {
  static const luaL_Reg functions[] = { { "manual_seed", manual_seed },
                                        { "get_rng_state", get_rng_state },
                                        { "set_rng_state", set_rng_state },
                                        { "rand", rand_uniform },
                                        { "randn", randn },
                                        { "rand_like", rand_like },
                                        { "randn_like", randn_like },
                                        { "randint", randint },
                                        { "randint_like", randint_like },
                                        { "randperm", randperm },
                                        { "bernoulli", bernoulli },
                                        { "multinomial", multinomial },
                                        { NULL, NULL } };
  static const luaL_Reg methods[] = { { "uniform_", uniform_in_place }, { "normal_", normal_in_place }, { NULL, NULL } };
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "random");
  bind_push_methods(L);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}

/* decomposition.c -- perilune.core.decomposition: the stages of PCA (csrc/decomposition/decomposition.h), on tensors.
**
**   moments(x, with_scatter) -> mean [, scatter, trace]    x (n, d) uint8, float32 or float64; mean (d), scatter (d, d)
**                                                          float64, on and above the diagonal; trace: its diagonal
**   largest(scatter, k) -> values, vectors                 (k) and (k, d) float64; scatter is destroyed
**   triangle(x, mean) -> tensor                            (min(n, d), d), the R of x - mean = Q R, in the mean's dtype
**   project(x, mean, basis) -> tensor                      (x - mean) basis': (n, k), in the dtype of mean and basis */
#include "../decomposition/decomposition.h"

#include "../kernels/blas.h"
#include "bind.h"

static tensor *new_tensor(lua_State *L, context *c, dtype d, int n_dims, int64_t height, int64_t width) {
  tensor **handle = bind_new_tensor(L);
  *handle = tensor_new(c, d, n_dims, (int64_t[]){ height, width });
  if (*handle == NULL) bind_check(L, STATUS_NO_MEMORY);
  return *handle;
}

/* The rows of x; where its features do not lie side by side, of a copy, which is then on the stack. */
static rows check_rows(lua_State *L, context *c, int argument) {
  tensor *x = bind_check_tensor(L, argument);
  if (x->n_dims != 2 || (x->dtype != DTYPE_UINT8 && !dtype_is_float(x->dtype)))
    bind_error(L, "x must be a matrix of uint8, float32 or float64, not %s %s", tensor_shape_text(x).text,
               dtype_name(x->dtype));
  if (x->shape[0] < 1 || x->shape[1] < 1) bind_error(L, "x is %s: it has no items", tensor_shape_text(x).text);
  if (!blas_fits(x->shape[0]) || !blas_fits(x->shape[1])) bind_error(L, "x is %s: too large", tensor_shape_text(x).text);
  if (x->shape[1] > 1 && x->stride[1] != 1) {
    tensor **handle = bind_new_tensor(L);
    *handle = x = tensor_contiguous(c, x);
    if (x == NULL) bind_raise(L);
  }
  return (rows){ tensor_data(x), x->dtype, x->shape[0], x->shape[1], x->stride[0] };
}

static tensor *check_contiguous(lua_State *L, int argument, const char *what, int n_dims, int64_t d) {
  tensor *t = bind_check_tensor(L, argument);
  if (t->n_dims != n_dims || !dtype_is_float(t->dtype) || !tensor_is_contiguous(t) || t->shape[n_dims - 1] != d)
    bind_error(L, "%s must be contiguous, with rows of %d, not %s %s", what, (int)d, tensor_shape_text(t).text,
               dtype_name(t->dtype));
  return t;
}

static int bind_moments(lua_State *L) {
  context *c = bind_enter(L);
  bool with_scatter = lua_toboolean(L, 2);
  rows x = check_rows(L, c, 1);
  tensor *mean = new_tensor(L, c, DTYPE_FLOAT64, 1, x.d, 0), *scatter = NULL;
  if (with_scatter) scatter = new_tensor(L, c, DTYPE_FLOAT64, 2, x.d, x.d);
  bind_check(L, moments(c, &x, tensor_float64(mean), scatter == NULL ? NULL : tensor_float64(scatter)));
  if (scatter == NULL) return 1;
  double trace = 0.0;
  for (int64_t i = 0; i < x.d; i++) trace += tensor_float64(scatter)[i * (x.d + 1)];
  lua_pushnumber(L, trace);
  return 3;
}

static int bind_largest(lua_State *L) {
  context *c = bind_enter(L);
  tensor *scatter = bind_check_tensor(L, 1);
  int64_t d = scatter->n_dims == 2 ? scatter->shape[1] : 0;
  check_contiguous(L, 1, "scatter", 2, d);
  if (scatter->dtype != DTYPE_FLOAT64 || scatter->shape[0] != d)
    bind_error(L, "scatter must be a square matrix of float64, not %s %s", tensor_shape_text(scatter).text,
               dtype_name(scatter->dtype));
  int64_t k = bind_check_integer(L, 2, "k", 1, d);
  const tensor *values = new_tensor(L, c, DTYPE_FLOAT64, 1, k, 0);
  const tensor *vectors = new_tensor(L, c, DTYPE_FLOAT64, 2, k, d);
  atomic_fetch_add(&scatter->storage->version, 1);
  bind_check(L, largest_eigenvectors(c, tensor_float64(scatter), d, k, tensor_float64(values),
                                     tensor_float64(vectors)));
  return 2;
}

static void check_mean(lua_State *L, const rows *x, const tensor *mean) {
  if ((x->dtype == DTYPE_FLOAT64) != (mean->dtype == DTYPE_FLOAT64))
    bind_error(L, "x is %s but the mean %s", dtype_name(x->dtype), dtype_name(mean->dtype));
}

static int bind_triangle(lua_State *L) {
  context *c = bind_enter(L);
  lua_settop(L, 2);
  rows x = check_rows(L, c, 1);
  const tensor *mean = check_contiguous(L, 2, "mean", 1, x.d);
  check_mean(L, &x, mean);
  const tensor *out = new_tensor(L, c, mean->dtype, 2, x.n < x.d ? x.n : x.d, x.d);
  bind_check(L, triangle(c, &x, tensor_data(mean), mean->dtype, tensor_data(out)));
  return 1;
}

static int bind_project(lua_State *L) {
  context *c = bind_enter(L);
  lua_settop(L, 3);
  rows x = check_rows(L, c, 1);
  const tensor *mean = check_contiguous(L, 2, "mean", 1, x.d), *basis = check_contiguous(L, 3, "basis", 2, x.d);
  check_mean(L, &x, mean);
  if (basis->dtype != mean->dtype)
    bind_error(L, "the mean is %s but the basis %s", dtype_name(mean->dtype), dtype_name(basis->dtype));
  const tensor *out = new_tensor(L, c, mean->dtype, 2, x.n, basis->shape[0]);
  bind_check(L, project(c, &x, tensor_data(mean), tensor_data(basis), basis->shape[0], mean->dtype, tensor_data(out)));
  return 1;
}

void bind_decomposition(lua_State *L) {
  static const luaL_Reg functions[] = {
    { "moments", bind_moments }, { "largest", bind_largest }, { "triangle", bind_triangle },
    { "project", bind_project }, { NULL, NULL }
  };
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "decomposition");
}

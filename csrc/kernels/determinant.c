/* determinant.c -- det and slogdet, by LU factors with partial pivoting (getrf).
**
** x (..., N, N); results (...).  det is the product of the pivots with the sign of their permutation; slogdet gives the
** sign (-1, 0, 1) and log |det|, which neither over- nor underflows (0 and -inf for a singular matrix).
**
**   d det = g det x^-T,  d logabsdet = g x^-T; the gradient of a singular matrix is an error. */
#include <math.h>

#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

typedef struct pivots { double sign, log_size, product; } pivots;

static pivots pivots_of(const tensor *lu, const double *lu_64, const float *lu_32, int64_t n, const int *pivot) {
  pivots p = { 1.0, 0.0, 1.0 };
  for (int64_t k = 0; k < n; k++) {
    double item = lu->dtype == DTYPE_FLOAT32 ? (double)lu_32[k * n + k] : lu_64[k * n + k];
    if (pivot[k] != k + 1) p.sign = -p.sign, p.product = -p.product;
    if (item < 0.0) p.sign = -p.sign;
    if (item == 0.0) p.sign = 0.0;
    p.log_size += log(fabs(item));
    p.product *= item;
  }
  return p;
}

static void put(tensor *t, int64_t i, double value) {
  if (t->dtype == DTYPE_FLOAT32) tensor_float32(t)[i] = (float)value;
  else tensor_float64(t)[i] = value;
}

static status factorise(op_call *call, tensor *lu, int *pivot, bool logarithm) {
  int64_t n = lu->shape[lu->n_dims - 1], n_batch = lapack_batch(lu);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && code == STATUS_OK; i++) {
    void *a = lapack_member(lu, i, n * n);
    int info = n > 0 ? lapack_getrf(lu->dtype, (int)n, a, pivot) : 0;
    if (info < 0) code = lapack_failed(call, info, i, n_batch, "");
    pivots p = pivots_of(lu, a, a, n, pivot);
    put(call->outputs[0], i, logarithm ? p.sign : p.product);
    if (logarithm) put(call->outputs[1], i, p.log_size);
  }
  blas_leave(region);
  return code;
}

static status run(op_call *call, bool logarithm) {
  status code = lapack_require(call, 0, true);
  if (code != STATUS_OK) return code;
  tensor *x = call->inputs[0];
  code = op_output(call, 0, x->dtype, x->n_dims - 2, x->shape);
  if (code == STATUS_OK && logarithm) code = op_output(call, 1, x->dtype, x->n_dims - 2, x->shape);
  if (code != STATUS_OK) return code;
  tensor *lu = lapack_copy(call->context, x);
  size_t n_bytes = (size_t)(x->shape[x->n_dims - 1] + 1) * sizeof(int);
  int *pivot = context_get(call->context, n_bytes);
  code = lu == NULL || pivot == NULL ? STATUS_NO_MEMORY : factorise(call, lu, pivot, logarithm);
  if (pivot != NULL) context_put(call->context, pivot, n_bytes);
  tensor_release(lu);
  if (call->needs_gradient[0]) {
    op_save(call, 0, x);
    if (!logarithm) op_save(call, 1, call->outputs[0]);
  }
  return code;
}

static status det_forward(op_call *call) { return run(call, false); }
static status slogdet_forward(op_call *call) { return run(call, true); }

/* x becomes x^-1, matrix by matrix. */
static status invert(op_call *call, tensor *x, int *pivot) {
  int64_t n = x->shape[x->n_dims - 1], n_batch = lapack_batch(x);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && n > 0 && code == STATUS_OK; i++) {
    void *a = lapack_member(x, i, n * n);
    int info = lapack_getrf(x->dtype, (int)n, a, pivot);
    if (info == 0) info = lapack_getri(call->context, x->dtype, (int)n, a, pivot);
    if (info != 0)
      code = lapack_failed(call, info, i, n_batch, "x is singular (pivot %d is zero): the gradient is not supported");
  }
  blas_leave(region);
  return code;
}

/* A new x^-1 in float64. */
static status inverse_of(op_call *call, pool *p, tensor *x, tensor **inverse) {
  *inverse = x == NULL ? NULL : pool_add(p, tensor_to(call->context, x, DTYPE_FLOAT64));
  *inverse = *inverse == NULL ? NULL : pool_add(p, lapack_copy(call->context, *inverse));
  if (*inverse == NULL) return STATUS_NO_MEMORY;
  size_t n_bytes = (size_t)(x->shape[x->n_dims - 1] + 1) * sizeof(int);
  int *pivot = context_get(call->context, n_bytes);
  if (pivot == NULL) return STATUS_NO_MEMORY;
  status code = invert(call, *inverse, pivot);
  context_put(call->context, pivot, n_bytes);
  return code;
}

/* v[0] is the factor of this matrix. */
static double scaled(int64_t i, int64_t j, const pool_item *item) { return item->v[0] * pool_at(item, i, j); }

/* dx = factor x^-T, one factor a matrix. */
static status give(op_call *call, pool *p, tensor *factors) {
  if (factors == NULL) return STATUS_NO_MEMORY;
  tensor *inverse;
  status code = inverse_of(call, p, call->saved[0], &inverse);
  if (code != STATUS_OK) return code;
  tensor column = *factors;   /* (...) as (..., 1): looked at only during pool_map */
  column.shape[column.n_dims] = 1;
  column.n_dims++;
  return pool_give(p, 0, pool_map(p, pool_transposed(p, inverse), &column, scaled), 0);
}

static status det_backward(op_call *call) {
  pool p = { .call = call };
  tensor *g = pool_double(&p, call->output_gradients[0]), *det = pool_double(&p, call->saved[1]);
  tensor *factors = g == NULL || det == NULL ? NULL : pool_add(&p, tensor_clone(call->context, g));
  if (factors != NULL)
    for (int64_t i = 0; i < tensor_numel(factors); i++) tensor_float64(factors)[i] *= tensor_float64(det)[i];
  status code = give(call, &p, factors);
  pool_release(&p);
  return code;
}

static status slogdet_backward(op_call *call) {
  pool p = { .call = call };
  status code = give(call, &p, pool_double(&p, call->output_gradients[1]));
  pool_release(&p);
  return code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench x=spd(200,200)", "x=distinct(3,3)", "x=normal(1,1)", "x=distinct(2,2,4,4)", "x=spd(5,5):t", NULL
};

const op op_det = {
  .name = "det",
  .flags = OP_METHOD,
  .help = "det(x) -> tensor\n\nThe determinants of the square matrices x (..., N, N): (...).",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = det_forward,
  .backward = det_backward,
  .samples = samples,
};

const op op_slogdet = {
  .name = "slogdet",
  .flags = OP_METHOD,
  .help = "slogdet(x) -> sign, logabsdet\n\n"
          "The signs (-1, 0 or 1) and the logarithms of the absolute values of the determinants of x (..., N, N).",
  .parameters = parameters,
  .n_outputs = 2,
  .forward = slogdet_forward,
  .backward = slogdet_backward,
  .samples = samples,
};

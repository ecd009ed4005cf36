/* cholesky.c -- L, lower triangular with a positive diagonal, such that x = L L^T (potrf).
**
** x (..., N, N), symmetric positive definite.  The symmetric part (x + x^T) / 2 is taken, so that the gradient is that
** of all of x's items; for a symmetric x that is x.  LAPACK sees L^T, upper triangular, in a contiguous L.
** Error: a leading minor that is not positive.
**
** Backward (Murray, Differentiation of the Cholesky decomposition, 2016):
**   S = L^-T phi(L^T dL) L^-1,  dx = (S + S^T) / 2,  phi: the lower triangle with half the diagonal. */
#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

static double phi(int64_t i, int64_t j, const pool_item *item) {
  return i > j ? pool_at(item, i, j) : i == j ? 0.5 * pool_at(item, i, i) : 0.0;
}

static double symmetric(int64_t i, int64_t j, const pool_item *item) {
  return 0.5 * (pool_at(item, i, j) + pool_at(item, j, i));
}

/* L's own triangle: what LAPACK left above it goes. */
static void clear_above_32(float *l, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) l[i * n + j] = 0.0f;
}

static void clear_above_64(double *l, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) l[i * n + j] = 0.0;
}

static status factorise(op_call *call, tensor *l) {
  int64_t n = l->shape[l->n_dims - 1], n_batch = lapack_batch(l);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && n > 0 && code == STATUS_OK; i++) {
    void *a = lapack_member(l, i, n * n);
    int info = lapack_potrf(l->dtype, (int)n, a);
    if (info != 0)
      code = lapack_failed(call, info, i, n_batch,
                           "x is not positive definite: the leading minor of order %d is not positive");
    if (l->dtype == DTYPE_FLOAT32) clear_above_32(a, n);
    else clear_above_64(a, n);
  }
  blas_leave(region);
  return code;
}

static status forward(op_call *call) {
  status code = lapack_require(call, 0, true);
  if (code != STATUS_OK) return code;
  tensor *l = call->outputs[0] = lapack_copy_symmetric(call->context, call->inputs[0]);
  if (l == NULL) return STATUS_NO_MEMORY;
  code = factorise(call, l);
  if (code == STATUS_OK && call->needs_gradient[0]) op_save(call, 0, l);
  return code;
}

/* A new L^-1 in float64. */
static tensor *inverse_of(pool *p, tensor *l) {
  tensor *inverse = l == NULL ? NULL : pool_add(p, lapack_copy(p->call->context, l));
  if (inverse == NULL) return NULL;
  int64_t n = l->shape[l->n_dims - 1], n_batch = lapack_batch(l);
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && n > 0; i++)   /* the diagonal is positive */
    lapack_trtri(DTYPE_FLOAT64, (int)n, lapack_member(inverse, i, n * n));
  blas_leave(region);
  return inverse;
}

static status backward(op_call *call) {
  pool p = { .call = call };
  tensor *l = pool_double(&p, call->saved[0]), *dl = pool_double(&p, call->output_gradients[0]);
  tensor *inverse = inverse_of(&p, l);
  tensor *middle = pool_map(&p, pool_product(&p, pool_transposed(&p, l), dl), NULL, phi);
  tensor *s = pool_product(&p, pool_product(&p, pool_transposed(&p, inverse), middle), inverse);
  status code = pool_give(&p, 0, pool_map(&p, s, NULL, symmetric), 0);
  pool_release(&p);
  return code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench x=spd(200,200)", "x=spd(3,3)", "x=spd(1,1)", "x=spd(2,4,4)", "x=spd(6,6):t", NULL
};

const op op_cholesky = {
  .name = "cholesky",
  .flags = OP_METHOD,
  .help = "cholesky(x) -> tensor\n\n"
          "The lower triangular L with x = L L^T, of symmetric positive definite matrices x (..., N, N).  The symmetric\n"
          "part of x is taken.  Any other matrix is an error.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

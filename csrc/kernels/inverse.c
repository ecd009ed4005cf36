/* inverse.c -- y = x^-1, by LU factors with partial pivoting (getrf, getri).
**
** x (..., N, N) float32 or float64.  LAPACK sees x^T, and the inverse of that is y^T: nothing is transposed.
** Error: an exact zero among the pivots.  dx = -y^T dy y^T. */
#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

static status invert(op_call *call, tensor *y, int *pivot) {
  int64_t n = y->shape[y->n_dims - 1], n_batch = lapack_batch(y);
  blas_region region = blas_enter();
  status code = STATUS_OK;
  for (int64_t i = 0; i < n_batch && n > 0 && code == STATUS_OK; i++) {
    void *a = lapack_member(y, i, n * n);
    int info = lapack_getrf(y->dtype, (int)n, a, pivot);
    if (info == 0) info = lapack_getri(call->context, y->dtype, (int)n, a, pivot);
    if (info != 0) code = lapack_failed(call, info, i, n_batch, "x is singular: pivot %d is zero");
  }
  blas_leave(region);
  return code;
}

static status forward(op_call *call) {
  status code = lapack_require(call, 0, true);
  if (code != STATUS_OK) return code;
  tensor *y = call->outputs[0] = lapack_copy(call->context, call->inputs[0]);
  if (y == NULL) return STATUS_NO_MEMORY;
  size_t n_bytes = (size_t)(y->shape[y->n_dims - 1] + 1) * sizeof(int);
  int *pivot = context_get(call->context, n_bytes);
  if (pivot == NULL) return STATUS_NO_MEMORY;
  code = invert(call, y, pivot);
  context_put(call->context, pivot, n_bytes);
  if (code == STATUS_OK && call->needs_gradient[0]) op_save(call, 0, y);
  return code;
}

static double negative(int64_t i, int64_t j, const pool_item *item) { return -pool_at(item, i, j); }

static status backward(op_call *call) {
  pool p = { .call = call };
  tensor *y_transposed = pool_transposed(&p, pool_double(&p, call->saved[0]));
  tensor *dy = pool_double(&p, call->output_gradients[0]);
  tensor *product = pool_product(&p, pool_product(&p, y_transposed, dy), y_transposed);
  status code = pool_give(&p, 0, pool_map(&p, product, NULL, negative), 0);
  pool_release(&p);
  return code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench x=spd(200,200)", "x=spd(3,3)", "x=spd(1,1)", "x=spd(2,4,4)", "x=spd(7,7):t", NULL
};

const op op_inv = {
  .name = "inv",
  .flags = OP_METHOD,
  .help = "inv(x) -> tensor\n\nThe inverses of the square matrices x (..., N, N).  A singular one is an error.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

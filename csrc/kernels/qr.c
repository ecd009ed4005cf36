/* qr.c -- x = Q R: Q (..., M, K) with orthonormal columns, R (..., K, N) upper triangular, K = min(M, N).
**
** LAPACK sees x^T, whose LQ factors (gelqf, orglq) are the transposes of ours: nothing is transposed.  Signs are
** Householder's, as in LAPACK, NumPy and PyTorch: R's diagonal may be negative.
**
** Backward for M >= N (Seeger et al., Auto-differentiating linear algebra, 2017):
**   T = R dR^T - dQ^T Q,  dx = (dQ + Q copyltu(T)) R^-T,  copyltu: the lower triangle, mirrored. */
#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

enum { Q, R };   /* outputs */

/* An item of R, from the factors as C sees them: x's own place. */
static void copy_upper(tensor *r, int64_t i, const void *factors, int64_t rows, int64_t columns) {
  char *to = lapack_member(r, i, rows * columns);
  const char *from = factors;
  size_t size = dtype_size(r->dtype);
  for (int64_t row = 0; row < rows; row++)
    for (int64_t column = 0; column < columns; column++)
      for (size_t byte = 0; byte < size; byte++) {
        size_t at = (size_t)(row * columns + column) * size + byte;
        to[at] = column >= row ? from[at] : 0;
      }
}

/* Q's first k columns out of the factors' rows (M x N as C sees them). */
static void copy_reflectors(tensor *q, int64_t i, const void *factors, int64_t m, int64_t n, int64_t k) {
  char *to = lapack_member(q, i, m * k);
  size_t size = dtype_size(q->dtype);
  for (int64_t row = 0; row < m; row++)
    for (size_t byte = 0; byte < (size_t)k * size; byte++)
      to[(size_t)(row * k) * size + byte] = ((const char *)factors)[(size_t)(row * n) * size + byte];
}

static int one(op_call *call, tensor *factors, int64_t i, void *tau) {
  tensor *q = call->outputs[Q], *r = call->outputs[R];
  int64_t m = factors->shape[factors->n_dims - 2], n = factors->shape[factors->n_dims - 1], k = m < n ? m : n;
  void *a = lapack_member(factors, i, m * n);
  int info = lapack_gelqf(call->context, factors->dtype, (int)n, (int)m, a, tau);
  if (info != 0) return info;
  copy_upper(r, i, a, k, n);
  copy_reflectors(q, i, a, m, n, k);
  return lapack_orglq(call->context, factors->dtype, (int)k, (int)m, (int)k, lapack_member(q, i, m * k), tau);
}

static status decompose(op_call *call, tensor *factors, void *tau) {
  int64_t n_batch = lapack_batch(factors);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && tensor_numel(factors) > 0 && code == STATUS_OK; i++) {
    int info = one(call, factors, i, tau);
    if (info != 0) code = lapack_failed(call, info, i, n_batch, "LAPACK's info is %d");
  }
  blas_leave(region);
  return code;
}

static status make_outputs(op_call *call, int64_t k) {
  const tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < x->n_dims; d++) shape[d] = x->shape[d];
  shape[x->n_dims - 1] = k;
  status code = op_output(call, Q, x->dtype, x->n_dims, shape);
  shape[x->n_dims - 2] = k;
  shape[x->n_dims - 1] = x->shape[x->n_dims - 1];
  return code == STATUS_OK ? op_output(call, R, x->dtype, x->n_dims, shape) : code;
}

static status forward(op_call *call) {
  status code = lapack_require(call, 0, false);
  if (code != STATUS_OK) return code;
  tensor *x = call->inputs[0];
  int64_t m = x->shape[x->n_dims - 2], n = x->shape[x->n_dims - 1], k = m < n ? m : n;
  if (call->needs_gradient[0] && m < n)
    return op_fail(call, "x is %s: the gradient is there for at least as many rows as columns only",
                   tensor_shape_text(x).text);
  code = make_outputs(call, k);
  if (code != STATUS_OK) return code;
  tensor *factors = lapack_copy(call->context, x);
  size_t n_bytes = (size_t)(k + 1) * dtype_size(x->dtype);
  void *tau = context_get(call->context, n_bytes);
  code = factors == NULL || tau == NULL ? STATUS_NO_MEMORY : decompose(call, factors, tau);
  if (tau != NULL) context_put(call->context, tau, n_bytes);
  tensor_release(factors);
  if (call->needs_gradient[0]) {
    op_save(call, Q, call->outputs[Q]);
    op_save(call, R, call->outputs[R]);
  }
  return code;
}

static double mirrored(int64_t i, int64_t j, const pool_item *item) {
  return i >= j ? pool_at(item, i, j) : pool_at(item, j, i);
}

/* A new R^-1; a zero on the diagonal (x lacks rank) is an error.  C's R is LAPACK's lower triangular R^T, so that
** its transposed copy is the upper triangular R. */
static status inverse_of(pool *p, tensor *r, tensor **inverse) {
  tensor *columns = r == NULL ? NULL : pool_add(p, lapack_copy_transposed(p->call->context, r));
  if (columns == NULL) return STATUS_NO_MEMORY;
  int64_t n = r->shape[r->n_dims - 1], n_batch = lapack_batch(r);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && n > 0 && code == STATUS_OK; i++) {
    int info = lapack_trtri(DTYPE_FLOAT64, (int)n, lapack_member(columns, i, n * n));
    if (info != 0) code = lapack_failed(p->call, info, i, n_batch, "x lacks rank (column %d): it has no gradient");
  }
  blas_leave(region);
  *inverse = pool_transposed(p, columns);
  return code;
}

static status backward(op_call *call) {
  pool p = { .call = call };
  tensor *q = pool_double(&p, call->saved[Q]), *r = pool_double(&p, call->saved[R]), *inverse = NULL;
  tensor *dq = pool_double(&p, call->output_gradients[Q]), *dr = pool_double(&p, call->output_gradients[R]);
  status code = inverse_of(&p, r, &inverse);
  if (code == STATUS_OK) {
    tensor *t = pool_sum(&p, pool_product(&p, r, pool_transposed(&p, dr)),
                         pool_product(&p, pool_transposed(&p, dq), q), -1.0);
    tensor *sum = pool_sum(&p, dq, pool_product(&p, q, pool_map(&p, t, NULL, mirrored)), 1.0);
    code = pool_give(&p, 0, pool_product(&p, sum, pool_transposed(&p, inverse)), 0);
  }
  pool_release(&p);
  return code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench x=normal(200,200)", "x=distinct(3,3)", "x=distinct(5,2)", "x=normal(1,1)", "x=distinct(2,4,3)",
  "x=distinct(6,3):t", NULL
};

const op op_qr = {
  .name = "qr",
  .flags = OP_METHOD,
  .help = "qr(x) -> q, r\n\n"
          "x = q r for x (..., M, N): q (..., M, K) with orthonormal columns and r (..., K, N) upper triangular,\n"
          "K = min(M, N).  The gradient is there for M >= N.",
  .parameters = parameters,
  .n_outputs = 2,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

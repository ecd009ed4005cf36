/* svd.c -- x = U diag(S) Vh: U (..., M, K), S (..., K) descending, Vh (..., K, N), K = min(M, N); with
** full_matrices U (..., M, M) and Vh (..., N, N) (gesdd: divide and conquer).  svdvals gives S alone.
**
** LAPACK sees x^T = Vh^T diag(S) U^T: its U is our Vh and the other way round, and nothing is transposed.  Of each
** column of U the item of largest magnitude is positive (so do scikit-learn's): the same signs with every LAPACK.
**
** Backward of the reduced form (Townsend, Differentiating the singular value decomposition, 2016), with
** E_ij = s_j^2 - s_i^2, skew(A) = A - A^T, and o / for items (0 on the diagonal of the quotients):
**   dx = U [ (skew(U^T dU) / E) diag(s) + diag(s) (skew(V^T dV) / E) + diag(dS) ] V^T
**        + (dU - U U^T dU) diag(1/s) V^T + U diag(1/s) (dV^T - dV^T V V^T)
** infinite for equal or zero singular values if dU or dVh is not 0. */
#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

enum { U, S, VH };   /* outputs, saved */
enum { FULL_MATRICES };

/* -- forward -- */

/* A column of U and its row of Vh change their signs together; columns and rows without a partner, alone. */
static void fix_signs(dtype d, char *u, char *vh, int64_t m, int64_t n, int64_t u_columns, int64_t vh_rows) {
  int64_t size = (int64_t)dtype_size(d), pairs = m < n ? m : n;
  for (int64_t k = 0; k < u_columns; k++) {
    bool negated = lapack_fix_sign(d, u + k * size, m, u_columns);
    if (negated && k < pairs) lapack_negate(d, vh + k * n * size, n, 1);
  }
  for (int64_t k = pairs; k < vh_rows; k++) lapack_fix_sign(d, vh + k * n * size, n, 1);
}

static int one(op_call *call, tensor *x, tensor *u, tensor *s, tensor *vh, int64_t i, char job) {
  int64_t m = x->shape[x->n_dims - 2], n = x->shape[x->n_dims - 1], k = m < n ? m : n;
  int64_t u_columns = job == 'A' ? m : k, vh_rows = job == 'A' ? n : k;
  char nothing[8] = { 0 };
  void *u_data = job == 'N' ? nothing : lapack_member(u, i, m * u_columns);
  void *vh_data = job == 'N' ? nothing : lapack_member(vh, i, vh_rows * n);
  int info = lapack_gesdd(call->context, x->dtype, job, (int)n, (int)m, lapack_member(x, i, m * n),
                          lapack_member(s, i, k), vh_data, u_data);
  if (info == 0 && job != 'N') fix_signs(x->dtype, u_data, vh_data, m, n, u_columns, vh_rows);
  return info;
}

static status decompose(op_call *call, tensor *x, tensor *u, tensor *s, tensor *vh, char job) {
  int64_t n_batch = lapack_batch(x);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && tensor_numel(x) > 0 && code == STATUS_OK; i++) {
    int info = one(call, x, u, s, vh, i, job);
    if (info != 0) code = lapack_failed(call, info, i, n_batch, "did not converge (LAPACK's info is %d)");
  }
  blas_leave(region);
  return code;
}

/* A new (..., rows, columns) with x's batch dims; columns < 0: (..., rows). */
static tensor *fresh(context *c, const tensor *x, int64_t rows, int64_t columns) {
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < x->n_dims; d++) shape[d] = x->shape[d];
  shape[x->n_dims - 2] = rows;
  if (columns < 0) return tensor_new(c, x->dtype, x->n_dims - 1, shape);
  shape[x->n_dims - 1] = columns;
  return tensor_new(c, x->dtype, x->n_dims, shape);
}

/* Of a matrix without items the vectors, which only full_matrices has, are those of the identity. */
static status fill_identity(context *c, tensor *t) {
  int64_t n = t->shape[t->n_dims - 1], n_items = tensor_numel(t);
  status code = tensor_fill(c, t, 0.0);
  for (int64_t i = 0; i < n_items && code == STATUS_OK; i += i % (n * n) == n * n - 1 ? 1 : n + 1) {
    if (t->dtype == DTYPE_FLOAT32) tensor_float32(t)[i] = 1.0f;
    else tensor_float64(t)[i] = 1.0;
  }
  return code;
}

/* Into factors[U, S, VH]: new tensors, also after a failure; job 'N' makes S only. */
static status run(op_call *call, tensor *given, char job, tensor *factors[3]) {
  context *c = call->context;
  int64_t m = given->shape[given->n_dims - 2], n = given->shape[given->n_dims - 1], k = m < n ? m : n;
  factors[S] = fresh(c, given, k, -1);
  if (job != 'N') {
    factors[U] = fresh(c, given, m, job == 'A' ? m : k);
    factors[VH] = fresh(c, given, job == 'A' ? n : k, n);
    if (factors[U] == NULL || factors[VH] == NULL) return STATUS_NO_MEMORY;
  }
  tensor *x = factors[S] == NULL ? NULL : lapack_copy(c, given);
  if (x == NULL) return STATUS_NO_MEMORY;
  status code = decompose(call, x, factors[U], factors[S], factors[VH], job);
  if (code == STATUS_OK && tensor_numel(x) == 0 && job == 'A') {
    code = fill_identity(c, factors[U]);
    if (code == STATUS_OK) code = fill_identity(c, factors[VH]);
  }
  tensor_release(x);
  return code;
}

static status svd_forward(op_call *call) {
  status code = lapack_require(call, 0, false);
  if (code != STATUS_OK) return code;
  bool full = call->values[FULL_MATRICES].flag;
  const tensor *x = call->inputs[0];
  if (full && call->needs_gradient[0] && x->shape[x->n_dims - 2] != x->shape[x->n_dims - 1])
    return op_fail(call, "with full_matrices there is no gradient for x of %s", tensor_shape_text(x).text);
  code = run(call, call->inputs[0], full ? 'A' : 'S', call->outputs);
  if (code == STATUS_OK && call->needs_gradient[0])
    for (int k = 0; k < 3; k++) op_save(call, k, call->outputs[k]);
  return code;
}

/* The vectors wait for the backward: with or without a gradient, the values have the same bits. */
static status svdvals_forward(op_call *call) {
  status code = lapack_require(call, 0, false);
  if (code != STATUS_OK) return code;
  tensor *factors[3] = { NULL, NULL, NULL };
  code = run(call, call->inputs[0], 'N', factors);
  call->outputs[0] = factors[S];
  if (code == STATUS_OK && call->needs_gradient[0]) op_save(call, 0, call->inputs[0]);
  return code;
}

/* -- backward -- */

static double skew_over_e(int64_t i, int64_t j, const pool_item *item) {
  if (i == j) return 0.0;
  double si = item->v[i], sj = item->v[j];
  return (pool_at(item, i, j) - pool_at(item, j, i)) / ((sj - si) * (sj + si));
}

static double scaled_columns(int64_t i, int64_t j, const pool_item *item) { return pool_at(item, i, j) * item->v[j]; }
static double scaled_rows(int64_t i, int64_t j, const pool_item *item) { return pool_at(item, i, j) * item->v[i]; }
static double divided_columns(int64_t i, int64_t j, const pool_item *item) { return pool_at(item, i, j) / item->v[j]; }
static double divided_rows(int64_t i, int64_t j, const pool_item *item) { return pool_at(item, i, j) / item->v[i]; }

/* One side's terms are those of the other for x^T: (skew(U^T dU) / E) diag(s) inside, and
** (dU - U U^T dU) diag(1/s) V^T beside, when U has more rows than columns. */
static tensor *add_u(pool *p, tensor *dx, tensor *u, tensor *s, tensor *vh, tensor *du) {
  tensor *u_du = pool_product(p, pool_transposed(p, u), du);
  tensor *inner = pool_map(p, pool_map(p, u_du, s, skew_over_e), s, scaled_columns);
  tensor *left = pool_product(p, u, inner);
  if (u != NULL && u->shape[u->n_dims - 2] > u->shape[u->n_dims - 1]) {
    tensor *outside = pool_sum(p, du, pool_product(p, u, u_du), -1.0);
    left = pool_sum(p, left, pool_map(p, outside, s, divided_columns), 1.0);
  }
  return pool_sum(p, dx, pool_product(p, left, vh), 1.0);
}

static tensor *add_vh(pool *p, tensor *dx, tensor *u, tensor *s, tensor *vh, tensor *dvh) {
  tensor *dvh_v = pool_product(p, dvh, pool_transposed(p, vh));   /* (V^T dV)^T */
  tensor *inner = pool_map(p, pool_map(p, pool_transposed(p, dvh_v), s, skew_over_e), s, scaled_rows);
  tensor *right = pool_product(p, inner, vh);
  if (vh != NULL && vh->shape[vh->n_dims - 2] < vh->shape[vh->n_dims - 1]) {
    tensor *outside = pool_sum(p, dvh, pool_product(p, dvh_v, vh), -1.0);
    right = pool_sum(p, right, pool_map(p, outside, s, divided_rows), 1.0);
  }
  return pool_sum(p, dx, pool_product(p, u, right), 1.0);
}

static status give(pool *p, tensor *const factors[3], tensor *ds, tensor *du, tensor *dvh) {
  tensor *u = factors[U], *s = factors[S], *vh = factors[VH];
  if (u == NULL || s == NULL || vh == NULL || ds == NULL) return STATUS_NO_MEMORY;
  tensor *dx = pool_product(p, pool_map(p, u, ds, scaled_columns), vh);
  if (du != NULL && !lapack_is_zero(du)) dx = add_u(p, dx, u, s, vh, du);
  if (dvh != NULL && !lapack_is_zero(dvh)) dx = add_vh(p, dx, u, s, vh, dvh);
  return pool_give(p, 0, dx, 0);
}

static status svd_backward(op_call *call) {
  pool p = { .call = call };
  tensor *factors[3];
  for (int k = 0; k < 3; k++) factors[k] = pool_double(&p, call->saved[k]);
  tensor *du = pool_double(&p, call->output_gradients[U]), *ds = pool_double(&p, call->output_gradients[S]);
  tensor *dvh = pool_double(&p, call->output_gradients[VH]);
  status code = du == NULL || dvh == NULL ? STATUS_NO_MEMORY : give(&p, factors, ds, du, dvh);
  pool_release(&p);
  return code;
}

static status svdvals_backward(op_call *call) {
  pool p = { .call = call };
  tensor *x = pool_double(&p, call->saved[0]), *factors[3] = { NULL, NULL, NULL };
  status code = x == NULL ? STATUS_NO_MEMORY : run(call, x, 'S', factors);
  for (int k = 0; k < 3; k++) factors[k] = pool_add(&p, factors[k]);
  if (code == STATUS_OK) code = give(&p, factors, pool_double(&p, call->output_gradients[0]), NULL, NULL);
  pool_release(&p);
  return code;
}

/* -- registration -- */

static const parameter svd_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL },
                                            { "full_matrices", P_FLAG, OPTION, "false", NULL },
                                            { NULL, 0, 0, NULL, NULL } };
static const parameter svdvals_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench x=normal(200,200)", "x=distinct(3,3)", "x=distinct(5,2)", "x=distinct(2,5)", "x=normal(1,1)", "x=distinct(2,4,3)",
  "x=distinct(3,6):t", NULL
};

const op op_svd = {
  .name = "svd",
  .flags = OP_METHOD,
  .help = "svd(x, { full_matrices = false }) -> u, s, vh\n\n"
          "x = u diag(s) vh for x (..., M, N): u (..., M, K), s (..., K) descending, vh (..., K, N), K = min(M, N).  With\n"
          "full_matrices u is (..., M, M) and vh (..., N, N).  The item of largest magnitude in\n"
          "each column of u is positive.",
  .parameters = svd_parameters,
  .n_outputs = 3,
  .forward = svd_forward,
  .backward = svd_backward,
  .samples = samples,
};

const op op_svdvals = {
  .name = "svdvals",
  .flags = OP_METHOD,
  .help = "svdvals(x) -> tensor\n\nThe singular values (..., min(M, N)), descending, of x (..., M, N).",
  .parameters = svdvals_parameters,
  .n_outputs = 1,
  .forward = svdvals_forward,
  .backward = svdvals_backward,
  .samples = samples,
};

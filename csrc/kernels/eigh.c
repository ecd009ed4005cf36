/* eigh.c -- x = V diag(w) V^T for symmetric x (..., N, N): w (..., N) ascending, V (..., N, N) with an eigenvector in
** each column (syevd).  eigvalsh gives w alone.
**
** The symmetric part (x + x^T) / 2 is taken, so that the gradient is that of all of x's items.  Of each
** eigenvector the item of largest magnitude is positive: the same signs with every LAPACK.
**
** Backward, with F_ij = 1 / (w_j - w_i), 0 on the diagonal (Giles, Collected matrix derivative results, 2008):
**   S = V (diag(dw) + F o (V^T dV)) V^T,  dx = (S + S^T) / 2; infinite for equal eigenvalues if dV is not 0. */
#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

enum { W, V };   /* outputs */

/* columns (..., N, N) becomes the eigenvectors, one a row as C sees it. */
static status decompose(op_call *call, tensor *columns, tensor *w, bool vectors) {
  int64_t n = columns->shape[columns->n_dims - 1], n_batch = lapack_batch(columns);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && n > 0 && code == STATUS_OK; i++) {
    int info = lapack_syevd(call->context, columns->dtype, vectors, (int)n, lapack_member(columns, i, n * n),
                            lapack_member(w, i, n));
    if (info != 0) code = lapack_failed(call, info, i, n_batch, "did not converge (LAPACK's info is %d)");
    for (int64_t k = 0; vectors && k < n; k++)
      lapack_fix_sign(columns->dtype, lapack_member(columns, i * n + k, n), n, 1);
  }
  blas_leave(region);
  return code;
}

/* A new w, and a new v where `vectors`. */
static status run(op_call *call, tensor *x, bool vectors, tensor **w, tensor **v) {
  context *c = call->context;
  *w = tensor_new(c, x->dtype, x->n_dims - 1, x->shape);
  tensor *columns = *w == NULL ? NULL : lapack_copy_symmetric(c, x);
  if (columns == NULL) return STATUS_NO_MEMORY;
  status code = decompose(call, columns, *w, vectors);
  if (code == STATUS_OK && vectors && (*v = lapack_copy_transposed(c, columns)) == NULL) code = STATUS_NO_MEMORY;
  tensor_release(columns);
  return code;
}

static status eigh_forward(op_call *call) {
  status code = lapack_require(call, 0, true);
  if (code == STATUS_OK) code = run(call, call->inputs[0], true, &call->outputs[W], &call->outputs[V]);
  if (code == STATUS_OK && call->needs_gradient[0]) {
    op_save(call, W, call->outputs[W]);
    op_save(call, V, call->outputs[V]);
  }
  return code;
}

/* The vectors wait for the backward: with or without a gradient, w has the same bits. */
static status eigvalsh_forward(op_call *call) {
  status code = lapack_require(call, 0, true);
  if (code == STATUS_OK) code = run(call, call->inputs[0], false, &call->outputs[W], NULL);
  if (code == STATUS_OK && call->needs_gradient[0]) op_save(call, 0, call->inputs[0]);
  return code;
}

/* F o (V^T dV) */
static double divided(int64_t i, int64_t j, const pool_item *item) {
  return i == j ? 0.0 : pool_at(item, i, j) / (item->v[j] - item->v[i]);
}

static double scaled_columns(int64_t i, int64_t j, const pool_item *item) { return pool_at(item, i, j) * item->v[j]; }

static double symmetric(int64_t i, int64_t j, const pool_item *item) {
  return 0.5 * (pool_at(item, i, j) + pool_at(item, j, i));
}

static status give(pool *p, tensor *w, tensor *v, tensor *dv) {
  tensor *dw = pool_double(p, p->call->output_gradients[W]), *v_transposed = pool_transposed(p, v);
  if (w == NULL || v == NULL || dw == NULL) return STATUS_NO_MEMORY;
  tensor *left = pool_map(p, v, dw, scaled_columns);   /* V diag(dw) */
  if (dv != NULL) {
    tensor *inner = pool_map(p, pool_product(p, v_transposed, dv), w, divided);
    left = pool_sum(p, left, pool_product(p, v, inner), 1.0);
  }
  return pool_give(p, 0, pool_map(p, pool_product(p, left, v_transposed), NULL, symmetric), 0);
}

static status eigh_backward(op_call *call) {
  pool p = { .call = call };
  tensor *w = pool_double(&p, call->saved[W]), *v = pool_double(&p, call->saved[V]);
  tensor *dv = pool_double(&p, call->output_gradients[V]);
  status code = dv == NULL ? STATUS_NO_MEMORY : give(&p, w, v, lapack_is_zero(dv) ? NULL : dv);
  pool_release(&p);
  return code;
}

static status eigvalsh_backward(op_call *call) {
  pool p = { .call = call };
  tensor *x = pool_double(&p, call->saved[0]), *w = NULL, *v = NULL;
  status code = x == NULL ? STATUS_NO_MEMORY : run(call, x, true, &w, &v);
  w = pool_add(&p, w);
  v = pool_add(&p, v);
  if (code == STATUS_OK) code = give(&p, w, v, NULL);
  pool_release(&p);
  return code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench x=spd(200,200)", "x=spd(3,3)", "x=spd(1,1)", "x=spd(2,3,3)", NULL
};

const op op_eigh = {
  .name = "eigh",
  .flags = OP_METHOD,
  .help = "eigh(x) -> w, v\n\n"
          "Eigenvalues w (..., N), ascending, and eigenvectors v (..., N, N), one a column, of the symmetric part of x\n"
          "(..., N, N).  The item of largest magnitude in each vector is positive.",
  .parameters = parameters,
  .n_outputs = 2,
  .forward = eigh_forward,
  .backward = eigh_backward,
  .samples = samples,
};

const op op_eigvalsh = {
  .name = "eigvalsh",
  .flags = OP_METHOD,
  .help = "eigvalsh(x) -> tensor\n\nThe eigenvalues (..., N), ascending, of the symmetric part of x (..., N, N).",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = eigvalsh_forward,
  .backward = eigvalsh_backward,
  .samples = samples,
};

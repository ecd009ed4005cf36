/* solve.c -- y with A y = B, by LU factors with partial pivoting (getrf, getrs).
**
** a (..., N, N); b (..., N, K) with a's batch dims, or one vector (N) or, for a batch, vectors (..., N).  y has b's
** shape.  b is a batch of vectors when its shape is a's without the last dim.
** Error: an exact zero among the pivots.
**
**   dB = A^-T dy,  dA = -dB y^T. */
#include <string.h>

#include "blas.h"
#include "lapack.h"
#include "lapack_pool.h"

enum { A, B };
enum { MEMO_VECTOR };

/* b's shape is a's without the last dim */
static bool is_vector(const tensor *a, const tensor *b) {
  return b->n_dims == a->n_dims - 1 && memcmp(a->shape, b->shape, (size_t)b->n_dims * sizeof *b->shape) == 0;
}

static bool is_matrix(const tensor *a, const tensor *b) {
  return b->n_dims == a->n_dims && memcmp(a->shape, b->shape, (size_t)(b->n_dims - 1) * sizeof *b->shape) == 0;
}

/* (..., N) as (..., N, 1): a view. */
static tensor *as_columns(context *c, tensor *t, bool vector) {
  if (!vector) return tensor_retain(t);
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  memcpy(shape, t->shape, sizeof shape);
  memcpy(stride, t->stride, sizeof stride);
  shape[t->n_dims] = stride[t->n_dims] = 1;
  return tensor_view(c, t, t->n_dims + 1, shape, stride, t->offset);
}

/* x (..., K, N) holds the right sides b^T and becomes y^T; factors (..., N, N) is destroyed. */
static status solve_all(op_call *call, tensor *factors, tensor *x, bool transposed, int *pivot) {
  int64_t n = factors->shape[factors->n_dims - 1], k = x->shape[x->n_dims - 2], n_batch = lapack_batch(factors);
  blas_region region = blas_enter();
  status code = STATUS_OK;
  for (int64_t i = 0; i < n_batch && n > 0 && code == STATUS_OK; i++) {
    void *lu = lapack_member(factors, i, n * n);
    int info = lapack_getrf(factors->dtype, (int)n, lu, pivot);
    if (info == 0 && k > 0)
      info = lapack_getrs(factors->dtype, !transposed, (int)n, (int)k, lu, pivot, lapack_member(x, i, n * k));
    if (info != 0) code = lapack_failed(call, info, i, n_batch, "a is singular: pivot %d is zero");
  }
  blas_leave(region);
  return code;
}

/* y (..., N, K), new, with a y = b, or a^T y = b when `transposed`.  LAPACK sees a^T, so that solving with a is
** solving with the transpose of what it sees. */
static status solve_into(op_call *call, tensor *a, tensor *b, bool transposed, tensor **y) {
  context *c = call->context;
  tensor *factors = lapack_copy(c, a), *x = lapack_copy_transposed(c, b);
  size_t n_bytes = (size_t)(a->shape[a->n_dims - 1] + 1) * sizeof(int);
  int *pivot = context_get(c, n_bytes);
  status code = STATUS_NO_MEMORY;
  if (factors != NULL && x != NULL && pivot != NULL) code = solve_all(call, factors, x, transposed, pivot);
  if (code == STATUS_OK && (*y = lapack_copy_transposed(c, x)) == NULL) code = STATUS_NO_MEMORY;
  if (pivot != NULL) context_put(c, pivot, n_bytes);
  tensor_release(factors);
  tensor_release(x);
  return code;
}

static status check(op_call *call) {
  status code = lapack_require(call, A, true);
  if (code != STATUS_OK) return code;
  const tensor *a = call->inputs[A], *b = call->inputs[B];
  if (!is_vector(a, b) && !is_matrix(a, b))
    return op_fail(call, "a is %s but b is %s", tensor_shape_text(a).text, tensor_shape_text(b).text);
  if (!is_vector(a, b) && !blas_fits(b->shape[b->n_dims - 1]))
    return op_fail(call, "b is %s, more than LAPACK can take", tensor_shape_text(b).text);
  return lapack_require_finite(call, B);
}

static status forward(op_call *call) {
  status code = check(call);
  if (code != STATUS_OK) return code;
  tensor *a = call->inputs[A], *b = call->inputs[B], *y = NULL;
  bool vector = is_vector(a, b);
  call->memo[MEMO_VECTOR] = vector;
  tensor *columns = as_columns(call->context, b, vector);
  code = columns == NULL ? STATUS_NO_MEMORY : solve_into(call, a, columns, false, &y);
  tensor_release(columns);
  if (code != STATUS_OK) return code;
  if (!vector) call->outputs[0] = tensor_retain(y);
  else call->outputs[0] = tensor_view(call->context, y, b->n_dims, b->shape, y->stride, y->offset);
  if (call->needs_gradient[A] || call->needs_gradient[B]) {
    op_save(call, 0, a);
    if (call->needs_gradient[A]) op_save(call, 1, y);
  }
  tensor_release(y);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static double negative(int64_t i, int64_t j, const pool_item *item) { return -pool_at(item, i, j); }

static status backward(op_call *call) {
  pool p = { .call = call };
  bool vector = call->memo[MEMO_VECTOR] != 0;
  tensor *a = pool_double(&p, call->saved[0]), *db = NULL;
  tensor *dy = pool_double(&p, call->output_gradients[0]);
  if (dy != NULL) dy = pool_add(&p, as_columns(call->context, dy, vector));
  if (a == NULL || dy == NULL) {
    pool_release(&p);
    return STATUS_NO_MEMORY;
  }
  status code = solve_into(call, a, dy, true, &db);
  db = pool_add(&p, db);
  if (code == STATUS_OK && call->needs_gradient[B]) code = pool_give(&p, B, db, vector ? 1 : 0);
  if (code == STATUS_OK && call->needs_gradient[A]) {
    tensor *y_transposed = pool_transposed(&p, pool_double(&p, call->saved[1]));
    code = pool_give(&p, A, pool_map(&p, pool_product(&p, db, y_transposed), NULL, negative), 0);
  }
  pool_release(&p);
  return code;
}

static const parameter parameters[] = { { "a", P_TENSOR, 0, NULL, NULL }, { "b", P_TENSOR, 0, NULL, NULL },
                                        { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench a=spd(200,200) b=normal(200,20)", "a=spd(3,3) b=normal(3,2)", "a=spd(4,4) b=normal(4)",
  "a=spd(2,3,3) b=normal(2,3,5)", "a=spd(2,3,3) b=normal(2,3)", "a=spd(5,5):t b=normal(5,3):t", NULL
};

const op op_solve = {
  .name = "solve",
  .flags = OP_METHOD,
  .help = "solve(a, b) -> tensor\n\n"
          "y with a y = b, for square a (..., N, N) and b (..., N, K) or vectors b (..., N).  A singular a is an error.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

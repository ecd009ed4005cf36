/* lstsq.c -- the y of least norm among those that minimise |a y - b| (gelsd: divide-and-conquer SVD).
**
** a (M, N), b (M, K) or (M), y (N, K) or (N); or batches of them with equal leading dims.  Singular values below
** rcond (default: the dtype's epsilon times max(M, N)) times the largest one count as zero.  No gradient. */
#include <float.h>
#include <string.h>

#include "blas.h"
#include "lapack.h"

enum { A, B };
enum { RCOND };

typedef struct sizes { int64_t m, n, k, tall; } sizes;   /* tall = max(m, n) */

static bool is_vector(const tensor *a, const tensor *b) {
  return b->n_dims == a->n_dims - 1 && memcmp(a->shape, b->shape, (size_t)b->n_dims * sizeof *b->shape) == 0;
}

static bool is_matrix(const tensor *a, const tensor *b) {
  return b->n_dims == a->n_dims && memcmp(a->shape, b->shape, (size_t)(b->n_dims - 1) * sizeof *b->shape) == 0;
}

static status check(op_call *call) {
  status code = lapack_refuse_gradient(call);
  if (code == STATUS_OK) code = lapack_require(call, A, false);
  if (code != STATUS_OK) return code;
  const tensor *a = call->inputs[A], *b = call->inputs[B];
  if (!is_vector(a, b) && !is_matrix(a, b))
    return op_fail(call, "a is %s but b is %s", tensor_shape_text(a).text, tensor_shape_text(b).text);
  if (!is_vector(a, b) && !blas_fits(b->shape[b->n_dims - 1]))
    return op_fail(call, "b is %s, more than LAPACK can take", tensor_shape_text(b).text);
  return lapack_require_finite(call, B);
}

/* Column j of one member's right sides goes to `tall` items, or comes back from them. */
static void move_columns(char *tensor_side, char *lapack_side, int64_t rows, int64_t columns, int64_t tall,
                         size_t size, bool back) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      char *here = tensor_side + (size_t)(i * columns + j) * size;
      char *there = lapack_side + (size_t)(j * tall + i) * size;
      if (back) memcpy(here, there, size);
      else memcpy(there, here, size);
    }
}

static status solve_all(op_call *call, tensor *columns, tensor *b, char *sides, sizes s, double rcond) {
  tensor *y = call->outputs[0];
  size_t size = dtype_size(y->dtype);
  int64_t n_batch = lapack_batch(columns);
  status code = STATUS_OK;
  blas_region region = blas_enter();
  for (int64_t i = 0; i < n_batch && code == STATUS_OK; i++) {
    memset(sides, 0, (size_t)(s.tall * s.k) * size);
    move_columns(lapack_member(b, i, s.m * s.k), sides, s.m, s.k, s.tall, size, false);
    int info = lapack_gelsd(call->context, y->dtype, (int)s.m, (int)s.n, (int)s.k, lapack_member(columns, i, s.m * s.n),
                            sides, rcond);
    if (info != 0) code = lapack_failed(call, info, i, n_batch, "did not converge (LAPACK's info is %d)");
    move_columns(lapack_member(y, i, s.n * s.k), sides, s.n, s.k, s.tall, size, true);
  }
  blas_leave(region);
  return code;
}

static status run(op_call *call, sizes s) {
  context *c = call->context;
  tensor *y = call->outputs[0];
  if (tensor_numel(y) == 0 || s.m == 0) return tensor_fill(c, y, 0.0);
  double rcond = call->values[RCOND].number;
  double epsilon = y->dtype == DTYPE_FLOAT32 ? (double)FLT_EPSILON : DBL_EPSILON;
  if (rcond < 0.0) rcond = epsilon * (double)s.tall;
  int64_t shape[2] = { s.k, s.tall };
  tensor *columns = lapack_copy_transposed(c, call->inputs[A]), *b = tensor_contiguous(c, call->inputs[B]);
  tensor *sides = tensor_new(c, y->dtype, 2, shape);
  status code = STATUS_NO_MEMORY;
  if (columns != NULL && b != NULL && sides != NULL) code = solve_all(call, columns, b, tensor_data(sides), s, rcond);
  tensor_release(columns);
  tensor_release(b);
  tensor_release(sides);
  return code;
}

static status forward(op_call *call) {
  status code = check(call);
  if (code != STATUS_OK) return code;
  const tensor *a = call->inputs[A], *b = call->inputs[B];
  bool vector = is_vector(a, b);
  sizes s = { a->shape[a->n_dims - 2], a->shape[a->n_dims - 1], vector ? 1 : b->shape[b->n_dims - 1], 0 };
  s.tall = s.m > s.n ? s.m : s.n;
  int64_t shape[MAX_DIMS];
  memcpy(shape, b->shape, sizeof shape);
  shape[a->n_dims - 2] = s.n;
  code = op_output(call, 0, a->dtype, b->n_dims, shape);
  return code == STATUS_OK ? run(call, s) : code;
}

static const parameter parameters[] = { { "a", P_TENSOR, 0, NULL, NULL }, { "b", P_TENSOR, 0, NULL, NULL },
                                        { "rcond", P_NUMBER, OPTION, "-1", NULL }, { NULL, 0, 0, NULL, NULL } };
static const char *const samples[] = {
  "bench a=normal(300,100) b=normal(300,4)", "a=normal(5,3) b=normal(5,2)", "a=normal(3,5) b=normal(3,2)",
  "a=normal(2,4,3) b=normal(2,4,1)", "a=normal(3,7):t b=normal(3,2)", NULL
};

const op op_lstsq = {
  .name = "lstsq",
  .flags = OP_METHOD,
  .help = "lstsq(a, b, { rcond = -1 }) -> tensor\n\n"
          "The y of least norm that minimises |a y - b|, for a (..., M, N) and b (..., M, K) or (..., M).  Singular values\n"
          "below rcond times the largest count as zero; rcond < 0 means epsilon * max(M, N).  No gradient.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = NULL,
  .samples = samples,
};

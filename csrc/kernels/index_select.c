/* index_select.c -- y = the slices of x along dim that index names.
** dx adds up the slices' gradients in index order. */
#include <string.h>

#include "../tensor/parallel.h"
#include "indices.h"

enum { ITEMS_A_CHUNK = 1 << 15, COLUMNS = 256 };

/* x: [outer][n_x][inner], y: [outer][n_y][inner], both contiguous; index: [n_y]. */
typedef struct rows {
  const int64_t *index;
  char *x, *y;
  int64_t outer, n_x, n_y, inner;
  dtype d;
} rows;

static rows rows_of(const tensor *index, int dim, int n_dims, const int64_t *x_shape, dtype d, char *x, char *y) {
  rows r = { tensor_int64(index), x, y, 1, x_shape[dim], tensor_numel(index), 1, d };
  for (int k = 0; k < n_dims; k++) {
    if (k < dim) r.outer *= x_shape[k];
    if (k > dim) r.inner *= x_shape[k];
  }
  return r;
}

static void copy_rows(void *argument, int64_t begin, int64_t end) {
  const rows *r = argument;
  size_t n_bytes = (size_t)r->inner * dtype_size(r->d);
  for (int64_t row = begin; row < end; row++) {
    int64_t from = row / r->n_y * r->n_x + r->index[row % r->n_y] - 1;
    memcpy(r->y + (size_t)row * n_bytes, r->x + (size_t)from * n_bytes, n_bytes);
  }
}

static status select_rows(op_call *call, int dim, const tensor *index) {
  tensor *x = tensor_contiguous(call->context, call->inputs[0]), *y = call->outputs[0];
  if (x == NULL) return STATUS_NO_MEMORY;
  rows r = rows_of(index, dim, x->n_dims, x->shape, x->dtype, tensor_data(x), tensor_data(y));
  if (r.inner > 0) parallel_for(call->context, r.outer * r.n_y, ITEMS_A_CHUNK / (r.inner + 1) + 1, copy_rows, &r);
  tensor_release(x);
  return STATUS_OK;
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0], *index = NULL;
  int64_t shape[MAX_DIMS];
  int dim;
  status code = op_dim_or_scalar(call, 0, x->n_dims, &dim);
  int64_t n = tensor_numel(call->inputs[1]);
  if (code == STATUS_OK && call->inputs[1]->n_dims != 0) code = op_require_dims(call, 1, 1);
  if (code == STATUS_OK && x->n_dims == 0 && n != 1)
    code = op_fail(call, "of a 0-dim tensor one item can be taken, not %lld", (long long)n);
  if (code == STATUS_OK) code = indices_checked(call, 1, x->n_dims == 0 ? 1 : x->shape[dim], &index);
  if (code != STATUS_OK) return code;
  call->saved[0] = index;
  memcpy(shape, x->shape, sizeof shape);
  shape[dim] = n;
  code = op_output(call, 0, x->dtype, x->n_dims, shape);
  return code == STATUS_OK ? select_rows(call, dim, index) : code;
}

CLONES static void add_float32(int64_t n, float *x, const float *y) {
  for (int64_t i = 0; i < n; i++) x[i] += y[i];
}

CLONES static void add_float64(int64_t n, double *x, const double *y) {
  for (int64_t i = 0; i < n; i++) x[i] += y[i];
}

/* Task = an outer position and a block of columns, which no other task touches. */
static void add_columns(void *argument, int64_t begin, int64_t end) {
  const rows *r = argument;
  int64_t blocks = (r->inner + COLUMNS - 1) / COLUMNS;
  for (int64_t task = begin; task < end; task++) {
    int64_t outer = task / blocks, column = task % blocks * COLUMNS;
    int64_t n = r->inner - column < COLUMNS ? r->inner - column : COLUMNS;
    for (int64_t j = 0; j < r->n_y; j++) {
      int64_t to = (outer * r->n_x + r->index[j] - 1) * r->inner + column;
      int64_t from = (outer * r->n_y + j) * r->inner + column;
      if (r->d == DTYPE_FLOAT32) add_float32(n, (float *)(void *)r->x + to, (const float *)(const void *)r->y + from);
      else add_float64(n, (double *)(void *)r->x + to, (const double *)(const void *)r->y + from);
    }
  }
}

static status backward(op_call *call) {
  const tensor_meta *meta = &call->input_meta[0];
  int dim;
  status code = op_dim_or_scalar(call, 0, meta->n_dims, &dim);
  if (code != STATUS_OK) return code;
  tensor *dx = call->input_gradients[0] = tensor_zeros(call->context, meta->dtype, meta->n_dims, meta->shape);
  tensor *dy = dx != NULL ? tensor_contiguous(call->context, call->output_gradients[0]) : NULL;
  if (dy == NULL) return STATUS_NO_MEMORY;
  rows r = rows_of(call->saved[0], dim, meta->n_dims, meta->shape, meta->dtype, tensor_data(dx), tensor_data(dy));
  int64_t width = r.inner < COLUMNS ? r.inner : COLUMNS, tasks = r.outer * ((r.inner + COLUMNS - 1) / COLUMNS);
  parallel_for(call->context, tasks, ITEMS_A_CHUNK / (width * r.n_y + 1) + 1, add_columns, &r);
  tensor_release(dy);
  return STATUS_OK;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, NULL, NULL },
  { "index", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dim=1 index=index<3>(5)",
  "x=normal(3,4) dim=2 index=index<4>(2)",
  "x=normal(2,3,5):t dim=-2 index=index<3>(4)",
  "x=normal(5,7):lanes dim=1 index=index<5>(3)",
  "x=int64(4) dim=1 index=index<4>(2)",
  "x=normal(3,4) dim=2 index=index<4>()",
  "bench x=normal(1000,1000) dim=1 index=index<1000>(1000)",
  NULL,
};

const op op_index_select = {
  .name = "index_select",
  .flags = OP_METHOD,
  .help = "index_select(x, dim, index) -> tensor\n\n"
          "The slices of x along dim that index names: for dim = 1 of a matrix y[i] = x[index[i]].  index is int64, 1-based,\n"
          "with one dim, or a single one with none.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

/* triangle.c -- tril and triu: the lower or upper triangle of the last two dims, 0 elsewhere.
** The gradient is the same triangle of dy. */
#include <string.h>

#include "../tensor/parallel.h"
#include "op.h"

enum { ITEMS_A_CHUNK = 1 << 15 };

/* Of row i the columns with first <= j - i <= last stay. */
typedef struct band {
  char *data;
  int64_t n_rows, n_columns, first, last;
  size_t size;
} band;

static int64_t within(int64_t at, int64_t n) { return at < 0 ? 0 : at > n ? n : at; }

static void clear_rows(void *argument, int64_t begin, int64_t end) {
  const band *b = argument;
  for (int64_t row = begin; row < end; row++) {
    char *data = b->data + (size_t)(row * b->n_columns) * b->size;
    int64_t i = row % b->n_rows, from = within(i + b->first, b->n_columns), to = within(i + b->last + 1, b->n_columns);
    if (to < from) to = from;
    memset(data, 0, (size_t)from * b->size);
    memset(data + (size_t)to * b->size, 0, (size_t)(b->n_columns - to) * b->size);
  }
}

/* A contiguous copy of x without what lies outside of the triangle (a new reference). */
static tensor *triangle(op_call *call, tensor *x, bool lower) {
  tensor *y = tensor_new(call->context, x->dtype, x->n_dims, x->shape);
  if (y == NULL) return NULL;
  if (tensor_copy(call->context, y, x) != STATUS_OK) {
    tensor_release(y);
    return NULL;
  }
  int64_t n_rows = y->shape[y->n_dims - 2], n_columns = y->shape[y->n_dims - 1], most = n_rows + n_columns;
  int64_t k = call->values[0].integer;
  k = k < -most ? -most : k > most ? most : k;
  band b = { tensor_data(y), n_rows, n_columns, lower ? -most : k, lower ? k : most, dtype_size(y->dtype) };
  if (n_columns > 0)
    parallel_for(call->context, tensor_numel(y) / n_columns, ITEMS_A_CHUNK / n_columns + 1, clear_rows, &b);
  return y;
}

static status forward(op_call *call, bool lower) {
  tensor *x = call->inputs[0];
  if (x->n_dims < 2) return op_fail(call, "x must have at least 2 dims, but is %s", tensor_shape_text(x).text);
  call->outputs[0] = triangle(call, x, lower);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status backward(op_call *call, bool lower) {
  call->input_gradients[0] = triangle(call, call->output_gradients[0], lower);
  return call->input_gradients[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status tril_forward(op_call *call) { return forward(call, true); }
static status triu_forward(op_call *call) { return forward(call, false); }
static status tril_backward(op_call *call) { return backward(call, true); }
static status triu_backward(op_call *call) { return backward(call, false); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "diagonal", P_INTEGER, 0, "0", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)", "x=normal(3,4) diagonal=1", "x=normal(2,5,3):t diagonal=-2", "x=normal(5,7):lanes diagonal=9",
  "x=int64(3,3)",  NULL,
};

const op op_tril = {
  .name = "tril",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "tril(x, diagonal = 0) -> tensor\n\n"
          "The elements of the last two dims on and below the diagonal, 0 above it.  diagonal = 1 is the one right\n"
          "of the main diagonal.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = tril_forward,
  .backward = tril_backward,
  .samples = samples,
};

const op op_triu = {
  .name = "triu",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "triu(x, diagonal = 0) -> tensor\n\n"
          "The elements of the last two dims on and above the diagonal, 0 below it.  diagonal = 1 is the one right\n"
          "of the main diagonal.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = triu_forward,
  .backward = triu_backward,
  .samples = samples,
};

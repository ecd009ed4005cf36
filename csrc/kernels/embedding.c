/* embedding.c -- y[..., :] = weight[index[...], :].   dweight[k] = sum of dy over the places of k, in their order.
** index (*) int64 in 1..V, weight (V, D), y (*, D).  The row padding_idx gets no gradient. */
#include <inttypes.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "op.h"

enum { INDEX, WEIGHT };            /* inputs */
enum { PADDING_IDX };              /* values */
enum { COLUMNS_A_CHUNK = 64, ROWS_A_CHUNK = 256 };

typedef struct work {
  const int64_t *index;
  int64_t n, columns, padding;
  const char *from;
  char *to;
  size_t item_size;
} work;

static status check(op_call *call) {
  const tensor *index = call->inputs[INDEX], *weight = call->inputs[WEIGHT];
  if (index->dtype != DTYPE_INT64) return op_fail(call, "index is %s; it must be int64", dtype_name(index->dtype));
  if (!dtype_is_float(weight->dtype))
    return op_fail(call, "weight is %s; it must be float32 or float64", dtype_name(weight->dtype));
  if (weight->n_dims != 2) return op_fail(call, "weight must be (V, D), but is %s", tensor_shape_text(weight).text);
  if (index->n_dims >= MAX_DIMS) return op_fail(call, "index has %d dims; there may be at most %d", index->n_dims, MAX_DIMS - 1);
  int64_t padding = call->values[PADDING_IDX].integer;
  if (padding < 0 || padding > weight->shape[0])
    return op_fail(call, "padding_idx %" PRId64 " is not in 1 .. %" PRId64, padding, weight->shape[0]);
  return STATUS_OK;
}

static status check_range(op_call *call, const tensor *index, int64_t n_rows) {
  const int64_t *k = tensor_int64(index);
  int64_t n = tensor_numel(index);
  for (int64_t i = 0; i < n; i++)
    if (k[i] < 1 || k[i] > n_rows)
      return op_fail(call, "index %" PRId64 " at position %" PRId64 " is not in 1 .. %" PRId64, k[i], i + 1, n_rows);
  return STATUS_OK;
}

static void look_up(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  size_t row_bytes = (size_t)w->columns * w->item_size;
  for (int64_t i = begin; i < end; i++)
    memcpy(w->to + (size_t)i * row_bytes, w->from + (size_t)(w->index[i] - 1) * row_bytes, row_bytes);
}

static status look_up_all(op_call *call, tensor *weight) {
  const tensor *index = call->saved[INDEX];
  int64_t shape[MAX_DIMS];
  memcpy(shape, index->shape, sizeof shape);
  shape[index->n_dims] = weight->shape[1];
  status code = check_range(call, index, weight->shape[0]);
  if (code == STATUS_OK) code = op_output(call, 0, weight->dtype, index->n_dims + 1, shape);
  if (code != STATUS_OK) return code;
  work w = { .index = tensor_int64(index), .n = tensor_numel(index), .columns = weight->shape[1],
             .from = tensor_data(weight), .to = tensor_data(call->outputs[0]), .item_size = dtype_size(weight->dtype) };
  parallel_for(call->context, w.n, ROWS_A_CHUNK, look_up, &w);
  return STATUS_OK;
}

static status forward(op_call *call) {
  status code = check(call);
  if (code != STATUS_OK) return code;
  call->saved[INDEX] = tensor_contiguous(call->context, call->inputs[INDEX]);
  tensor *weight = tensor_contiguous(call->context, call->inputs[WEIGHT]);
  code = call->saved[INDEX] != NULL && weight != NULL ? look_up_all(call, weight) : STATUS_NO_MEMORY;
  tensor_release(weight);
  return code;
}

/* Columns [begin, end) of all rows, in the order of the index: the same sums for any number of threads. */
static void scatter_float32(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t i = 0; i < w->n; i++) {
    if (w->index[i] == w->padding) continue;
    const float *dy = (const float *)(const void *)w->from + i * w->columns;
    float *dw = (float *)(void *)w->to + (w->index[i] - 1) * w->columns;
    for (int64_t j = begin; j < end; j++) dw[j] += dy[j];
  }
}

static void scatter_float64(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t i = 0; i < w->n; i++) {
    if (w->index[i] == w->padding) continue;
    const double *dy = (const double *)(const void *)w->from + i * w->columns;
    double *dw = (double *)(void *)w->to + (w->index[i] - 1) * w->columns;
    for (int64_t j = begin; j < end; j++) dw[j] += dy[j];
  }
}

static status backward(op_call *call) {
  const tensor_meta *meta = &call->input_meta[WEIGHT];
  tensor *dy = tensor_contiguous(call->context, call->output_gradients[0]);
  tensor *dw = tensor_zeros(call->context, meta->dtype, meta->n_dims, meta->shape);
  call->input_gradients[WEIGHT] = dw;
  if (dy != NULL && dw != NULL) {
    work w = { .index = tensor_int64(call->saved[INDEX]), .n = tensor_numel(call->saved[INDEX]),
               .columns = meta->shape[1], .padding = call->values[PADDING_IDX].integer, .from = tensor_data(dy),
               .to = tensor_data(dw) };
    parallel_for(call->context, w.columns, COLUMNS_A_CHUNK,
                 meta->dtype == DTYPE_FLOAT32 ? scatter_float32 : scatter_float64, &w);
  }
  tensor_release(dy);
  return dy != NULL && dw != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static const parameter parameters[] = {
  { "index", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR, 0, NULL, NULL },
  { "padding_idx", P_INTEGER, OPTION, "0", NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "index=index<5>(3,4) weight=normal(5,6)",
  "index=index<3>(7) weight=normal(3,2):t",
  "index=index<4>() weight=normal(4,3)",
  "index=index<4>(2,3,2):t weight=normal(4,5)",
  "bench index=index<1000>(4096) weight=normal(1000,64)",
  NULL,
};

const op op_embedding = {
  .name = "embedding",
  .flags = OP_FUNCTIONAL,
  .help = "embedding(index, weight [, { padding_idx }]) -> tensor\n\n"
          "The rows of weight (V, D) that index (*), int64 in 1..V, names: (*, D).  Row padding_idx gets no gradient.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

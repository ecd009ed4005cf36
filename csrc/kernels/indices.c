/* indices.c -- index tensors, and moving elements along a dim by them.  See indices.h. */
#include "indices.h"

#include <stdlib.h>
#include <string.h>

#include "../tensor/iterate.h"

status indices_checked(op_call *call, int i, int64_t bound, tensor **out) {
  tensor *index = call->inputs[i];
  const char *name = op_input_name(call, i);
  if (index->dtype != DTYPE_INT64) return op_fail(call, "%s is %s; it must be int64", name, dtype_name(index->dtype));
  tensor *dense = tensor_contiguous(call->context, index);
  if (dense == NULL) return STATUS_NO_MEMORY;
  int64_t n = tensor_numel(dense), k = 0;
  const int64_t *item = tensor_int64(dense);
  while (k < n && item[k] >= 1 && item[k] <= bound) k++;
  if (k == n) {
    *out = dense;
    return STATUS_OK;
  }
  long long wrong = item[k];
  tensor_release(dense);
  return op_fail(call, "%s has %lld, which is not in 1..%lld", name, wrong, (long long)bound);
}

/* -- along a dim: iterate() goes over the other dims, the loop over the lines that it is given -- */

typedef struct lines {
  indices_move move;
  dtype d;
  int64_t n;                                /* positions along dim */
  int64_t index_step, indexed_step, straight_step;   /* along dim, bytes */
} lines;

static void add_item(dtype d, char *to, const char *from) {
  switch (d) {
    case DTYPE_FLOAT32: *(float *)(void *)to += *(const float *)(const void *)from; break;
    case DTYPE_FLOAT64: *(double *)(void *)to += *(const double *)(const void *)from; break;
    default: *(int64_t *)(void *)to = (int64_t)(*(uint64_t *)(void *)to + *(const uint64_t *)(const void *)from); break;
  }
}

/* n items, each `step` behind the one before.  `size`, `move` and `d` are constants where it is called most. */
static inline __attribute__((always_inline))
void move_items(const lines *l, int64_t n, const char *index, char *indexed, char *straight, const int64_t *step,
                size_t size, indices_move move, dtype d) {
  for (int64_t i = 0; i < n; i++, index += step[0], indexed += step[1], straight += step[2]) {
    char *place = indexed + (*(const int64_t *)(const void *)index - 1) * l->indexed_step;
    if (move == INDICES_ADD) add_item(d, place, straight);
    else if (move == INDICES_SCATTER) memcpy(place, straight, size);
    else memcpy(straight, place, size);
  }
}

static void move_run(const lines *l, int64_t n, const char *index, char *indexed, char *straight,
                     const int64_t *step) {
  if (l->d != DTYPE_FLOAT32)
    move_items(l, n, index, indexed, straight, step, dtype_size(l->d), l->move, l->d);
  else if (l->move == INDICES_ADD)
    move_items(l, n, index, indexed, straight, step, sizeof(float), INDICES_ADD, DTYPE_FLOAT32);
  else if (l->move == INDICES_SCATTER)
    move_items(l, n, index, indexed, straight, step, sizeof(float), INDICES_SCATTER, DTYPE_FLOAT32);
  else move_items(l, n, index, indexed, straight, step, sizeof(float), INDICES_GATHER, DTYPE_FLOAT32);
}

/* n lines: one after the other where their items lie closer together than they do, else side by side. */
static void move_lines(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const lines *l = extra;
  if (llabs(l->index_step) < llabs(step[0])) {
    const int64_t along[3] = { l->index_step, 0, l->straight_step };
    for (int64_t i = 0; i < n; i++)
      move_run(l, l->n, data[0] + i * step[0], data[1] + i * step[1], data[2] + i * step[2], along);
  } else {
    for (int64_t j = 0; j < l->n; j++)
      move_run(l, n, data[0] + j * l->index_step, data[1], data[2] + j * l->straight_step, step);
  }
}

/* The first item of each line. */
static tensor *heads(context *c, tensor *t, const tensor *index, int dim) {
  int64_t shape[MAX_DIMS];
  memcpy(shape, index->shape, sizeof shape);
  if (index->n_dims > 0) shape[dim] = 1;
  return tensor_view(c, t, index->n_dims, shape, t->stride, t->offset);
}

status indices_along(context *c, indices_move move, int dim, tensor *index, tensor *indexed, tensor *straight) {
  bool scalar = index->n_dims == 0;
  int64_t size = (int64_t)dtype_size(indexed->dtype);
  if (tensor_numel(index) == 0) return STATUS_OK;
  lines l = { .move = move, .d = indexed->dtype, .n = scalar ? 1 : index->shape[dim],
              .index_step = scalar ? 0 : index->stride[dim] * 8,
              .indexed_step = scalar ? 0 : indexed->stride[dim] * size,
              .straight_step = scalar ? 0 : straight->stride[dim] * size };
  tensor *operands[3] = { heads(c, index, index, dim), heads(c, indexed, index, dim),
                          heads(c, straight, index, dim) };
  bool ready = operands[0] != NULL && operands[1] != NULL && operands[2] != NULL;
  if (ready) iterate(c, 3, operands, move_lines, &l);
  for (int k = 0; k < 3; k++) tensor_release(operands[k]);
  return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

status indices_for_dim(op_call *call, int *dim, tensor **index) {
  const tensor *x = call->inputs[0], *given = call->inputs[1];
  if (given->n_dims != x->n_dims)
    return op_fail(call, "x is %s but index is %s: they must have the same number of dims", tensor_shape_text(x).text,
                   tensor_shape_text(given).text);
  *dim = 0;
  if (x->n_dims > 0) {
    status code = op_dim(call, 0, x->n_dims, dim);
    if (code != STATUS_OK) return code;
  }
  for (int d = 0; d < x->n_dims; d++)
    if (d != *dim && given->shape[d] > x->shape[d])
      return op_fail(call, "x is %s but index is %s: it is larger along dim %d", tensor_shape_text(x).text,
                     tensor_shape_text(given).text, d + 1);
  return indices_checked(call, 1, x->n_dims > 0 ? x->shape[*dim] : 1, index);
}

tensor *spread_view(context *c, tensor *t, int n_dims, const int64_t *shape) {
  int64_t stride[MAX_DIMS];
  int missing = n_dims - t->n_dims;
  for (int d = 0; d < n_dims; d++)
    stride[d] = d < missing || t->shape[d - missing] == 1 ? 0 : t->stride[d - missing];
  return tensor_view(c, t, n_dims, shape, stride, t->offset);
}

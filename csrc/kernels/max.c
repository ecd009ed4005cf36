/* max.c -- max and min (over everything: the value; over several dims: the values; along one: values and 1-based
** indices), argmax and argmin.
** NaN wins; of equal elements the first is taken.  Over everything or several dims equal elements share the
** gradient, as in amax; along one dim it goes to the element that was taken. */
#include "extremes.h"
#include "indices.h"
#include "lines.h"

static int64_t first_float32(fold_kind kind, int64_t n, const float *x) {
  fold_value best = fold_identity(kind, DTYPE_FLOAT32);
  fold_row(kind, DTYPE_FLOAT32, n, x, &best);
  float value = (float)best.real;
  int64_t i = 0;
  while (i < n - 1 && !(x[i] == value || x[i] != x[i])) i++;
  return i;
}

static int64_t first_float64(fold_kind kind, int64_t n, const double *x) {
  fold_value best = fold_identity(kind, DTYPE_FLOAT64);
  fold_row(kind, DTYPE_FLOAT64, n, x, &best);
  double value = best.real;
  int64_t i = 0;
  while (i < n - 1 && !(x[i] == value || x[i] != x[i])) i++;
  return i;
}

static int64_t first_int64(fold_kind kind, int64_t n, const int64_t *x) {
  fold_value best = fold_identity(kind, DTYPE_INT64);
  fold_row(kind, DTYPE_INT64, n, x, &best);
  int64_t i = 0;
  while (i < n - 1 && x[i] != best.integer) i++;
  return i;
}

/* data: index [1], x [n]. */
static void line_float32(const line *l) {
  *(int64_t *)l->data[0] = first_float32(*(const fold_kind *)l->extra, l->length[1], l->data[1]) + 1;
}

static void line_float64(const line *l) {
  *(int64_t *)l->data[0] = first_float64(*(const fold_kind *)l->extra, l->length[1], l->data[1]) + 1;
}

static void line_int64(const line *l) {
  *(int64_t *)l->data[0] = first_int64(*(const fold_kind *)l->extra, l->length[1], l->data[1]) + 1;
}

/* index: x's shape with 1 for dim. */
static status find(context *c, fold_kind kind, tensor *index, tensor *x, int dim) {
  dtype d = dtype_is_float(x->dtype) ? x->dtype : DTYPE_INT64;
  tensor *ready = tensor_to(c, x, d);
  if (ready == NULL) return STATUS_NO_MEMORY;
  line_job job = { .n_operands = 2, .n_outputs = 1, .operands = { index, ready }, .dim = dim, .extra = &kind };
  job.function = d == DTYPE_FLOAT32 ? line_float32 : d == DTYPE_FLOAT64 ? line_float64 : line_int64;
  status code = run_lines(c, &job);
  tensor_release(ready);
  return code;
}

/* Resolves the dims in values[0]: *dim = -1 unless exactly one was given. */
static status any_dims(op_call *call, int n_dims, int *dim, bool *reduced) {
  *dim = -1;
  status code = op_dims(call, 0, n_dims, reduced);
  for (int d = 0; d < n_dims && code == STATUS_OK && call->values[0].list.count == 1; d++)
    if (reduced[d]) *dim = d;
  return code;
}

/* *dim = -1: all of them. */
static status one_dim(op_call *call, int n_dims, int *dim, bool *reduced) {
  *dim = -1;
  if (call->values[0].list.count > 1) return op_fail(call, "takes one dim, not %d", call->values[0].list.count);
  return any_dims(call, n_dims, dim, reduced);
}

static status require_items(op_call *call, int dim) {
  const tensor *x = call->inputs[0];
  if (dim < 0 ? tensor_numel(x) > 0 : x->shape[dim] > 0) return STATUS_OK;
  return op_fail(call, "x is %s: nothing has no extreme", tensor_shape_text(x).text);
}

/* outputs[0] = values, outputs[1] = indices, both without dim unless keep. */
static status extreme_along(op_call *call, fold_kind kind, int dim, const bool *reduced) {
  tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS];
  reduced_shape(x, reduced, shape);
  status code = op_output(call, 0, x->dtype, x->n_dims, shape);
  if (code == STATUS_OK) code = op_output(call, 1, DTYPE_INT64, x->n_dims, shape);
  if (code == STATUS_OK) code = find(call->context, kind, call->outputs[1], x, dim);
  if (code == STATUS_OK)
    code = indices_along(call->context, INDICES_GATHER, dim, call->outputs[1], x, call->outputs[0]);
  if (code != STATUS_OK) return code;
  for (int k = 0; k < 2 && !call->values[1].flag; k++) forget_reduced(call->outputs[k], reduced);
  op_save(call, 0, call->outputs[1]);
  return STATUS_OK;
}

/* Along the one dim that a tensor of 0 dims is taken to have. */
static bool along_scalar(const op_call *call, int n_dims) { return n_dims == 0 && call->values[0].list.count == 1; }

static status extreme(op_call *call, fold_kind kind) {
  bool reduced[MAX_DIMS];
  int dim;
  status code = any_dims(call, call->inputs[0]->n_dims, &dim, reduced);
  if (code == STATUS_OK && dim >= 0) code = require_items(call, dim);
  if (code != STATUS_OK) return code;
  if (dim >= 0) return extreme_along(call, kind, dim, reduced);
  code = extreme_forward(call, kind, reduced, call->values[1].flag);
  if (code != STATUS_OK || !along_scalar(call, call->inputs[0]->n_dims)) return code;
  call->outputs[1] = tensor_integer(call->context, DTYPE_INT64, 1);
  return call->outputs[1] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status max_forward(op_call *call) { return extreme(call, FOLD_MAX); }
static status min_forward(op_call *call) { return extreme(call, FOLD_MIN); }

static status gradient_along(op_call *call, int dim, const bool *reduced) {
  const tensor_meta *meta = &call->input_meta[0];
  context *c = call->context;
  tensor *index = restore_reduced(c, call->saved[0], meta->n_dims, meta->shape, reduced);
  tensor *dy = restore_reduced(c, call->output_gradients[0], meta->n_dims, meta->shape, reduced);
  tensor *dx = call->input_gradients[0] = tensor_zeros(c, meta->dtype, meta->n_dims, meta->shape);
  status code = STATUS_NO_MEMORY;
  if (index != NULL && dy != NULL && dx != NULL) code = indices_along(c, INDICES_ADD, dim, index, dx, dy);
  tensor_release(index);
  tensor_release(dy);
  return code;
}

static status backward(op_call *call) {
  bool reduced[MAX_DIMS];
  int dim;
  status code = any_dims(call, call->input_meta[0].n_dims, &dim, reduced);
  if (code != STATUS_OK) return code;
  bool of_everything = call->values[0].list.count == 0 || along_scalar(call, call->input_meta[0].n_dims);
  return dim < 0 ? extreme_backward(call, reduced, of_everything) : gradient_along(call, dim, reduced);
}

/* -- argmax and argmin -- */

/* Over everything: along the only dim of the flattened tensor. */
static status index_of_all(op_call *call, fold_kind kind) {
  context *c = call->context;
  int64_t n = tensor_numel(call->inputs[0]), stride = 1, shape[MAX_DIMS];
  for (int d = 0; d < MAX_DIMS; d++) shape[d] = 1;
  status code = op_output(call, 0, DTYPE_INT64, call->values[1].flag ? call->inputs[0]->n_dims : 0, shape);
  tensor *dense = code == STATUS_OK ? tensor_contiguous(c, call->inputs[0]) : NULL;
  tensor *flat = dense != NULL ? tensor_view(c, dense, 1, &n, &stride, dense->offset) : NULL;
  tensor *index = flat != NULL ? tensor_view(c, call->outputs[0], 1, shape, &stride, 0) : NULL;
  code = index != NULL ? find(c, kind, index, flat, 0) : STATUS_NO_MEMORY;
  tensor_release(dense);
  tensor_release(flat);
  tensor_release(index);
  return code;
}

static status index_of(op_call *call, fold_kind kind) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  int64_t shape[MAX_DIMS];
  int dim;
  status code = one_dim(call, x->n_dims, &dim, reduced);
  if (code == STATUS_OK) code = require_items(call, dim);
  if (code != STATUS_OK) return code;
  if (dim < 0) return index_of_all(call, kind);
  reduced_shape(x, reduced, shape);
  code = op_output(call, 0, DTYPE_INT64, x->n_dims, shape);
  if (code == STATUS_OK) code = find(call->context, kind, call->outputs[0], x, dim);
  if (code == STATUS_OK && !call->values[1].flag) forget_reduced(call->outputs[0], reduced);
  return code;
}

static status argmax_forward(op_call *call) { return index_of(call, FOLD_MAX); }
static status argmin_forward(op_call *call) { return index_of(call, FOLD_MIN); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIMS, 0, "", NULL },
  { "keepdim", P_FLAG, OPTION, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=distinct(3,4)",
  "x=distinct(3,4) dim=1",
  "x=distinct(2,3,5):t dim=-1 keepdim=true",
  "x=distinct(5,7):lanes dim=1",
  "x=distinct(5,37):lanes dim=2",
  "x=int64(3,4) dim=2",
  "bench x=normal(1000,1000) dim=2",
  NULL,
};

const op op_max = {
  .name = "max",
  .flags = OP_METHOD,
  .help = "max(x, dim = all, { keepdim = false }) -> values [, indices]\n\n"
          "The largest element of all or over several dims; or those along one dim and their 1-based indices, of equal\n"
          "ones the first.  NaN where there is one.  See maximum and minimum for two tensors.",
  .parameters = parameters,
  .n_outputs = 2,
  .forward = max_forward,
  .backward = backward,
  .samples = samples,
};

const op op_min = {
  .name = "min",
  .flags = OP_METHOD,
  .help = "min(x, dim = all, { keepdim = false }) -> values [, indices]\n\n"
          "The smallest element of all or over several dims; or those along one dim and their 1-based indices, of equal\n"
          "ones the first.  NaN where there is one.  See maximum and minimum for two tensors.",
  .parameters = parameters,
  .n_outputs = 2,
  .forward = min_forward,
  .backward = backward,
  .samples = samples,
};

const op op_argmax = {
  .name = "argmax",
  .flags = OP_METHOD,
  .help = "argmax(x, dim = all, { keepdim = false }) -> int64 tensor\n\n"
          "The 1-based place of the largest element along dim, or of all in row order.  The first of equal ones; the first\n"
          "NaN if there is one.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = argmax_forward,
  .samples = samples,
};

const op op_argmin = {
  .name = "argmin",
  .flags = OP_METHOD,
  .help = "argmin(x, dim = all, { keepdim = false }) -> int64 tensor\n\n"
          "The 1-based place of the smallest element along dim, or of all in row order.  The first of equal ones; the first\n"
          "NaN if there is one.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = argmin_forward,
  .samples = samples,
};

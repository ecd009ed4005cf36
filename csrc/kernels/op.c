/* op.c -- what the authors of operations share.  See op.h. */
#include "op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reduce.h"

status op_fail(op_call *call, const char *format, ...) {
  char message[440];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return context_fail(call->context, STATUS_INVALID, "%s: %s", call->op->name, message);
}

static bool is_tensor(parameter_kind kind) {
  return kind == P_TENSOR || kind == P_TENSOR_OR_NIL || kind == P_TENSOR_LIST;
}

const char *op_input_name(const op_call *call, int i) {
  for (const parameter *p = call->op->parameters; p->name != NULL; p++) {
    if (!is_tensor(p->kind)) continue;
    if (i == 0 || p->kind == P_TENSOR_LIST) return p->name;
    i--;
  }
  return "?";
}

/* n_places: n_dims, or 1 where a tensor of 0 dims may have a dim. */
static status resolve_dim(op_call *call, int64_t dim, int n_places, int n_dims, int *out) {
  int64_t resolved = dim < 0 ? dim + n_places : dim - 1;
  if (dim == 0) return op_fail(call, "dim 0 does not exist: dims count from 1, or from -1 backwards");
  if (resolved < 0 || resolved >= n_places)
    return op_fail(call, "dim %lld does not exist in a tensor of %d dims", (long long)dim, n_dims);
  *out = (int)resolved;
  return STATUS_OK;
}

status op_dim(op_call *call, int k, int n_dims, int *out) {
  return resolve_dim(call, call->values[k].integer, n_dims, n_dims, out);
}

static int places(int n_dims) { return n_dims > 0 ? n_dims : 1; }

status op_dim_or_scalar(op_call *call, int k, int n_dims, int *out) {
  return resolve_dim(call, call->values[k].integer, places(n_dims), n_dims, out);
}

status op_dims(op_call *call, int k, int n_dims, bool reduced[MAX_DIMS]) {
  int count = call->values[k].list.count;
  for (int d = 0; d < places(n_dims); d++) reduced[d] = count == 0;
  for (int i = 0; i < count; i++) {
    int dim = 0;
    status code = resolve_dim(call, call->values[k].list.items[i], places(n_dims), n_dims, &dim);
    if (code != STATUS_OK) return code;
    if (reduced[dim]) return op_fail(call, "dim %d is given twice", dim + 1);
    reduced[dim] = true;
  }
  return STATUS_OK;
}

status op_require_float(op_call *call) {
  const tensor *first = NULL;
  for (int i = 0; i < call->n_inputs; i++) {
    const tensor *t = call->inputs[i];
    if (t == NULL) continue;
    if (!dtype_is_float(t->dtype))
      return op_fail(call, "%s is %s; it must be float32 or float64", op_input_name(call, i), dtype_name(t->dtype));
    if (first == NULL) first = t;
    if (t->dtype != first->dtype)
      return op_fail(call, "%s is %s but %s is %s; convert one with :to()", op_input_name(call, 0),
                     dtype_name(first->dtype), op_input_name(call, i), dtype_name(t->dtype));
  }
  return STATUS_OK;
}

/* Inputs are the tensor parameters in order; no operation with a CONSTANT takes a list. */
status op_require_constants(op_call *call) {
  int i = 0;
  for (const parameter *p = call->op->parameters; p->name != NULL; p++) {
    if (!is_tensor(p->kind)) continue;
    if ((p->flags & CONSTANT) && call->needs_gradient[i])
      return op_fail(call, "%s requires a gradient, but the operation is not differentiable in it", p->name);
    i++;
  }
  return STATUS_OK;
}

status op_require_dims(op_call *call, int i, int n_dims) {
  const tensor *t = call->inputs[i];
  if (t->n_dims == n_dims) return STATUS_OK;
  return op_fail(call, "%s must have %d dims, but is %s", op_input_name(call, i), n_dims,
                 tensor_shape_text(t).text);
}

void op_save(op_call *call, int k, tensor *t) { call->saved[k] = tensor_retain(t); }

static status made(tensor *t) { return t != NULL ? STATUS_OK : STATUS_NO_MEMORY; }

status op_output(op_call *call, int k, dtype d, int n_dims, const int64_t *shape) {
  call->outputs[k] = tensor_new(call->context, d, n_dims, shape);
  return made(call->outputs[k]);
}

status op_output_like(op_call *call, int k, const tensor *like, dtype d) {
  call->outputs[k] = tensor_new_like(call->context, like, d);
  return made(call->outputs[k]);
}

status op_gradient(op_call *call, int i) {
  const tensor_meta *meta = &call->input_meta[i];
  call->input_gradients[i] = tensor_new(call->context, meta->dtype, meta->n_dims, meta->shape);
  return made(call->input_gradients[i]);
}

status op_gradient_like(op_call *call, int i, const tensor *like) {
  call->input_gradients[i] = tensor_new_like(call->context, like, call->input_meta[i].dtype);
  return made(call->input_gradients[i]);
}

/* -- sum of a gradient over the dims along which its input was broadcast -- */

/* The leading dims that the input did not have, of size 1, are taken off. */
static void drop_leading(tensor *t, int n) {
  t->n_dims -= n;
  memmove(t->shape, t->shape + n, (size_t)t->n_dims * sizeof *t->shape);
  memmove(t->stride, t->stride + n, (size_t)t->n_dims * sizeof *t->stride);
}

static status sum_gradient(op_call *call, int i, tensor *g) {
  const tensor_meta *meta = &call->input_meta[i];
  int missing = g->n_dims - meta->n_dims;
  bool reduced[MAX_DIMS];
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < g->n_dims; d++) reduced[d] = d < missing || meta->shape[d - missing] != g->shape[d];
  reduced_shape(g, reduced, shape);
  tensor *sums = tensor_new(call->context, meta->dtype, g->n_dims, shape);
  reduction r = { .kind = FOLD_SUM, .compute = g->dtype };
  status code = sums != NULL ? reduce(call->context, &r, sums, g, reduced) : STATUS_NO_MEMORY;
  if (code != STATUS_OK) {
    tensor_release(sums);
    return code;
  }
  drop_leading(sums, missing);
  call->input_gradients[i] = sums;
  return STATUS_OK;
}

status op_gradient_unbroadcast(op_call *call, int i, tensor *g) {
  const tensor_meta *meta = &call->input_meta[i];
  bool same = g->n_dims == meta->n_dims &&
              memcmp(g->shape, meta->shape, (size_t)g->n_dims * sizeof *g->shape) == 0;
  if (!same) return sum_gradient(call, i, g);
  call->input_gradients[i] = tensor_to(call->context, g, meta->dtype);
  return made(call->input_gradients[i]);
}

/* class_loss.c -- see class_loss.h. */
#include "class_loss.h"

#include <inttypes.h>

class_layout class_layout_of(const tensor *x) {
  class_layout l = { .n_samples = 1, .inner = 1 };
  int class_dim = x->n_dims > 1 ? 1 : 0;
  l.n_classes = x->shape[class_dim];
  l.class_stride = x->stride[class_dim];
  if (x->n_dims == 1) return l;
  for (int d = 2; d < x->n_dims; d++) l.inner *= x->shape[d];
  l.n_samples = x->shape[0] * l.inner;
  l.outer_stride = x->stride[0];
  l.inner_stride = 1;
  if (x->n_dims == 2) {          /* all samples in one run */
    l.inner = l.n_samples > 0 ? l.n_samples : 1;
    l.inner_stride = x->stride[0];
  } else if (l.inner == 0) {
    l.inner = 1;
  }
  return l;
}

static status check_shapes(op_call *call) {
  const tensor *x = call->inputs[0], *target = call->inputs[1], *weight = call->inputs[2];
  if (!dtype_is_float(x->dtype))
    return op_fail(call, "input is %s; it must be float32 or float64", dtype_name(x->dtype));
  if (x->n_dims == 0) return op_fail(call, "input must be (C), (N, C) or (N, C, d1, ...), but has no dims");
  if (target->dtype != DTYPE_INT64)
    return op_fail(call, "target is %s; it must hold int64 classes", dtype_name(target->dtype));
  bool fits = target->n_dims == x->n_dims - 1 && (x->n_dims == 1 || target->shape[0] == x->shape[0]);
  for (int d = 1; fits && d < target->n_dims; d++) fits = target->shape[d] == x->shape[d + 1];
  if (!fits)
    return op_fail(call, "input is %s but target is %s; the target has the input's shape without its classes",
                   tensor_shape_text(x).text, tensor_shape_text(target).text);
  if (weight == NULL) return STATUS_OK;
  int64_t n_classes = x->shape[x->n_dims > 1 ? 1 : 0];
  if (weight->n_dims != 1 || weight->shape[0] != n_classes || weight->dtype != x->dtype)
    return op_fail(call, "weight is %s %s; it must be (%" PRId64 ") %s: one weight for each class",
                   dtype_name(weight->dtype), tensor_shape_text(weight).text, n_classes, dtype_name(x->dtype));
  return op_require_constants(call);
}

static status check_labels(op_call *call, const tensor *target, int64_t n_classes, int64_t ignore_index) {
  const int64_t *label = tensor_int64(target);
  int64_t n = tensor_numel(target);
  for (int64_t s = 0; s < n; s++)
    if ((label[s] < 1 || label[s] > n_classes) && label[s] != ignore_index)
      return op_fail(call, "target %" PRId64 " at position %" PRId64 " is not in 1 .. %" PRId64, label[s], s + 1,
                     n_classes);
  return STATUS_OK;
}

static tensor *readable(context *c, tensor *x) {
  if (x->n_dims == 2 && (x->stride[0] == 1 || x->stride[1] == 1)) return tensor_retain(x);
  return tensor_contiguous(c, x);
}

status class_begin(op_call *call, int64_t ignore_index) {
  status code = check_shapes(call);
  if (code != STATUS_OK) return code;
  context *c = call->context;
  call->saved[CLASS_SCORES] = readable(c, call->inputs[0]);
  call->saved[CLASS_TARGET] = tensor_contiguous(c, call->inputs[1]);
  if (call->saved[CLASS_SCORES] == NULL || call->saved[CLASS_TARGET] == NULL) return STATUS_NO_MEMORY;
  if (call->inputs[2] != NULL) {
    call->saved[CLASS_WEIGHT] = tensor_contiguous(c, call->inputs[2]);
    if (call->saved[CLASS_WEIGHT] == NULL) return STATUS_NO_MEMORY;
  }
  class_layout l = class_layout_of(call->saved[CLASS_SCORES]);
  return check_labels(call, call->saved[CLASS_TARGET], l.n_classes, ignore_index);
}

static double item(const tensor *t, int64_t i) {
  return t->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(t)[i] : tensor_float64(t)[i];
}

double class_sample_weight(const op_call *call, int64_t s, int64_t ignore_index) {
  int64_t label = tensor_int64(call->saved[CLASS_TARGET])[s];
  if (label == ignore_index) return 0.0;
  return call->saved[CLASS_WEIGHT] != NULL ? item(call->saved[CLASS_WEIGHT], label - 1) : 1.0;
}

static double total_weight(const op_call *call, int64_t ignore_index) {
  int64_t n = tensor_numel(call->saved[CLASS_TARGET]);
  double total = 0.0;
  for (int64_t s = 0; s < n; s++) total += class_sample_weight(call, s, ignore_index);
  return total;
}

status class_finish(op_call *call, const double *losses, int64_t reduction, int64_t ignore_index) {
  const tensor *target = call->saved[CLASS_TARGET];
  dtype d = call->input_meta[0].dtype;
  int64_t n = tensor_numel(target);
  if (reduction == CLASS_NONE) {
    status code = op_output(call, 0, d, target->n_dims, target->shape);
    if (code != STATUS_OK) return code;
    for (int64_t s = 0; s < n; s++) {
      if (d == DTYPE_FLOAT32) tensor_float32(call->outputs[0])[s] = (float)losses[s];
      else tensor_float64(call->outputs[0])[s] = losses[s];
    }
    return STATUS_OK;
  }
  double total = 0.0;
  for (int64_t s = 0; s < n; s++) total += losses[s];
  if (reduction == CLASS_MEAN) total /= total_weight(call, ignore_index);
  call->outputs[0] = tensor_number(call->context, d, total);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

status class_incoming_begin(op_call *call, int64_t reduction, int64_t ignore_index, class_incoming *out) {
  tensor *g = call->output_gradients[0];
  *out = (class_incoming){ 0 };
  if (reduction == CLASS_NONE) {
    out->gradient = tensor_contiguous(call->context, g);
    return out->gradient != NULL ? STATUS_OK : STATUS_NO_MEMORY;
  }
  out->factor = tensor_get(g, NULL);
  if (reduction == CLASS_MEAN) out->factor /= total_weight(call, ignore_index);
  return STATUS_OK;
}

void class_incoming_end(class_incoming *g) { tensor_release(g->gradient); }

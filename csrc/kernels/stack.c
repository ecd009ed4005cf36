/* stack.c -- tensors of one shape side by side along a new dim.  The gradient is taken apart again. */
#include "elementwise.h"

/* What input i fills of t: a view without the new dim. */
static tensor *slice(op_call *call, tensor *t, int dim, int64_t i) {
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  for (int d = 0, k = 0; d < t->n_dims; d++) {
    if (d == dim) continue;
    shape[k] = t->shape[d];
    stride[k++] = t->stride[d];
  }
  return tensor_view(call->context, t, t->n_dims - 1, shape, stride, t->offset + i * t->stride[dim]);
}

static status copy_slices(op_call *call, int dim) {
  for (int i = 0; i < call->n_inputs; i++) {
    tensor *to = slice(call, call->outputs[0], dim, i);
    status code = to != NULL ? tensor_copy(call->context, to, call->inputs[i]) : STATUS_NO_MEMORY;
    tensor_release(to);
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

static status forward(op_call *call) {
  const tensor *first = call->inputs[0];
  int64_t shape[MAX_DIMS] = { 0 };
  int dim;
  for (int i = 1; i < call->n_inputs; i++)
    if (!tensor_same_shape(first, call->inputs[i]))
      return op_fail(call, "tensor 1 is %s but tensor %d is %s", tensor_shape_text(first).text, i + 1,
                     tensor_shape_text(call->inputs[i]).text);
  if (first->n_dims == MAX_DIMS) return op_fail(call, "more than %d dims", MAX_DIMS);
  status code = op_dim(call, 0, first->n_dims + 1, &dim);
  if (code != STATUS_OK) return code;
  for (int d = 0; d <= first->n_dims; d++)
    shape[d] = d == dim ? call->n_inputs : first->shape[d < dim ? d : d - 1];
  code = op_output(call, 0, promoted_dtype(call->n_inputs, call->inputs), first->n_dims + 1, shape);
  return code == STATUS_OK ? copy_slices(call, dim) : code;
}

static status backward(op_call *call) {
  tensor *dy = call->output_gradients[0];
  int dim;
  status code = op_dim(call, 0, dy->n_dims, &dim);
  for (int i = 0; i < call->n_inputs && code == STATUS_OK; i++) {
    if (!call->needs_gradient[i]) continue;
    tensor *piece = slice(call, dy, dim, i);
    code = op_gradient(call, i);
    if (piece == NULL) code = STATUS_NO_MEMORY;
    if (code == STATUS_OK) code = tensor_copy(call->context, call->input_gradients[i], piece);
    tensor_release(piece);
  }
  return code;
}

static const parameter parameters[] = {
  { "tensors", P_TENSOR_LIST, 0, NULL, NULL },
  { "dim", P_DIM, 0, "1", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "tensors=normal(2,3);normal(2,3)",
  "tensors=normal(2,3):t;normal(2,3);normal(2,3):lanes dim=2",
  "tensors=normal(2,3);normal(2,3) dim=-1",
  "tensors=normal(5)",
  "bench tensors=normal(500,1000);normal(500,1000)",
  NULL,
};

const op op_stack = {
  .name = "stack",
  .flags = 0,
  .help = "stack(tensors, dim = 1) -> tensor\n\n"
          "The tensors of a list, all of one shape, side by side along a new dim.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

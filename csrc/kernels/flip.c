/* flip.c -- y = x with the order along some dims reversed.  dx is dy reversed along the same dims. */
#include "op.h"

/* A copy of x, reversed (a new reference): read through a view with negative strides. */
static tensor *reversed(op_call *call, tensor *x, const bool *dims) {
  int64_t stride[MAX_DIMS], offset = x->offset;
  for (int d = 0; d < x->n_dims; d++) {
    stride[d] = dims[d] ? -x->stride[d] : x->stride[d];
    if (dims[d] && x->shape[d] > 0) offset += (x->shape[d] - 1) * x->stride[d];
  }
  tensor *view = tensor_view(call->context, x, x->n_dims, x->shape, stride, offset);
  tensor *y = view != NULL ? tensor_new_like(call->context, x, x->dtype) : NULL;
  if (y != NULL && tensor_copy(call->context, y, view) != STATUS_OK) {
    tensor_release(y);
    y = NULL;
  }
  tensor_release(view);
  return y;
}

static status flip(op_call *call, tensor *x, tensor **y) {
  bool dims[MAX_DIMS];
  status code = op_dims(call, 0, x->n_dims, dims);
  if (code != STATUS_OK) return code;
  for (int d = 0; d < x->n_dims; d++) dims[d] = dims[d] && call->values[0].list.count > 0;   /* {}: none */
  *y = reversed(call, x, dims);
  return *y != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status forward(op_call *call) { return flip(call, call->inputs[0], &call->outputs[0]); }
static status backward(op_call *call) { return flip(call, call->output_gradients[0], &call->input_gradients[0]); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dims", P_SIZES, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dims=1",
  "x=normal(2,3,5):t dims=1,-1",
  "x=normal(5,7):lanes dims=2",
  "x=int64(4) dims=1",
  NULL,
};

const op op_flip = {
  .name = "flip",
  .flags = OP_METHOD,
  .help = "flip(x, dims...) -> tensor\n\n"
          "x with the order along one or several dims reversed.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

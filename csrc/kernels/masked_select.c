/* masked_select.c -- the items of x where mask is true, in row order, as one dim.  dx = dy there and 0 elsewhere. */
#include <string.h>

#include "indices.h"

/* t broadcast to the shape and made contiguous (a new reference). */
static tensor *dense(context *c, tensor *t, int n_dims, const int64_t *shape) {
  tensor *view = spread_view(c, t, n_dims, shape);
  tensor *out = view != NULL ? tensor_contiguous(c, view) : NULL;
  tensor_release(view);
  return out;
}

static int64_t count(const tensor *mask) {
  int64_t n = tensor_numel(mask), total = 0;
  const uint8_t *item = tensor_uint8(mask);
  for (int64_t i = 0; i < n; i++) total += item[i];
  return total;
}

static status pick(op_call *call, const tensor *x, const tensor *mask) {
  int64_t n = tensor_numel(mask), shape[] = { count(mask) };
  size_t size = dtype_size(x->dtype);
  status code = op_output(call, 0, x->dtype, 1, shape);
  if (code != STATUS_OK) return code;
  char *to = tensor_data(call->outputs[0]);
  const char *from = tensor_data(x);
  for (int64_t i = 0; i < n; i++, from += size) {
    if (tensor_uint8(mask)[i] == 0) continue;
    memcpy(to, from, size);
    to += size;
  }
  return STATUS_OK;
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0], *mask = call->inputs[1];
  int64_t shape[MAX_DIMS];
  int n_dims;
  if (mask->dtype != DTYPE_BOOL) return op_fail(call, "mask is %s; it must be bool", dtype_name(mask->dtype));
  if (!shape_broadcast(x->n_dims, x->shape, mask->n_dims, mask->shape, &n_dims, shape))
    return op_fail(call, "x is %s but mask is %s", tensor_shape_text(x).text, tensor_shape_text(mask).text);
  tensor *dense_x = dense(call->context, x, n_dims, shape);
  call->saved[0] = dense(call->context, mask, n_dims, shape);
  status code = STATUS_NO_MEMORY;
  if (dense_x != NULL && call->saved[0] != NULL) code = pick(call, dense_x, call->saved[0]);
  tensor_release(dense_x);
  return code;
}

static void put_back(tensor *full, const tensor *mask, const tensor *dy) {
  int64_t n = tensor_numel(mask);
  size_t size = dtype_size(full->dtype);
  const char *from = tensor_data(dy);
  char *to = tensor_data(full);
  for (int64_t i = 0; i < n; i++, to += size) {
    if (tensor_uint8(mask)[i] == 0) continue;
    memcpy(to, from, size);
    from += size;
  }
}

static status backward(op_call *call) {
  const tensor *mask = call->saved[0];
  tensor *dy = tensor_contiguous(call->context, call->output_gradients[0]);
  tensor *full = tensor_zeros(call->context, call->input_meta[0].dtype, mask->n_dims, mask->shape);
  status code = STATUS_NO_MEMORY;
  if (dy != NULL && full != NULL) {
    put_back(full, mask, dy);
    code = op_gradient_unbroadcast(call, 0, full);
  }
  tensor_release(dy);
  tensor_release(full);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "mask", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) mask=bool(3,4)",
  "x=normal(2,3,5):t mask=bool(3,1)",
  "x=normal(5,7):lanes mask=bool(7)",
  "x=normal(4) mask=bool(3,4)",
  "bench x=normal(1000,1000) mask=bool(1000,1000)",
  NULL,
};

const op op_masked_select = {
  .name = "masked_select",
  .flags = OP_METHOD,
  .help = "masked_select(x, mask) -> tensor\n\n"
          "The elements of x where mask, a bool tensor that broadcasts with x, is true: one dim, in row order.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

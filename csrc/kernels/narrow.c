/* narrow.c -- narrow(x, dim, start, length): `length` positions from `start` on.  A view. */
#include "op.h"

enum { DIM, START, LENGTH };

static tensor *narrowed(context *c, tensor *x, int dim, int64_t start, int64_t length) {
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < x->n_dims; d++) shape[d] = d == dim ? length : x->shape[d];
  return tensor_view(c, x, x->n_dims, shape, x->stride, x->offset + (length > 0 ? start * x->stride[dim] : 0));
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  int dim;
  status code = op_dim(call, DIM, x->n_dims, &dim);
  if (code != STATUS_OK) return code;
  int64_t size = x->shape[dim], length = call->values[LENGTH].integer, start = call->values[START].integer;
  int64_t from = start < 0 ? start + size : start - 1;
  if (from < 0 || length < 0 || from > size || length > size - from)
    return op_fail(call, "%lld positions from %lld on are not in 1..%lld (dim %d of %s)", (long long)length,
                   (long long)start, (long long)size, dim + 1, tensor_shape_text(x).text);
  call->memo[0] = dim, call->memo[1] = from;
  call->outputs[0] = narrowed(call->context, x, dim, from, length);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* y = x[start..]: dx is zero elsewhere. */
static status backward(op_call *call) {
  context *c = call->context;
  const tensor_meta *meta = &call->input_meta[0];
  tensor *dy = call->output_gradients[0], *dx = tensor_zeros(c, meta->dtype, meta->n_dims, meta->shape);
  if (dx == NULL) return STATUS_NO_MEMORY;
  call->input_gradients[0] = dx;
  int dim = (int)call->memo[0];
  tensor *part = narrowed(c, dx, dim, call->memo[1], dy->shape[dim]);
  if (part == NULL) return STATUS_NO_MEMORY;
  status code = tensor_copy(c, part, dy);
  tensor_release(part);
  return code;
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "dim", P_DIM, 0, NULL, NULL },
                                        { "start", P_INTEGER, 0, NULL, NULL }, { "length", P_INTEGER, 0, NULL, NULL }, { 0 } };
static const char *const samples[] = { "x=normal(5,3) dim=1 start=2 length=3", "x=normal(2,6,3):t dim=2 start=-3 length=2",
                                       "x=normal(9,4):lanes dim=2 start=1 length=2", NULL };

const op op_narrow = { .name = "narrow",
                       .flags = OP_METHOD,
                       .help = "narrow(x, dim, start, length) -> tensor\n\nThe view of `length` positions of dim from `start` on.",
                       .parameters = parameters,
                       .n_outputs = 1,
                       .forward = forward,
                       .backward = backward,
                       .samples = samples };

/* expand.c -- expand(x, sizes): repeats dims of size 1 without copying (stride 0).  Backward sums over them. */
#include "op.h"

enum { SIZES };

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  const op_value *sizes = &call->values[SIZES];
  int n = sizes->list.count, missing = n - x->n_dims;
  int64_t shape[MAX_DIMS], stride[MAX_DIMS], numel;
  if (missing < 0) return op_fail(call, "x %s has more dims than the %d sizes", tensor_shape_text(x).text, n);
  for (int d = 0; d < n; d++) {
    int64_t own = d < missing ? 1 : x->shape[d - missing];
    shape[d] = sizes->list.items[d] == -1 && d >= missing ? own : sizes->list.items[d];
    if (shape[d] < 0 || (own != 1 && shape[d] != own))
      return op_fail(call, "x %s cannot be expanded to %s", tensor_shape_text(x).text,
                     shape_to_text(n, sizes->list.items).text);
    stride[d] = own == 1 ? 0 : x->stride[d - missing];
  }
  if (!shape_numel(n, shape, &numel)) return op_fail(call, "impossible sizes %s", shape_to_text(n, shape).text);
  call->outputs[0] = tensor_view(call->context, x, n, shape, stride, x->offset);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status backward(op_call *call) { return op_gradient_unbroadcast(call, 0, call->output_gradients[0]); }

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "sizes", P_SIZES, 0, NULL, NULL }, { 0 } };
static const char *const samples[] = { "x=normal(3,1) sizes=3,4", "x=normal(3) sizes=2,3", "x=normal(1,3,1) sizes=2,-1,4", NULL };

const op op_expand = { .name = "expand",
                       .flags = OP_METHOD,
                       .help = "expand(x, sizes...) -> tensor\n\nA view that repeats dims of size 1 (and new leading dims) without copying; "
                               "-1 keeps a size.",
                       .parameters = parameters,
                       .n_outputs = 1,
                       .forward = forward,
                       .backward = backward,
                       .samples = samples };

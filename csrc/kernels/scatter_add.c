/* scatter_add.c -- y = x, then y[q] += src[p], where q is p but for q[dim] = index[p].  dx = dy, dsrc[p] = dy[q]. */
#include "scatter.h"

static status forward(op_call *call) {
  dtype d = call->inputs[0]->dtype;
  if (d <= DTYPE_UINT8) return op_fail(call, "x is %s; it must be int64, float32 or float64", dtype_name(d));
  return scatter_forward(call, INDICES_ADD);
}

static status backward(op_call *call) {
  if (call->needs_gradient[0]) call->input_gradients[0] = tensor_retain(call->output_gradients[0]);
  return call->needs_gradient[2] ? scatter_source_gradient(call) : STATUS_OK;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIM, 0, NULL, NULL },
  { "index", P_TENSOR, 0, NULL, NULL },
  { "src", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4) dim=1 index=index<3>(5,4) src=normal(5,4)",
  "x=normal(3,4) dim=2 index=index<4>(2,6) src=normal(2,6)",
  "x=normal(2,3,5):t dim=-2 index=index<3>(2,2,4) src=normal(2,2,4):t",
  "x=normal(5,7):lanes dim=1 index=index<5>(3,7) src=normal(3,7):lanes",
  "bench x=normal(1000,1000) dim=1 index=index<1000>(1000,1000) src=normal(1000,1000)",
  NULL,
};

const op op_scatter_add = {
  .name = "scatter_add",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "scatter_add(x, dim, index, src) -> tensor\n\n"
          "A copy of x to which elements of src are added along dim: for dim = 1 of a matrix y[index[i][j]][j] += src[i][j].\n"
          "index is int64 and 1-based; src is a tensor at least as large, or a number.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

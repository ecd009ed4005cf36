/* dot.c -- y = sum of x_i other_i, two vectors (N): a 0-dim tensor.  Cut and added as matmul does it. */
#include "matmul.h"

static status forward(op_call *call) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_dims(call, 0, 1);
  if (code == STATUS_OK) code = op_require_dims(call, 1, 1);
  if (code != STATUS_OK) return code;
  const tensor *x = call->inputs[0], *other = call->inputs[1];
  if (x->shape[0] != other->shape[0])
    return op_fail(call, "x is %s but other is %s: the lengths differ", tensor_shape_text(x).text,
                   tensor_shape_text(other).text);
  return matmul_run(call, VIEW_AS_ROW, VIEW_AS_COLUMN, true);
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "other", P_TENSOR, 0, NULL, NULL },
                                        { NULL, 0, 0, NULL, NULL } };

static const char *const samples[] = {
  "bench x=normal(100000) other=normal(100000)",
  "x=normal(7) other=normal(7)",
  "x=normal(1) other=normal(1)",
  "x=normal(67) other=normal(67)",
  NULL
};

const op op_dot = {
  .name = "dot",
  .flags = OP_METHOD,
  .help = "dot(x, other) -> tensor\n\nThe inner product of two vectors of one length; 0-dim.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = matmul_backward,
  .samples = samples,
  .flops = matmul_flops,
};

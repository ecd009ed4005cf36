/* bmm.c -- bmm, mm and mv: matmul for operands of a given number of dims, without broadcasting. */
#include "matmul.h"

static status require(op_call *call, int x_dims, int other_dims) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_dims(call, 0, x_dims);
  if (code == STATUS_OK) code = op_require_dims(call, 1, other_dims);
  return code;
}

static status bmm_forward(op_call *call) {
  status code = require(call, 3, 3);
  if (code != STATUS_OK) return code;
  const tensor *x = call->inputs[0], *other = call->inputs[1];
  if (x->shape[0] != other->shape[0])
    return op_fail(call, "x is %s but other is %s: the batches differ", tensor_shape_text(x).text,
                   tensor_shape_text(other).text);
  return matmul_run(call, VIEW_AS_IS, VIEW_AS_IS, false);
}

static status mm_forward(op_call *call) {
  status code = require(call, 2, 2);
  return code != STATUS_OK ? code : matmul_run(call, VIEW_AS_IS, VIEW_AS_IS, false);
}

static status mv_forward(op_call *call) {
  status code = require(call, 2, 1);
  return code != STATUS_OK ? code : matmul_run(call, VIEW_AS_IS, VIEW_AS_COLUMN, true);
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "other", P_TENSOR, 0, NULL, NULL },
                                        { NULL, 0, 0, NULL, NULL } };
static const parameter mv_parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "vector", P_TENSOR, 0, NULL, NULL },
                                           { NULL, 0, 0, NULL, NULL } };

static const char *const bmm_samples[] = {
  "bench x=normal(64,64,64) other=normal(64,64,64)",
  "x=normal(3,2,5) other=normal(3,5,4)",
  "x=normal(1,7,1) other=normal(1,1,3)",
  "x=normal(3,2,6):t other=normal(3,6,3):t",
  NULL
};
static const char *const mm_samples[] = {
  "bench x=normal(256,784) other=normal(784,64)",
  "x=normal(3,5) other=normal(5,4)",
  "x=normal(1,19) other=normal(19,1)",
  "x=normal(7,18):t other=normal(18,5):t",
  NULL
};
static const char *const mv_samples[] = {
  "bench x=normal(1000,1000) vector=normal(1000)",
  "x=normal(3,5) vector=normal(5)",
  "x=normal(17,21):t vector=normal(21)",
  NULL
};

const op op_bmm = {
  .name = "bmm",
  .flags = OP_METHOD,
  .help = "bmm(x, other) -> tensor\n\nThe products of two batches of matrices: x (B, M, K), other (B, K, N), result (B, M, N).",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = bmm_forward,
  .backward = matmul_backward,
  .samples = bmm_samples,
  .flops = matmul_flops,
};

const op op_mm = {
  .name = "mm",
  .flags = OP_METHOD,
  .help = "mm(x, other) -> tensor\n\nThe product of two matrices: x (M, K), other (K, N), result (M, N).",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = mm_forward,
  .backward = matmul_backward,
  .samples = mm_samples,
  .flops = matmul_flops,
};

const op op_mv = {
  .name = "mv",
  .flags = OP_METHOD,
  .help = "mv(x, vector) -> tensor\n\nThe product of a matrix x (M, K) and a vector (K): (M).",
  .parameters = mv_parameters,
  .n_outputs = 1,
  .forward = mv_forward,
  .backward = matmul_backward,
  .samples = mv_samples,
  .flops = matmul_flops,
};

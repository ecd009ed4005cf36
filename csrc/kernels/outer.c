/* outer.c -- y[i][j] = x[i] other[j]: vectors (M) and (N), result (M, N).  A product of depth one. */
#include "matmul.h"

static status forward(op_call *call) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_dims(call, 0, 1);
  if (code == STATUS_OK) code = op_require_dims(call, 1, 1);
  return code != STATUS_OK ? code : matmul_run(call, VIEW_AS_COLUMN, VIEW_AS_ROW, false);
}

static const parameter parameters[] = { { "x", P_TENSOR, 0, NULL, NULL }, { "other", P_TENSOR, 0, NULL, NULL },
                                        { NULL, 0, 0, NULL, NULL } };

static const char *const samples[] = {
  "bench x=normal(1000) other=normal(1000)",
  "x=normal(3) other=normal(5)",
  "x=normal(1) other=normal(9)",
  "x=normal(23) other=normal(1)",
  NULL
};

const op op_outer = {
  .name = "outer",
  .flags = OP_METHOD,
  .help = "outer(x, other) -> tensor\n\nThe outer product of the vectors x (M) and other (N): (M, N).",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = matmul_backward,
  .samples = samples,
};

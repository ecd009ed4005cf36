/* nonzero.c -- where x is not 0: (n, dims of x) int64, 1-based, in row order.  No gradient. */
#include "op.h"

static bool is_nonzero(const tensor *x, int64_t i) {
  switch (x->dtype) {
    case DTYPE_FLOAT32: return tensor_float32(x)[i] != 0.0f;
    case DTYPE_FLOAT64: return tensor_float64(x)[i] != 0.0;
    case DTYPE_INT64: return tensor_int64(x)[i] != 0;
    default: return tensor_uint8(x)[i] != 0;
  }
}

static void write_places(const tensor *x, int64_t *out) {
  int64_t n = tensor_numel(x);
  for (int64_t i = 0; i < n; i++) {
    if (!is_nonzero(x, i)) continue;
    int64_t rest = i;
    for (int d = x->n_dims - 1; d >= 0; d--) {
      out[d] = rest % x->shape[d] + 1;
      rest /= x->shape[d];
    }
    out += x->n_dims;
  }
}

static status forward(op_call *call) {
  tensor *x = tensor_contiguous(call->context, call->inputs[0]);
  if (x == NULL) return STATUS_NO_MEMORY;
  int64_t n = tensor_numel(x), shape[] = { 0, x->n_dims };
  for (int64_t i = 0; i < n; i++) shape[0] += is_nonzero(x, i);
  status code = op_output(call, 0, DTYPE_INT64, 2, shape);
  if (code == STATUS_OK && shape[0] > 0) write_places(x, tensor_int64(call->outputs[0]));
  tensor_release(x);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=bool(3,4)",
  "x=bool(2,3,5):t",
  "x=int64(7)",
  "x=normal(5,7):lanes",
  "bench x=bool(1000,1000)",
  NULL,
};

const op op_nonzero = {
  .name = "nonzero",
  .flags = OP_METHOD,
  .help = "nonzero(x) -> int64 tensor\n\n"
          "The places where x is not 0: one row for each, with its 1-based index along every dim.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .samples = samples,
};

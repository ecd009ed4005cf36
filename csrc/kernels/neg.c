/* neg.c -- y = -x.  Integers wrap around. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = -x[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = -x[i];
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (int64_t)(0 - (uint64_t)x[i]);
}

static const elementwise loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status forward(op_call *call) {
  if (call->inputs[0]->dtype == DTYPE_BOOL) return op_fail(call, "x is bool; use logical_not");
  return elementwise_forward(call, &loops, NULL);
}

static status backward(op_call *call) {
  return elementwise_gradient(call, 0, &loops, 1, call->output_gradients, NULL);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(2,3,5):t",
  "x=normal(5,7):lanes",
  "x=int64(4)",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_neg = {
  .name = "neg",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "neg(x) -> tensor\n\n"
          "-x, elementwise; also written with the minus sign.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

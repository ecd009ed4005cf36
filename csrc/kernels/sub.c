/* sub.c -- y = a - b.  Integers wrap around. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] - b[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] - b[i];
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (int64_t)((uint64_t)a[i] - (uint64_t)b[i]);
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status forward(op_call *call) {
  if (promoted_dtype(2, call->inputs) == DTYPE_BOOL) return op_fail(call, "a and b are bool; use logical_xor");
  return elementwise_forward(call, &forward_loops, NULL);
}

CLONES static void negate_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i];
}

CLONES static void negate_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i];
}

static const elementwise negate_loops = { .float32 = negate_float32, .float64 = negate_float64 };

static status backward(op_call *call) {
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_pass_gradient(call, 0);
  if (code == STATUS_OK && call->needs_gradient[1])
    code = elementwise_gradient(call, 1, &negate_loops, 1, call->output_gradients, NULL);
  return code;
}

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=normal(3,4) b=normal(3,4)",
  "a=normal(2,3,5) b=normal(3,1)",
  "a=normal(4) b=normal(3,4):t",
  "a=normal(5,7):lanes b=normal(7)",
  "a=normal(3,4) b=2.5",
  "a=1.5 b=normal(2,3):t",
  "a=int64(3) b=int64(2,3)",
  "bench a=normal(1000,1000) b=normal(1000,1000)",
  NULL,
};

const op op_sub = {
  .name = "sub",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "sub(a, b) -> tensor\n\n"
          "a - b, elementwise with broadcasting; also written with the minus sign.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

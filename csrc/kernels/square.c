/* square.c -- y = x^2.  Integers wrap around. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * x[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * x[i];
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (int64_t)((uint64_t)x[i] * (uint64_t)x[i]);
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status forward(op_call *call) { return elementwise_save_input(call, &forward_loops, NULL); }

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = 2.0f * dy[i] * x[i];
}

CLONES static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = 2.0 * dy[i] * x[i];
}

static const elementwise backward_loops = { .float32 = backward_float32, .float64 = backward_float64 };

static status backward(op_call *call) { return elementwise_saved_gradient(call, &backward_loops, NULL); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(2,3,5):t",
  "x=normal(5,7):lanes",
  "x=normal(1)",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_square = {
  .name = "square",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "square(x) -> tensor\n\n"
          "x * x, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

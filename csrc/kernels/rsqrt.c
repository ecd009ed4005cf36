/* rsqrt.c -- y = 1 / sqrt(x). */
#include <math.h>

#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = 1.0f / sqrtf(x[i]);
}

static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = 1.0 / sqrt(x[i]);
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) { return elementwise_save_output(call, &forward_loops, NULL); }

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *y = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = -0.5f * dy[i] * y[i] * y[i] * y[i];
}

CLONES static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *y = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = -0.5 * dy[i] * y[i] * y[i] * y[i];
}

static const elementwise backward_loops = { .float32 = backward_float32, .float64 = backward_float64 };

static status backward(op_call *call) { return elementwise_saved_gradient(call, &backward_loops, NULL); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=positive(3,4)",
  "x=positive(2,3,5):t",
  "x=positive(5,7):lanes",
  "x=positive(1)",
  "bench x=positive(1000,1000)",
  NULL,
};

const op op_rsqrt = {
  .name = "rsqrt",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "rsqrt(x) -> tensor\n\n"
          "1 / sqrt(x), elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

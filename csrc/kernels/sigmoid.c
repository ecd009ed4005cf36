/* sigmoid.c -- y = 1 / (1 + e^-x). */
#include <math.h>

#include "elementwise.h"
#include "vector_math.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = sigmoid_float(x[i]);
}

static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = 1.0 / (1.0 + exp(-x[i]));
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) { return elementwise_save_output(call, &forward_loops, NULL); }

static bool repeat(op_call *call, op_step *s) { return elementwise_repeat(call, &forward_loops, s); }

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *y = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * y[i] * (1.0f - y[i]);
}

CLONES static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *y = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * y[i] * (1.0 - y[i]);
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

const op op_sigmoid = {
  .name = "sigmoid",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "sigmoid(x) -> tensor\n\n"
          "1 / (1 + exp(-x)), elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
  .repeat = repeat,
};

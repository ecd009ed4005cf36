/* leaky_relu.c -- y = x where x > 0, else negative_slope * x.  Maas et al., ICML 2013. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  float slope = (float)((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0f ? x[i] : slope * x[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  double slope = ((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0 ? x[i] : slope * x[i];
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) { return elementwise_save_input(call, &forward_loops, call->values); }

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  float slope = (float)((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) dx[i] = x[i] > 0.0f ? dy[i] : slope * dy[i];
}

CLONES static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  double slope = ((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) dx[i] = x[i] > 0.0 ? dy[i] : slope * dy[i];
}

static const elementwise backward_loops = { .float32 = backward_float32, .float64 = backward_float64 };

static status backward(op_call *call) { return elementwise_saved_gradient(call, &backward_loops, call->values); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "negative_slope", P_NUMBER, OPTION, "0.01", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(2,3,5):t negative_slope=0.3",
  "x=normal(5,7):lanes negative_slope=0",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_leaky_relu = {
  .name = "leaky_relu",
  .flags = OP_FUNCTIONAL,
  .help = "leaky_relu(x, { negative_slope = 0.01 }) -> tensor\n\n"
          "x where x > 0, else negative_slope * x, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

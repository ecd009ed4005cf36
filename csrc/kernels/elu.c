/* elu.c -- y = x where x > 0, else alpha * (e^x - 1).  Clevert et al., ICLR 2016. */
#include <math.h>

#include "elementwise.h"
#include "vector_math.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  float alpha = (float)((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0f ? x[i] : alpha * expm1_float(x[i]);
}

static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  double alpha = ((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0 ? x[i] : alpha * expm1(x[i]);
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) { return elementwise_save_input(call, &forward_loops, call->values); }

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  float alpha = (float)((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) dx[i] = x[i] > 0.0f ? dy[i] : dy[i] * alpha * exp_float(x[i]);
}

static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  double alpha = ((const op_value *)extra)[0].number;
  for (int64_t i = 0; i < n; i++) dx[i] = x[i] > 0.0 ? dy[i] : dy[i] * alpha * exp(x[i]);
}

static const elementwise backward_loops = { .float32 = backward_float32, .float64 = backward_float64 };

static status backward(op_call *call) { return elementwise_saved_gradient(call, &backward_loops, call->values); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "alpha", P_NUMBER, OPTION, "1", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(2,3,5):t alpha=0.3",
  "x=normal(5,7):lanes alpha=1.5",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_elu = {
  .name = "elu",
  .flags = OP_FUNCTIONAL,
  .help = "elu(x, { alpha = 1 }) -> tensor\n\n"
          "x where x > 0, else alpha * (exp(x) - 1), elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

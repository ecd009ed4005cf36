/* softplus.c -- y = log(1 + e^(beta x)) / beta, and x itself where beta x > threshold. */
#include <math.h>

#include "elementwise.h"
#include "vector_math.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  const op_value *values = extra;
  float beta = (float)values[0].number, threshold = (float)values[1].number;
  for (int64_t i = 0; i < n; i++)
    y[i] = beta * x[i] > threshold ? x[i] : log1p_float(exp_float(beta * x[i])) / beta;
}

static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  const op_value *values = extra;
  double beta = values[0].number, threshold = values[1].number;
  for (int64_t i = 0; i < n; i++) y[i] = beta * x[i] > threshold ? x[i] : log1p(exp(beta * x[i])) / beta;
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) { return elementwise_save_input(call, &forward_loops, call->values); }

CLONES static void backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  const op_value *values = extra;
  float beta = (float)values[0].number, threshold = (float)values[1].number;
  for (int64_t i = 0; i < n; i++)
    dx[i] = beta * x[i] > threshold ? dy[i] : dy[i] / (1.0f + exp_float(-beta * x[i]));
}

static void backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  const op_value *values = extra;
  double beta = values[0].number, threshold = values[1].number;
  for (int64_t i = 0; i < n; i++)
    dx[i] = beta * x[i] > threshold ? dy[i] : dy[i] / (1.0 + exp(-beta * x[i]));
}

static const elementwise backward_loops = { .float32 = backward_float32, .float64 = backward_float64 };

static status backward(op_call *call) { return elementwise_saved_gradient(call, &backward_loops, call->values); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "beta", P_NUMBER, OPTION, "1", NULL },
  { "threshold", P_NUMBER, OPTION, "20", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(2,3,5):t beta=2 threshold=1",
  "x=normal(5,7):lanes beta=0.5",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_softplus = {
  .name = "softplus",
  .flags = OP_FUNCTIONAL,
  .help = "softplus(x, { beta = 1, threshold = 20 }) -> tensor\n\n"
          "log(1 + exp(beta * x)) / beta, elementwise; x itself where beta * x > threshold.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

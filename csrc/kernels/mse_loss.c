/* mse_loss.c -- y = (x - t)^2, its mean or sum.   dx = 2 (x - t), dt = -dx. */
#include "../tensor/parallel.h"
#include "loss.h"

CLONES static void value_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - t[i]) * (x[i] - t[i]);
}

CLONES static void value_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - t[i]) * (x[i] - t[i]);
}

CLONES static void slope_float32(int64_t n, void *out, const void *const *in, double k) {
  const float *restrict x = in[0], *restrict t = in[1];
  float *restrict y = out;
  (void)k;
  for (int64_t i = 0; i < n; i++) y[i] = 2.0f * (x[i] - t[i]);
}

CLONES static void slope_float64(int64_t n, void *out, const void *const *in, double k) {
  const double *restrict x = in[0], *restrict t = in[1];
  double *restrict y = out;
  (void)k;
  for (int64_t i = 0; i < n; i++) y[i] = 2.0 * (x[i] - t[i]);
}

static const loss definition = {
  .value = { value_float32, value_float64 },
  .slope = { slope_float32, slope_float64 },
};

static status forward(op_call *call) {
  return loss_forward(call, &definition, call->values[0].integer, 0.0);
}

static status backward(op_call *call) {
  return loss_backward(call, &definition, call->values[0].integer, 0.0);
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=normal(4,3,5) target=normal(4,3,5)",
  "input=normal(3,2,4,4):lanes target=normal(3,2,4,4):lanes reduction=sum",
  "input=normal(17,3,2,2):lanes target=normal(17,3,2,2) reduction=none",
  "input=normal(5,7):t target=normal(5,7) reduction=none",
  "input=normal(1) target=normal(1)",
  "bench input=normal(256,1,28,28):lanes target=normal(256,1,28,28):lanes",
  NULL,
};

const op op_mse_loss = {
  .name = "mse_loss",
  .flags = OP_FUNCTIONAL,
  .help = "mse_loss(input, target [, { reduction = \"mean\" }]) -> tensor\n\n"
          "(input - target)^2, averaged (\"mean\"), added up (\"sum\") or by element (\"none\").  The shapes must be "
          "equal.  Differentiable in both.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

/* gelu.c -- y = x P(Z <= x) for a standard normal Z.  Hendrycks & Gimpel, 2016.
** exact:  x (1 + erf(x / sqrt 2)) / 2
** tanh:   x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
#include <math.h>

#include "elementwise.h"
#include "vector_math.h"

CLONES static void exact_forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * (0.5f * (1.0f + erf_float(x[i] * 0.70710678118654752440f)));
}

static void exact_forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * (0.5 * (1.0 + erf(x[i] * 0.70710678118654752440)));
}

CLONES static void tanh_forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    y[i] = 0.5f * x[i] * (1.0f + tanh_float(0.79788456080286535588f * (x[i] + 0.044715f * x[i] * x[i] * x[i])));
}

static void tanh_forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    y[i] = 0.5 * x[i] * (1.0 + tanh(0.79788456080286535588 * (x[i] + 0.044715 * x[i] * x[i] * x[i])));
}

/* In the order of the choices of `approximate`. */
static const elementwise forward_loops[] = {
  { .float32 = exact_forward_float32, .float64 = exact_forward_float64 },
  { .float32 = tanh_forward_float32, .float64 = tanh_forward_float64 },
};

static status forward(op_call *call) {
  return elementwise_save_input(call, &forward_loops[call->values[0].integer], NULL);
}

CLONES static void exact_backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    float below = 0.5f * (1.0f + erf_float(x[i] * 0.70710678118654752440f));
    float density = 0.39894228040143267794f * exp_float(-0.5f * x[i] * x[i]);
    dx[i] = dy[i] * (below + x[i] * density);
  }
}

static void exact_backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    double below = 0.5 * (1.0 + erf(x[i] * 0.70710678118654752440));
    double density = 0.39894228040143267794 * exp(-0.5 * x[i] * x[i]);
    dx[i] = dy[i] * (below + x[i] * density);
  }
}

CLONES static void tanh_backward_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    float t = tanh_float(0.79788456080286535588f * (x[i] + 0.044715f * x[i] * x[i] * x[i]));
    float slope = 0.79788456080286535588f * (1.0f + 0.134145f * x[i] * x[i]);
    dx[i] = dy[i] * 0.5f * (1.0f + t + x[i] * (1.0f - t * t) * slope);
  }
}

static void tanh_backward_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    double t = tanh(0.79788456080286535588 * (x[i] + 0.044715 * x[i] * x[i] * x[i]));
    double slope = 0.79788456080286535588 * (1.0 + 0.134145 * x[i] * x[i]);
    dx[i] = dy[i] * 0.5 * (1.0 + t + x[i] * (1.0 - t * t) * slope);
  }
}

/* In the order of the choices of `approximate`. */
static const elementwise backward_loops[] = {
  { .float32 = exact_backward_float32, .float64 = exact_backward_float64 },
  { .float32 = tanh_backward_float32, .float64 = tanh_backward_float64 },
};

static status backward(op_call *call) {
  return elementwise_saved_gradient(call, &backward_loops[call->values[0].integer], NULL);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "approximate", P_CHOICE, OPTION, "none", "none|tanh" },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(2,3,5):t approximate=tanh",
  "x=normal(5,7):lanes",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_gelu = {
  .name = "gelu",
  .flags = OP_FUNCTIONAL,
  .help = "gelu(x, { approximate = \"none\" }) -> tensor\n\n"
          "x times the probability that a standard normal number is below x, elementwise.\n"
          "approximate: \"none\" (exact, by erf) or \"tanh\".",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

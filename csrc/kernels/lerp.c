/* lerp.c -- y = a + weight (b - a), exact at both ends. */
#include <math.h>

#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2], *w = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    y[i] = fabsf(w[i]) < 0.5f ? a[i] + w[i] * (b[i] - a[i]) : b[i] - (b[i] - a[i]) * (1.0f - w[i]);
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2], *w = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    y[i] = fabs(w[i]) < 0.5 ? a[i] + w[i] * (b[i] - a[i]) : b[i] - (b[i] - a[i]) * (1.0 - w[i]);
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) { return elementwise_save_inputs(call, &forward_loops, NULL); }

CLONES static void first_float32(int64_t n, void *const *data, const void *extra) {
  float *da = data[0];
  const float *dy = data[1], *w = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = dy[i] * (1.0f - w[i]);
}

CLONES static void first_float64(int64_t n, void *const *data, const void *extra) {
  double *da = data[0];
  const double *dy = data[1], *w = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = dy[i] * (1.0 - w[i]);
}

static const elementwise first_loops = { .float32 = first_float32, .float64 = first_float64 };

CLONES static void second_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *w = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = dy[i] * w[i];
}

CLONES static void second_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *w = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = dy[i] * w[i];
}

static const elementwise second_loops = { .float32 = second_float32, .float64 = second_float64 };

CLONES static void weight_float32(int64_t n, void *const *data, const void *extra) {
  float *dw = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dw[i] = dy[i] * (b[i] - a[i]);
}

CLONES static void weight_float64(int64_t n, void *const *data, const void *extra) {
  double *dw = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dw[i] = dy[i] * (b[i] - a[i]);
}

static const elementwise weight_loops = { .float32 = weight_float32, .float64 = weight_float64 };

static status backward(op_call *call) {
  tensor *weighted[] = { call->output_gradients[0], call->saved[2] };
  tensor *ends[] = { call->output_gradients[0], call->saved[0], call->saved[1] };
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_gradient(call, 0, &first_loops, 2, weighted, NULL);
  if (code == STATUS_OK && call->needs_gradient[1])
    code = elementwise_gradient(call, 1, &second_loops, 2, weighted, NULL);
  if (code == STATUS_OK && call->needs_gradient[2])
    code = elementwise_gradient(call, 2, &weight_loops, 3, ends, NULL);
  return code;
}

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=normal(3,4) b=normal(3,4) weight=0.3",
  "a=normal(2,3) b=normal(2,3):t weight=unit(2,3)",
  "a=normal(5,7):lanes b=normal(7) weight=unit(5,1)",
  "a=normal(3) b=normal(3) weight=0.75",
  "bench a=normal(1000,1000) b=normal(1000,1000) weight=0.3",
  NULL,
};

const op op_lerp = {
  .name = "lerp",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "lerp(a, b, weight) -> tensor\n\n"
          "a + weight * (b - a), elementwise with broadcasting; weight is a number or a tensor.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

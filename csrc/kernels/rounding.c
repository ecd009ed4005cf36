/* rounding.c -- floor, ceil, round (halves to even) and sign: piecewise constant, so the gradient is 0.
** Integers stay what they are; sign of 0 and of NaN is 0, as in PyTorch. */
#include <math.h>

#include "elementwise.h"

static status zero_gradient(op_call *call) {
  const tensor_meta *meta = &call->input_meta[0];
  call->input_gradients[0] = tensor_zeros(call->context, meta->dtype, meta->n_dims, meta->shape);
  return call->input_gradients[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

CLONES static void floor_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = floorf(x[i]);
}

CLONES static void floor_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = floor(x[i]);
}

CLONES static void same_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i];
}

static status floor_forward(op_call *call) {
  const elementwise loops = { .float32 = floor_float32, .float64 = floor_float64, .int64 = same_int64 };
  return elementwise_forward(call, &loops, NULL);
}

CLONES static void ceil_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = ceilf(x[i]);
}

CLONES static void ceil_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = ceil(x[i]);
}

static status ceil_forward(op_call *call) {
  const elementwise loops = { .float32 = ceil_float32, .float64 = ceil_float64, .int64 = same_int64 };
  return elementwise_forward(call, &loops, NULL);
}

CLONES static void round_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = rintf(x[i]);
}

CLONES static void round_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = rint(x[i]);
}

static status round_forward(op_call *call) {
  const elementwise loops = { .float32 = round_float32, .float64 = round_float64, .int64 = same_int64 };
  return elementwise_forward(call, &loops, NULL);
}

CLONES static void sign_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0f ? 1.0f : x[i] < 0.0f ? -1.0f : 0.0f;
}

CLONES static void sign_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0 ? 1.0 : x[i] < 0.0 ? -1.0 : 0.0;
}

CLONES static void sign_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] > 0) - (x[i] < 0);
}

static status sign_forward(op_call *call) {
  const elementwise loops = { .float32 = sign_float32, .float64 = sign_float64, .int64 = sign_int64 };
  return elementwise_forward(call, &loops, NULL);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = { "x=normal(3,4)", "x=normal(2,3,5):t", "x=normal(5,7):lanes", "x=int64(4)", NULL };

const op op_floor = {
  .name = "floor",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "floor(x) -> tensor\n\n"
          "The largest whole number that is not above x, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = floor_forward,
  .backward = zero_gradient,
  .samples = samples,
};

const op op_ceil = {
  .name = "ceil",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "ceil(x) -> tensor\n\n"
          "The smallest whole number that is not below x, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = ceil_forward,
  .backward = zero_gradient,
  .samples = samples,
};

const op op_round = {
  .name = "round",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "round(x) -> tensor\n\n"
          "The nearest whole number, elementwise; halves go to the even one.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = round_forward,
  .backward = zero_gradient,
  .samples = samples,
};

const op op_sign = {
  .name = "sign",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "sign(x) -> tensor\n\n"
          "-1, 0 or 1, elementwise; 0 for NaN.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = sign_forward,
  .backward = zero_gradient,
  .samples = samples,
};

/* div.c -- y = a / b.  Integers become float32. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] / b[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] / b[i];
}

static const elementwise forward_loops = { .float32 = forward_float32, .float64 = forward_float64 };

static status forward(op_call *call) {
  status code = elementwise_forward(call, &forward_loops, NULL);
  if (code != STATUS_OK) return code;
  op_save(call, 0, call->inputs[1]);
  if (call->needs_gradient[1]) op_save(call, 1, call->inputs[0]);
  return STATUS_OK;
}

CLONES static void numerator_float32(int64_t n, void *const *data, const void *extra) {
  float *da = data[0];
  const float *dy = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = dy[i] / b[i];
}

CLONES static void numerator_float64(int64_t n, void *const *data, const void *extra) {
  double *da = data[0];
  const double *dy = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = dy[i] / b[i];
}

static const elementwise numerator_loops = { .float32 = numerator_float32, .float64 = numerator_float64 };

CLONES static void denominator_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *b = data[2], *a = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i] * a[i] / (b[i] * b[i]);
}

CLONES static void denominator_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *b = data[2], *a = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = -dy[i] * a[i] / (b[i] * b[i]);
}

static const elementwise denominator_loops = {
  .float32 = denominator_float32,
  .float64 = denominator_float64,
};

static status backward(op_call *call) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1] };
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_gradient(call, 0, &numerator_loops, 2, operands, NULL);
  if (code == STATUS_OK && call->needs_gradient[1])
    code = elementwise_gradient(call, 1, &denominator_loops, 3, operands, NULL);
  return code;
}

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=positive(3,4) b=positive(3,4)",
  "a=positive(2,3,5) b=positive(3,1)",
  "a=positive(4) b=positive(3,4):t",
  "a=positive(5,7):lanes b=positive(7)",
  "a=positive(3,4) b=2.5",
  "a=1.5 b=positive(2,3):t",
  "a=int64(3) b=int64(2,3)",
  "bench a=positive(1000,1000) b=positive(1000,1000)",
  NULL,
};

const op op_div = {
  .name = "div",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "div(a, b) -> tensor\n\n"
          "a / b, elementwise with broadcasting; also written with the slash.  Integers become float32.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

/* minimum.c -- y = the smaller of a and b; NaN wins.  Where they are equal each gets half of the gradient,
** where one is NaN each gets all of it, as in PyTorch. */
#include "elementwise.h"

CLONES static void forward_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] < b[i] || a[i] != a[i] ? a[i] : b[i];
}

CLONES static void forward_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] < b[i] || a[i] != a[i] ? a[i] : b[i];
}

CLONES static void forward_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] < b[i] ? a[i] : b[i];
}

static const elementwise forward_loops = {
  .float32 = forward_float32,
  .float64 = forward_float64,
  .int64 = forward_int64,
};

static status forward(op_call *call) { return elementwise_save_inputs(call, &forward_loops, NULL); }

CLONES static void first_float32(int64_t n, void *const *data, const void *extra) {
  float *da = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = a[i] > b[i] ? 0.0f : a[i] == b[i] ? 0.5f * dy[i] : dy[i];
}

CLONES static void first_float64(int64_t n, void *const *data, const void *extra) {
  double *da = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) da[i] = a[i] > b[i] ? 0.0 : a[i] == b[i] ? 0.5 * dy[i] : dy[i];
}

static const elementwise first_loops = { .float32 = first_float32, .float64 = first_float64 };

CLONES static void second_float32(int64_t n, void *const *data, const void *extra) {
  float *db = data[0];
  const float *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = b[i] > a[i] ? 0.0f : a[i] == b[i] ? 0.5f * dy[i] : dy[i];
}

CLONES static void second_float64(int64_t n, void *const *data, const void *extra) {
  double *db = data[0];
  const double *dy = data[1], *a = data[2], *b = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) db[i] = b[i] > a[i] ? 0.0 : a[i] == b[i] ? 0.5 * dy[i] : dy[i];
}

static const elementwise second_loops = { .float32 = second_float32, .float64 = second_float64 };

static status backward(op_call *call) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1] };
  status code = STATUS_OK;
  if (call->needs_gradient[0]) code = elementwise_gradient(call, 0, &first_loops, 3, operands, NULL);
  if (code == STATUS_OK && call->needs_gradient[1])
    code = elementwise_gradient(call, 1, &second_loops, 3, operands, NULL);
  return code;
}

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=normal(3,4) b=normal(3,4)",
  "a=normal(2,3,5) b=normal(3,1)",
  "a=normal(4) b=normal(3,4):t",
  "a=normal(5,7):lanes b=normal(7)",
  "a=normal(3,4) b=2.5",
  "a=1.5 b=normal(2,3):t",
  "a=int64(3) b=int64(2,3)",
  "bench a=normal(1000,1000) b=normal(1000,1000)",
  NULL,
};

const op op_minimum = {
  .name = "minimum",
  .flags = OP_METHOD | OP_IN_PLACE,
  .help = "minimum(a, b) -> tensor\n\n"
          "The smaller of a and b, elementwise with broadcasting; NaN where either is NaN.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

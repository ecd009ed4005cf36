/* predicates.c -- isnan isinf isfinite: bool tensors.  Integers are finite.  No gradient. */
#include <math.h>
#include <string.h>

#include "elementwise.h"

CLONES static void isnan_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != x[i];
}

CLONES static void isnan_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != x[i];
}

static void isnan_int64(int64_t n, void *const *data, const void *extra) {
  (void)extra;
  memset(data[0], 0, (size_t)n);
}

static const elementwise isnan_loops = {
  .float32 = isnan_float32,
  .float64 = isnan_float64,
  .int64 = isnan_int64,
  .predicate = true,
};

CLONES static void isinf_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabsf(x[i]) == INFINITY;
}

CLONES static void isinf_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabs(x[i]) == INFINITY;
}

static void isinf_int64(int64_t n, void *const *data, const void *extra) {
  (void)extra;
  memset(data[0], 0, (size_t)n);
}

static const elementwise isinf_loops = {
  .float32 = isinf_float32,
  .float64 = isinf_float64,
  .int64 = isinf_int64,
  .predicate = true,
};

CLONES static void isfinite_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabsf(x[i]) < INFINITY;
}

CLONES static void isfinite_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabs(x[i]) < INFINITY;
}

static void isfinite_int64(int64_t n, void *const *data, const void *extra) {
  (void)extra;
  memset(data[0], 1, (size_t)n);
}

static const elementwise isfinite_loops = {
  .float32 = isfinite_float32,
  .float64 = isfinite_float64,
  .int64 = isfinite_int64,
  .predicate = true,
};

static status isnan_forward(op_call *call) { return elementwise_forward(call, &isnan_loops, NULL); }
static status isinf_forward(op_call *call) { return elementwise_forward(call, &isinf_loops, NULL); }
static status isfinite_forward(op_call *call) { return elementwise_forward(call, &isfinite_loops, NULL); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = { "x=normal(3,4)", "x=normal(2,3,5):t", "x=int64(4)", NULL };

const op op_isnan = {
  .name = "isnan",
  .flags = OP_METHOD,
  .help = "isnan(x) -> bool tensor\n\n"
          "True where x is NaN, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = isnan_forward,
  .samples = samples,
};

const op op_isinf = {
  .name = "isinf",
  .flags = OP_METHOD,
  .help = "isinf(x) -> bool tensor\n\n"
          "True where x is inf or -inf, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = isinf_forward,
  .samples = samples,
};

const op op_isfinite = {
  .name = "isfinite",
  .flags = OP_METHOD,
  .help = "isfinite(x) -> bool tensor\n\n"
          "True where x is neither NaN nor infinite, elementwise.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = isfinite_forward,
  .samples = samples,
};

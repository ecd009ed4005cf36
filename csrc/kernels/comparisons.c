/* comparisons.c -- eq ne lt le gt ge: bool tensors, elementwise with broadcasting.  No gradient.
** Operands are brought to one dtype first; NaN is different from everything and neither less nor greater. */
#include "elementwise.h"

CLONES static void eq_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] == b[i];
}

CLONES static void eq_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] == b[i];
}

CLONES static void eq_int64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] == b[i];
}

static const elementwise eq_loops = {
  .float32 = eq_float32,
  .float64 = eq_float64,
  .int64 = eq_int64,
  .predicate = true,
};

CLONES static void ne_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] != b[i];
}

CLONES static void ne_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] != b[i];
}

CLONES static void ne_int64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] != b[i];
}

static const elementwise ne_loops = {
  .float32 = ne_float32,
  .float64 = ne_float64,
  .int64 = ne_int64,
  .predicate = true,
};

CLONES static void lt_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] < b[i];
}

CLONES static void lt_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] < b[i];
}

CLONES static void lt_int64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] < b[i];
}

static const elementwise lt_loops = {
  .float32 = lt_float32,
  .float64 = lt_float64,
  .int64 = lt_int64,
  .predicate = true,
};

CLONES static void le_float32(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const float *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] <= b[i];
}

CLONES static void le_float64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const double *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] <= b[i];
}

CLONES static void le_int64(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const int64_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] <= b[i];
}

static const elementwise le_loops = {
  .float32 = le_float32,
  .float64 = le_float64,
  .int64 = le_int64,
  .predicate = true,
};

/* loops(a, b), or loops(b, a) for the two that are others turned round. */
static status compare(op_call *call, const elementwise *loops, bool turned) {
  tensor *operands[] = { call->inputs[turned ? 1 : 0], call->inputs[turned ? 0 : 1] };
  return elementwise_output(call, loops, promoted_dtype(2, operands), 2, operands, NULL);
}

static status eq_forward(op_call *call) { return compare(call, &eq_loops, false); }
static status ne_forward(op_call *call) { return compare(call, &ne_loops, false); }
static status lt_forward(op_call *call) { return compare(call, &lt_loops, false); }
static status le_forward(op_call *call) { return compare(call, &le_loops, false); }
static status gt_forward(op_call *call) { return compare(call, &lt_loops, true); }
static status ge_forward(op_call *call) { return compare(call, &le_loops, true); }

static const parameter parameters[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "a=normal(3,4) b=normal(3,4)", "a=int64(2,3,5) b=int64(3,1)", "a=normal(5,7):lanes b=0.3",
  "a=uint8(4,3):t b=3",          "a=bool(3,4) b=bool(4)",         "a=normal(2,3) b=int64(3)",
  NULL,
};

const op op_eq = {
  .name = "eq",
  .flags = OP_METHOD,
  .help = "eq(a, b) -> bool tensor\n\n"
          "a == b, elementwise with broadcasting.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = eq_forward,
  .samples = samples,
};

const op op_ne = {
  .name = "ne",
  .flags = OP_METHOD,
  .help = "ne(a, b) -> bool tensor\n\n"
          "a ~= b, elementwise with broadcasting.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = ne_forward,
  .samples = samples,
};

const op op_lt = {
  .name = "lt",
  .flags = OP_METHOD,
  .help = "lt(a, b) -> bool tensor\n\n"
          "a < b, elementwise with broadcasting.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = lt_forward,
  .samples = samples,
};

const op op_le = {
  .name = "le",
  .flags = OP_METHOD,
  .help = "le(a, b) -> bool tensor\n\n"
          "a <= b, elementwise with broadcasting.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = le_forward,
  .samples = samples,
};

const op op_gt = {
  .name = "gt",
  .flags = OP_METHOD,
  .help = "gt(a, b) -> bool tensor\n\n"
          "a > b, elementwise with broadcasting.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = gt_forward,
  .samples = samples,
};

const op op_ge = {
  .name = "ge",
  .flags = OP_METHOD,
  .help = "ge(a, b) -> bool tensor\n\n"
          "a >= b, elementwise with broadcasting.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = ge_forward,
  .samples = samples,
};

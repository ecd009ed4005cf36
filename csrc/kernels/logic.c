/* logic.c -- logical_and logical_or logical_xor logical_not: bool tensors; x is true where x ~= 0.  No gradient. */
#include "elementwise.h"

CLONES static void and_boolean(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const uint8_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (uint8_t)(a[i] & b[i]);
}

CLONES static void or_boolean(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const uint8_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (uint8_t)(a[i] | b[i]);
}

CLONES static void xor_boolean(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const uint8_t *a = data[1], *b = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (uint8_t)(a[i] ^ b[i]);
}

CLONES static void not_boolean(int64_t n, void *const *data, const void *extra) {
  uint8_t *y = data[0];
  const uint8_t *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = (uint8_t)(x[i] ^ 1);
}

static status and_forward(op_call *call) {
  const elementwise loops = { .boolean = and_boolean, .predicate = true };
  return elementwise_forward(call, &loops, NULL);
}

static status or_forward(op_call *call) {
  const elementwise loops = { .boolean = or_boolean, .predicate = true };
  return elementwise_forward(call, &loops, NULL);
}

static status xor_forward(op_call *call) {
  const elementwise loops = { .boolean = xor_boolean, .predicate = true };
  return elementwise_forward(call, &loops, NULL);
}

static status not_forward(op_call *call) {
  const elementwise loops = { .boolean = not_boolean, .predicate = true };
  return elementwise_forward(call, &loops, NULL);
}

static const parameter two[] = {
  { "a", P_TENSOR, 0, NULL, NULL },
  { "b", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const parameter one[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const two_samples[] = {
  "a=bool(3,4) b=bool(3,4)",
  "a=bool(2,3,5):t b=bool(3,1)",
  "a=int64(4) b=bool(4)",
  NULL,
};
static const char *const one_samples[] = { "x=bool(3,4)", "x=bool(2,3,5):t", "x=int64(4)", NULL };

const op op_logical_and = {
  .name = "logical_and",
  .flags = OP_METHOD,
  .help = "logical_and(a, b) -> bool tensor\n\n"
          "a and b, elementwise with broadcasting; what is not 0 is true.",
  .parameters = two,
  .n_outputs = 1,
  .forward = and_forward,
  .samples = two_samples,
};

const op op_logical_or = {
  .name = "logical_or",
  .flags = OP_METHOD,
  .help = "logical_or(a, b) -> bool tensor\n\n"
          "a or b, elementwise with broadcasting; what is not 0 is true.",
  .parameters = two,
  .n_outputs = 1,
  .forward = or_forward,
  .samples = two_samples,
};

const op op_logical_xor = {
  .name = "logical_xor",
  .flags = OP_METHOD,
  .help = "logical_xor(a, b) -> bool tensor\n\n"
          "a or b but not both, elementwise with broadcasting; what is not 0 is true.",
  .parameters = two,
  .n_outputs = 1,
  .forward = xor_forward,
  .samples = two_samples,
};

const op op_logical_not = {
  .name = "logical_not",
  .flags = OP_METHOD,
  .help = "logical_not(x) -> bool tensor\n\n"
          "not x, elementwise; what is not 0 is true.",
  .parameters = one,
  .n_outputs = 1,
  .forward = not_forward,
  .samples = one_samples,
};

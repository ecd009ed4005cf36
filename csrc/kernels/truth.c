/* truth.c -- any, all and count_nonzero over dims; what is not 0 (NaN included) is true.  No gradient. */
#include "reduce.h"

CLONES static void truth_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != 0.0f ? 1.0f : 0.0f;
}

CLONES static void truth_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != 0.0 ? 1.0 : 0.0;
}

CLONES static void truth_int64(int64_t n, void *const *data, const void *extra) {
  int64_t *y = data[0];
  const int64_t *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != 0;
}

static const elementwise truth_loops = {
  .float32 = truth_float32,
  .float64 = truth_float64,
  .int64 = truth_int64,
};

static status count(op_call *call, fold_kind kind, dtype result) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, x->n_dims, reduced);
  if (code != STATUS_OK) return code;
  dtype compute = x->dtype <= DTYPE_UINT8 ? DTYPE_FLOAT32 : x->dtype;
  reduction r = { .kind = kind, .compute = compute, .map = &truth_loops };
  return reduce_output(call, &r, x, reduced, call->values[1].flag, result);
}

static status any_forward(op_call *call) { return count(call, FOLD_SUM, DTYPE_BOOL); }
static status all_forward(op_call *call) { return count(call, FOLD_MIN, DTYPE_BOOL); }
static status count_nonzero_forward(op_call *call) { return count(call, FOLD_SUM, DTYPE_INT64); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIMS, 0, "", NULL },
  { "keepdim", P_FLAG, OPTION, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=bool(3,4)", "x=bool(3,4) dim=1", "x=bool(2,3,5):t dim=-1 keepdim=true", "x=int64(3,4)", "x=normal(5,7):lanes dim=2",
  NULL,
};

const op op_any = {
  .name = "any",
  .flags = OP_METHOD,
  .help = "any(x, dim = all, { keepdim = false }) -> bool tensor\n\n"
          "True where any element of all, or along one or several dims, is true.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = any_forward,
  .samples = samples,
};

const op op_all = {
  .name = "all",
  .flags = OP_METHOD,
  .help = "all(x, dim = all, { keepdim = false }) -> bool tensor\n\n"
          "True where all elements, or all along one or several dims, are true.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = all_forward,
  .samples = samples,
};

const op op_count_nonzero = {
  .name = "count_nonzero",
  .flags = OP_METHOD,
  .help = "count_nonzero(x, dim = all, { keepdim = false }) -> int64 tensor\n\n"
          "The number of elements that are not 0, of all or along one or several dims.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = count_nonzero_forward,
  .samples = samples,
};

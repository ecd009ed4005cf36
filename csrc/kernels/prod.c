/* prod.c -- y = product of x over dims; integers and bool are multiplied in int64.
** dx_i = dy * the product of the others: with no zero among the items that is dy p / x_i, where p is the product of
** the items that are not 0; with one zero it is dy p at the zero and 0 elsewhere; with more it is 0. */
#include "reduce.h"

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, x->n_dims, reduced);
  if (code != STATUS_OK) return code;
  dtype d = dtype_is_float(x->dtype) ? x->dtype : DTYPE_INT64;
  reduction r = { .kind = FOLD_PRODUCT, .compute = d };
  op_save(call, 0, x);
  return reduce_output(call, &r, x, reduced, call->values[1].flag, d);
}

CLONES static void zero_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] == 0.0f ? 1.0f : 0.0f;
}

CLONES static void zero_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] == 0.0 ? 1.0 : 0.0;
}

static const elementwise zero_loops = { .float32 = zero_float32, .float64 = zero_float64 };

CLONES static void other_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] == 0.0f ? 1.0f : x[i];
}

CLONES static void other_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] == 0.0 ? 1.0 : x[i];
}

static const elementwise other_loops = { .float32 = other_float32, .float64 = other_float64 };

CLONES static void gradient_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *z = data[3], *p = data[4];
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    bool wanted = z[i] == 0 || (z[i] == 1 && x[i] == 0);
    dx[i] = wanted ? dy[i] * p[i] / (x[i] == 0 ? 1 : x[i]) : 0;
  }
}

CLONES static void gradient_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *z = data[3], *p = data[4];
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    bool wanted = z[i] == 0 || (z[i] == 1 && x[i] == 0);
    dx[i] = wanted ? dy[i] * p[i] / (x[i] == 0 ? 1 : x[i]) : 0;
  }
}

static const elementwise gradient_loops = { .float32 = gradient_float32, .float64 = gradient_float64 };

static tensor *folded(op_call *call, fold_kind kind, const elementwise *map, const bool *reduced) {
  tensor *x = call->saved[0];
  int64_t shape[MAX_DIMS];
  reduced_shape(x, reduced, shape);
  tensor *out = tensor_new(call->context, x->dtype, x->n_dims, shape);
  reduction r = { .kind = kind, .compute = x->dtype, .map = map };
  if (out == NULL || reduce(call->context, &r, out, x, reduced) == STATUS_OK) return out;
  tensor_release(out);
  return NULL;
}

static status backward(op_call *call) {
  bool reduced[MAX_DIMS], spread[] = { true, false, true, true };
  status code = op_dims(call, 0, call->input_meta[0].n_dims, reduced);
  if (code != STATUS_OK) return code;
  tensor *zeros = folded(call, FOLD_SUM, &zero_loops, reduced);
  tensor *others = zeros != NULL ? folded(call, FOLD_PRODUCT, &other_loops, reduced) : NULL;
  tensor *operands[] = { call->output_gradients[0], call->saved[0], zeros, others };
  code = STATUS_NO_MEMORY;
  if (others != NULL) code = reduce_gradient(call, reduced, &gradient_loops, 4, operands, spread, NULL);
  tensor_release(zeros);
  tensor_release(others);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "dim", P_DIMS, 0, "", NULL },
  { "keepdim", P_FLAG, OPTION, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(3,4) dim=1",
  "x=normal(2,3,5):t dim=-1",
  "x=normal(2,3,4,5) dim=2,4 keepdim=true",
  "x=normal(5,7):lanes dim=1",
  "x=normal(37,3) dim=2",
  "bench x=normal(1000,1000)",
  "x=int64(3,4) dim=1",
  NULL,
};

const op op_prod = {
  .name = "prod",
  .flags = OP_METHOD,
  .help = "prod(x, dim = all, { keepdim = false }) -> tensor\n\n"
          "The product over all elements, or over one or several dims.  Integers and bool give int64.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

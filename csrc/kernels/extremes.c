/* extremes.c -- amax and amin over dims; NaN wins.  Items that share the extreme share the gradient evenly.  Where NaN
** has won, the gradient is NaN; or, for max and min of everything, the NaNs share it (the loops' extra is not NULL).
** As in PyTorch. */
#include "extremes.h"

CLONES static void tie_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1], *extreme = data[2];
  bool nan_ties = extra != NULL;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] == extreme[i] || (nan_ties && x[i] != x[i]) ? 1.0f : 0.0f;
}

CLONES static void tie_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1], *extreme = data[2];
  bool nan_ties = extra != NULL;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] == extreme[i] || (nan_ties && x[i] != x[i]) ? 1.0 : 0.0;
}

static const elementwise tie_loops = { .float32 = tie_float32, .float64 = tie_float64 };

/* y, its ties and the gradient have 1 for the reduced dims, or (but for the ties) lack them. */
CLONES static void share_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *y = data[3], *ties = data[4];
  bool nan_ties = extra != NULL;
  for (int64_t i = 0; i < n; i++)
    dx[i] = (x[i] == y[i] || (nan_ties && x[i] != x[i]) ? dy[i] : 0.0f) / ties[i];
}

CLONES static void share_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *y = data[3], *ties = data[4];
  bool nan_ties = extra != NULL;
  for (int64_t i = 0; i < n; i++)
    dx[i] = (x[i] == y[i] || (nan_ties && x[i] != x[i]) ? dy[i] : 0.0) / ties[i];
}

static const elementwise share_loops = { .float32 = share_float32, .float64 = share_float64 };

status extreme_forward(op_call *call, fold_kind kind, const bool *reduced, bool keep) {
  tensor *x = call->inputs[0];
  int64_t shape[MAX_DIMS];
  if (reduced_shape(x, reduced, shape) == 0)
    return op_fail(call, "x is %s: nothing has no extreme", tensor_shape_text(x).text);
  dtype compute = dtype_is_float(x->dtype) ? x->dtype : DTYPE_INT64;
  reduction r = { .kind = kind, .compute = compute };
  status code = reduce_output(call, &r, x, reduced, keep, x->dtype);
  if (code != STATUS_OK) return code;
  op_save(call, 0, x);
  op_save(call, 1, call->outputs[0]);
  return STATUS_OK;
}

static status share(op_call *call, const bool *reduced, bool nan_ties, tensor *y, tensor *ties) {
  const void *extra = nan_ties ? &nan_ties : NULL;
  bool spread[] = { true, false, true, true };
  tensor *operands[] = { call->output_gradients[0], call->saved[0], y, ties };
  reduction r = { .kind = FOLD_SUM, .compute = y->dtype, .map = &tie_loops, .extra = extra, .center = y };
  status code = reduce(call->context, &r, ties, call->saved[0], reduced);
  return code == STATUS_OK ? reduce_gradient(call, reduced, &share_loops, 4, operands, spread, extra) : code;
}

status extreme_backward(op_call *call, const bool *reduced, bool nan_ties) {
  tensor *x = call->saved[0];
  tensor *y = restore_reduced(call->context, call->saved[1], x->n_dims, x->shape, reduced);
  tensor *ties = y != NULL ? tensor_new(call->context, y->dtype, y->n_dims, y->shape) : NULL;
  status code = ties != NULL ? share(call, reduced, nan_ties, y, ties) : STATUS_NO_MEMORY;
  tensor_release(y);
  tensor_release(ties);
  return code;
}

static status fold(op_call *call, fold_kind kind) {
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, call->inputs[0]->n_dims, reduced);
  return code == STATUS_OK ? extreme_forward(call, kind, reduced, call->values[1].flag) : code;
}

static status amax_forward(op_call *call) { return fold(call, FOLD_MAX); }
static status amin_forward(op_call *call) { return fold(call, FOLD_MIN); }

static status backward(op_call *call) {
  bool reduced[MAX_DIMS];
  status code = op_dims(call, 0, call->input_meta[0].n_dims, reduced);
  return code == STATUS_OK ? extreme_backward(call, reduced, false) : code;
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

const op op_amax = {
  .name = "amax",
  .flags = OP_METHOD,
  .help = "amax(x, dim = all, { keepdim = false }) -> tensor\n\n"
          "The largest element of all, or along one or several dims; NaN where there is a NaN.\n"
          "Elements that share it share its gradient evenly.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = amax_forward,
  .backward = backward,
  .samples = samples,
};

const op op_amin = {
  .name = "amin",
  .flags = OP_METHOD,
  .help = "amin(x, dim = all, { keepdim = false }) -> tensor\n\n"
          "The smallest element of all, or along one or several dims; NaN where there is a NaN.\n"
          "Elements that share it share its gradient evenly.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = amin_forward,
  .backward = backward,
  .samples = samples,
};

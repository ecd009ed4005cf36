/* norm.c -- y = (sum of |x|^p over dims)^(1/p); p = inf: the largest |x|, -inf: the smallest, 0: how many are not 0.
** dx = dy sign(x) (|x| / y)^(p - 1), and 0 where y = 0; for p = +-inf items that share the extreme share dy evenly;
** for p = 0 it is 0. */
#include <math.h>

#include "reduce.h"

/* The sums are those of |x|^p: NaN-free special cases first, since pow is slow. */
CLONES static void absolute_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabsf(x[i]);
}

CLONES static void absolute_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabs(x[i]);
}

static const elementwise absolute_loops = { .float32 = absolute_float32, .float64 = absolute_float64 };

CLONES static void squared_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * x[i];
}

CLONES static void squared_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * x[i];
}

static const elementwise squared_loops = { .float32 = squared_float32, .float64 = squared_float64 };

CLONES static void counted_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != 0.0f ? 1.0f : 0.0f;
}

CLONES static void counted_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] != 0.0 ? 1.0 : 0.0;
}

static const elementwise counted_loops = { .float32 = counted_float32, .float64 = counted_float64 };

static void powered_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  float p = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++) y[i] = powf(fabsf(x[i]), p);
}

static void powered_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  double p = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) y[i] = pow(fabs(x[i]), p);
}

static const elementwise powered_loops = { .float32 = powered_float32, .float64 = powered_float64 };

static void rooted_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  float p = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++) y[i] = powf(x[i], 1.0f / p);
}

static void rooted_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  double p = *(const double *)extra;
  for (int64_t i = 0; i < n; i++) y[i] = pow(x[i], 1.0 / p);
}

static const elementwise rooted_loops = { .float32 = rooted_float32, .float64 = rooted_float64 };

CLONES static void square_root_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = sqrtf(x[i]);
}

CLONES static void square_root_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = sqrt(x[i]);
}

static const elementwise square_root_loops = {
  .float32 = square_root_float32,
  .float64 = square_root_float64,
};

typedef struct norm_kind {
  fold_kind fold;
  const elementwise *map, *root;   /* root NULL: the total is the norm */
} norm_kind;

static norm_kind kind_of(double p) {
  if (p == 2.0) return (norm_kind){ FOLD_SUM, &squared_loops, &square_root_loops };
  if (p == 1.0) return (norm_kind){ FOLD_SUM, &absolute_loops, NULL };
  if (p == 0.0) return (norm_kind){ FOLD_SUM, &counted_loops, NULL };
  if (isinf(p)) return (norm_kind){ p > 0.0 ? FOLD_MAX : FOLD_MIN, &absolute_loops, NULL };
  return (norm_kind){ FOLD_SUM, &powered_loops, &rooted_loops };
}

static status forward(op_call *call) {
  tensor *x = call->inputs[0];
  bool reduced[MAX_DIMS];
  int64_t shape[MAX_DIMS];
  double *p = &call->values[0].number;
  status code = op_dims(call, 1, x->n_dims, reduced);
  if (code == STATUS_OK) code = op_require_float(call);
  if (code != STATUS_OK) return code;
  if (isinf(*p) && reduced_shape(x, reduced, shape) == 0)
    return op_fail(call, "x is %s: nothing has no extreme", tensor_shape_text(x).text);
  norm_kind kind = kind_of(*p);
  reduction r = { .kind = kind.fold, .compute = x->dtype, .map = kind.map, .extra = p };
  code = reduce_output(call, &r, x, reduced, call->values[2].flag, x->dtype);
  if (code != STATUS_OK) return code;
  tensor *y = call->outputs[0];
  if (kind.root != NULL) elementwise_run(call->context, kind.root, y->dtype, y, 1, &y, p);
  op_save(call, 0, x);
  op_save(call, 1, y);
  return STATUS_OK;
}

CLONES static void euclidean_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *y = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = y[i] == 0.0f ? 0.0f : dy[i] * x[i] / y[i];
}

CLONES static void euclidean_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *y = data[3];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = y[i] == 0.0 ? 0.0 : dy[i] * x[i] / y[i];
}

static const elementwise euclidean_loops = { .float32 = euclidean_float32, .float64 = euclidean_float64 };

static void general_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *y = data[3];
  float p = (float)*(const double *)extra;
  for (int64_t i = 0; i < n; i++)
    dx[i] = x[i] == 0.0f || y[i] == 0.0f ? 0.0f : copysignf(powf(fabsf(x[i]) / y[i], p - 1.0f), x[i]) * dy[i];
}

static void general_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *y = data[3];
  double p = *(const double *)extra;
  for (int64_t i = 0; i < n; i++)
    dx[i] = x[i] == 0.0 || y[i] == 0.0 ? 0.0 : copysign(pow(fabs(x[i]) / y[i], p - 1.0), x[i]) * dy[i];
}

static const elementwise general_loops = { .float32 = general_float32, .float64 = general_float64 };

CLONES static void nothing_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = 0.0f;
}

CLONES static void nothing_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  (void)extra;
  for (int64_t i = 0; i < n; i++) dx[i] = 0.0;
}

static const elementwise nothing_loops = { .float32 = nothing_float32, .float64 = nothing_float64 };

CLONES static void tie_float32(int64_t n, void *const *data, const void *extra) {
  float *y = data[0];
  const float *x = data[1], *extreme = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabsf(x[i]) == extreme[i] ? 1.0f : 0.0f;
}

CLONES static void tie_float64(int64_t n, void *const *data, const void *extra) {
  double *y = data[0];
  const double *x = data[1], *extreme = data[2];
  (void)extra;
  for (int64_t i = 0; i < n; i++) y[i] = fabs(x[i]) == extreme[i] ? 1.0 : 0.0;
}

static const elementwise tie_loops = { .float32 = tie_float32, .float64 = tie_float64 };

CLONES static void share_float32(int64_t n, void *const *data, const void *extra) {
  float *dx = data[0];
  const float *dy = data[1], *x = data[2], *y = data[3], *ties = data[4];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    dx[i] = fabsf(x[i]) == y[i] && x[i] != 0.0f ? copysignf(1.0f, x[i]) * dy[i] / ties[i] : 0.0f;
}

CLONES static void share_float64(int64_t n, void *const *data, const void *extra) {
  double *dx = data[0];
  const double *dy = data[1], *x = data[2], *y = data[3], *ties = data[4];
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    dx[i] = fabs(x[i]) == y[i] && x[i] != 0.0 ? copysign(1.0, x[i]) * dy[i] / ties[i] : 0.0;
}

static const elementwise share_loops = { .float32 = share_float32, .float64 = share_float64 };

static status extreme_gradient(op_call *call, const bool *reduced, tensor *y, tensor *ties) {
  bool spread[] = { true, false, true, true };
  tensor *operands[] = { call->output_gradients[0], call->saved[0], y, ties };
  reduction r = { .kind = FOLD_SUM, .compute = y->dtype, .map = &tie_loops, .center = y };
  status code = reduce(call->context, &r, ties, call->saved[0], reduced);
  return code == STATUS_OK ? reduce_gradient(call, reduced, &share_loops, 4, operands, spread, NULL) : code;
}

static status extreme_backward(op_call *call, const bool *reduced) {
  tensor *x = call->saved[0];
  tensor *y = restore_reduced(call->context, call->saved[1], x->n_dims, x->shape, reduced);
  tensor *ties = y != NULL ? tensor_new(call->context, y->dtype, y->n_dims, y->shape) : NULL;
  status code = ties != NULL ? extreme_gradient(call, reduced, y, ties) : STATUS_NO_MEMORY;
  tensor_release(y);
  tensor_release(ties);
  return code;
}

static status backward(op_call *call) {
  bool reduced[MAX_DIMS], spread[] = { true, false, true };
  double *p = &call->values[0].number;
  status code = op_dims(call, 1, call->input_meta[0].n_dims, reduced);
  if (code != STATUS_OK) return code;
  if (isinf(*p)) return extreme_backward(call, reduced);
  tensor *operands[] = { call->output_gradients[0], call->saved[0], call->saved[1] };
  if (*p == 0.0) return reduce_gradient(call, reduced, &nothing_loops, 2, operands, spread, NULL);
  return reduce_gradient(call, reduced, *p == 2.0 ? &euclidean_loops : &general_loops, 3, operands, spread, p);
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "p", P_NUMBER, 0, "2", NULL },
  { "dim", P_DIMS, 0, "", NULL },
  { "keepdim", P_FLAG, OPTION, "false", NULL },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "x=normal(3,4)",
  "x=normal(3,4) dim=1",
  "x=normal(2,3,5):t p=1 dim=-1",
  "x=normal(2,3,4,5) p=3 dim=2,4 keepdim=true",
  "x=normal(5,7):lanes p=inf dim=1",
  "x=normal(37,3) p=-inf dim=2",
  "x=normal(3,4) p=0",
  "x=normal(3,4) p=0.5",
  "bench x=normal(1000,1000)",
  NULL,
};

const op op_norm = {
  .name = "norm",
  .flags = OP_METHOD,
  .help = "norm(x, p = 2, dim = all, { keepdim = false }) -> tensor\n\n"
          "The p-norm of all elements, or along one or several dims: sum(|x| ^ p) ^ (1 / p).  p = math.huge is the\n"
          "largest |x|, -math.huge the smallest, 0 the number of elements that are not 0.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

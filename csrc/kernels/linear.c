/* linear.c -- y = x W^T + b, and max(y, 0) in the same pass: the dense layer.
**
** x (..., K), weight W (M, K), bias b (M) or nil; y (..., M).  N is the product of x's leading dims.
** Memory orders: x in the lanes order, (N, K) with strides (1, P), gives y in the lanes order, as
** y^T (M x P) = W x^T (K x P) without a copy; what lies between N and P goes through the arithmetic of y and dx,
** lane by lane, and never into a sum.  Any other x gives a contiguous y.  A few rows are copied out of the lanes order
** and multiplied by dot products with W as it lies (matmul_dots.h): the same bits whatever order x had.
**
** Backward, with dy masked by y > 0 where there was a ReLU (in place when nobody else holds dy):
**   dx = dy W,  dW = dy^T x,  db = the sum of dy's rows. */
#include "../tensor/iterate.h"
#include "../tensor/parallel.h"
#include "matmul_dots.h"
#include "matmul_product.h"
#include "op.h"

enum { X, WEIGHT, BIAS };             /* inputs */
enum { ACTIVATION };                  /* values */
enum { SAVED_X, SAVED_WEIGHT, SAVED_Y };
enum { ACTIVATION_NONE, ACTIVATION_RELU };
enum { MEMO_LANES };

static bool has_relu(const op_call *call) { return call->values[ACTIVATION].integer == ACTIVATION_RELU; }

/* -- x and dy as matrices (N, K) -- */

/* The stride of the rows if those of t (..., K), taken in their order, lie evenly spaced; -1 otherwise.  The stride of
** a dim of one item says nothing, contiguous or not: x:transpose(1, 2) of (1, 2, K) is contiguous. */
static int64_t row_stride(const tensor *t) {
  if (tensor_numel(t) == 0) return t->shape[t->n_dims - 1];
  int64_t stride = -1, next = 0;
  for (int d = t->n_dims - 2; d >= 0; d--) {
    if (t->shape[d] == 1) continue;
    if (stride < 0) stride = t->stride[d];
    else if (t->stride[d] != next) return -1;
    next = t->stride[d] * t->shape[d];
  }
  return stride < 0 ? t->shape[t->n_dims - 1] : stride;
}

/* (..., K) as (N, K), its strides fit for a product; copies where they are not.  Lanes stay lanes. */
static tensor *as_rows(context *c, tensor *t) {
  if (t->n_dims == 2) return tensor_plain(c, t);
  tensor *from = row_stride(t) >= 0 ? tensor_retain(t) : tensor_contiguous(c, t);
  if (from == NULL) return NULL;
  int d = from->n_dims;
  int64_t width = from->shape[d - 1], rows = 1;
  for (int i = 0; i < d - 1; i++) rows *= from->shape[i];
  int64_t shape[2] = { rows, width };
  int64_t stride[2] = { row_stride(from), from->stride[d - 1] };
  tensor *view = tensor_view(c, from, 2, shape, stride, from->offset);
  tensor_release(from);
  tensor *plain = view == NULL ? NULL : tensor_plain(c, view);
  tensor_release(view);
  return plain;
}

/* t (N, K) in the lanes order with the padding as further rows: (P x K). */
static matrix padded(const tensor *t) {
  matrix m = matrix_of(t);
  m.rows = t->stride[1];
  m.row_stride = 1;
  m.column_stride = t->stride[1];
  return m;
}

static matrix rows_of(const tensor *t, bool lanes) { return lanes ? padded(t) : matrix_of(t); }

/* -- forward: y = x W^T + b -- */

static status check(op_call *call) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_dims(call, WEIGHT, 2);
  if (code != STATUS_OK) return code;
  const tensor *x = call->inputs[X], *weight = call->inputs[WEIGHT], *bias = call->inputs[BIAS];
  if (x->n_dims == 0 || x->shape[x->n_dims - 1] != weight->shape[1])
    return op_fail(call, "x is %s but weight is %s", tensor_shape_text(x).text, tensor_shape_text(weight).text);
  if (bias != NULL && (bias->n_dims != 1 || bias->shape[0] != weight->shape[0]))
    return op_fail(call, "bias is %s but weight is %s", tensor_shape_text(bias).text,
                   tensor_shape_text(weight).text);
  return STATUS_OK;
}

static status make_output(op_call *call, bool lanes) {
  const tensor *x = call->inputs[X];
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < x->n_dims; d++) shape[d] = x->shape[d];
  shape[x->n_dims - 1] = call->inputs[WEIGHT]->shape[0];
  if (!lanes) return op_output(call, 0, x->dtype, x->n_dims, shape);
  call->outputs[0] = tensor_new_lanes(call->context, x->dtype, 2, shape);
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status multiply(op_call *call, bool lanes, const tensor *x, const tensor *weight, const tensor *bias) {
  tensor *y = as_rows(call->context, call->outputs[0]);   /* a view: y is plain as it was made */
  if (y == NULL) return STATUS_NO_MEMORY;
  product p = { .name = "linear", .dtype = x->dtype, .alpha = 1.0, .n_batch = 1, .relu = has_relu(call) };
  p.out = rows_of(y, lanes);
  p.a = rows_of(x, lanes);
  p.b = matrix_transposed(matrix_of(weight));
  p.column_bias = bias == NULL ? NULL : tensor_data(bias);
  status code = product_run(call->context, &p);
  tensor_release(y);
  return code;
}

static void save(op_call *call, tensor *x, tensor *weight) {
  bool any = call->needs_gradient[X] || call->needs_gradient[WEIGHT] || call->needs_gradient[BIAS];
  if (call->needs_gradient[WEIGHT]) op_save(call, SAVED_X, x);
  if (call->needs_gradient[X]) op_save(call, SAVED_WEIGHT, weight);
  if (any && has_relu(call)) op_save(call, SAVED_Y, call->outputs[0]);
}

static status forward(op_call *call) {
  status code = check(call);
  if (code != STATUS_OK) return code;
  context *c = call->context;
  const tensor *given = call->inputs[X];
  bool few = given->n_dims == 2 && given->shape[0] <= DOTS_ROWS;
  bool lanes = given->n_dims == 2 && !few && tensor_is_lanes(given);
  call->memo[MEMO_LANES] = lanes;
  tensor *bias = call->inputs[BIAS] == NULL ? NULL : tensor_contiguous(c, call->inputs[BIAS]);
  tensor *x = few ? tensor_contiguous(c, call->inputs[X]) : as_rows(c, call->inputs[X]);
  tensor *weight = tensor_plain(c, call->inputs[WEIGHT]);
  code = STATUS_NO_MEMORY;
  if (x != NULL && weight != NULL && (bias != NULL || call->inputs[BIAS] == NULL)) code = make_output(call, lanes);
  if (code == STATUS_OK) code = multiply(call, lanes, x, weight, bias);
  if (code == STATUS_OK) save(call, x, weight);
  tensor_release(x);
  tensor_release(weight);
  tensor_release(bias);
  return code;
}

/* -- again, for a few rows -- */

typedef struct few_rows {
  matrix weight;
  const float *bias;   /* or NULL */
  bool relu;
} few_rows;

static void run_few(const void *own, const context *c, float *y, const float *x, int64_t x_sample, int64_t n) {
  const few_rows *f = own;
  product p = { .name = "linear", .dtype = DTYPE_FLOAT32, .alpha = 1.0, .n_batch = 1, .relu = f->relu };
  p.out = matrix_normal((matrix){ y, n, f->weight.rows, f->weight.rows, 1 });
  p.a = matrix_normal((matrix){ (float *)(uintptr_t)x, n, f->weight.columns, x_sample, 1 });
  p.b = matrix_transposed(f->weight);
  p.column_bias = f->bias;
  product_run((context *)(uintptr_t)c, &p);   /* by dot products, of sizes that were fine before: cannot fail */
}

/* Where nothing needs a copy but x, whose rows may lie anywhere. */
static bool repeat(op_call *call, op_step *s) {
  const tensor *x = call->inputs[X], *weight = call->inputs[WEIGHT], *bias = call->inputs[BIAS];
  bool lies_well = x->n_dims == 2 && (x->stride[1] == 1 || x->shape[1] == 1) && tensor_is_contiguous(weight) &&
                   (bias == NULL || tensor_is_contiguous(bias));
  if (x->dtype != DTYPE_FLOAT32 || x->shape[0] > DOTS_ROWS || !lies_well) return false;
  few_rows *f = context_get(call->context, sizeof *f);
  if (f == NULL) return false;
  *f = (few_rows){ matrix_of(weight), bias == NULL ? NULL : tensor_float32(bias), has_relu(call) };
  *s = (op_step){ .run = run_few, .own = f, .own_bytes = sizeof *f, .most = DOTS_ROWS };
  return true;
}

/* -- backward: the mask -- */

/* masked = y > 0 ? dy : 0 */
CLONES
static void mask_dense(float *restrict masked, const float *dy, const float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) masked[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

CLONES
static void mask_dense_in_place(float *dy, const float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

static void mask_float32(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  bool dense = step[0] == sizeof(float) && step[1] == sizeof(float) && step[2] == sizeof(float);
  if (dense && data[0] == data[1]) {
    mask_dense_in_place((float *)(void *)data[0], (const float *)(const void *)data[2], n);
    return;
  }
  if (dense) {
    mask_dense((float *)(void *)data[0], (const float *)(const void *)data[1], (const float *)(const void *)data[2], n);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    float y = *(const float *)(const void *)(data[2] + i * step[2]);
    *(float *)(void *)(data[0] + i * step[0]) = y > 0.0f ? *(const float *)(const void *)(data[1] + i * step[1]) : 0.0f;
  }
}

static void mask_float64(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  for (int64_t i = 0; i < n; i++) {
    double y = *(const double *)(const void *)(data[2] + i * step[2]);
    *(double *)(void *)(data[0] + i * step[0]) = y > 0.0 ? *(const double *)(const void *)(data[1] + i * step[1]) : 0.0;
  }
}

/* Nobody else sees its elements, and no element stands for several. */
static bool may_overwrite(const tensor *t) {
  return tensor_owns_alone(t) && (tensor_is_contiguous(t) || tensor_is_lanes(t));
}

/* dy, or dy masked by the saved y: a new reference. */
static tensor *masked_gradient(op_call *call) {
  tensor *dy = call->output_gradients[0], *y = call->saved[SAVED_Y];
  if (!has_relu(call)) return tensor_retain(dy);
  tensor *masked = may_overwrite(dy) ? tensor_retain(dy) : tensor_new_like(call->context, y, dy->dtype);
  if (masked == NULL) return NULL;
  tensor *operands[3] = { masked, dy, y };
  iterate(call->context, 3, operands, dy->dtype == DTYPE_FLOAT32 ? mask_float32 : mask_float64, NULL);
  return masked;
}

/* -- backward: db -- */

typedef struct sums {
  matrix dy;         /* (N x M) */
  dtype dtype;
  double *partial;   /* (chunks of rows, M) */
} sums;

enum { SUM_ROWS = 256 };   /* rows that are summed in float32 before they go into double */

CLONES
static float sum_dense(const float *x, int64_t n) {
  float lane[16] = { 0 };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int k = 0; k < 16; k++) lane[k] += x[i + k];
  float sum = 0.0f;
  for (int k = 0; k < 16; k++) sum += lane[k];
  for (; i < n; i++) sum += x[i];
  return sum;
}

/* Rows one after the other: sum[m] += dy[n][m], 64 columns at a time. */
CLONES
static void sum_rows(double *sum, const float *dy, int64_t rows, int64_t columns, int64_t row_stride) {
  for (int64_t first = 0; first < columns; first += 64) {
    float lane[64] = { 0 };
    int64_t width = columns - first < 64 ? columns - first : 64;
    for (int64_t r = 0; r < rows; r++)
      for (int64_t k = 0; k < width; k++) lane[k] += dy[r * row_stride + first + k];
    for (int64_t k = 0; k < width; k++) sum[first + k] = (double)lane[k];
  }
}

static void sum_chunk(void *argument, int64_t begin, int64_t end) {
  const sums *s = argument;
  matrix dy = s->dy;
  double *partial = s->partial + begin / SUM_ROWS * dy.columns;
  if (s->dtype == DTYPE_FLOAT32 && dy.column_stride == 1) {
    sum_rows(partial, (const float *)dy.data + begin * dy.row_stride, end - begin, dy.columns, dy.row_stride);
    return;
  }
  for (int64_t m = 0; m < dy.columns; m++) {
    int64_t at = begin * dy.row_stride + m * dy.column_stride;
    if (s->dtype == DTYPE_FLOAT32 && dy.row_stride == 1) {
      partial[m] = (double)sum_dense((const float *)dy.data + at, end - begin);
      continue;
    }
    partial[m] = 0.0;
    for (int64_t n = begin; n < end; n++, at += dy.row_stride)
      partial[m] += s->dtype == DTYPE_FLOAT32 ? (double)((const float *)dy.data)[at] : ((const double *)dy.data)[at];
  }
}

/* db = the sum of dy's rows: chunks of SUM_ROWS, added in their order. */
static status bias_gradient(op_call *call, const tensor *dy) {
  context *c = call->context;
  status code = op_gradient(call, BIAS);
  if (code != STATUS_OK) return code;
  tensor *db = call->input_gradients[BIAS];
  sums s = { matrix_of(dy), dy->dtype, NULL };
  int64_t n_chunks = (s.dy.rows + SUM_ROWS - 1) / SUM_ROWS;
  size_t n_bytes = (size_t)(n_chunks * s.dy.columns) * sizeof *s.partial;
  if (n_bytes == 0) return tensor_fill(c, db, 0.0);
  s.partial = context_get(c, n_bytes);
  if (s.partial == NULL) return STATUS_NO_MEMORY;
  parallel_for(c, s.dy.rows, SUM_ROWS, sum_chunk, &s);
  for (int64_t m = 0; m < s.dy.columns; m++) {
    double sum = 0.0;
    for (int64_t i = 0; i < n_chunks; i++) sum += s.partial[i * s.dy.columns + m];
    if (db->dtype == DTYPE_FLOAT32) tensor_float32(db)[m] = (float)sum;
    else tensor_float64(db)[m] = sum;
  }
  context_put(c, s.partial, n_bytes);
  return STATUS_OK;
}

/* -- backward: dW and dx -- */

/* dW (M x K) = dy^T (M x N) x (N x K) */
static status weight_gradient(op_call *call, const tensor *dy) {
  status code = op_gradient(call, WEIGHT);
  if (code != STATUS_OK) return code;
  product p = { .name = "linear", .dtype = dy->dtype, .alpha = 1.0, .n_batch = 1 };
  p.out = matrix_of(call->input_gradients[WEIGHT]);
  p.a = matrix_transposed(matrix_of(dy));
  p.b = matrix_of(call->saved[SAVED_X]);
  return product_run(call->context, &p);
}

/* dx (N x K) = dy (N x M) W (M x K) */
static status x_gradient(op_call *call, const tensor *dy, bool lanes) {
  context *c = call->context;
  const tensor_meta *meta = &call->input_meta[X];
  tensor *dx = lanes ? tensor_new_lanes(c, meta->dtype, 2, meta->shape)
                     : tensor_new(c, meta->dtype, meta->n_dims, meta->shape);
  if (dx == NULL) return STATUS_NO_MEMORY;
  call->input_gradients[X] = dx;
  tensor *dx_rows = as_rows(c, dx);
  if (dx_rows == NULL) return STATUS_NO_MEMORY;
  product p = { .name = "linear", .dtype = dx->dtype, .alpha = 1.0, .n_batch = 1 };
  p.out = rows_of(dx_rows, lanes);
  p.a = rows_of(dy, lanes);
  p.b = matrix_of(call->saved[SAVED_WEIGHT]);
  status code = product_run(c, &p);
  tensor_release(dx_rows);
  return code;
}

static status gradients(op_call *call, const tensor *dy, bool lanes) {
  status code = STATUS_OK;
  if (call->needs_gradient[X]) code = x_gradient(call, dy, lanes);
  if (code == STATUS_OK && call->needs_gradient[WEIGHT]) code = weight_gradient(call, dy);
  if (code == STATUS_OK && call->needs_gradient[BIAS]) code = bias_gradient(call, dy);
  return code;
}

static status backward(op_call *call) {
  context *c = call->context;
  bool lanes = call->memo[MEMO_LANES] != 0;
  tensor *masked = masked_gradient(call);
  if (masked == NULL) return STATUS_NO_MEMORY;
  tensor *dy = lanes ? tensor_lanes(c, masked) : as_rows(c, masked);
  status code = dy == NULL ? STATUS_NO_MEMORY : gradients(call, dy, lanes);
  tensor_release(dy);
  tensor_release(masked);
  return code;
}

/* -- registration -- */

static double flops(const op_call *call) {
  return 2.0 * (double)tensor_numel(call->outputs[0]) * (double)call->inputs[WEIGHT]->shape[1];
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR, 0, NULL, NULL },
  { "bias", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "activation", P_CHOICE, OPTION, "none", "none|relu" },
  { NULL, 0, 0, NULL, NULL }
};

static const char *const samples[] = {
  "bench x=normal(256,288):lanes weight=normal(64,288) bias=normal(64) activation=relu",
  "x=normal(3,5) weight=normal(4,5) bias=normal(4)",
  "x=normal(3,5) weight=normal(4,5)",
  "x=normal(5) weight=normal(7,5) bias=normal(7)",
  "x=normal(1,19) weight=normal(6,19) bias=normal(6) activation=relu",
  "x=normal(2,1,5) weight=normal(3,5)",
  "x=normal(2,3,5) weight=normal(1,5) bias=normal(1) activation=relu",
  "x=normal(19,7):lanes weight=normal(9,7) bias=normal(9) activation=relu",
  "x=normal(5,3):lanes weight=normal(2,3) bias=normal(2)",
  "x=normal(23,6):t weight=normal(17,6):t bias=normal(17)",
  "x=normal(2,3,4):t weight=normal(5,4)",
  NULL
};

const op op_linear = {
  .name = "linear",
  .flags = OP_FUNCTIONAL,
  .help = "linear(x, weight, bias, { activation = \"none\" }) -> tensor\n\n"
          "x W^T + b for x (..., K), weight (M, K) and bias (M) or nil: (..., M).  activation = \"relu\" applies\n"
          "max(., 0) in the same pass.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
  .repeat = repeat,
  .flops = flops,
};

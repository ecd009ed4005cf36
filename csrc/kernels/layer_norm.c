/* layer_norm.c -- y = (x - mean) r w + b over the last dims, r = 1 / sqrt(var + eps), var biased.
** Ba, Kiros & Hinton, 2016.  x is read as n rows of D contiguous values; w and b have the rows' shape.
** With g = dy w,  h = (x - mean) r:   dx = r (g - mean(g) - h mean(g h));   dw = sum over rows dy h;  db = sum dy
** The sums over rows are double, by chunks of rows that depend on the sizes only, added in their order. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "op.h"

enum { X, WEIGHT, BIAS };                                 /* inputs */
enum { NORMALIZED_SHAPE, EPS };                           /* values */
enum { SAVED_X, SAVED_WEIGHT, SAVED_STATISTICS };         /* statistics: (n, 2) float64, mean and r */
enum { MOST_CHUNKS = 16, ITEMS_A_CHUNK = 1 << 13 };

typedef struct work {
  const tensor *x, *weight, *bias, *dy;
  tensor *y, *dx;
  double *statistics;
  double *sums;             /* backward: by chunk, D of dw and D of db; or NULL */
  int64_t n, columns, grain;
  double eps;
} work;

static double item(const tensor *t, int64_t i) {
  return t->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(t)[i] : tensor_float64(t)[i];
}

/* -- leaves: one row; w and b may be NULL -- */

enum { LANES = 16, ROWS = 8 };
typedef float vector __attribute__((vector_size(4 * LANES)));
typedef float loose_vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));   /* anywhere in memory */
typedef double loose_doubles __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

static double total_of(const vector *sum) {
  double four[4] = { 0 };
  for (int64_t j = 0; j < LANES; j++) four[j % 4] += (double)(*sum)[j];
  return (four[0] + four[1]) + (four[2] + four[3]);
}

CLONES static double sum_float32(int64_t n, const float *x) {
  vector sum = { 0 };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) sum += *(const loose_vector *)(x + i);
  double rest = 0.0;
  for (; i < n; i++) rest += (double)x[i];
  return total_of(&sum) + rest;
}

CLONES static double squares_float32(int64_t n, const float *x, float mean) {
  vector sum = { 0 };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vector away = *(const loose_vector *)(x + i) - mean;
    sum += away * away;
  }
  double rest = 0.0;
  for (; i < n; i++) rest += (double)((x[i] - mean) * (x[i] - mean));
  return total_of(&sum) + rest;
}

CLONES static void normalize_float32(int64_t n, float *restrict y, const float *restrict x, float mean, float r,
                                     const float *restrict weight, const float *restrict bias) {
  if (weight != NULL && bias != NULL) {
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * r * weight[i] + bias[i];
    return;
  }
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * r;
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
  if (bias != NULL)
    for (int64_t i = 0; i < n; i++) y[i] += bias[i];
}

/* sums[0] = sum g, sums[1] = sum g h */
CLONES static void gradient_sums_float32(int64_t n, const float *x, const float *dy, const float *weight, float mean,
                                         float r, double sums[2]) {
  vector total = { 0 }, products = { 0 };
  double rest = 0.0, rest_products = 0.0;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vector g = *(const loose_vector *)(dy + i);
    if (weight != NULL) g *= *(const loose_vector *)(weight + i);
    total += g;
    products += g * ((*(const loose_vector *)(x + i) - mean) * r);
  }
  for (; i < n; i++) {
    float g = weight != NULL ? dy[i] * weight[i] : dy[i];
    rest += (double)g;
    rest_products += (double)(g * ((x[i] - mean) * r));
  }
  sums[0] = total_of(&total) + rest;
  sums[1] = total_of(&products) + rest_products;
}

CLONES static void gradient_float32(int64_t n, float *restrict dx, const float *restrict x, const float *restrict dy,
                                    const float *restrict weight, float mean, float r, float mean_g, float mean_gh) {
  if (weight != NULL)
    for (int64_t i = 0; i < n; i++) dx[i] = r * (dy[i] * weight[i] - mean_g - (x[i] - mean) * r * mean_gh);
  else
    for (int64_t i = 0; i < n; i++) dx[i] = r * (dy[i] - mean_g - (x[i] - mean) * r * mean_gh);
}

/* A few rows, statistics their means and r: added up in float before they go into the double sums. */
CLONES static void add_parameters_float32(int64_t n, double *dw, double *db, int64_t rows, const float *x,
                                          const float *dy, const double *statistics) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vector w = { 0 }, b = { 0 };
    for (int64_t row = 0; row < rows; row++) {
      vector g = *(const loose_vector *)(dy + row * n + i), item = *(const loose_vector *)(x + row * n + i);
      w += g * ((item - (float)statistics[2 * row]) * (float)statistics[2 * row + 1]);
      b += g;
    }
    *(loose_doubles *)(dw + i) += __builtin_convertvector(w, loose_doubles);
    *(loose_doubles *)(db + i) += __builtin_convertvector(b, loose_doubles);
  }
  for (; i < n; i++) {
    for (int64_t row = 0; row < rows; row++) {
      float g = dy[row * n + i];
      dw[i] += (double)(g * ((x[row * n + i] - (float)statistics[2 * row]) * (float)statistics[2 * row + 1]));
      db[i] += (double)g;
    }
  }
}

/* -- forward -- */

static const float *floats(const tensor *t) { return t != NULL ? tensor_float32(t) : NULL; }

static void normalize_row_float32(const work *w, int64_t row) {
  const float *x = tensor_float32(w->x) + row * w->columns;
  double n = (double)w->columns, mean = sum_float32(w->columns, x) / n;
  double away = (double)(float)mean - mean;      /* the squares are taken from the rounded mean */
  double variance = squares_float32(w->columns, x, (float)mean) / n - away * away;
  double r = 1.0 / sqrt((variance < 0.0 ? 0.0 : variance) + w->eps);
  w->statistics[2 * row] = mean;
  w->statistics[2 * row + 1] = r;
  normalize_float32(w->columns, tensor_float32(w->y) + row * w->columns, x, (float)mean, (float)r, floats(w->weight),
                    floats(w->bias));
}

static void normalize_row_float64(const work *w, int64_t row) {
  const double *x = tensor_float64(w->x) + row * w->columns;
  double *y = tensor_float64(w->y) + row * w->columns;
  double mean = 0.0, variance = 0.0;
  for (int64_t i = 0; i < w->columns; i++) mean += x[i];
  mean /= (double)w->columns;
  for (int64_t i = 0; i < w->columns; i++) variance += (x[i] - mean) * (x[i] - mean);
  double r = 1.0 / sqrt(variance / (double)w->columns + w->eps);
  w->statistics[2 * row] = mean;
  w->statistics[2 * row + 1] = r;
  for (int64_t i = 0; i < w->columns; i++)
    y[i] = (x[i] - mean) * r * (w->weight != NULL ? item(w->weight, i) : 1.0) +
           (w->bias != NULL ? item(w->bias, i) : 0.0);
}

static void normalize_rows(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t row = begin; row < end; row++)
    (w->x->dtype == DTYPE_FLOAT32 ? normalize_row_float32 : normalize_row_float64)(w, row);
}

static status check_shape(op_call *call, const tensor *t, const char *name) {
  const op_value *shape = &call->values[NORMALIZED_SHAPE];
  bool fits = t->n_dims >= shape->list.count;
  for (int k = 0; fits && k < shape->list.count; k++)
    fits = t->shape[t->n_dims - shape->list.count + k] == shape->list.items[k];
  if (fits && (t == call->inputs[X] || t->n_dims == shape->list.count)) return STATUS_OK;
  return op_fail(call, "%s is %s, but normalized_shape is %s", name, tensor_shape_text(t).text,
                 shape_to_text(shape->list.count, shape->list.items).text);
}

static status check(op_call *call) {
  status code = op_require_float(call);
  if (code != STATUS_OK) return code;
  if (call->values[NORMALIZED_SHAPE].list.count == 0) return op_fail(call, "normalized_shape is empty");
  for (int i = X; i <= BIAS; i++) {
    if (call->inputs[i] == NULL) continue;
    code = check_shape(call, call->inputs[i], op_input_name(call, i));
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

static work begin_work(const op_call *call) {
  work w = { .x = call->saved[SAVED_X], .weight = call->saved[SAVED_WEIGHT], .columns = 1,
             .statistics = tensor_float64(call->saved[SAVED_STATISTICS]), .eps = call->values[EPS].number };
  const op_value *shape = &call->values[NORMALIZED_SHAPE];
  for (int k = 0; k < shape->list.count; k++) w.columns *= shape->list.items[k];
  w.n = call->saved[SAVED_STATISTICS]->shape[0];
  int64_t rows = ITEMS_A_CHUNK / (w.columns + 1) + 1, least = (w.n + MOST_CHUNKS - 1) / MOST_CHUNKS;
  w.grain = rows > least ? rows : least;
  return w;
}

static status forward(op_call *call) {
  context *c = call->context;
  status code = check(call);
  if (code != STATUS_OK) return code;
  tensor *x = call->inputs[X];
  int64_t shape[2] = { 1, 2 };
  for (int d = 0; d < x->n_dims - call->values[NORMALIZED_SHAPE].list.count; d++) shape[0] *= x->shape[d];
  call->saved[SAVED_X] = tensor_contiguous(c, x);
  call->saved[SAVED_STATISTICS] = tensor_new(c, DTYPE_FLOAT64, 2, shape);
  if (call->saved[SAVED_X] == NULL || call->saved[SAVED_STATISTICS] == NULL) return STATUS_NO_MEMORY;
  if (call->inputs[WEIGHT] != NULL && (call->saved[SAVED_WEIGHT] = tensor_contiguous(c, call->inputs[WEIGHT])) == NULL)
    return STATUS_NO_MEMORY;
  tensor *bias = call->inputs[BIAS] != NULL ? tensor_contiguous(c, call->inputs[BIAS]) : NULL;
  if (call->inputs[BIAS] != NULL && bias == NULL) return STATUS_NO_MEMORY;
  code = op_output(call, 0, x->dtype, x->n_dims, x->shape);
  if (code == STATUS_OK) {
    work w = begin_work(call);
    w.y = call->outputs[0];
    w.bias = bias;
    parallel_for(c, w.n, w.grain, normalize_rows, &w);
  }
  tensor_release(bias);
  return code;
}

/* -- backward -- */

static void gradient_row_float32(const work *w, int64_t row) {
  int64_t n = w->columns;
  const float *x = tensor_float32(w->x) + row * n, *dy = tensor_float32(w->dy) + row * n, *weight = floats(w->weight);
  float mean = (float)w->statistics[2 * row], r = (float)w->statistics[2 * row + 1];
  double sums[2];
  gradient_sums_float32(n, x, dy, weight, mean, r, sums);
  gradient_float32(n, tensor_float32(w->dx) + row * n, x, dy, weight, mean, r, (float)(sums[0] / (double)n),
                   (float)(sums[1] / (double)n));
}

/* At most ROWS of them, while they are in the first-level cache. */
static void gradient_rows_float32(const work *w, int64_t begin, int64_t end, double *dw, double *db) {
  int64_t n = w->columns;
  for (int64_t row = begin; row < end && w->dx != NULL; row++) gradient_row_float32(w, row);
  if (dw == NULL) return;
  add_parameters_float32(n, dw, db, end - begin, tensor_float32(w->x) + begin * n, tensor_float32(w->dy) + begin * n,
                         w->statistics + 2 * begin);
}

static void gradient_row_float64(const work *w, int64_t row, double *dw, double *db) {
  int64_t n = w->columns;
  const double *x = tensor_float64(w->x) + row * n, *dy = tensor_float64(w->dy) + row * n;
  double mean = w->statistics[2 * row], r = w->statistics[2 * row + 1], mean_g = 0.0, mean_gh = 0.0;
  for (int64_t i = 0; i < n; i++) {
    double g = dy[i] * (w->weight != NULL ? item(w->weight, i) : 1.0), h = (x[i] - mean) * r;
    mean_g += g / (double)n;
    mean_gh += g * h / (double)n;
    if (dw != NULL) dw[i] += dy[i] * h, db[i] += dy[i];
  }
  if (w->dx == NULL) return;
  double *dx = tensor_float64(w->dx) + row * n;
  for (int64_t i = 0; i < n; i++)
    dx[i] = r * (dy[i] * (w->weight != NULL ? item(w->weight, i) : 1.0) - mean_g - (x[i] - mean) * r * mean_gh);
}

static void gradient_rows(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  double *dw = w->sums != NULL ? w->sums + begin / w->grain * 2 * w->columns : NULL;
  double *db = dw != NULL ? dw + w->columns : NULL;
  if (dw != NULL) memset(dw, 0, (size_t)(2 * w->columns) * sizeof *dw);
  for (int64_t row = begin, next; row < end; row = next) {
    next = row + ROWS < end ? row + ROWS : end;
    if (w->x->dtype == DTYPE_FLOAT32) gradient_rows_float32(w, row, next, dw, db);
    else
      for (; row < next; row++) gradient_row_float64(w, row, dw, db);
  }
}

static status parameter_gradient(op_call *call, const work *w, int i, int64_t n_chunks) {
  if (!call->needs_gradient[i]) return STATUS_OK;
  status code = op_gradient(call, i);
  if (code != STATUS_OK) return code;
  tensor *g = call->input_gradients[i];
  double *total = w->sums + (i == BIAS) * w->columns;   /* the first chunk's, to which the others are added */
  for (int64_t chunk = 1; chunk < n_chunks; chunk++)
    for (int64_t k = 0; k < w->columns; k++) total[k] += total[2 * chunk * w->columns + k];
  for (int64_t k = 0; k < w->columns; k++) {
    if (g->dtype == DTYPE_FLOAT32) tensor_float32(g)[k] = n_chunks > 0 ? (float)total[k] : 0.0f;
    else tensor_float64(g)[k] = n_chunks > 0 ? total[k] : 0.0;
  }
  return STATUS_OK;
}

static status backward_with(op_call *call, work *w) {
  int64_t n_chunks = (w->n + w->grain - 1) / w->grain;
  size_t n_bytes = (size_t)(2 * n_chunks * w->columns + 1) * sizeof(double);
  if (call->needs_gradient[X]) {
    status code = op_gradient(call, X);
    if (code != STATUS_OK) return code;
    w->dx = call->input_gradients[X];
  }
  if (call->needs_gradient[WEIGHT] || call->needs_gradient[BIAS]) {
    w->sums = context_get(call->context, n_bytes);
    if (w->sums == NULL) return STATUS_NO_MEMORY;
  }
  parallel_for(call->context, w->n, w->grain, gradient_rows, w);
  status code = parameter_gradient(call, w, WEIGHT, n_chunks);
  if (code == STATUS_OK) code = parameter_gradient(call, w, BIAS, n_chunks);
  if (w->sums != NULL) context_put(call->context, w->sums, n_bytes);
  return code;
}

static status backward(op_call *call) {
  work w = begin_work(call);
  tensor *dy = tensor_contiguous(call->context, call->output_gradients[0]);
  if (dy == NULL) return STATUS_NO_MEMORY;
  w.dy = dy;
  status code = backward_with(call, &w);
  tensor_release(dy);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "normalized_shape", P_SIZES, 0, NULL, NULL },
  { "weight", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "bias", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "eps", P_NUMBER, OPTION, "1e-5", NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=normal(4,3,5) normalized_shape=5 weight=normal(5) bias=normal(5)",
  "x=normal(17,20):lanes normalized_shape=20 weight=normal(20)",
  "x=normal(3,4,5):t normalized_shape=4,5 weight=normal(4,5) bias=normal(4,5) eps=0.1",
  "x=normal(6) normalized_shape=6",
  "bench x=normal(512,256) normalized_shape=256 weight=normal(256) bias=normal(256)",
  NULL,
};

const op op_layer_norm = {
  .name = "layer_norm",
  .flags = OP_FUNCTIONAL,
  .help = "layer_norm(x, normalized_shape [, weight [, bias [, { eps = 1e-5 }]]]) -> tensor\n\n"
          "Normalises each sample of x over its last dims, which must be normalized_shape (a table), then multiplies by "
          "weight and adds bias, which have that shape.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

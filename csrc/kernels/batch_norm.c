/* batch_norm.c -- y = (x - mean) / sqrt(var + eps) w + b, by channel, then a ReLU if asked for.
** Ioffe & Szegedy, ICML 2015.  x (N, C), (N, C, L) or (N, C, H, W); M = values of a channel.
**
** training: mean and (biased) var of the batch;  running = (1 - momentum) running + momentum batch, with the
** unbiased var, in place.  Otherwise: the running statistics, constant in the backward.
** With g = dy where y > 0 (ReLU) or dy,  xc = x - mean,  r = 1 / sqrt(var + eps):
**   db = sum g;   dw = r sum g xc;   dx = w r (g - db / M - xc r dw / M)   (training),   w r g   (otherwise)
**
** A channel is `count` rows of `length` adjacent values in lanes order (pixels of samples) as in contiguous order
** (samples of pixels); both are read in place, and the output has the same order.  Each channel is read once from
** memory: statistics, then, while it is in the cache, the result.  Statistics are sound for large means: sums are of
** x minus the mean so far, float32 in short pieces that are joined in double (Chan, Golub & LeVeque 1983).
** Channels are the unit of parallel work, so the bits do not depend on the number of threads.
** dx takes the place of dy where nobody else can see that: for large images, memory is what the time goes to. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "op.h"

enum { X, WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };              /* inputs */
enum { TRAINING, MOMENTUM, EPS, ACTIVATION };                     /* values */
enum { SAVED_X, SAVED_WEIGHT, SAVED_BIAS, SAVED_STATISTICS };     /* saved: statistics (3, C) float64: mean, r, var */
enum { PIECE = 2048 };                                            /* values that are summed in x's own type */

typedef struct channels {
  int64_t n;                    /* C */
  int64_t count, length;        /* rows of a channel */
  int64_t pitch, stride;        /* items from row to row, from channel to channel */
} channels;

typedef struct work {
  channels at;
  const tensor *x, *weight, *bias, *dy;
  tensor *y, *dx;
  double *mean, *inverse;       /* by channel */
  double *variance;             /* biased, by channel; only in the forward in training */
  double *sums[2];              /* backward: of g and of g xc, by channel */
  double eps;
  bool training, relu;
} work;

static double item(const tensor *t, int64_t i) {
  return t->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(t)[i] : tensor_float64(t)[i];
}

/* -- the channels of a tensor -- */

static bool lanes_are_better(const tensor *x, int64_t pixels) {
  if (x->n_dims < 2 || tensor_is_lanes(x)) return true;
  return x->shape[0] >= 8 && !(tensor_is_contiguous(x) && pixels >= 16);
}

static channels channels_of(const tensor *x, bool is_lanes) {
  int64_t pixels = 1, n = x->shape[0];
  for (int d = 2; d < x->n_dims; d++) pixels *= x->shape[d];
  channels at = { .n = x->shape[1] };
  if (is_lanes) {
    at.count = pixels, at.length = n, at.pitch = lanes_padded(n), at.stride = pixels * at.pitch;
  } else {
    at.count = n, at.length = pixels, at.pitch = at.n * pixels, at.stride = pixels;
  }
  return at;
}

static tensor *in_order(context *c, tensor *t, bool is_lanes) {
  return is_lanes ? tensor_lanes(c, t) : tensor_contiguous(c, t);
}

static tensor *new_in_order(context *c, const tensor *like, bool is_lanes) {
  if (is_lanes) return tensor_new_lanes(c, like->dtype, like->n_dims, like->shape);
  return tensor_new(c, like->dtype, like->n_dims, like->shape);
}

/* -- leaves: rows of a piece, pitch items apart -- */

typedef float vector __attribute__((vector_size(32), aligned(4)));
typedef int32_t mask __attribute__((vector_size(32)));
enum { WIDTH = 8 };

static double total_of(const vector *a, const vector *b) {
  double total = 0.0;
  for (int j = 0; j < WIDTH; j++) total += (double)(*a)[j] + (double)(*b)[j];
  return total;
}

/* sums of d and d^2, d = x - shift */
CLONES static void moments_float32(int64_t n_rows, int64_t length, int64_t pitch, const float *x, float shift,
                                   double sums[2]) {
  vector s0 = { 0 }, s1 = { 0 }, q0 = { 0 }, q1 = { 0 };
  double rest = 0.0, rest_squares = 0.0;
  for (int64_t r = 0; r < n_rows; r++, x += pitch) {
    int64_t i = 0;
    for (; i + 2 * WIDTH <= length; i += 2 * WIDTH) {
      vector d0 = *(const vector *)(const void *)(x + i) - shift;
      vector d1 = *(const vector *)(const void *)(x + i + WIDTH) - shift;
      s0 += d0;
      s1 += d1;
      q0 += d0 * d0;
      q1 += d1 * d1;
    }
    for (; i < length; i++) {
      double d = (double)(x[i] - shift);
      rest += d;
      rest_squares += d * d;
    }
  }
  sums[0] = total_of(&s0, &s1) + rest;
  sums[1] = total_of(&q0, &q1) + rest_squares;
}

static void moments_float64(int64_t n_rows, int64_t length, int64_t pitch, const double *x, double shift,
                            double sums[2]) {
  sums[0] = sums[1] = 0.0;
  for (int64_t r = 0; r < n_rows; r++, x += pitch) {
    for (int64_t i = 0; i < length; i++) {
      double d = x[i] - shift;
      sums[0] += d;
      sums[1] += d * d;
    }
  }
}

CLONES static void normalize_float32(int64_t n, float *restrict y, const float *restrict x, float mean, float scale,
                                     float bias, bool relu) {
  if (relu)
    for (int64_t i = 0; i < n; i++) {
      float value = (x[i] - mean) * scale + bias;
      y[i] = value < 0.0f ? 0.0f : value;
    }
  else
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * scale + bias;
}

static void normalize_float64(int64_t n, double *y, const double *x, double mean, double scale, double bias,
                              bool relu) {
  for (int64_t i = 0; i < n; i++) {
    double value = (x[i] - mean) * scale + bias;
    y[i] = relu && value < 0.0 ? 0.0 : value;
  }
}

/* What backward knows of a channel. */
typedef struct affine {
  double mean, scale, bias;       /* y = (x - mean) scale + bias, scale = w r */
  double offset, slope;           /* dx = scale (g - offset - xc slope) */
  bool relu;
} affine;

/* sums of g and g xc;  g = dy where y > 0 */
CLONES static void gradient_sums_float32(int64_t n_rows, int64_t length, int64_t pitch, const float *x, const float *dy,
                                         const affine *a, double sums[2]) {
  const float mean = (float)a->mean, scale = (float)a->scale, bias = (float)a->bias;
  vector s0 = { 0 }, s1 = { 0 }, q0 = { 0 }, q1 = { 0 };
  const vector zero = { 0 };
  double rest = 0.0, rest_products = 0.0;
  for (int64_t r = 0; r < n_rows; r++, x += pitch, dy += pitch) {
    int64_t i = 0;
    for (; i + 2 * WIDTH <= length; i += 2 * WIDTH) {
      vector d0 = *(const vector *)(const void *)(x + i) - mean;
      vector d1 = *(const vector *)(const void *)(x + i + WIDTH) - mean;
      vector g0 = *(const vector *)(const void *)(dy + i), g1 = *(const vector *)(const void *)(dy + i + WIDTH);
      if (a->relu) {
        g0 = (vector)((mask)g0 & (d0 * scale + bias > zero));
        g1 = (vector)((mask)g1 & (d1 * scale + bias > zero));
      }
      s0 += g0;
      s1 += g1;
      q0 += g0 * d0;
      q1 += g1 * d1;
    }
    for (; i < length; i++) {
      float d = x[i] - mean, g = a->relu && !(d * scale + bias > 0.0f) ? 0.0f : dy[i];
      rest += (double)g;
      rest_products += (double)g * (double)d;
    }
  }
  sums[0] = total_of(&s0, &s1) + rest;
  sums[1] = total_of(&q0, &q1) + rest_products;
}

static void gradient_sums_float64(int64_t n_rows, int64_t length, int64_t pitch, const double *x, const double *dy,
                                  const affine *a, double sums[2]) {
  sums[0] = sums[1] = 0.0;
  for (int64_t r = 0; r < n_rows; r++, x += pitch, dy += pitch) {
    for (int64_t i = 0; i < length; i++) {
      double d = x[i] - a->mean, g = a->relu && !(d * a->scale + a->bias > 0.0) ? 0.0 : dy[i];
      sums[0] += g;
      sums[1] += g * d;
    }
  }
}

/* dx holds dy and becomes the gradient. */
CLONES static void gradient_float32(int64_t n, float *restrict dx, const float *restrict x, const affine *a) {
  const float mean = (float)a->mean, scale = (float)a->scale, bias = (float)a->bias;
  const float offset = (float)a->offset, slope = (float)a->slope;
  if (a->relu)
    for (int64_t i = 0; i < n; i++) {
      float d = x[i] - mean, g = d * scale + bias > 0.0f ? dx[i] : 0.0f;
      dx[i] = scale * (g - offset - d * slope);
    }
  else
    for (int64_t i = 0; i < n; i++) dx[i] = scale * (dx[i] - offset - (x[i] - mean) * slope);
}

static void gradient_float64(int64_t n, double *dx, const double *x, const affine *a) {
  for (int64_t i = 0; i < n; i++) {
    double d = x[i] - a->mean, g = a->relu && !(d * a->scale + a->bias > 0.0) ? 0.0 : dx[i];
    dx[i] = a->scale * (g - a->offset - d * a->slope);
  }
}

/* -- pieces: a part of a long row, or several short ones -- */

typedef struct piece {
  int64_t begin, n_rows, length;   /* items from the channel's first */
} piece;

/* The piece after p (begin < 0: the first); false at the end. */
static bool next_piece(const channels *at, int64_t *row, int64_t *column, piece *p) {
  if (*row >= at->count || at->length == 0) return false;
  p->begin = *row * at->pitch + *column;
  if (at->length <= PIECE) {
    int64_t n_rows = PIECE / at->length;
    p->n_rows = n_rows < at->count - *row ? n_rows : at->count - *row;
    p->length = at->length;
    *row += p->n_rows;
    return true;
  }
  p->n_rows = 1;
  p->length = PIECE < at->length - *column ? PIECE : at->length - *column;
  *column += p->length;
  if (*column == at->length) *column = 0, ++*row;
  return true;
}

/* -- forward -- */

/* Mean and biased variance of a channel. */
static void statistics(const work *w, int64_t channel, double *mean, double *variance) {
  int64_t row = 0, column = 0;
  double n = 0.0, squares = 0.0;
  piece p;
  *mean = item(w->x, channel * w->at.stride);
  if (!isfinite(*mean)) *mean = 0.0;
  while (next_piece(&w->at, &row, &column, &p)) {
    double sums[2], own = (double)(p.n_rows * p.length);
    int64_t at = channel * w->at.stride + p.begin;
    if (w->x->dtype == DTYPE_FLOAT32) {
      float shift = (float)*mean;
      moments_float32(p.n_rows, p.length, w->at.pitch, tensor_float32(w->x) + at, shift, sums);
      sums[0] += own * ((double)shift - *mean);    /* the second sum hardly moves: |shift - mean| is half a bit */
    } else {
      moments_float64(p.n_rows, p.length, w->at.pitch, tensor_float64(w->x) + at, *mean, sums);
    }
    double difference = sums[0] / own;             /* mean of the piece, less that of what came before */
    squares += sums[1] - own * difference * difference + difference * difference * n * own / (n + own);
    n += own;
    *mean += difference * own / n;
  }
  *variance = squares > 0.0 || isnan(squares) ? squares / n : 0.0;
}

static affine affine_of(const work *w, int64_t channel) {
  double weight = w->weight != NULL ? item(w->weight, channel) : 1.0;
  return (affine){ .mean = w->mean[channel], .scale = weight * w->inverse[channel],
                   .bias = w->bias != NULL ? item(w->bias, channel) : 0.0, .relu = w->relu };
}

static void normalize_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t channel = begin; channel < end; channel++) {
    if (w->training) {
      statistics(w, channel, &w->mean[channel], &w->variance[channel]);
      w->inverse[channel] = 1.0 / sqrt(w->variance[channel] + w->eps);
    }
    affine a = affine_of(w, channel);
    for (int64_t row = 0; row < w->at.count; row++) {
      int64_t at = channel * w->at.stride + row * w->at.pitch;
      if (w->x->dtype == DTYPE_FLOAT32)
        normalize_float32(w->at.length, tensor_float32(w->y) + at, tensor_float32(w->x) + at, (float)a.mean,
                          (float)a.scale, (float)a.bias, w->relu);
      else
        normalize_float64(w->at.length, tensor_float64(w->y) + at, tensor_float64(w->x) + at, a.mean, a.scale, a.bias,
                          w->relu);
    }
  }
}

static status check_channel_input(op_call *call, int i, int64_t n_channels) {
  const tensor *t = call->inputs[i];
  if (t == NULL || (t->n_dims == 1 && t->shape[0] == n_channels)) return STATUS_OK;
  return op_fail(call, "%s is %s but x is %s; it must be (%" PRId64 ")", op_input_name(call, i),
                 tensor_shape_text(t).text, tensor_shape_text(call->inputs[X]).text, n_channels);
}

static status check(op_call *call) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_constants(call);
  if (code != STATUS_OK) return code;
  const tensor *x = call->inputs[X];
  if (x->n_dims < 2) return op_fail(call, "x must be (N, C) or (N, C, ...), but is %s", tensor_shape_text(x).text);
  for (int i = WEIGHT; i <= RUNNING_VAR; i++)
    if ((code = check_channel_input(call, i, x->shape[1])) != STATUS_OK) return code;
  if ((call->inputs[RUNNING_MEAN] == NULL) != (call->inputs[RUNNING_VAR] == NULL))
    return op_fail(call, "running_mean and running_var must be given together");
  bool training = call->values[TRAINING].flag;
  if (!training && call->inputs[RUNNING_MEAN] == NULL)
    return op_fail(call, "running_mean and running_var are needed unless training is true");
  int64_t values = x->shape[1] > 0 ? tensor_numel(x) / x->shape[1] : 0;
  if (training && values == 1)
    return op_fail(call, "training needs more than one value a channel, but x is %s", tensor_shape_text(x).text);
  return STATUS_OK;
}

static void read_running(work *w, const tensor *mean, const tensor *variance) {
  for (int64_t k = 0; k < w->at.n; k++) {
    int64_t index[1] = { k };
    w->mean[k] = tensor_get(mean, index);
    w->inverse[k] = 1.0 / sqrt(tensor_get(variance, index) + w->eps);
  }
}

static void move_towards(tensor *running, const double *batch, double factor, double momentum) {
  for (int64_t k = 0; k < running->shape[0]; k++) {
    int64_t at = k * running->stride[0];
    double moved = (1.0 - momentum) * item(running, at) + momentum * factor * batch[k];
    if (running->dtype == DTYPE_FLOAT32) tensor_float32(running)[at] = (float)moved;
    else tensor_float64(running)[at] = moved;
  }
  atomic_fetch_add(&running->storage->version, 1);
}

/* saved[], outputs[0] and the pointers into them. */
static status prepare(op_call *call, work *w) {
  context *c = call->context;
  tensor *x = call->inputs[X];
  int64_t pixels = 1;
  for (int d = 2; d < x->n_dims; d++) pixels *= x->shape[d];
  bool is_lanes = lanes_are_better(x, pixels);
  call->memo[0] = is_lanes;
  w->at = channels_of(x, is_lanes);
  call->saved[SAVED_X] = in_order(c, x, is_lanes);
  call->saved[SAVED_STATISTICS] = tensor_new(c, DTYPE_FLOAT64, 2, (const int64_t[2]){ 3, w->at.n });
  call->outputs[0] = new_in_order(c, x, is_lanes);
  if (call->saved[SAVED_X] == NULL || call->saved[SAVED_STATISTICS] == NULL || call->outputs[0] == NULL)
    return STATUS_NO_MEMORY;
  for (int i = WEIGHT; i <= BIAS; i++) {
    if (call->inputs[i] == NULL) continue;
    call->saved[i] = tensor_contiguous(c, call->inputs[i]);
    if (call->saved[i] == NULL) return STATUS_NO_MEMORY;
  }
  return STATUS_OK;
}

static void point_at_saved(const op_call *call, work *w) {
  w->x = call->saved[SAVED_X];
  w->weight = call->saved[SAVED_WEIGHT];
  w->bias = call->saved[SAVED_BIAS];
  w->mean = tensor_float64(call->saved[SAVED_STATISTICS]);
  w->inverse = w->mean + w->at.n;
  w->variance = w->inverse + w->at.n;
  w->eps = call->values[EPS].number;
  w->training = call->values[TRAINING].flag;
  w->relu = call->values[ACTIVATION].integer == 1;
}

static status forward(op_call *call) {
  work w = { 0 };
  status code = check(call);
  if (code == STATUS_OK) code = prepare(call, &w);
  if (code != STATUS_OK) return code;
  point_at_saved(call, &w);
  w.y = call->outputs[0];
  if (tensor_numel(w.x) == 0) return tensor_fill(call->context, call->saved[SAVED_STATISTICS], 0.0);
  if (!w.training) read_running(&w, call->inputs[RUNNING_MEAN], call->inputs[RUNNING_VAR]);
  parallel_for(call->context, w.at.n, 1, normalize_channels, &w);
  if (w.training && call->inputs[RUNNING_MEAN] != NULL) {
    double n = (double)(w.at.count * w.at.length), momentum = call->values[MOMENTUM].number;
    move_towards(call->inputs[RUNNING_MEAN], w.mean, 1.0, momentum);
    move_towards(call->inputs[RUNNING_VAR], w.variance, n / (n - 1.0), momentum);
  }
  return STATUS_OK;
}

/* -- backward -- */

static void sum_gradients(const work *w, int64_t channel, const affine *a) {
  int64_t row = 0, column = 0;
  double total = 0.0, products = 0.0;
  piece p;
  while (next_piece(&w->at, &row, &column, &p)) {
    double sums[2];
    int64_t at = channel * w->at.stride + p.begin;
    if (w->x->dtype == DTYPE_FLOAT32)
      gradient_sums_float32(p.n_rows, p.length, w->at.pitch, tensor_float32(w->x) + at, tensor_float32(w->dy) + at, a,
                            sums);
    else
      gradient_sums_float64(p.n_rows, p.length, w->at.pitch, tensor_float64(w->x) + at, tensor_float64(w->dy) + at, a,
                            sums);
    total += sums[0];
    products += sums[1];
  }
  w->sums[0][channel] = total;
  w->sums[1][channel] = products;
}

/* dx may be dy itself. */
static void gradient_row(const work *w, int64_t at, const affine *a) {
  size_t size = dtype_size(w->x->dtype);
  char *dx = (char *)tensor_data(w->dx) + (size_t)at * size;
  if (w->dx != w->dy) memcpy(dx, (const char *)tensor_data(w->dy) + (size_t)at * size, (size_t)w->at.length * size);
  if (w->x->dtype == DTYPE_FLOAT32)
    gradient_float32(w->at.length, tensor_float32(w->dx) + at, tensor_float32(w->x) + at, a);
  else
    gradient_float64(w->at.length, tensor_float64(w->dx) + at, tensor_float64(w->x) + at, a);
}

static void gradient_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  double n = (double)(w->at.count * w->at.length);
  for (int64_t channel = begin; channel < end; channel++) {
    affine a = affine_of(w, channel);
    double r = w->inverse[channel];
    sum_gradients(w, channel, &a);
    if (w->dx == NULL) continue;
    if (w->training) {
      a.offset = w->sums[0][channel] / n;
      a.slope = w->sums[1][channel] * r * r / n;
    }
    for (int64_t row = 0; row < w->at.count; row++) gradient_row(w, channel * w->at.stride + row * w->at.pitch, &a);
  }
}

/* dw (i = WEIGHT) and db (i = BIAS) from the sums. */
static status channel_gradient(op_call *call, const work *w, int i) {
  if (call->saved[i] == NULL || !call->needs_gradient[i]) return STATUS_OK;
  status code = op_gradient(call, i);
  if (code != STATUS_OK) return code;
  tensor *g = call->input_gradients[i];
  for (int64_t k = 0; k < w->at.n; k++) {
    double value = i == BIAS ? w->sums[0][k] : w->sums[1][k] * w->inverse[k];
    if (g->dtype == DTYPE_FLOAT32) tensor_float32(g)[k] = (float)value;
    else tensor_float64(g)[k] = value;
  }
  return STATUS_OK;
}

/* ours: nobody else can see dy. */
static status backward_with(op_call *call, work *w, tensor *dy, bool ours) {
  size_t n_bytes = (size_t)(2 * w->at.n + 1) * sizeof(double);
  if (dy == NULL) return STATUS_NO_MEMORY;
  if (call->needs_gradient[X]) {
    w->dx = ours ? tensor_retain(dy) : new_in_order(call->context, w->x, call->memo[0] != 0);
    call->input_gradients[X] = w->dx;
    if (w->dx == NULL) return STATUS_NO_MEMORY;
  }
  double *sums = context_get(call->context, n_bytes);
  if (sums == NULL) return STATUS_NO_MEMORY;
  w->dy = dy;
  w->sums[0] = sums;
  w->sums[1] = sums + w->at.n;
  parallel_for(call->context, w->at.n, 1, gradient_channels, w);
  status code = channel_gradient(call, w, WEIGHT);
  if (code == STATUS_OK) code = channel_gradient(call, w, BIAS);
  context_put(call->context, sums, n_bytes);
  return code;
}

static status backward(op_call *call) {
  work w = { .at = channels_of(call->saved[SAVED_X], call->memo[0] != 0) };
  point_at_saved(call, &w);
  bool alone = tensor_owns_alone(call->output_gradients[0]);
  tensor *dy = in_order(call->context, call->output_gradients[0], call->memo[0] != 0);
  status code = backward_with(call, &w, dy, alone || dy != call->output_gradients[0]);
  tensor_release(dy);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "bias", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "running_mean", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "running_var", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "training", P_FLAG, OPTION, "false", NULL },
  { "momentum", P_NUMBER, OPTION, "0.1", NULL },
  { "eps", P_NUMBER, OPTION, "1e-5", NULL },
  { "activation", P_CHOICE, OPTION, "none", "none|relu" },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=normal(4,3,5,2) weight=normal(3) bias=normal(3) training=true",
  "x=normal(17,2,3,3):lanes weight=normal(2) bias=normal(2) running_mean=normal(2) running_var=positive(2) training=true",
  "x=normal(9,5) weight=normal(5) bias=normal(5) training=true eps=0.1",
  "x=normal(3,2,7):t training=true",
  "x=normal(5,4,3,2) weight=positive(4) bias=normal(4) training=true activation=relu",
  "x=normal(17,3,2,2):lanes weight=normal(3) bias=normal(3) running_mean=normal(3) running_var=positive(3)",
  "x=normal(3,4,2,2) weight=positive(4) bias=normal(4) running_mean=normal(4) running_var=positive(4) activation=relu",
  "x=normal(2,3) running_mean=normal(3) running_var=positive(3)",
  "bench x=normal(128,64,16,16):lanes weight=normal(64) bias=normal(64) training=true",
  NULL,
};

const op op_batch_norm = {
  .name = "batch_norm",
  .flags = OP_FUNCTIONAL,
  .help = "batch_norm(x [, weight [, bias [, running_mean [, running_var [, { training = false, momentum = 0.1, eps = "
          "1e-5, activation = \"none\" }]]]]]) -> tensor\n\n"
          "Normalises each channel (dim 2) of x: with the mean and variance of the batch in training, which also moves "
          "the running statistics in place, otherwise with the running statistics; then scales by weight and adds bias.  "
          "activation = \"relu\" appends a ReLU at no cost.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

/* max_pool2d.c -- y[h, w] = max of x over a window; NaN wins.   dx: dy goes to the pixel that won.
**
** The winner is kept as its number within the window ("tap", row by row), a float by output pixel in lanes order,
** so that comparing and choosing stay one kind of vector.  The first of equal pixels wins, the last of NaNs. */
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "spatial.h"

enum { KERNEL, STRIDE, PADDING, DILATION, CEIL_MODE };
enum { TAPS };   /* saved */

typedef struct work {
  images y, x, taps;      /* backward: dy, dx, taps; taps.t may be NULL in the forward */
  axis axes[2];
  bool apart;             /* windows do not overlap */
} work;

/* Input pixel that tap k of output o reads; outside [0, n_in) it is padding. */
static int64_t pixel(const axis *a, int64_t o, int64_t k) { return o * a->stride - a->padding + k * a->dilation; }
static bool is_inside(const axis *a, int64_t i) { return i >= 0 && i < a->n_in; }

/* -- rows -- */

CLONES static void start_float32(int64_t n, float *restrict y, float *restrict taps, const float *restrict x,
                                 float tap) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i], taps[i] = tap;
}

CLONES static void contend_float32(int64_t n, float *restrict y, float *restrict taps, const float *restrict x,
                                   float tap) {
  for (int64_t i = 0; i < n; i++) {
    bool wins = x[i] > y[i] || x[i] != x[i];
    y[i] = wins ? x[i] : y[i];
    taps[i] = wins ? tap : taps[i];
  }
}

CLONES static void maximum_float32(int64_t n, float *restrict y, const float *restrict x) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];
}

CLONES static void give_float32(int64_t n, float *restrict dx, const float *restrict taps, float tap,
                                const float *restrict dy, bool adds) {
  if (adds)
    for (int64_t i = 0; i < n; i++) dx[i] += taps[i] == tap ? dy[i] : 0.0f;
  else
    for (int64_t i = 0; i < n; i++) dx[i] = taps[i] == tap ? dy[i] : 0.0f;
}

static void start_float64(int64_t n, double *y, double *taps, const double *x, double tap) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i], taps[i] = tap;
}

static void contend_float64(int64_t n, double *y, double *taps, const double *x, double tap) {
  for (int64_t i = 0; i < n; i++)
    if (x[i] > y[i] || isnan(x[i])) y[i] = x[i], taps[i] = tap;
}

static void give_float64(int64_t n, double *dx, const double *taps, double tap, const double *dy, bool adds) {
  for (int64_t i = 0; i < n; i++) {
    double given = taps[i] == tap ? dy[i] : 0.0;
    dx[i] = adds ? dx[i] + given : given;
  }
}

/* -- forward -- */

/* taps NULL: float32 without winners. */
static void contend(const work *w, void *y, void *taps, const void *x, int64_t tap, bool first) {
  int64_t n = w->y.n;
  if (w->x.t->dtype == DTYPE_FLOAT64) (first ? start_float64 : contend_float64)(n, y, taps, x, (double)tap);
  else if (taps == NULL && first) memcpy(y, x, (size_t)n * sizeof(float));
  else if (taps == NULL) maximum_float32(n, y, x);
  else if (first) start_float32(n, y, taps, x, (float)tap);
  else contend_float32(n, y, taps, x, (float)tap);
}

/* With padding and dilation a window can lie wholly outside: -infinity, and nobody wins. */
static void nobody(const work *w, void *y, void *taps) {
  for (int64_t i = 0; i < w->y.n; i++) {
    if (w->x.t->dtype == DTYPE_FLOAT64) ((double *)y)[i] = -INFINITY, ((double *)taps)[i] = -1.0;
    else ((float *)y)[i] = -INFINITY;
    if (taps != NULL && w->x.t->dtype == DTYPE_FLOAT32) ((float *)taps)[i] = -1.0f;
  }
}

static void pool_window(const work *w, int64_t channel, int64_t row, int64_t column) {
  char *y = images_row(&w->y, channel, row, column);
  char *taps = w->taps.t != NULL ? images_row(&w->taps, channel, row, column) : NULL;
  bool first = true;
  for (int64_t i = 0; i < w->axes[0].kernel; i++) {
    int64_t v = pixel(&w->axes[0], row, i);
    if (!is_inside(&w->axes[0], v)) continue;
    for (int64_t j = 0; j < w->axes[1].kernel; j++) {
      int64_t h = pixel(&w->axes[1], column, j);
      if (!is_inside(&w->axes[1], h)) continue;
      contend(w, y, taps, images_row(&w->x, channel, v, h), i * w->axes[1].kernel + j, first);
      first = false;
    }
  }
  if (first) nobody(w, y, taps);
}

static void pool_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t channel = begin; channel < end; channel++)
    for (int64_t row = 0; row < w->y.height; row++)
      for (int64_t column = 0; column < w->y.width; column++) pool_window(w, channel, row, column);
}

static status begin_work(op_call *call, const images *x, work *w) {
  *w = (work){ .x = *x };
  status code = axes_of_windows(call, x, &call->values[KERNEL], &call->values[STRIDE], &call->values[PADDING],
                                &call->values[DILATION], call->values[CEIL_MODE].flag, w->axes);
  w->apart = true;
  for (int d = 0; d < 2; d++)
    w->apart = w->apart && w->axes[d].stride > (w->axes[d].kernel - 1) * w->axes[d].dilation;
  return code;
}

static status pool(op_call *call, work *w, const images *x, bool wants_taps) {
  status code = begin_work(call, x, w);
  if (code == STATUS_OK)
    code = images_output(call, 0, x->t->dtype, x, w->axes[0].n_out, w->axes[1].n_out, &w->y);
  if (code != STATUS_OK) return code;
  if (wants_taps || x->t->dtype == DTYPE_FLOAT64) {
    call->saved[TAPS] = tensor_new_like(call->context, call->outputs[0], x->t->dtype);
    if (call->saved[TAPS] == NULL) return STATUS_NO_MEMORY;
    w->taps = images_of(call->saved[TAPS]);
  }
  parallel_for(call->context, x->channels, 1, pool_channels, w);
  return STATUS_OK;
}

static status forward(op_call *call) {
  images x;
  work w;
  status code = images_input(call, &x);
  if (code != STATUS_OK) return code;
  code = pool(call, &w, &x, call->needs_gradient[0]);
  images_end(&x);
  return code;
}

/* -- the same with the places of the winners: 1-based, in the H x W plane -- */

static void fill_indices(const work *w, images *indices, int64_t channel, int64_t row, int64_t column) {
  int64_t *index = (int64_t *)(void *)images_row(indices, channel, row, column);
  const void *taps = images_row(&w->taps, channel, row, column);
  for (int64_t i = 0; i < w->y.n; i++) {
    int64_t tap = w->x.t->dtype == DTYPE_FLOAT64 ? (int64_t)((const double *)taps)[i]
                                                 : (int64_t)((const float *)taps)[i];
    index[i] = 0;
    if (tap < 0) continue;
    index[i] = 1 + pixel(&w->axes[0], row, tap / w->axes[1].kernel) * w->axes[1].n_in +
               pixel(&w->axes[1], column, tap % w->axes[1].kernel);
  }
}

static status forward_with_indices(op_call *call) {
  images x, indices;
  work w;
  status code = images_input(call, &x);
  if (code != STATUS_OK) return code;
  code = pool(call, &w, &x, true);
  if (code == STATUS_OK) code = images_output(call, 1, DTYPE_INT64, &x, w.y.height, w.y.width, &indices);
  for (int64_t channel = 0; code == STATUS_OK && channel < x.channels; channel++)
    for (int64_t row = 0; row < w.y.height; row++)
      for (int64_t column = 0; column < w.y.width; column++) fill_indices(&w, &indices, channel, row, column);
  images_end(&x);
  return code;
}

/* -- backward -- */

/* Windows that do not overlap write; others add to zeros. */
static void give(const work *w, void *dx, const void *taps, int64_t tap, const void *dy) {
  if (w->x.t->dtype == DTYPE_FLOAT64) give_float64(w->x.n, dx, taps, (double)tap, dy, !w->apart);
  else give_float32(w->x.n, dx, taps, (float)tap, dy, !w->apart);
}

static void give_window(const work *w, int64_t channel, int64_t row, int64_t column) {
  const char *dy = images_row(&w->y, channel, row, column);
  const char *taps = images_row(&w->taps, channel, row, column);
  for (int64_t i = 0; i < w->axes[0].kernel; i++) {
    int64_t v = pixel(&w->axes[0], row, i);
    if (!is_inside(&w->axes[0], v)) continue;
    for (int64_t j = 0; j < w->axes[1].kernel; j++) {
      int64_t h = pixel(&w->axes[1], column, j);
      if (!is_inside(&w->axes[1], h)) continue;
      give(w, images_row(&w->x, channel, v, h), taps, i * w->axes[1].kernel + j, dy);
    }
  }
}

/* Every input pixel belongs to exactly one window. */
static bool is_tiled(const work *w) {
  for (int d = 0; d < 2; d++) {
    const axis *a = &w->axes[d];
    if (a->stride != a->kernel || a->padding != 0 || a->dilation != 1 || a->n_out * a->stride < a->n_in) return false;
  }
  return true;
}

static void give_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  size_t n_bytes = (size_t)(w->x.height * w->x.width * w->x.row_bytes);
  for (int64_t channel = begin; channel < end; channel++) {
    if (!is_tiled(w)) memset(images_row(&w->x, channel, 0, 0), 0, n_bytes);
    for (int64_t row = 0; row < w->y.height; row++)
      for (int64_t column = 0; column < w->y.width; column++) give_window(w, channel, row, column);
  }
}

static status backward(op_call *call) {
  images dy, dx;
  work w;
  status code = images_gradients(call, 0, &dy, &dx);
  if (code != STATUS_OK) return code;
  code = begin_work(call, &dx, &w);
  if (code == STATUS_OK) {
    w.y = dy;
    w.taps = images_of(call->saved[TAPS]);
    parallel_for(call->context, dx.channels, 1, give_channels, &w);
  }
  images_end(&dy);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "kernel_size", P_PAIR, 0, NULL, NULL },
  { "stride", P_PAIR, OPTION, "0,0", NULL },
  { "padding", P_PAIR, OPTION, "0,0", NULL },
  { "dilation", P_PAIR, OPTION, "1,1", NULL },
  { "ceil_mode", P_FLAG, OPTION, "false", NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=distinct(2,3,5,5) kernel_size=2",
  "x=distinct(9,2,7,6):lanes kernel_size=3,2 stride=2,1 padding=1,1",
  "x=distinct(1,2,5,7):t kernel_size=3 stride=2 padding=1 ceil_mode=true",
  "x=distinct(3,1,4,4) kernel_size=4",
  "x=distinct(2,2,7,7) kernel_size=2 stride=1 dilation=2",
  "x=distinct(2,2,8,6) kernel_size=2",
  "bench x=distinct(128,64,16,16):lanes kernel_size=2",
  NULL,
};

const op op_max_pool2d = {
  .name = "max_pool2d",
  .flags = OP_FUNCTIONAL,
  .help = "max_pool2d(x, kernel_size [, { stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false }]) -> "
          "tensor\n\n"
          "Largest values of x (N, C, H, W) in windows; NaN counts as largest.  Sizes are integers or pairs.  ceil_mode "
          "keeps a last window that hangs over the edge.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

const op op_max_pool2d_with_indices = {
  .name = "max_pool2d_with_indices",
  .flags = OP_FUNCTIONAL,
  .help = "max_pool2d_with_indices(x, kernel_size [, { stride = kernel_size, padding = 0, dilation = 1, ceil_mode = "
          "false }]) -> tensor, tensor\n\n"
          "max_pool2d, and where each maximum lies in its plane: int64, (row - 1) * width + column.",
  .parameters = parameters,
  .n_outputs = 2,
  .forward = forward_with_indices,
  .backward = backward,
  .samples = samples,
};

/* upsample.c -- images (N, C, H, W) at another size: nearest pixel, or bilinear interpolation.
**
** Output pixel o of an axis lies at source position  o s  (nearest: rounded down),  (o + 1/2) s - 1/2, not below 0
** (bilinear), or  o (n_in - 1) / (n_out - 1)  (bilinear with align_corners);  s = 1 / scale_factor or n_in / n_out.
** The backward spreads each dy over the pixels that it was made from, with the same weights. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "spatial.h"

enum { SIZE, SCALE_FACTOR, MODE, ALIGN_CORNERS };
enum { NEAREST, BILINEAR };

/* y = (1 - weight) x[low] + weight x[high] */
typedef struct source {
  int64_t low, high;
  double weight;
} source;

typedef struct work {
  images large, small;      /* output and input in the forward, dy and dx in the backward */
  source *of[2];            /* by output row, by output column */
  const row_loops *loops;
} work;

static source nearest(int64_t o, int64_t n_in, double step) {
  int64_t low = (int64_t)floorf((float)o * (float)step);   /* in float, as PyTorch does */
  if (low > n_in - 1) low = n_in - 1;
  return (source){ low, low, 0.0 };
}

static source between(double position, int64_t n_in) {
  int64_t low = (int64_t)position;
  if (low > n_in - 1) low = n_in - 1;
  int64_t high = low < n_in - 1 ? low + 1 : low;
  return (source){ low, high, high > low ? position - (double)low : 0.0 };
}

static void fill(const op_call *call, source *s, int64_t n_in, int64_t n_out) {
  double factor = call->values[SCALE_FACTOR].number;
  double step = factor > 0.0 ? 1.0 / factor : (double)n_in / (double)n_out;
  bool corners = call->values[ALIGN_CORNERS].flag;
  double apart = n_out > 1 ? (double)(n_in - 1) / (double)(n_out - 1) : 0.0;
  for (int64_t o = 0; o < n_out; o++) {
    if (call->values[MODE].integer == NEAREST) s[o] = nearest(o, n_in, step);
    else s[o] = between(corners ? (double)o * apart : fmax(((double)o + 0.5) * step - 0.5, 0.0), n_in);
  }
}

static size_t source_bytes(int64_t n) { return (size_t)(n + 1) * sizeof(source); }

static void end_work(op_call *call, work *w, const int64_t size[2]) {
  for (int d = 0; d < 2; d++)
    if (w->of[d] != NULL) context_put(call->context, w->of[d], source_bytes(size[d]));
}

/* The sources of an input of height x width at the given size. */
static status begin_work(op_call *call, work *w, int64_t height, int64_t width, const int64_t size[2]) {
  for (int d = 0; d < 2; d++) {
    w->of[d] = context_get(call->context, source_bytes(size[d]));
    if (w->of[d] == NULL) {
      end_work(call, w, size);
      return STATUS_NO_MEMORY;
    }
    fill(call, w->of[d], d == 0 ? height : width, size[d]);
  }
  return STATUS_OK;
}

enum { LARGEST_SIZE = 1 << 24 };

static status choose_size(op_call *call, const images *x, int64_t size[2]) {
  const int64_t *given = call->values[SIZE].list.items;
  double factor = call->values[SCALE_FACTOR].number;
  bool has_size = given[0] != 0 || given[1] != 0;
  if (has_size == (factor != 0.0)) return op_fail(call, "give either size or scale_factor");
  if (!has_size && !(factor > 0.0 && factor <= 1e6))
    return op_fail(call, "scale_factor is %g; it must be above 0 and at most 1e6", message_number(factor));
  if (call->values[ALIGN_CORNERS].flag && call->values[MODE].integer == NEAREST)
    return op_fail(call, "align_corners is for mode = \"bilinear\"");
  for (int d = 0; d < 2; d++) {
    int64_t n_in = d == 0 ? x->height : x->width;
    if (n_in < 1) return op_fail(call, "x is empty: %s", tensor_shape_text(x->t).text);
    size[d] = has_size ? given[d] : (int64_t)floor((double)n_in * factor);
    if (size[d] < 1 || size[d] > LARGEST_SIZE)
      return op_fail(call, "size must be in 1..%d, not %" PRId64, LARGEST_SIZE, size[d]);
  }
  return STATUS_OK;
}

/* Weights of the (up to four) pixels of output (row, column), as rows of `small`. */
static int pixels(const work *w, int64_t channel, int64_t row, int64_t column, char *at[4], double weight[4]) {
  source v = w->of[0][row], h = w->of[1][column];
  int n = 0;
  for (int i = 0; i < 2; i++) {
    for (int j = 0; j < 2; j++) {
      double share = (i ? v.weight : 1.0 - v.weight) * (j ? h.weight : 1.0 - h.weight);
      if (share == 0.0) continue;
      at[n] = images_row(&w->small, channel, i ? v.high : v.low, j ? h.high : h.low);
      weight[n++] = share;
    }
  }
  return n;
}

static void enlarge_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  char *at[4];
  double weight[4];
  for (int64_t channel = begin; channel < end; channel++) {
    for (int64_t row = 0; row < w->large.height; row++) {
      for (int64_t column = 0; column < w->large.width; column++) {
        char *y = images_row(&w->large, channel, row, column);
        int n = pixels(w, channel, row, column, at, weight);
        w->loops->set(w->large.n, y, weight[0], at[0]);
        for (int k = 1; k < n; k++) w->loops->add(w->large.n, y, weight[k], at[k]);
      }
    }
  }
}

static void gather_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  char *at[4];
  double weight[4];
  for (int64_t channel = begin; channel < end; channel++) {
    memset(images_row(&w->small, channel, 0, 0), 0, (size_t)(w->small.height * w->small.width * w->small.row_bytes));
    for (int64_t row = 0; row < w->large.height; row++) {
      for (int64_t column = 0; column < w->large.width; column++) {
        const char *dy = images_row(&w->large, channel, row, column);
        int n = pixels(w, channel, row, column, at, weight);
        for (int k = 0; k < n; k++) w->loops->add(w->large.n, at[k], weight[k], dy);
      }
    }
  }
}

static status forward(op_call *call) {
  images x;
  int64_t size[2];
  status code = images_input(call, &x);
  if (code != STATUS_OK) return code;
  work w = { .small = x, .loops = row_loops_for(x.t->dtype) };
  code = choose_size(call, &x, size);
  if (code == STATUS_OK) code = images_output(call, 0, x.t->dtype, &x, size[0], size[1], &w.large);
  if (code == STATUS_OK) code = begin_work(call, &w, x.height, x.width, size);
  if (code == STATUS_OK) {
    parallel_for(call->context, x.channels, 1, enlarge_channels, &w);
    end_work(call, &w, size);
  }
  images_end(&x);
  return code;
}

static status backward(op_call *call) {
  images dy, dx;
  status code = images_gradients(call, 0, &dy, &dx);
  if (code != STATUS_OK) return code;
  work w = { .large = dy, .small = dx, .loops = row_loops_for(dx.t->dtype) };
  const int64_t size[2] = { dy.height, dy.width };
  code = begin_work(call, &w, dx.height, dx.width, size);
  if (code == STATUS_OK) {
    parallel_for(call->context, dx.channels, 1, gather_channels, &w);
    end_work(call, &w, size);
  }
  images_end(&dy);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "size", P_PAIR, OPTION, "0,0", NULL },
  { "scale_factor", P_NUMBER, OPTION, "0", NULL },
  { "mode", P_CHOICE, OPTION, "nearest", "nearest|bilinear" },
  { "align_corners", P_FLAG, OPTION, "false", NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=normal(2,3,4,5) scale_factor=2",
  "x=normal(9,2,3,4):lanes size=7,5",
  "x=normal(9,2,3,4):lanes size=7,5 mode=bilinear",
  "x=normal(1,2,5,6):t size=3,9 mode=bilinear align_corners=true",
  "x=normal(2,2,5,3) scale_factor=1.5 mode=bilinear",
  "x=normal(2,1,1,1) size=3,1 mode=bilinear align_corners=true",
  "bench x=normal(128,32,16,16):lanes scale_factor=2 mode=bilinear",
  NULL,
};

const op op_upsample = {
  .name = "upsample",
  .flags = OP_FUNCTIONAL,
  .help = "upsample(x, { size or scale_factor [, mode = \"nearest\", align_corners = false] }) -> tensor\n\n"
          "Images x (N, C, H, W) at another size: that of the nearest pixel, or bilinear interpolation.  size is an "
          "integer or a pair; align_corners makes the corner pixels' centres fall together.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

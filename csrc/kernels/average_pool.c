/* average_pool.c -- see average_pool.h.  A divisor of a window is the product of its spans' sizes. */
#include "average_pool.h"

#include <string.h>

#include "../tensor/parallel.h"

typedef struct work {
  images out, in;          /* forward: y, x; backward: dx, dy */
  const spans *spans;
  const row_loops *loops;
} work;

static size_t spans_bytes(int64_t n) { return (size_t)(n + 1) * sizeof(span); }

static void spans_free(op_call *call, spans *s) {
  for (int d = 0; d < 2; d++) {
    if (s->of[d] != NULL) context_put(call->context, s->of[d], spans_bytes(s->n[d]));
    s->of[d] = NULL;
  }
}

status spans_new(op_call *call, int64_t height, int64_t width, spans *out) {
  *out = (spans){ .n = { height, width } };
  for (int d = 0; d < 2; d++) {
    out->of[d] = context_get(call->context, spans_bytes(out->n[d]));
    if (out->of[d] != NULL) continue;
    spans_free(call, out);
    return STATUS_NO_MEMORY;
  }
  return STATUS_OK;
}

static void average_window(const work *w, int64_t channel, int64_t row, int64_t column) {
  span v = w->spans->of[0][row], h = w->spans->of[1][column];
  char *y = images_row(&w->out, channel, row, column);
  double share = 1.0 / ((double)v.size * (double)h.size);
  bool first = true;
  for (int64_t i = v.begin; i < v.end; i++) {
    for (int64_t j = h.begin; j < h.end; j++) {
      const char *x = images_row(&w->in, channel, i, j);
      if (first) w->loops->set(w->out.n, y, share, x);
      else w->loops->add(w->out.n, y, share, x);
      first = false;
    }
  }
  if (first) memset(y, 0, (size_t)w->out.row_bytes);
}

static void average_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t channel = begin; channel < end; channel++)
    for (int64_t row = 0; row < w->out.height; row++)
      for (int64_t column = 0; column < w->out.width; column++) average_window(w, channel, row, column);
}

static void average(const context *c, images y, images x, const spans *s) {
  work w = { .out = y, .in = x, .spans = s, .loops = row_loops_for(x.t->dtype) };
  parallel_for(c, x.channels, 1, average_channels, &w);
}

static void spread_window(const work *w, int64_t channel, int64_t row, int64_t column) {
  span v = w->spans->of[0][row], h = w->spans->of[1][column];
  const char *dy = images_row(&w->in, channel, row, column);
  double share = 1.0 / ((double)v.size * (double)h.size);
  for (int64_t i = v.begin; i < v.end; i++)
    for (int64_t j = h.begin; j < h.end; j++) w->loops->add(w->out.n, images_row(&w->out, channel, i, j), share, dy);
}

static void spread_channels(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  for (int64_t channel = begin; channel < end; channel++) {
    size_t n_bytes = (size_t)(w->out.height * w->out.width * w->out.row_bytes);
    if (n_bytes > 0) memset(images_row(&w->out, channel, 0, 0), 0, n_bytes);
    for (int64_t row = 0; row < w->in.height; row++)
      for (int64_t column = 0; column < w->in.width; column++) spread_window(w, channel, row, column);
  }
}

static void spread(const context *c, images dx, images dy, const spans *s) {
  work w = { .out = dx, .in = dy, .spans = s, .loops = row_loops_for(dx.t->dtype) };
  parallel_for(c, dx.channels, 1, spread_channels, &w);
}

status average_forward(op_call *call, spans_maker make) {
  images x, y;
  spans s = { .n = { 0 } };
  status code = images_input(call, &x);
  if (code != STATUS_OK) return code;
  code = make(call, &x, &s);
  if (code == STATUS_OK) code = images_output(call, 0, x.t->dtype, &x, s.n[0], s.n[1], &y);
  if (code == STATUS_OK) average(call->context, y, x, &s);
  spans_free(call, &s);
  images_end(&x);
  return code;
}

status average_backward(op_call *call, spans_maker make) {
  images dy, dx;
  spans s = { .n = { 0 } };
  status code = images_gradients(call, 0, &dy, &dx);
  if (code != STATUS_OK) return code;
  code = make(call, &dx, &s);
  if (code == STATUS_OK) spread(call->context, dx, dy, &s);
  spans_free(call, &s);
  images_end(&dy);
  return code;
}

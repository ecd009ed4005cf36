/* conv_geometry.c -- taps, tables of entries and the order of the weight.  See conv_geometry.h. */
#include "conv_geometry.h"

static int64_t greatest_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* The input coordinate that tap k of output o reads; false when there is none. */
static bool tap_input(const conv_geometry *g, conv_direction to, int d, int64_t o, int64_t k, int64_t *input) {
  int64_t at;
  if (to == TO_SMALL) {
    at = o * g->stride[d] - g->padding[d] + k * g->dilation[d];
    *input = at;
    return at >= 0 && at < g->large_size[d];
  }
  at = o + g->padding[d] - k * g->dilation[d];
  if (at < 0 || at % g->stride[d] != 0) return false;
  *input = at / g->stride[d];
  return *input < g->small_size[d];
}

int64_t conv_axis_length(const conv_geometry *g, conv_direction to, int d) {
  return to == TO_SMALL ? g->small_size[d] : g->large_size[d];
}

static conv_taps taps_of(const conv_geometry *g, conv_direction to, int d, int64_t o) {
  conv_taps taps = { 0, 0, 0 };
  int64_t input;
  for (int64_t k = 0; k < g->kernel[d]; k++) {
    if (!tap_input(g, to, d, o, k, &input)) continue;
    if (taps.count++ == 0) {
      taps.first = (int32_t)k;
      taps.input = (int32_t)input;
    }
  }
  return taps;
}

/* Going to the large side, every (stride / divisor)-th tap falls on a small coordinate. */
void conv_axis_make(conv_axis *axis, const conv_geometry *g, conv_direction to, int d, conv_taps *taps) {
  int64_t divisor = greatest_divisor(g->stride[d], g->dilation[d]);
  axis->n = conv_axis_length(g, to, d);
  axis->period = to == TO_SMALL ? 1 : g->stride[d];
  axis->input_period = to == TO_SMALL ? g->stride[d] : 1;
  axis->tap_step = to == TO_SMALL ? 1 : g->stride[d] / divisor;
  axis->input_step = to == TO_SMALL ? g->dilation[d] : -g->dilation[d] / divisor;
  axis->taps = taps;
  for (int64_t o = 0; o < axis->n; o++) taps[o] = taps_of(g, to, d, o);
}

/* The first channel's worth of entries one by one; all others lie a channel behind an earlier one. */
void conv_window_entries(conv_entry *entries, const conv_window *w, conv_taps rows, conv_taps columns,
                         int64_t begin, int64_t end) {
  if (begin >= end) return;
  int64_t per_channel = (int64_t)rows.count * columns.count, n = end - begin;
  int64_t channel = begin / per_channel, row = begin % per_channel / columns.count, column = begin % columns.count;
  for (int64_t e = 0; e < n && e < per_channel; e++) {
    int64_t kh = rows.first + row * w->axis[0].tap_step, kw = columns.first + column * w->axis[1].tap_step;
    entries[e].x = channel * w->x_channel + row * w->axis[0].input_step * w->x_row +
                   column * w->axis[1].input_step * w->x_pixel;
    entries[e].w = ((channel * w->kernel[0] + kh) * w->kernel[1] + kw) * w->weight_step;
    if (++column < columns.count) continue;
    column = 0;
    if (++row < rows.count) continue;
    row = 0;
    channel++;
  }
  const ptrdiff_t w_channel = w->kernel[0] * w->kernel[1] * w->weight_step;
  for (int64_t e = per_channel; e < n; e++) {
    entries[e].x = entries[e - per_channel].x + w->x_channel;
    entries[e].w = entries[e - per_channel].w + w_channel;
  }
}

int64_t conv_window_part(int64_t n_entries) {
  int64_t n_parts = (n_entries + CONV_MAX_ENTRIES - 1) / CONV_MAX_ENTRIES;
  return n_parts <= 1 ? n_entries : (n_entries + n_parts - 1) / n_parts;
}

conv_matrix conv_weight_matrix(const conv_geometry *g, conv_direction to) {
  int64_t small = g->small_channels / g->groups, large = g->large_channels / g->groups;
  int64_t taps = g->kernel[0] * g->kernel[1];
  conv_matrix m = { .taps = taps, .group_stride = small * large * taps };
  m.outputs = to == TO_SMALL ? small : large;
  m.inputs = to == TO_SMALL ? large : small;
  m.output_stride = to == TO_SMALL ? large * taps : taps;
  m.input_stride = to == TO_SMALL ? taps : large * taps;
  return m;
}

/* conv_product.c -- weight gradient of convolution in the lanes order.
**
**   dw[s][l][tap] = sum over small pixels and lanes of dy[s][pixel][lane] * large[l][input of tap][lane]
**
** Work goes by strips: a few pixels of one row of the small side that have the same taps, so long that the rows of
** a tile of dy fill half of the nearest cache.  Each tile of 4 channels takes the whole table of entries, a few at a
** time, with its sums in registers.
** Parallel over groups x parts of the small side's channels x parts of the strips.  Each part of the strips sums
** into a dw of its own; these are added in order: the same bits for any number of threads.  Large weights are cut
** by channels only, which needs no further dw. */
#include <string.h>

#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "conv_lanes.h"

enum { STRIP_FLOATS = 1024, LARGE_WEIGHT = 32768, MANY_ITEMS = 16 };

typedef struct strip { int64_t row, column, n_pixels; } strip;

typedef struct product_plan {
  const conv_tiles *tiles;
  conv_window window;
  lanes_cut cut;
  int64_t n, groups;
  int64_t small_channels, large_channels;    /* of one group */
  lanes_strides small_strides, large_strides;
  const float *small, *large;
  float *sums;                /* [part of units] of dw (S, L/G, taps) */
  int64_t n_dw;               /* floats of dw */
  const strip *strips;
  int64_t n_units;            /* strips x slices of lanes */
  int64_t n_unit_parts;       /* as even as whole units are */
  int64_t n_channel_parts, channels_per_part;
} product_plan;

/* The table that was built last: neighbours in a column of strips share it. */
typedef struct product_table {
  conv_entry entries[CONV_MAX_ENTRIES];
  conv_taps rows, columns;
  bool whole;
} product_table;

/* One strip's products for the job's channels, over the whole window. */
static void product_window(const product_plan *p, product_job job, product_table *table, conv_taps rows,
                           conv_taps columns) {
  int64_t n_entries = p->window.channels * rows.count * columns.count, part = conv_window_part(n_entries);
  for (int64_t begin = 0; begin < n_entries; begin += part) {
    int64_t end = begin + part < n_entries ? begin + part : n_entries;
    if (!table->whole || !conv_same_taps(rows, table->rows) || !conv_same_taps(columns, table->columns)) {
      conv_window_entries(table->entries, &p->window, rows, columns, begin, end);
      table->rows = rows;
      table->columns = columns;
      table->whole = part == n_entries;
    }
    job.entries = table->entries;
    job.n_entries = end - begin;
    p->tiles->product(&job);
  }
}

/* One strip and slice of lanes for some channels of a group. */
static void product_unit(const product_plan *p, float *sums, product_table *table, int64_t unit, int64_t group,
                         int64_t first, int64_t n_channels) {
  strip s = p->strips[unit / p->cut.n_slices];
  int64_t lane = unit % p->cut.n_slices * p->cut.slice;
  int64_t n_lanes = p->n - lane < p->cut.slice ? p->n - lane : p->cut.slice;
  if (n_lanes <= 0) return;
  conv_taps rows = p->window.axis[0].taps[s.row], columns = p->window.axis[1].taps[s.column];
  int64_t channel = group * p->small_channels + first;
  ptrdiff_t at = s.row * p->small_strides.row + s.column * p->small_strides.pixel + lane;
  int64_t dw_row = p->large_channels * p->window.kernel[0] * p->window.kernel[1];
  product_job job = {
    .dw = sums + channel * dw_row,
    .dw_row = dw_row,
    .dy = p->small + channel * p->small_strides.channel + at,
    .dy_channel = p->small_strides.channel,
    .dy_step = p->small_strides.pixel,
    .x = p->large + group * p->large_channels * p->large_strides.channel + rows.input * p->large_strides.row +
         columns.input * p->large_strides.pixel + lane,
    .x_step = p->window.axis[1].input_period * p->large_strides.pixel,
    .n_rows = n_channels,
    .n_pixels = s.n_pixels,
    .n_lanes = n_lanes,
  };
  product_window(p, job, table, rows, columns);
}

/* Items run over groups, parts of units, parts of channels, the last one fastest. */
static void product_items(void *argument, int64_t begin, int64_t end) {
  const product_plan *p = argument;
  product_table table;
  table.whole = false;
  for (int64_t item = begin; item < end; item++) {
    int64_t first = item % p->n_channel_parts * p->channels_per_part, rest = p->small_channels - first;
    int64_t part = item / p->n_channel_parts % p->n_unit_parts;
    int64_t group = item / p->n_channel_parts / p->n_unit_parts;
    int64_t first_unit = part * p->n_units / p->n_unit_parts, last_unit = (part + 1) * p->n_units / p->n_unit_parts;
    for (int64_t unit = first_unit; unit < last_unit; unit++)
      product_unit(p, p->sums + part * p->n_dw, &table, unit, group, first,
                   rest < p->channels_per_part ? rest : p->channels_per_part);
  }
}

/* Cuts the rows of the small side into runs of equal taps, and these into strips; returns how many.
** strips may be NULL to count. */
static int64_t make_strips(strip *strips, const conv_window *w, int64_t longest) {
  int64_t n = 0;
  const conv_taps *taps = w->axis[1].taps;
  for (int64_t row = 0; row < w->axis[0].n; row++) {
    for (int64_t column = 0, end; column < w->axis[1].n; column = end) {
      for (end = column + 1; end < w->axis[1].n && end - column < longest; end++)
        if (!conv_same_taps(taps[end], taps[column])) break;
      if (strips) strips[n] = (strip){ row, column, end - column };
      n++;
    }
  }
  return n;
}

/* Enough items for a few threads to share evenly, from sizes alone. */
static void cut_work(product_plan *p) {
  int64_t rows = p->tiles->product_rows, n_tiles = (p->small_channels + rows - 1) / rows;
  int64_t wanted = (MANY_ITEMS + p->groups - 1) / p->groups, channel_parts = 1;
  bool large = p->n_dw / p->groups >= LARGE_WEIGHT;
  if (large) channel_parts = least(n_tiles, wanted);
  else if (p->n_units < wanted) channel_parts = least(n_tiles, wanted / p->n_units);
  p->channels_per_part = (n_tiles + channel_parts - 1) / channel_parts * rows;
  p->n_channel_parts = (p->small_channels + p->channels_per_part - 1) / p->channels_per_part;
  bool by_units = !large || p->n_channel_parts < 4;
  p->n_unit_parts = by_units ? least(p->n_units, (wanted + p->n_channel_parts - 1) / p->n_channel_parts) : 1;
}

static void add_parts(const product_plan *p, float *dw) {
  memcpy(dw, p->sums, (size_t)p->n_dw * sizeof(float));
  for (int64_t part = 1; part < p->n_unit_parts; part++)
    for (int64_t i = 0; i < p->n_dw; i++) dw[i] += p->sums[part * p->n_dw + i];
}

/* Scratch: axes and strips, then the sums. */
static status product_run(context *c, product_plan *p, float *dw) {
  cut_work(p);
  size_t n_bytes = (size_t)(p->n_unit_parts * p->n_dw) * sizeof(float);
  p->sums = context_get(c, n_bytes);
  if (!p->sums) return STATUS_NO_MEMORY;
  memset(p->sums, 0, n_bytes);
  parallel_for(c, p->groups * p->n_unit_parts * p->n_channel_parts, 1, product_items, p);
  add_parts(p, dw);
  context_put(c, p->sums, n_bytes);
  return STATUS_OK;
}

status conv_lanes_weight(context *c, const conv_geometry *g, float *dw, const float *small, const float *large) {
  int64_t n_rows = g->small_size[0], n_columns = g->small_size[1];
  product_plan p = { .n = g->n, .groups = g->groups, .small = small, .large = large };
  p.small_channels = g->small_channels / g->groups;
  p.large_channels = g->large_channels / g->groups;
  p.cut = lanes_cut_of(g->n, 256);
  p.tiles = conv_tiles_for(p.cut.padded);
  p.small_strides = lanes_strides_of(g->small_size, p.cut.padded);
  p.large_strides = lanes_strides_of(g->large_size, p.cut.padded);
  p.n_dw = g->small_channels * p.large_channels * g->kernel[0] * g->kernel[1];

  size_t taps_bytes = (size_t)(n_rows + n_columns) * sizeof(conv_taps);
  size_t strips_bytes = (size_t)(n_rows * n_columns) * sizeof(strip);
  strip *strips = context_get(c, strips_bytes + taps_bytes);
  if (!strips) return STATUS_NO_MEMORY;
  conv_taps *taps = (conv_taps *)(void *)((char *)strips + strips_bytes);
  p.window = (conv_window){ .kernel = { g->kernel[0], g->kernel[1] }, .channels = p.large_channels,
                            .x_channel = p.large_strides.channel, .x_row = p.large_strides.row,
                            .x_pixel = p.large_strides.pixel, .weight_step = 1 };
  conv_axis_make(&p.window.axis[0], g, TO_SMALL, 0, taps);
  conv_axis_make(&p.window.axis[1], g, TO_SMALL, 1, taps + n_rows);
  int64_t longest = STRIP_FLOATS / p.cut.slice;
  p.n_units = make_strips(strips, &p.window, longest > 1 ? longest : 1) * p.cut.n_slices;
  p.strips = strips;
  status code = product_run(c, &p, dw);
  context_put(c, strips, strips_bytes + taps_bytes);
  return code;
}

/* conv_spread.c -- convolution with the output channels as the lanes of the vectors.
**
**   y[n][oh][ow][k] = activation(bias[k] + sum over (channel, tap) of x[n][channel][input of tap] * weight[..][k])
**
** The weight is packed to [group][channel * taps][k padded to a vector] for each call; each x value is broadcast,
** so that x may lie in memory in any order.  A *run* is the pixels of a row that have the same taps.  Runs of all
** rows and samples that start at the same column follow one another, so that a table of entries serves many; rows
** of the same taps are worked on together, along the longer side: a border column is one run downwards. */
#include "conv_spread.h"

#include <string.h>

#include "../tensor/parallel.h"
#include "../tensor/transpose.h"

typedef struct run { int64_t column, n_pixels; } run;

typedef struct spread_plan {
  const conv_tiles *tiles;
  conv_window window;
  conv_matrix matrix;
  int64_t n, groups, padded;       /* padded: outputs of a group, rounded up to whole vectors */
  const run *runs;
  const float *x, *weight, *bias;  /* weight and bias are packed */
  int64_t x_sample;
  float *y;
  conv_entry *tables;              /* [chunk][window] */
  int64_t n_entries, grain;
  bool relu;
} spread_plan;

/* The pixels of run r in `n_rows` rows that have the same taps, by runs along the longer side. */
static void spread_rows(const spread_plan *p, const conv_entry *table, int64_t n_entries, int64_t sample,
                        int64_t group, int64_t row, int64_t n_rows, run r) {
  const conv_axis *rows = &p->window.axis[0], *columns = &p->window.axis[1];
  int64_t n_channels = p->groups * p->matrix.outputs;
  conv_taps first_row = rows->taps[row], first_column = columns->taps[r.column];
  ptrdiff_t y_row = columns->n * n_channels, y_column = columns->period * n_channels;
  ptrdiff_t x_row = rows->input_period * p->window.x_row, x_column = columns->input_period * p->window.x_pixel;
  bool down = n_rows > r.n_pixels;
  spread_job job = {
    .y = p->y + (sample * rows->n + row) * y_row + r.column * n_channels + group * p->matrix.outputs,
    .y_step = down ? y_row : y_column,
    .x = p->x + sample * p->x_sample + group * p->matrix.inputs * p->window.x_channel +
         first_row.input * p->window.x_row + first_column.input * p->window.x_pixel,
    .x_step = down ? x_row : x_column,
    .weight = p->weight + group * p->n_entries * p->padded,
    .bias = p->bias + group * p->padded,
    .entries = table,
    .n_entries = n_entries,
    .n_pixels = down ? n_rows : r.n_pixels,
    .n_outputs = p->matrix.outputs,
    .relu = p->relu,
  };
  for (int64_t line = 0; line < (down ? r.n_pixels : n_rows); line++) {
    p->tiles->spread(&job);
    job.y += down ? y_column : y_row;
    job.x += down ? x_column : x_row;
  }
}

/* How many rows from this one on, at most `most`, have the same taps. */
static int64_t same_rows(const conv_axis *axis, int64_t row, int64_t most) {
  int64_t n = 1;
  if (axis->period > 1) return 1;
  while (n < most && row + n < axis->n && conv_same_taps(axis->taps[row + n], axis->taps[row])) n++;
  return n;
}

/* Items run over runs, groups, samples, rows, the last one fastest. */
static void spread_items(void *argument, int64_t begin, int64_t end) {
  const spread_plan *p = argument;
  conv_entry *table = p->tables + begin / p->grain * p->n_entries;
  conv_taps table_rows = { -1, 0, 0 }, table_columns = { -1, 0, 0 };
  int64_t n_rows = p->window.axis[0].n, n_entries = 0;
  for (int64_t item = begin, n_same; item < end; item += n_same) {
    int64_t row = item % n_rows, sample = item / n_rows % p->n, group = item / n_rows / p->n % p->groups;
    run r = p->runs[item / n_rows / p->n / p->groups];
    conv_taps rows = p->window.axis[0].taps[row], columns = p->window.axis[1].taps[r.column];
    if (!conv_same_taps(rows, table_rows) || !conv_same_taps(columns, table_columns)) {
      n_entries = p->window.channels * rows.count * columns.count;
      conv_window_entries(table, &p->window, rows, columns, 0, n_entries);
      table_rows = rows;
      table_columns = columns;
    }
    n_same = same_rows(&p->window.axis[0], row, end - item);
    spread_rows(p, table, n_entries, sample, group, row, n_same, r);
  }
}

static int64_t make_runs(run *runs, const conv_axis *axis) {
  int64_t n = 0;
  for (int64_t phase = 0; phase < axis->period; phase++) {
    for (int64_t o = phase, end; o < axis->n; o = end) {
      runs[n] = (run){ o, 0 };
      for (end = o; end < axis->n && conv_same_taps(axis->taps[end], axis->taps[o]); end += axis->period)
        runs[n].n_pixels++;
      n++;
    }
  }
  return n;
}

/* weight: cleared.  Where the taps of all channels lie behind one another, it is one matrix to be turned. */
static void pack_group(const context *c, float *packed, const float *weight, const conv_matrix *m, int64_t padded) {
  bool one = m->input_stride == m->taps;
  int64_t inputs = one ? 1 : m->inputs, taps = one ? m->inputs * m->taps : m->taps;
  for (int64_t i = 0; i < inputs; i++)
    transpose_float32(c, packed + i * taps * padded, padded, weight + i * m->input_stride, m->output_stride,
                      m->outputs, taps);
}

static void pack(const context *c, const spread_plan *p, float *weight, float *bias, const float *from,
                 const float *from_bias) {
  const conv_matrix *m = &p->matrix;
  if (p->padded != m->outputs) memset(weight, 0, (size_t)(p->groups * p->n_entries * p->padded) * sizeof(float));
  memset(bias, 0, (size_t)(p->groups * p->padded) * sizeof(float));
  for (int64_t g = 0; g < p->groups; g++) {
    pack_group(c, weight + g * p->n_entries * p->padded, from + g * m->group_stride, m, p->padded);
    if (from_bias)
      memcpy(bias + g * p->padded, from_bias + g * m->outputs, (size_t)m->outputs * sizeof(float));
  }
}

status conv_spread(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                   const int64_t x_stride[4], const float *weight, const float *bias, bool relu) {
  int64_t n_rows = conv_axis_length(g, to, 0), n_columns = conv_axis_length(g, to, 1);
  spread_plan p = { .matrix = conv_weight_matrix(g, to), .n = g->n, .groups = g->groups, .x = x, .y = y,
                    .x_sample = x_stride[0], .relu = relu };
  p.tiles = conv_tiles_for(p.matrix.outputs >= 16 ? 16 : 8);
  p.padded = (p.matrix.outputs + p.tiles->lanes - 1) / p.tiles->lanes * p.tiles->lanes;
  p.n_entries = p.matrix.inputs * p.matrix.taps;
  double row_work = (double)(p.n_entries * p.padded * n_columns);
  int64_t most_items = n_columns * g->groups * g->n * n_rows;
  p.grain = 1 + (int64_t)(1e6 / (row_work + 1));
  if (p.grain < most_items / 16) p.grain = most_items / 16;

  int64_t n_chunks = (most_items + p.grain - 1) / p.grain;
  size_t table_bytes = (size_t)(n_chunks * p.n_entries) * sizeof(conv_entry);
  size_t run_bytes = (size_t)n_columns * sizeof(run);
  size_t weight_bytes = (size_t)(g->groups * p.n_entries * p.padded) * sizeof(float);
  size_t bias_bytes = (size_t)(g->groups * p.padded) * sizeof(float);
  size_t taps_bytes = (size_t)(n_rows + n_columns) * sizeof(conv_taps);
  size_t n_bytes = table_bytes + run_bytes + weight_bytes + bias_bytes + taps_bytes;
  char *scratch = context_get(c, n_bytes);
  if (!scratch) return STATUS_NO_MEMORY;
  p.tables = (conv_entry *)(void *)scratch;
  run *runs = (run *)(void *)(scratch + table_bytes);
  float *packed = (float *)(void *)(scratch + table_bytes + run_bytes);
  float *packed_bias = packed + weight_bytes / sizeof(float);
  conv_taps *taps = (conv_taps *)(void *)(scratch + table_bytes + run_bytes + weight_bytes + bias_bytes);

  p.window = (conv_window){ .kernel = { g->kernel[0], g->kernel[1] }, .channels = p.matrix.inputs,
                            .x_channel = x_stride[1], .x_row = x_stride[2], .x_pixel = x_stride[3],
                            .weight_step = p.padded };
  conv_axis_make(&p.window.axis[0], g, to, 0, taps);
  conv_axis_make(&p.window.axis[1], g, to, 1, taps + n_rows);
  pack(c, &p, packed, packed_bias, weight, bias);
  int64_t n_runs = make_runs(runs, &p.window.axis[1]);
  p.runs = runs;
  p.weight = packed;
  p.bias = packed_bias;
  parallel_for(c, n_runs * g->groups * g->n * n_rows, p.grain, spread_items, &p);
  context_put(c, scratch, n_bytes);
  return STATUS_OK;
}

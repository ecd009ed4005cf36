/* conv_gather.c -- forward and input gradient of convolution in the lanes order.
**
**   y[k][oh][ow][lane] = activation(bias[k] + sum over (channel, tap) that reach (oh, ow) of
**                                   weight[k][channel][tap] * x[channel][input of tap][lane])
**
** Work is cut into output pixels x slices of lanes x groups, all channels of a pixel together, so that its inputs
** are read from far away once.  Pixels are visited in the order in which neighbours have the same taps (going to
** the large side with stride 2: the even columns of a row, then the odd ones), so that a table of entries is
** built once for a run of them.  Long windows are summed in parts: their weights and inputs then stay in
** the caches.  Each pixel is computed by one thread in one order: the same bits for any number of threads. */
#include <string.h>

#include "../tensor/parallel.h"
#include "../tensor/transpose.h"
#include "conv_lanes.h"

typedef struct gather_plan {
  const conv_tiles *tiles;
  conv_window window;
  conv_matrix matrix;
  lanes_cut cut;
  const float *x;
  float *y;
  lanes_strides x_strides, y_strides;
  int64_t groups;
  const float *weight;      /* packed: [group][block of rows][channel * taps][rows] */
  ptrdiff_t weight_block, weight_group;
  const float *bias;
  const int64_t *columns;   /* the order in which a row's pixels are visited */
  bool relu;
} gather_plan;

/* Where the work is: items run over slices, groups, rows, columns, the last one fastest. */
typedef struct gather_place { int64_t slice, group, row, column; } gather_place;

lanes_strides lanes_strides_of(const int64_t size[2], int64_t padded) {
  return (lanes_strides){ size[0] * size[1] * padded, size[1] * padded, padded };
}

lanes_cut lanes_cut_of(int64_t n, int64_t largest_slice) {
  lanes_cut cut = { .padded = n <= 8 ? 8 : (n + 15) / 16 * 16 };
  cut.n_slices = (cut.padded + largest_slice - 1) / largest_slice;
  cut.slice = cut.padded <= 8 ? 8 : (cut.padded / cut.n_slices + 15) / 16 * 16;
  cut.n_slices = (cut.padded + cut.slice - 1) / cut.slice;
  return cut;
}

static gather_place place_of(const gather_plan *p, int64_t item) {
  gather_place at;
  at.column = item % p->window.axis[1].n;
  item /= p->window.axis[1].n;
  at.row = item % p->window.axis[0].n;
  item /= p->window.axis[0].n;
  at.group = item % p->groups;
  at.slice = item / p->groups;
  return at;
}

static void next_place(const gather_plan *p, gather_place *at) {
  if (++at->column < p->window.axis[1].n) return;
  at->column = 0;
  if (++at->row < p->window.axis[0].n) return;
  at->row = 0;
  if (++at->group < p->groups) return;
  at->group = 0;
  at->slice++;
}

static gather_job job_at(const gather_plan *p, gather_place at, conv_taps rows, conv_taps columns) {
  int64_t lane = at.slice * p->cut.slice, rest = p->cut.padded - lane;
  int64_t first_output = at.group * p->matrix.outputs, first_input = at.group * p->matrix.inputs;
  lanes_strides xs = p->x_strides, ys = p->y_strides;
  return (gather_job){
    .y = p->y + first_output * ys.channel + at.row * ys.row + p->columns[at.column] * ys.pixel + lane,
    .y_channel = ys.channel,
    .x = p->x + first_input * xs.channel + rows.input * xs.row + columns.input * xs.pixel + lane,
    .weight = p->weight + at.group * p->weight_group,
    .weight_block = p->weight_block,
    .bias = p->bias ? p->bias + first_output : NULL,
    .n_outputs = p->matrix.outputs,
    .n_lanes = rest < p->cut.slice ? rest : p->cut.slice,
  };
}

/* One pixel whose window takes several tables. */
static void gather_parts(const gather_plan *p, gather_job job, conv_entry *entries, conv_taps rows,
                         conv_taps columns, int64_t n_entries) {
  int64_t part = conv_window_part(n_entries);
  for (int64_t begin = 0; begin < n_entries; begin += part) {
    int64_t end = begin + part < n_entries ? begin + part : n_entries;
    conv_window_entries(entries, &p->window, rows, columns, begin, end);
    job.entries = entries;
    job.n_entries = end - begin;
    job.add = begin > 0;
    job.relu = p->relu && end == n_entries;
    p->tiles->gather(&job);
  }
}

/* Where a row of lanes is one vector, a tile takes the pixels of a run instead: how many from `at` on, at most
** `most`, lie in one row and have the same taps. */
static int64_t run_length(const gather_plan *p, gather_place at, int64_t most) {
  if (p->cut.padded != p->tiles->lanes) return 1;
  const conv_axis *axis = &p->window.axis[1];
  const int64_t *columns = p->columns + at.column;
  int64_t n = 1;
  while (n < most && at.column + n < axis->n && columns[n] == columns[n - 1] + axis->period &&
         conv_same_taps(axis->taps[columns[n]], axis->taps[columns[0]]))
    n++;
  return n;
}

static void gather_run(const gather_plan *p, gather_job job, int64_t n_pixels) {
  if (n_pixels == 1) {
    p->tiles->gather(&job);
    return;
  }
  job.n_lanes *= n_pixels;
  job.x_vector = p->window.axis[1].input_period * p->x_strides.pixel;
  job.y_vector = p->window.axis[1].period * p->y_strides.pixel;
  p->tiles->gather_strided(&job);
}

static void gather_items(void *argument, int64_t begin, int64_t end) {
  const gather_plan *p = argument;
  conv_entry entries[CONV_MAX_ENTRIES];
  conv_taps table_rows = { -1, 0, 0 }, table_columns = { -1, 0, 0 };
  gather_place at = place_of(p, begin);
  for (int64_t item = begin, run; item < end; item += run, next_place(p, &at)) {
    conv_taps rows = p->window.axis[0].taps[at.row], columns = p->window.axis[1].taps[p->columns[at.column]];
    int64_t n_entries = p->window.channels * rows.count * columns.count;
    gather_job job = job_at(p, at, rows, columns);
    run = 1;
    if (n_entries > CONV_MAX_ENTRIES) {
      gather_parts(p, job, entries, rows, columns, n_entries);
      table_rows.first = -1;
      continue;
    }
    if (!conv_same_taps(rows, table_rows) || !conv_same_taps(columns, table_columns)) {
      conv_window_entries(entries, &p->window, rows, columns, 0, n_entries);
      table_rows = rows;
      table_columns = columns;
    }
    job.entries = entries;
    job.n_entries = n_entries;
    job.relu = p->relu;
    run = run_length(p, at, end - item);
    at.column += run - 1;
    gather_run(p, job, run);
  }
}

/* A few taps of a few outputs, too little to be turned in registers: to[tap][row]. */
static void pack_taps(float *to, int64_t rows, const float *from, int64_t output_stride, int64_t real, int64_t taps) {
  for (int64_t t = 0; t < taps; t++)
    for (int64_t r = 0; r < real; r++) to[t * rows + r] = from[r * output_stride + t];
}

/* [block][channel * taps][rows] of one group; rows that do not exist weigh nothing.  Where the taps of all channels
** lie behind one another, a block is one matrix to be turned. */
static void pack_weight(const context *c, float *packed, const float *weight, const conv_matrix *m, int64_t rows) {
  int64_t n_entries = m->inputs * m->taps;
  bool one = m->input_stride == m->taps;
  for (int64_t first = 0; first < m->outputs; first += rows) {
    int64_t real = m->outputs - first < rows ? m->outputs - first : rows;
    float *to = packed + first * n_entries;
    const float *from = weight + first * m->output_stride;
    if (real < rows) memset(to, 0, (size_t)(rows * n_entries) * sizeof *to);
    if (one) {
      transpose_float32(c, to, rows, from, m->output_stride, real, n_entries);
      continue;
    }
    for (int64_t i = 0; i < m->inputs; i++)
      pack_taps(to + i * m->taps * rows, rows, from + i * m->input_stride, m->output_stride, real, m->taps);
  }
}

static void order_columns(int64_t *order, const conv_axis *axis) {
  int64_t n = 0;
  for (int64_t phase = 0; phase < axis->period; phase++)
    for (int64_t o = phase; o < axis->n; o += axis->period) order[n++] = o;
}

/* Items per chunk: enough for a thread to be worth waking, and some 32 chunks to share out. */
static int64_t gather_grain(const gather_plan *p, int64_t n_items) {
  double work = (double)(p->matrix.outputs * p->matrix.inputs * p->matrix.taps) * (double)p->cut.slice;
  int64_t least = 1 + (int64_t)(5e5 / (work + 1)), share = (n_items + 31) / 32;
  return parallel_even_grain(n_items, least > share ? least : share);
}

status conv_lanes_gather(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                         const float *weight, const float *bias, bool relu) {
  if (conv_cells_suit(g, to)) {
    conv_lanes_cells(c, g, y, x, weight, bias, relu);
    return STATUS_OK;
  }
  int64_t n_rows = conv_axis_length(g, to, 0), n_columns = conv_axis_length(g, to, 1);
  gather_plan p = { .matrix = conv_weight_matrix(g, to), .groups = g->groups, .bias = bias, .relu = relu,
                    .x = x, .y = y };
  p.cut = lanes_cut_of(g->n, n_rows * n_columns * g->groups < 32 ? 128 : 256);
  p.tiles = conv_tiles_for(p.cut.padded);
  p.x_strides = lanes_strides_of(to == TO_SMALL ? g->large_size : g->small_size, p.cut.padded);
  p.y_strides = lanes_strides_of(to == TO_SMALL ? g->small_size : g->large_size, p.cut.padded);
  p.weight_block = p.matrix.inputs * p.matrix.taps * p.tiles->rows;
  p.weight_group = (p.matrix.outputs + p.tiles->rows - 1) / p.tiles->rows * p.weight_block;

  size_t weight_bytes = (size_t)(g->groups * p.weight_group) * sizeof(float);
  size_t columns_bytes = (size_t)n_columns * sizeof(int64_t);
  size_t taps_bytes = (size_t)(n_rows + n_columns) * sizeof(conv_taps);
  size_t n_bytes = weight_bytes + columns_bytes + taps_bytes;
  int64_t *columns = context_get(c, n_bytes);
  if (!columns) return STATUS_NO_MEMORY;
  float *packed = (float *)(columns + n_columns);
  conv_taps *taps = (conv_taps *)(void *)((char *)packed + weight_bytes);

  p.window = (conv_window){ .kernel = { g->kernel[0], g->kernel[1] }, .channels = p.matrix.inputs,
                            .x_channel = p.x_strides.channel, .x_row = p.x_strides.row, .x_pixel = p.x_strides.pixel,
                            .weight_step = p.tiles->rows };
  conv_axis_make(&p.window.axis[0], g, to, 0, taps);
  conv_axis_make(&p.window.axis[1], g, to, 1, taps + n_rows);
  order_columns(columns, &p.window.axis[1]);
  for (int64_t group = 0; group < g->groups; group++)
    pack_weight(c, packed + group * p.weight_group, weight + group * p.matrix.group_stride, &p.matrix, p.tiles->rows);
  p.columns = columns;
  p.weight = packed;

  int64_t n_items = p.cut.n_slices * g->groups * n_rows * n_columns;
  parallel_for(c, n_items, gather_grain(&p, n_items), gather_items, &p);
  context_put(c, columns, n_bytes);
  return STATUS_OK;
}

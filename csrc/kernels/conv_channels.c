/* conv_channels.c -- convolution with the output channels as the lanes of the vectors.
**
**   y[n][oh][ow][k] = activation(bias[k] + sum over (channel, tap) of x[n][channel][input of tap] * weight[..][k])
**
** Each x value is broadcast, so that x may lie in memory in any order.  The sum runs in the order of the lanes' way
** (conv_gather.c): a sample has the same bits in a batch of any size, unless Winograd's filtering takes the large ones.
** A *stretch* is a run of output rows, or columns, that have the same taps: the inside of the image is one, each
** border row or column another (going to the large side with stride 2: the even ones, the odd ones).  A *patch* is a
** stretch of rows by a stretch of columns: one table of taps serves it.
** The stretches, the tables and the packed weight make the *plan*, which depends on nothing but the weight and the
** geometry.  For one small image, making it takes as long as the arithmetic: it is kept beside the weight.
** Each output row is computed by one thread in one order: the same bits for any number of threads. */
#include "conv_channels.h"

#include <string.h>

#include "../tensor/derived.h"
#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "../tensor/transpose.h"

/* Entries in all tables of a plan; multiply-adds that are worth a thread's while, some 2 us; what an output costs
** besides its own, in these. */
enum { MOST_ENTRIES = 8192, CHUNK_WORK = 90000, OUTPUT_WORK = 24 };

/* Output coordinates first, first + period, ... `count` of them; `taps` is that of the first. */
typedef struct stretch {
  int64_t first, count;
  conv_taps taps;
} stretch;

typedef struct stretches {
  stretch *items;
  int64_t n;
  int64_t period, input_period;    /* output coordinates, and those that they read, from one to the next */
} stretches;

static const char maker;           /* its address says that a derived block is a plan */

/* What a plan depends on besides the weight's values.  Integers only: compared as bytes. */
typedef struct plan_key {
  conv_geometry geometry;          /* n = 0: any batch */
  int64_t direction;
  int64_t x_stride[3];             /* of channels, rows, pixels */
  int64_t weight_offset;           /* in its storage */
} plan_key;

/* One block of memory; the pointers point into it. */
typedef struct plan {
  derived kept;
  plan_key key;
  const conv_tiles *tiles;
  conv_matrix matrix;
  int64_t padded;                  /* outputs of a group, rounded up to whole vectors */
  stretches rows, columns;
  conv_entry *tables;              /* [row stretch][column stretch][tap]; x counts from the first tap's input */
  float *weight;                   /* [group][channel][tap][padded] */
} plan;

/* One call. */
typedef struct work {
  const plan *plan;
  const float *x, *bias;
  float *y;
  int64_t x_sample;
  int64_t n_rows, n_columns;       /* of the output */
  bool relu;
} work;

/* -- the plan -- */

static void find_stretches(stretches *s, const conv_axis *axis) {
  s->period = axis->period;
  s->input_period = axis->input_period;
  for (int64_t phase = 0; phase < axis->period; phase++) {
    for (int64_t o = phase, end; o < axis->n; o = end) {
      stretch *item = &s->items[s->n++];
      *item = (stretch){ .first = o, .taps = axis->taps[o] };
      for (end = o; end < axis->n && conv_same_taps(axis->taps[end], axis->taps[o]); end += axis->period) item->count++;
    }
  }
}

static void make_tables(plan *p, const conv_window *window) {
  conv_entry *table = p->tables;
  for (int64_t i = 0; i < p->rows.n; i++)
    for (int64_t j = 0; j < p->columns.n; j++, table += p->matrix.taps) {
      conv_taps rows = p->rows.items[i].taps, columns = p->columns.items[j].taps;
      conv_window_entries(table, window, rows, columns, 0, (int64_t)rows.count * columns.count);
    }
}

/* Where the taps of all channels lie behind one another, a group's weight is one matrix to be turned. */
static void pack_weight(const context *c, plan *p, const float *weight) {
  const conv_matrix *m = &p->matrix;
  int64_t n_groups = p->key.geometry.groups, group_size = m->inputs * m->taps * p->padded;
  bool one = m->input_stride == m->taps;
  int64_t inputs = one ? 1 : m->inputs, taps = one ? m->inputs * m->taps : m->taps;
  if (p->padded != m->outputs) memset(p->weight, 0, (size_t)(n_groups * group_size) * sizeof(float));
  for (int64_t g = 0; g < n_groups; g++)
    for (int64_t i = 0; i < inputs; i++)
      transpose_float32(c, p->weight + g * group_size + i * taps * p->padded, p->padded,
                        weight + g * m->group_stride + i * m->input_stride, m->output_stride, m->outputs, taps);
}

/* An upper bound: the inside, and each border coordinate by itself. */
static int64_t most_stretches(const conv_geometry *g, conv_direction to, int d) {
  int64_t reach = g->dilation[d] * (g->kernel[d] - 1) + 1;
  int64_t most = to == TO_SMALL ? 2 * (g->padding[d] / g->stride[d]) + 3 : 2 * reach + g->stride[d];
  return least(most, conv_axis_length(g, to, d));
}

static int64_t most_entries(const conv_geometry *g, conv_direction to) {
  return most_stretches(g, to, 0) * most_stretches(g, to, 1) * g->kernel[0] * g->kernel[1];
}

bool conv_channels_suits(const conv_geometry *g, conv_direction to) {
  for (int d = 0; d < 2; d++)
    if (g->kernel[d] > MOST_ENTRIES || most_stretches(g, to, d) > MOST_ENTRIES) return false;
  return most_stretches(g, to, 0) * most_stretches(g, to, 1) <= MOST_ENTRIES / (g->kernel[0] * g->kernel[1]);
}

static size_t in_lines(size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }

/* Weight, tables and stretches lie behind the plan itself. */
static plan *allocate(context *c, const storage *s, const plan_key *key, conv_direction to) {
  const conv_geometry *g = &key->geometry;
  conv_matrix m = conv_weight_matrix(g, to);
  const conv_tiles *tiles = conv_tiles_for(m.outputs >= 16 ? 16 : 8);
  int64_t padded = (m.outputs + tiles->lanes - 1) / tiles->lanes * tiles->lanes;
  size_t weight_at = in_lines(sizeof(plan));
  size_t tables_at = weight_at + in_lines((size_t)(g->groups * m.inputs * m.taps * padded) * sizeof(float));
  size_t rows_at = tables_at + (size_t)most_entries(g, to) * sizeof(conv_entry);
  size_t columns_at = rows_at + (size_t)most_stretches(g, to, 0) * sizeof(stretch);
  derived *block = derived_new(c, s, &maker, columns_at + (size_t)most_stretches(g, to, 1) * sizeof(stretch));
  if (block == NULL) return NULL;
  char *start = (char *)block;
  plan *p = (plan *)(void *)start;
  *p = (plan){ .kept = *block, .key = *key, .tiles = tiles, .matrix = m, .padded = padded };
  p->weight = (float *)(void *)(start + weight_at);
  p->tables = (conv_entry *)(void *)(start + tables_at);
  p->rows.items = (stretch *)(void *)(start + rows_at);
  p->columns.items = (stretch *)(void *)(start + columns_at);
  return p;
}

static plan *make(context *c, const tensor *weight, const plan_key *key, conv_direction to) {
  const conv_geometry *g = &key->geometry;
  int64_t n_rows = conv_axis_length(g, to, 0), n_columns = conv_axis_length(g, to, 1);
  size_t taps_bytes = (size_t)(n_rows + n_columns) * sizeof(conv_taps);
  conv_taps *taps = context_get(c, taps_bytes);
  if (taps == NULL) return NULL;
  plan *p = allocate(c, weight->storage, key, to);
  if (p != NULL) {
    conv_window window = { .kernel = { g->kernel[0], g->kernel[1] }, .channels = 1, .x_channel = key->x_stride[0],
                           .x_row = key->x_stride[1], .x_pixel = key->x_stride[2], .weight_step = p->padded };
    conv_axis_make(&window.axis[0], g, to, 0, taps);
    conv_axis_make(&window.axis[1], g, to, 1, taps + n_rows);
    find_stretches(&p->rows, &window.axis[0]);
    find_stretches(&p->columns, &window.axis[1]);
    make_tables(p, &window);
    pack_weight(c, p, tensor_float32(weight));
  }
  context_put(c, taps, taps_bytes);
  return p;
}

/* The caller's until it is given back with derived_keep. */
static plan *plan_for(context *c, const conv_geometry *g, conv_direction to, const tensor *weight,
                      const int64_t x_stride[4]) {
  plan_key key = { .geometry = *g, .direction = to, .x_stride = { x_stride[1], x_stride[2], x_stride[3] },
                   .weight_offset = weight->offset };
  key.geometry.n = 0;
  plan *p = (plan *)derived_take(weight->storage, &maker);
  if (p != NULL && memcmp(&p->key, &key, sizeof key) == 0) return p;
  if (p != NULL) derived_free(c->memory, &p->kept);
  return make(c, weight, &key, to);
}

/* -- the work -- */

/* Rows [begin, end) of stretch i by the columns of stretch j, for one group of one sample. */
static void run_patch(const work *w, int64_t sample, int64_t group, int64_t i, int64_t j, int64_t begin, int64_t end) {
  const plan *p = w->plan;
  const stretch *rows = &p->rows.items[i], *columns = &p->columns.items[j];
  const int64_t *x_stride = p->key.x_stride;
  int64_t y_pixel = p->key.geometry.groups * p->matrix.outputs, y_row = w->n_columns * y_pixel;
  int64_t first_row = rows->first + begin * p->rows.period;
  int64_t first_input = rows->taps.input + begin * p->rows.input_period;
  channels_side down = { end - begin, p->rows.input_period * x_stride[1], p->rows.period * y_row };
  channels_side across = { columns->count, p->columns.input_period * x_stride[2], p->columns.period * y_pixel };
  channels_job job = {
    .y = w->y + (sample * w->n_rows + first_row) * y_row + columns->first * y_pixel + group * p->matrix.outputs,
    .x = w->x + sample * w->x_sample + group * p->matrix.inputs * x_stride[0] + first_input * x_stride[1] +
         columns->taps.input * x_stride[2],
    .lines = down.n > across.n ? across : down,
    .pixels = down.n > across.n ? down : across,
    .weight = p->weight + group * p->matrix.inputs * p->matrix.taps * p->padded,
    .bias = w->bias == NULL ? NULL : w->bias + group * p->matrix.outputs,
    .taps = p->tables + (i * p->columns.n + j) * p->matrix.taps,
    .n_taps = (int64_t)rows->taps.count * columns->taps.count,
    .n_channels = p->matrix.inputs,
    .x_channel = x_stride[0],
    .weight_channel = p->matrix.taps * p->padded,
    .n_outputs = p->matrix.outputs,
    .relu = w->relu,
  };
  p->tiles->channels(&job);
}

/* Output rows [begin, end), counted through the stretches, of one group of one sample. */
static void run_rows(const work *w, int64_t sample, int64_t group, int64_t begin, int64_t end) {
  const plan *p = w->plan;
  for (int64_t i = 0, before = 0; i < p->rows.n && before < end; before += p->rows.items[i++].count) {
    int64_t first = begin > before ? begin - before : 0, last = least(end - before, p->rows.items[i].count);
    for (int64_t j = 0; j < p->columns.n && first < last; j++) run_patch(w, sample, group, i, j, first, last);
  }
}

/* Items run over samples, groups, rows, the last one fastest. */
static void run_items(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  int64_t n_groups = w->plan->key.geometry.groups;
  for (int64_t item = begin, n; item < end; item += n) {
    int64_t row = item % w->n_rows, group = item / w->n_rows % n_groups, sample = item / w->n_rows / n_groups;
    n = least(w->n_rows - row, end - item);
    run_rows(w, sample, group, row, row + n);
  }
}

/* Chunks of equal size, an even number of them: most processors have as many cores.  Whole samples where that is not
** much more. */
static int64_t rows_of_chunk(const work *w, int64_t rows) {
  const plan *p = w->plan;
  int64_t row_work = (p->matrix.inputs * p->matrix.taps + OUTPUT_WORK) * p->padded * w->n_columns;
  int64_t n_chunks = (int64_t)((double)rows * (double)row_work / CHUNK_WORK);
  if (n_chunks < 2) return rows;
  int64_t most = (rows - 1) / ((n_chunks + 1) / 2 * 2) + 1;
  return most <= w->n_rows ? most : (most + w->n_rows - 1) / w->n_rows * w->n_rows;
}

static work new_work(const plan *p, float *y, const float *x, int64_t x_sample, const float *bias, bool relu) {
  const conv_geometry *g = &p->key.geometry;
  conv_direction to = (conv_direction)p->key.direction;
  return (work){ .plan = p, .x = x, .bias = bias, .y = y, .x_sample = x_sample, .relu = relu,
                 .n_rows = conv_axis_length(g, to, 0), .n_columns = conv_axis_length(g, to, 1) };
}

static void run(const context *c, work *w, int64_t n_samples) {
  int64_t rows = n_samples * w->plan->key.geometry.groups * w->n_rows;
  parallel_for(c, rows, rows_of_chunk(w, rows), run_items, w);
}

status conv_channels(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                     const int64_t x_stride[4], const tensor *weight, const float *bias, bool relu) {
  plan *p = plan_for(c, g, to, weight, x_stride);
  if (p == NULL) return STATUS_NO_MEMORY;
  work w = new_work(p, y, x, x_stride[0], bias, relu);
  run(c, &w, g->n);
  derived_keep(weight->storage, &p->kept);
  return STATUS_OK;
}

/* -- the work, again -- */

/* A copy of a plan lies behind it, in a line of its own. */
typedef struct repeated {
  const plan *plan;
  const float *bias;
  bool relu;
} repeated;

static void *moved(void *pointer, const plan *from, plan *to) {
  return (char *)to + ((const char *)pointer - (const char *)from);
}

static const plan *copy_plan(plan *to, const plan *from) {
  memcpy(to, from, from->kept.n_bytes);
  to->rows.items = moved(from->rows.items, from, to);
  to->columns.items = moved(from->columns.items, from, to);
  to->tables = moved(from->tables, from, to);
  to->weight = moved(from->weight, from, to);
  return to;
}

static void run_again(const void *own, const context *c, float *y, const float *x, int64_t x_sample, int64_t n) {
  const repeated *r = own;
  work w = new_work(r->plan, y, x, x_sample, r->bias, r->relu);
  run(c, &w, n);
}

bool conv_channels_repeat(context *c, const conv_geometry *g, conv_direction to, const int64_t x_stride[4],
                          const tensor *weight, const float *bias, bool relu, op_step *s) {
  plan *p = plan_for(c, g, to, weight, x_stride);
  if (p == NULL) return false;
  size_t n_bytes = in_lines(sizeof(repeated)) + p->kept.n_bytes;
  repeated *r = context_get(c, n_bytes);
  if (r != NULL) {
    plan *behind = (plan *)(void *)((char *)r + in_lines(sizeof *r));
    *r = (repeated){ copy_plan(behind, p), bias, relu };
    *s = (op_step){ .run = run_again, .own = r, .own_bytes = n_bytes, .most = s->most };
  }
  derived_keep(weight->storage, &p->kept);
  return r != NULL;
}

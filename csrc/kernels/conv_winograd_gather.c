/* conv_winograd_gather.c -- forward and input gradient of 3 x 3 convolutions by Winograd's filtering.
**
** For each of the 16 positions of a tile: M[output][column] = U[output][input] V[input][column], where U are the
** transformed filters, V the transformed inputs and a column is one sample's tile: plain matrix products, which the
** tile of panel.h computes.  A *vector* is one tile of 16 samples, a *run* some neighbouring tiles of a row by some
** neighbouring vectors of samples.  Work is cut into blocks of runs whose V fills a part of the second-level cache.
** M is never whole: some outputs of PANEL_GROUP vectors are transformed back as soon as their 16 positions are
** there, with bias and ReLU.
** Each vector is computed by one thread in one order: the same bits for any number of threads. */
#include <math.h>

#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "../tensor/scratch.h"
#include "conv_winograd.h"
#include "conv_winograd_transform.h"
#include "panel.h"

enum {
  INPUT_FLOATS = 135000,    /* of V in a block: half of a second-level cache */
  MOST_RUNS = 4,            /* in a block */
  MANY_BLOCKS = 16,         /* blocks are made smaller until there are so many */
  TAPS = WINOGRAD_FILTER * WINOGRAD_FILTER,
  FILTER_GRAIN = 128        /* panels of filters that are worth a thread's while */
};

typedef struct plan {
  winograd_plane at;
  conv_matrix matrix;
  bool flipped;
  int64_t run_vectors, run_tiles;   /* of a whole run */
  int64_t n_slices, n_across;       /* runs of vectors in a row of lanes, of tiles in a row of tiles */
  int64_t n_runs, block;            /* runs in all, in a block */
  int64_t pitch, position;          /* floats of V from vector to vector, from position to position */
  int64_t rows;                     /* outputs that are multiplied at once */
  const float *x, *weight, *bias;
  float *y, *filters;               /* U: [block of PANEL outputs][position][input][PANEL] */
  bool relu;
  scratch scratch;                  /* V, then M: [position][rows][PANEL_WIDTH] */
} plan;

typedef struct place { int64_t row, column, lane; } place;   /* of a tile in tiles; of a vector's first lane */

/* -- filters -- */

/* Items run over panels of outputs and inputs, the last one fastest.  Outputs that do not exist weigh nothing. */
static void transform_filters(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  const conv_matrix *m = &p->matrix;
  for (int64_t item = begin; item < end; item++) {
    int64_t panel = item / m->inputs, input = item % m->inputs, n = least(m->outputs - panel * PANEL, PANEL);
    const float *g = p->weight + panel * PANEL * m->output_stride + input * m->input_stride;
    float taps[TAPS * PANEL] __attribute__((aligned(64))) = { 0 };
    for (int64_t output = 0; output < n; output++, g += m->output_stride)
      for (int64_t tap = 0; tap < TAPS; tap++) taps[(p->flipped ? TAPS - 1 - tap : tap) * PANEL + output] = g[tap];
    winograd_filter(p->filters + (panel * WINOGRAD_POSITIONS * m->inputs + input) * PANEL, m->inputs * PANEL, taps);
  }
}

/* -- inputs -- */

/* Runs go over slices of lanes, rows of tiles, and runs of a row, the last one fastest. */
static place place_of(const plan *p, int64_t run, int64_t *n_tiles, int64_t *n_vectors) {
  int64_t column = run % p->n_across * p->run_tiles, row = run / p->n_across % p->at.n_tiles[0];
  int64_t vector = run / p->n_across / p->at.n_tiles[0] * p->run_vectors;
  *n_tiles = least(p->run_tiles, p->at.n_tiles[1] - column);
  *n_vectors = least(p->run_vectors, p->at.input.pixel / WINOGRAD_LANES - vector);
  return (place){ row, column, vector * WINOGRAD_LANES };
}

/* V of a run from v on; places of its vectors, and how many they are. */
static int64_t run_input(const plan *p, float *v, int64_t number, place *places) {
  const lanes_strides *s = &p->at.input;
  winograd_run run = { .pixel = s->pixel };
  place at = place_of(p, number, &run.n_tiles, &run.n_vectors);
  int64_t top = at.row * WINOGRAD_OUTPUT - p->at.padding[0], left = at.column * WINOGRAD_OUTPUT - p->at.padding[1];
  run.first = left < 0 ? -left : 0;
  run.last = p->at.input_size[1] - left;
  for (int64_t channel = 0; channel < p->at.inputs; channel++) {
    const float *x = p->x + channel * s->channel + top * s->row + left * s->pixel + at.lane;
    for (int64_t i = 0; i < WINOGRAD_INPUT; i++)
      run.row[i] = top + i >= 0 && top + i < p->at.input_size[0] ? x + i * s->row : NULL;
    winograd_input(v + channel * PANEL, p->pitch, p->position, &run);
  }
  for (int64_t i = 0; i < run.n_tiles * run.n_vectors; i++)
    places[i] = (place){ at.row, at.column + i / run.n_vectors, at.lane + i % run.n_vectors * WINOGRAD_LANES };
  return run.n_tiles * run.n_vectors;
}

/* -- outputs -- */

static void vector_output(const plan *p, const float *m, place at, int64_t output, int64_t n) {
  const lanes_strides *s = &p->at.output;
  int64_t top = at.row * WINOGRAD_OUTPUT, left = at.column * WINOGRAD_OUTPUT;
  float *y = p->y + output * s->channel + top * s->row + left * s->pixel + at.lane;
  winograd_output(n, y, (winograd_strides){ s->channel, s->row, s->pixel }, p->at.output_size[0] - top,
                  p->at.output_size[1] - left, m, PANEL_WIDTH, p->rows * PANEL_WIDTH,
                  p->bias != NULL ? p->bias + output : NULL, p->relu ? 0.0f : -INFINITY);
}

/* `rows` outputs of n vectors. */
static void multiply(const plan *p, const float *v, float *m, const place *places, int64_t n, int64_t output) {
  int64_t inputs = p->at.inputs, n_rows = least(p->rows, p->at.outputs - output);
  const float *u = p->filters + output / PANEL * WINOGRAD_POSITIONS * inputs * PANEL + output % PANEL;
  for (int64_t k = 0; k < WINOGRAD_POSITIONS; k++)
    panel_multiply(m + k * p->rows * PANEL_WIDTH, n_rows, inputs, u + k * inputs * PANEL, v + k * p->position, p->pitch,
                   n);
  for (int64_t i = 0; i < n; i++) vector_output(p, m + i * PANEL, places[i], output, n_rows);
}

static void run_blocks(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  float *v = scratch_take(&p->scratch), *m = v + WINOGRAD_POSITIONS * p->position;
  for (int64_t block = begin; block < end; block++) {
    place places[MOST_RUNS * WINOGRAD_RUN];
    int64_t n = 0, last = least((block + 1) * p->block, p->n_runs);
    for (int64_t run = block * p->block; run < last; run++) n += run_input(p, v + n * p->pitch, run, places + n);
    for (int64_t output = 0; output < p->at.outputs; output += p->rows)
      for (int64_t i = 0; i < n; i += PANEL_GROUP)
        multiply(p, v + i * p->pitch, m, places + i, least(PANEL_GROUP, n - i), output);
  }
  scratch_give(v);
}

/* -- the plan -- */

/* Pitches are odd numbers of cache lines: not all vectors and positions in a few sets. */
static void cut_work(plan *p) {
  int64_t vectors = p->at.input.pixel / WINOGRAD_LANES, tiles = p->at.n_tiles[1];
  p->n_slices = parts(vectors, WINOGRAD_RUN);
  p->run_vectors = parts(vectors, p->n_slices);
  p->n_across = parts(tiles, WINOGRAD_RUN / p->run_vectors);
  p->run_tiles = parts(tiles, p->n_across);
  p->n_runs = p->n_slices * p->at.n_tiles[0] * p->n_across;
  int64_t run_size = p->run_vectors * p->run_tiles;
  int64_t fitting = INPUT_FLOATS / (p->at.inputs * WINOGRAD_POSITIONS * PANEL * run_size);
  p->block = least(least(fitting, p->n_runs / MANY_BLOCKS), MOST_RUNS);
  if (p->block < 1) p->block = 1;
  p->pitch = (p->at.inputs | 1) * PANEL;
  p->position = (p->block * run_size | 1) * p->pitch;
}

status conv_winograd_gather(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                            const float *weight, const float *bias, bool relu) {
  plan p = { .at = winograd_plane_of(g, to), .matrix = conv_weight_matrix(g, to), .flipped = to == TO_LARGE,
             .rows = panel_is_wide() ? PANEL / 2 : PANEL, .x = x, .y = y, .weight = weight, .bias = bias,
             .relu = relu };
  cut_work(&p);
  int64_t n_blocks = parts(p.n_runs, p.block), grain = parts(n_blocks, 32);
  int64_t n_panels = parts(p.at.outputs, PANEL);
  size_t filter_bytes = (size_t)(n_panels * WINOGRAD_POSITIONS * p.at.inputs * PANEL) * sizeof(float);
  p.filters = context_get(c, filter_bytes);
  if (p.filters == NULL) return STATUS_NO_MEMORY;
  size_t v_bytes = (size_t)(WINOGRAD_POSITIONS * p.position) * sizeof(float);
  size_t m_bytes = (size_t)(WINOGRAD_POSITIONS * PANEL * PANEL_WIDTH) * sizeof(float);
  status code = scratch_begin(c, &p.scratch, parts(n_blocks, grain), v_bytes + m_bytes);
  if (code == STATUS_OK) {
    parallel_for(c, n_panels * p.at.inputs, FILTER_GRAIN, transform_filters, &p);
    parallel_for(c, n_blocks, grain, run_blocks, &p);
    scratch_end(c, &p.scratch);
  }
  context_put(c, p.filters, filter_bytes);
  return code;
}

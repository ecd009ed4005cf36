/* conv_winograd_weight.c -- weight gradient of 3 x 3 convolutions by Winograd's filtering.
**
**   dg = G' [ sum over tiles and samples of (A dy A') .* (B' x B) ] G       (see conv_winograd_transform.h)
**
** In each of the 16 positions the sum is a matrix product, dU[small][large] = W[small][column] V[large][column]', whose
** depth are the columns: tiles by samples.  panel.h wants both operands as [column][channel], so pixels are laid out
** that way first, 16 channels together; the transforms then work on channels side by side.
** Work is cut into runs: some neighbouring tiles of a row by some samples; parts of the runs have a dU of their own.
** These are added in order: the same bits for any number of threads. */
#include <string.h>

#include "../tensor/integers.h"
#include "../tensor/parallel.h"
#include "../tensor/scratch.h"
#include "conv_winograd.h"
#include "conv_winograd_transform.h"
#include "matmul_tile.h"
#include "panel.h"

enum {
  RUN_LANES = 128,            /* samples in a run, at most */
  RUN_TILES = 8,              /* tiles in a run, at most */
  RUN_COLUMNS = 256,          /* tiles by samples, about */
  FEW_PARTS = 8,              /* for the threads to share */
  MOST_PARTS = 16,
  PART_FLOATS = 1 << 21,      /* of dU in more than few parts together */
  FINISH_GRAIN = 64,          /* panels of filters that are worth a thread's while */
  TAPS = WINOGRAD_FILTER * WINOGRAD_FILTER
};

typedef struct plan {
  winograd_plane at;                  /* input: the large side, output: the small one */
  int64_t n;                          /* samples */
  const float *small, *large;
  float *dw, *sums;                   /* dU: [part][position][panel of small][panel of large][PANEL][PANEL] */
  int64_t small_panels, large_panels, part_floats;
  int64_t run_lanes, run_tiles, n_slices, n_across, n_runs;
  int64_t n_parts, runs_per_part;
  int64_t pitch;                      /* floats from panel to panel of V and W */
  scratch scratch;                    /* V [position][panel], W [position][panel], a patch of pixels */
} plan;

/* Some tiles of a row of tiles, some samples. */
typedef struct span { int64_t row, column, n_tiles, lane, n_lanes; } span;

/* One side of the products. */
typedef struct side {
  const float *data;
  lanes_strides strides;
  const int64_t *size;
  int64_t channels;
} side;

/* The last panel begins earlier where the channels do not fill it: those that two panels share are computed twice. */
static int64_t first_of_panel(int64_t channels, int64_t panel) {
  return channels < PANEL ? 0 : least(panel * PANEL, channels - PANEL);
}

static span span_of(const plan *p, int64_t run) {
  span s = { .column = run % p->n_across * p->run_tiles, .row = run / p->n_across % p->at.n_tiles[0],
             .lane = run / p->n_across / p->at.n_tiles[0] * p->run_lanes };
  s.n_tiles = least(p->run_tiles, p->at.n_tiles[1] - s.column);
  s.n_lanes = least(p->run_lanes, p->n - s.lane);
  return s;
}

/* patch[row][column][lane][PANEL] of rows x columns pixels and the channels of a panel; pixels and channels that do
** not exist are 0. */
static void lay_patch(float *patch, const side *from, const span *s, int64_t channel, int64_t top, int64_t left,
                      int64_t rows, int64_t columns) {
  int64_t n_channels = least(from->channels - channel, PANEL), pixel = s->n_lanes * PANEL;
  const float *data = from->data + channel * from->strides.channel + s->lane;
  for (int64_t i = top; i < top + rows; i++)
    for (int64_t j = left; j < left + columns; j++, patch += pixel) {
      bool there = i >= 0 && i < from->size[0] && j >= 0 && j < from->size[1];
      if (there)
        tile_pack(patch, PANEL, data + i * from->strides.row + j * from->strides.pixel, s->n_lanes, n_channels, 1,
                  from->strides.channel);
      else
        memset(patch, 0, (size_t)pixel * sizeof *patch);
    }
}

/* V of a panel: [position][tile][lane][PANEL], positions `position` apart. */
static void lay_input(const plan *p, float *v, int64_t position, float *patch, const span *s, int64_t channel) {
  const side large = { p->large, p->at.input, p->at.input_size, p->at.inputs };
  int64_t columns = 2 * s->n_tiles + 2, pixel = s->n_lanes * PANEL;
  lay_patch(patch, &large, s, channel, s->row * WINOGRAD_OUTPUT - p->at.padding[0],
            s->column * WINOGRAD_OUTPUT - p->at.padding[1], WINOGRAD_INPUT, columns);
  for (int64_t tile = 0; tile < s->n_tiles; tile++)
    for (int64_t lane = 0; lane < s->n_lanes; lane += WINOGRAD_RUN, v += WINOGRAD_RUN * PANEL) {
      int64_t n = least(WINOGRAD_RUN, s->n_lanes - lane);
      winograd_run run = { .pixel = pixel, .last = WINOGRAD_INPUT, .n_tiles = 1, .n_vectors = n };
      for (int64_t i = 0; i < WINOGRAD_INPUT; i++)
        run.row[i] = patch + (i * columns + 2 * tile) * pixel + lane * PANEL;
      winograd_input(v, PANEL, position, &run);
      if (n < WINOGRAD_RUN) v -= (WINOGRAD_RUN - n) * PANEL;
    }
}

static void lay_gradient(const plan *p, float *w, int64_t position, float *patch, const span *s, int64_t channel) {
  const side small = { p->small, p->at.output, p->at.output_size, p->at.outputs };
  int64_t columns = 2 * s->n_tiles, pixel = s->n_lanes * PANEL;
  lay_patch(patch, &small, s, channel, s->row * WINOGRAD_OUTPUT, s->column * WINOGRAD_OUTPUT, WINOGRAD_OUTPUT, columns);
  for (int64_t tile = 0; tile < s->n_tiles; tile++)
    winograd_gradient(s->n_lanes, w + tile * pixel, position, patch + 2 * tile * pixel, columns * pixel, pixel);
}

CLONES static void add_sums(int64_t n_panels, float *restrict to, const float *restrict sums, bool first) {
  for (int64_t j = 0; j < n_panels; j++)
    for (int64_t i = 0; i < PANEL; i++) {
      float *restrict row = to + (j * PANEL + i) * PANEL;
      const float *restrict from = sums + i * PANEL_WIDTH + j * PANEL;
      for (int k = 0; k < PANEL; k++) row[k] = first ? from[k] : row[k] + from[k];
    }
}

/* dU += W V' in one position. */
static void multiply(const plan *p, float *du, const float *w, const float *v, int64_t depth, bool first) {
  float sums[PANEL * PANEL_WIDTH] __attribute__((aligned(64)));
  for (int64_t i = 0; i < p->small_panels; i++)
    for (int64_t j = 0; j < p->large_panels; j += PANEL_GROUP) {
      int64_t n = least(p->large_panels - j, PANEL_GROUP);
      panel_multiply(sums, PANEL, depth, w + i * p->pitch, v + j * p->pitch, p->pitch, n);
      add_sums(n, du + (i * p->large_panels + j) * PANEL * PANEL, sums, first);
    }
}

static void run_parts(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  float *v = scratch_take(&p->scratch);
  int64_t v_position = p->large_panels * p->pitch, w_position = p->small_panels * p->pitch;
  float *w = v + WINOGRAD_POSITIONS * v_position, *patch = w + WINOGRAD_POSITIONS * w_position;
  int64_t product_floats = p->small_panels * p->large_panels * PANEL * PANEL;
  for (int64_t part = begin; part < end; part++) {
    int64_t first = part * p->runs_per_part, last = least(first + p->runs_per_part, p->n_runs);
    for (int64_t run = first; run < last; run++) {
      span s = span_of(p, run);
      for (int64_t j = 0; j < p->large_panels; j++)
        lay_input(p, v + j * p->pitch, v_position, patch, &s, first_of_panel(p->at.inputs, j));
      for (int64_t i = 0; i < p->small_panels; i++)
        lay_gradient(p, w + i * p->pitch, w_position, patch, &s, first_of_panel(p->at.outputs, i));
      for (int64_t k = 0; k < WINOGRAD_POSITIONS; k++)
        multiply(p, p->sums + part * p->part_floats + k * product_floats, w + k * w_position, v + k * v_position,
                 s.n_tiles * s.n_lanes, run == first);
    }
  }
  scratch_give(v);
}

CLONES static void add_parts(int64_t n_parts, float *restrict to, const float *restrict from, int64_t part_floats) {
  for (int k = 0; k < PANEL; k++) to[k] = from[k];
  for (int64_t part = 1; part < n_parts; part++) {
    from += part_floats;
    for (int k = 0; k < PANEL; k++) to[k] += from[k];
  }
}

/* Items run over channels of the small side and panels of the large one, the last one fastest. */
static void finish(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  int64_t product_floats = p->small_panels * p->large_panels * PANEL * PANEL, n = least(p->at.inputs, PANEL);
  for (int64_t item = begin; item < end; item++) {
    int64_t channel = item / p->large_panels, large = item % p->large_panels, small = channel / PANEL;
    int64_t row = channel - first_of_panel(p->at.outputs, small);
    float du[WINOGRAD_POSITIONS * PANEL] __attribute__((aligned(64))), dg[TAPS * PANEL] __attribute__((aligned(64)));
    const float *from = p->sums + ((small * p->large_panels + large) * PANEL + row) * PANEL;
    for (int64_t k = 0; k < WINOGRAD_POSITIONS; k++)
      add_parts(p->n_parts, du + k * PANEL, from + k * product_floats, p->part_floats);
    winograd_filter_gradient(dg, du);
    float *dw = p->dw + (channel * p->at.inputs + first_of_panel(p->at.inputs, large)) * TAPS;
    for (int64_t input = 0; input < n; input++)
      for (int64_t tap = 0; tap < TAPS; tap++) dw[input * TAPS + tap] = dg[tap * PANEL + input];
  }
}

static void cut_work(plan *p) {
  p->small_panels = parts(p->at.outputs, PANEL);
  p->large_panels = parts(p->at.inputs, PANEL);
  p->part_floats = WINOGRAD_POSITIONS * p->small_panels * p->large_panels * PANEL * PANEL;
  p->n_slices = parts(p->n, RUN_LANES);
  p->run_lanes = parts(parts(p->n, p->n_slices), WINOGRAD_LANES) * WINOGRAD_LANES;
  p->n_slices = parts(p->n, p->run_lanes);
  p->n_across = parts(p->at.n_tiles[1], least(RUN_COLUMNS / p->run_lanes, RUN_TILES));
  p->run_tiles = parts(p->at.n_tiles[1], p->n_across);
  p->n_runs = p->n_slices * p->at.n_tiles[0] * p->n_across;
  int64_t fitting = least(PART_FLOATS / p->part_floats, MOST_PARTS);
  p->n_parts = least(fitting > FEW_PARTS ? fitting : FEW_PARTS, p->n_runs);
  p->runs_per_part = parts(p->n_runs, p->n_parts);
  p->n_parts = parts(p->n_runs, p->runs_per_part);
  p->pitch = (p->run_tiles * p->run_lanes + 1) * PANEL;
}

status conv_winograd_weight(context *c, const conv_geometry *g, float *dw, const float *small, const float *large) {
  plan p = { .at = winograd_plane_of(g, TO_SMALL), .n = g->n, .small = small, .large = large, .dw = dw };
  cut_work(&p);
  size_t sums_bytes = (size_t)(p.n_parts * p.part_floats) * sizeof(float);
  size_t floats = (size_t)(WINOGRAD_POSITIONS * (p.small_panels + p.large_panels) * p.pitch +
                           WINOGRAD_INPUT * (2 * p.run_tiles + 2) * p.run_lanes * PANEL);
  p.sums = context_get(c, sums_bytes);
  if (p.sums == NULL) return STATUS_NO_MEMORY;
  status code = scratch_begin(c, &p.scratch, p.n_parts, floats * sizeof(float));
  if (code == STATUS_OK) {
    parallel_for(c, p.n_parts, 1, run_parts, &p);
    parallel_for(c, p.at.outputs * p.large_panels, FINISH_GRAIN, finish, &p);
    scratch_end(c, &p.scratch);
  }
  context_put(c, p.sums, sums_bytes);
  return code;
}

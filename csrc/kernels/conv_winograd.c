/* conv_winograd.c -- when Winograd's filtering is possible, when it pays, and how the plane is cut into tiles. */
#include "conv_winograd.h"

#include "../tensor/tensor.h"
#include "conv_winograd_transform.h"
#include "panel.h"

enum { MOST_WEIGHTS = 256 * 256 };   /* pairs of channels, in the weight gradient */

static int64_t tiles_of(int64_t n) { return (n + WINOGRAD_OUTPUT - 1) / WINOGRAD_OUTPUT; }

winograd_plane winograd_plane_of(const conv_geometry *g, conv_direction to) {
  conv_matrix m = conv_weight_matrix(g, to);
  winograd_plane p = { .inputs = m.inputs, .outputs = m.outputs };
  for (int d = 0; d < 2; d++) {
    p.input_size[d] = to == TO_SMALL ? g->large_size[d] : g->small_size[d];
    p.output_size[d] = to == TO_SMALL ? g->small_size[d] : g->large_size[d];
    p.n_tiles[d] = tiles_of(p.output_size[d]);
    p.padding[d] = to == TO_SMALL ? g->padding[d] : WINOGRAD_FILTER - 1 - g->padding[d];
  }
  p.input = lanes_strides_of(p.input_size, lanes_padded(g->n));
  p.output = lanes_strides_of(p.output_size, lanes_padded(g->n));
  return p;
}

/* Not without AVX2: the tile of panel.h then is several times slower than the direct way.
** Smaller batches go different ways with a tape and without (conv_pass.c), and shall give the same bits on both. */
static bool is_possible(const conv_geometry *g) {
  for (int d = 0; d < 2; d++)
    if (g->kernel[d] != WINOGRAD_FILTER || g->stride[d] != 1 || g->dilation[d] != 1 ||
        g->padding[d] >= WINOGRAD_FILTER)
      return false;
  return g->groups == 1 && g->n >= WINOGRAD_LANES && conv_tiles_for(WINOGRAD_LANES)->lanes >= 8;
}

/* Pairs of output and tap that meet an input in direction d: what the direct sum computes. */
static int64_t meetings(const winograd_plane *p, int d) {
  int64_t n = 0;
  for (int64_t tap = 0; tap < WINOGRAD_FILTER; tap++) {
    int64_t first = p->padding[d] - tap, last = p->input_size[d] + first;
    if (first < 0) first = 0;
    if (last > p->output_size[d]) last = p->output_size[d];
    if (last > first) n += last - first;
  }
  return n;
}

/* All of these in multiply-adds of vectors.  The transforms in this unit are measured, with 8 to 128 channels and 3 to
** 32 pixels a side; the direct way reaches some 90% of the speed of the products here. */
static double direct_work(const winograd_plane *p) {
  return 1.1 * (double)(p->input.pixel / WINOGRAD_LANES) * (double)(meetings(p, 0) * meetings(p, 1)) *
         (double)p->inputs * (double)p->outputs;
}

static double tiles_work(const winograd_plane *p, double work_of_tile) {
  return (double)(p->input.pixel / WINOGRAD_LANES) * (double)(p->n_tiles[0] * p->n_tiles[1]) * work_of_tile;
}

bool conv_winograd_suits(const conv_geometry *g, conv_direction to) {
  const double input_work = 150, output_work = 70, filter_work = 16;
  if (!is_possible(g)) return false;
  winograd_plane p = winograd_plane_of(g, to);
  if (p.inputs > PANEL_DEPTH) return false;
  double inputs = (double)p.inputs, outputs = (double)p.outputs;
  double tile = WINOGRAD_POSITIONS * inputs * outputs + input_work * inputs + output_work * outputs;
  return tiles_work(&p, tile) + filter_work * inputs * outputs < direct_work(&p);
}

static double whole_panels(int64_t n) { return (double)((n + PANEL - 1) / PANEL * PANEL); }

/* Each part of the work has sums of its own in 16 positions: with more than 256 x 256 channels, 4 MB. */
bool conv_winograd_weight_suits(const conv_geometry *g) {
  const double input_work = 230, gradient_work = 150, filter_work = 40;
  if (!is_possible(g)) return false;
  winograd_plane p = winograd_plane_of(g, TO_SMALL);
  double inputs = whole_panels(p.inputs), outputs = whole_panels(p.outputs);
  if (inputs * outputs > MOST_WEIGHTS) return false;
  double tile = WINOGRAD_POSITIONS * inputs * outputs + input_work * inputs + gradient_work * outputs;
  return tiles_work(&p, tile) + filter_work * inputs * outputs < direct_work(&p);
}

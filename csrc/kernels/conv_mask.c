/* conv_mask.c -- ReLU's mask and the bias gradient where no weight gradient does them in passing:
**   masked[k][pixel][lane] = dy where y > 0, else 0;   sum[k] = its sum.   Lanes order, parallel over channels. */
#include "../tensor/parallel.h"
#include "conv_lanes.h"

typedef struct mask_plan {
  const conv_tiles *tiles;
  conv_output_gradient gradient;
  int64_t n, n_pixels, padded;
} mask_plan;

static void mask_channels(void *argument, int64_t begin, int64_t end) {
  const mask_plan *p = argument;
  const conv_output_gradient *g = &p->gradient;
  for (int64_t k = begin; k < end; k++) {
    ptrdiff_t at = k * p->n_pixels * p->padded;
    mask_job job = { .out = g->y ? g->masked + at : NULL, .dy = g->dy + at, .y = g->y ? g->y + at : NULL,
                     .step = p->padded, .n_pixels = p->n_pixels, .n_lanes = p->n };
    float sum = p->tiles->mask(&job);
    if (g->sum) g->sum[k] = sum;
  }
}

void conv_lanes_mask(context *c, int64_t n, int64_t n_channels, int64_t n_pixels, conv_output_gradient gradient) {
  if (!gradient.y && !gradient.sum) return;
  mask_plan p = { .gradient = gradient, .n = n, .n_pixels = n_pixels, .padded = lanes_cut_of(n, 256).padded };
  p.tiles = conv_tiles_for(p.padded);
  parallel_for(c, n_channels, 1 + 65536 / (n_pixels * p.padded + 1), mask_channels, &p);
}

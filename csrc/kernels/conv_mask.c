/* conv_mask.c -- ReLU's mask and the bias gradient, before the gradients of weight and input:
**   masked[k][pixel][lane] = dy where y > 0, else 0;   sum[k] = its sum.   Lanes order.
** A pass of its own goes straight through memory, which is 98 GB/s from the third-level cache of a Zen 4.  In pieces on
** the way into the weight gradient the same costs three times as much (165 instead of 56 us for 8 x 15 x 15 x 256), and
** so it does at the end of the input gradient of the layer behind.
** Parallel over parts of channels; their sums are added in order: the same bits for any number of threads. */
#include "../tensor/parallel.h"
#include "conv_lanes.h"

enum { PART_FLOATS = 32768 };

typedef struct mask_plan {
  const conv_tiles *tiles;
  conv_output_gradient gradient;
  int64_t n, n_pixels, padded;
  int64_t n_parts, pixels_per_part;   /* of a channel */
  float *sums;                        /* (channels, parts) */
} mask_plan;

/* Items run over channels, parts, the last one fastest. */
static void mask_items(void *argument, int64_t begin, int64_t end) {
  const mask_plan *p = argument;
  const conv_output_gradient *g = &p->gradient;
  for (int64_t item = begin; item < end; item++) {
    int64_t first = item % p->n_parts * p->pixels_per_part, rest = p->n_pixels - first;
    ptrdiff_t at = (item / p->n_parts * p->n_pixels + first) * p->padded;
    mask_job job = { .out = g->y ? g->masked + at : NULL, .dy = g->dy + at, .y = g->y ? g->y + at : NULL,
                     .step = p->padded, .n_pixels = rest < p->pixels_per_part ? rest : p->pixels_per_part,
                     .n_lanes = p->n };
    p->sums[item] = p->tiles->mask(&job);
  }
}

static void cut_channels(mask_plan *p) {
  int64_t parts = (p->n_pixels * p->padded + PART_FLOATS - 1) / PART_FLOATS;
  p->pixels_per_part = (p->n_pixels + parts - 1) / parts;
  p->n_parts = (p->n_pixels + p->pixels_per_part - 1) / p->pixels_per_part;
}

status conv_lanes_mask(context *c, int64_t n, int64_t n_channels, int64_t n_pixels, conv_output_gradient gradient) {
  if (!gradient.y && !gradient.sum) return STATUS_OK;
  mask_plan p = { .gradient = gradient, .n = n, .n_pixels = n_pixels, .padded = lanes_cut_of(n, 256).padded };
  p.tiles = conv_tiles_for(p.padded);
  cut_channels(&p);
  int64_t n_items = n_channels * p.n_parts;
  size_t n_bytes = (size_t)n_items * sizeof(float);
  p.sums = context_get(c, n_bytes);
  if (!p.sums) return STATUS_NO_MEMORY;
  parallel_for(c, n_items, 1 + PART_FLOATS / (2 * p.pixels_per_part * p.padded), mask_items, &p);
  for (int64_t k = 0; gradient.sum && k < n_channels; k++) {
    gradient.sum[k] = 0;
    for (int64_t part = 0; part < p.n_parts; part++) gradient.sum[k] += p.sums[k * p.n_parts + part];
  }
  context_put(c, p.sums, n_bytes);
  return STATUS_OK;
}

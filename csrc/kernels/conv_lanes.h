/* conv_lanes.h -- convolution on float32 images in the lanes order (samples innermost, see tensor.h). */
#ifndef PERILUNE_CONV_LANES_H
#define PERILUNE_CONV_LANES_H

#include "../tensor/context.h"
#include "conv_geometry.h"

/* The strides of (N, C, H, W) in the lanes order: (1, H*W*P, W*P, P). */
typedef struct lanes_strides { ptrdiff_t channel, row, pixel; } lanes_strides;

lanes_strides lanes_strides_of(const int64_t size[2], int64_t padded);

/* How the lanes of a batch are cut: a row of more than 256 is worked on in even parts. */
typedef struct lanes_cut {
  int64_t padded;      /* P */
  int64_t slice;       /* lanes in a part, a multiple of 16 (or 8: P = 8) */
  int64_t n_slices;
} lanes_cut;
lanes_cut lanes_cut_of(int64_t n, int64_t largest_slice);

/* y = activation(conv(x) + bias) in either direction.  weight: contiguous, as in conv_geometry.h; bias or NULL.
** y is overwritten.  May fail with STATUS_NO_MEMORY. */
status conv_lanes_gather(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                         const float *weight, const float *bias, bool relu);

/* The same for a transposed convolution that doubles the image, few output channels at a time (conv_cells.c). */
bool conv_cells_suit(const conv_geometry *g, conv_direction to);
void conv_lanes_cells(context *c, const conv_geometry *g, float *y, const float *x, const float *weight,
                      const float *bias, bool relu);

/* dw (S, L/G, KH, KW) = sum over samples and pixels of small (x) large; overwritten. */
status conv_lanes_weight(context *c, const conv_geometry *g, float *dw, const float *small, const float *large);

/* dy on its way into the gradients: masked where y is not positive, and summed over all but channels. */
typedef struct conv_output_gradient {
  const float *dy;
  const float *y;      /* NULL: no mask */
  float *masked;       /* with y: where the masked dy goes, may be dy itself */
  float *sum;          /* (channels), overwritten; NULL: not wanted */
} conv_output_gradient;

/* Of n samples of n_channels images of n_pixels.  May fail with STATUS_NO_MEMORY. */
status conv_lanes_mask(context *c, int64_t n, int64_t n_channels, int64_t n_pixels, conv_output_gradient gradient);

#endif

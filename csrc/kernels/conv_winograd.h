/* conv_winograd.h -- 3 x 3 convolutions of stride 1 with many channels, in 16 multiplications where the sum as it is
** written takes 36 (conv_winograd_transform.h), on float32 images in the lanes order.
**
** Transforms have coefficients 0, 1 and 1/2 only.  For normal x, weights and gradients, 16 to 256 channels and samples,
** the largest error of an element against float64, relative to it or to the elements' mean size, was 4.1e-6 in forward
** and input gradient (direct: 6.4e-6) and 3.3e-6 in the weight gradient (direct: 2.8e-6).  A NaN reaches the outputs
** that read it and no others. */
#ifndef PERILUNE_CONV_WINOGRAD_H
#define PERILUNE_CONV_WINOGRAD_H

#include "conv_lanes.h"

/* Is it possible, and faster?  By geometry and processor alone. */
bool conv_winograd_suits(const conv_geometry *g, conv_direction to);
bool conv_winograd_weight_suits(const conv_geometry *g);

/* As conv_lanes_gather. */
status conv_winograd_gather(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                            const float *weight, const float *bias, bool relu);

/* As conv_lanes_weight. */
status conv_winograd_weight(context *c, const conv_geometry *g, float *dw, const float *small, const float *large);

/* -- what the files of this concept share -- */

/* The convolution as tiles: input and output are the sides of its direction. */
typedef struct winograd_plane {
  int64_t input_size[2], output_size[2], n_tiles[2];
  int64_t padding[2];        /* of the input */
  lanes_strides input, output;
  int64_t inputs, outputs;   /* channels */
} winograd_plane;

winograd_plane winograd_plane_of(const conv_geometry *g, conv_direction to);

#endif

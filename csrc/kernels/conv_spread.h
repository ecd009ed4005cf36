/* conv_spread.h -- forward convolution of small float32 batches, where samples cannot fill the vectors. */
#ifndef PERILUNE_CONV_SPREAD_H
#define PERILUNE_CONV_SPREAD_H

#include "../tensor/context.h"
#include "conv_geometry.h"

/* y = activation(conv(x) + bias) in either direction.
** x: any strides, in elements, of (N, C, H, W).  y: channels-last, (N, H, W, C) dense; overwritten.
** weight: contiguous, as in conv_geometry.h; bias or NULL.  May fail with STATUS_NO_MEMORY. */
status conv_spread(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                   const int64_t x_stride[4], const float *weight, const float *bias, bool relu);

#endif

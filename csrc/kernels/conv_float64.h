/* conv_float64.h -- convolution on float64, for gradient checks and the curious: clear, any strides. */
#ifndef PERILUNE_CONV_FLOAT64_H
#define PERILUNE_CONV_FLOAT64_H

#include "../tensor/context.h"
#include "conv_geometry.h"

/* (N, C, H, W) with any strides, in elements. */
typedef struct float64_image {
  double *data;
  const int64_t *stride;
} float64_image;

/* y = activation(conv(x) + bias) in either direction; overwritten.  weight: contiguous; bias or NULL. */
status conv_float64_gather(context *c, const conv_geometry *g, conv_direction to, float64_image y, float64_image x,
                           const double *weight, const double *bias, bool relu);
/* dw = sum over samples and pixels of small (x) large; overwritten. */
status conv_float64_weight(context *c, const conv_geometry *g, double *dw, float64_image small, float64_image large);
/* masked = dy where y > 0 (y.data NULL: no mask; masked may be dy); sum (channels), overwritten, or NULL. */
void conv_float64_mask(const int64_t shape[4], double *sum, float64_image masked, float64_image dy, float64_image y);

#endif

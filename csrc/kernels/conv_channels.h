/* conv_channels.h -- forward convolution of small float32 batches, where samples cannot fill the vectors. */
#ifndef PERILUNE_CONV_CHANNELS_H
#define PERILUNE_CONV_CHANNELS_H

#include "../tensor/tensor.h"
#include "conv_geometry.h"
#include "step.h"

/* May conv_channels do this one?  Not with kernels of hundreds of taps. */
bool conv_channels_suits(const conv_geometry *g, conv_direction to);

/* y = activation(conv(x) + bias) in either direction.
** x: any strides, in elements, of (N, C, H, W).  y: channels-last, (N, H, W, C) dense; overwritten.
** weight: contiguous, as in conv_geometry.h; bias or NULL.  Keeps a plan with the packed weight beside the weight's
** data (derived.h).  May fail with STATUS_NO_MEMORY. */
status conv_channels(context *c, const conv_geometry *g, conv_direction to, float *y, const float *x,
                     const int64_t x_stride[4], const tensor *weight, const float *bias, bool relu);

/* The same as a step: keeps a plan of its own, and points to bias.  false: no memory. */
bool conv_channels_repeat(context *c, const conv_geometry *g, conv_direction to, const int64_t x_stride[4],
                          const tensor *weight, const float *bias, bool relu, op_step *s);

#endif

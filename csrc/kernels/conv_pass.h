/* conv_pass.h -- the passes that conv2d and conv_transpose2d share: shapes, forward, backward.
**
** Inputs are x (N, C, H, W), weight (S, L/G, KH, KW), bias (C_out) or nil; options lie in values[] where conv_options
** says. */
#ifndef PERILUNE_CONV_PASS_H
#define PERILUNE_CONV_PASS_H

#include "conv_geometry.h"
#include "op.h"

/* The places of the options in values[]. */
typedef struct conv_options { int stride, padding, output_padding, dilation, groups, activation; } conv_options;

/* Fills g from input_meta and values; fails with a message that names the shapes.  output_padding: -1 for none. */
status conv_check(op_call *call, conv_geometry *g, conv_direction to, conv_options at);

/* outputs[0] = activation(conv(x) + bias); saves what backward wants. */
status conv_forward(op_call *call, const conv_geometry *g, conv_direction to, bool relu);
/* The step of conv_forward, for batches that go through conv_channels.c. */
bool conv_repeat(const op_call *call, const conv_geometry *g, conv_direction to, bool relu, op_step *s);
status conv_backward(op_call *call, const conv_geometry *g, conv_direction to);

double conv_flops(const conv_geometry *g);

#endif

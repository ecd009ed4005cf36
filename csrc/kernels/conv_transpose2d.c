/* conv_transpose2d.c -- transposed convolution: each x value adds a weighted kernel to the output.
** x (N, C_in, H, W), weight (C_in, C_out/G, KH, KW), bias (C_out) or nil, y (N, C_out, OH, OW):
**   y[n][k][oh][ow] = bias[k] + sum over c, kh, kw, and i with i * stride - padding + kh * dilation = oh (and so on
**                     for the columns) of x[n][c][i][..] * weight[c][k][kh][kw]
** x is the small side, y the large one: see conv_geometry.h.  Backward: dx is the convolution of dy.
** Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016. */
#include "conv_pass.h"

enum { STRIDE, PADDING, OUTPUT_PADDING, DILATION, GROUPS, ACTIVATION };

static const conv_options options = { STRIDE, PADDING, OUTPUT_PADDING, DILATION, GROUPS, ACTIVATION };

static status forward(op_call *call) {
  conv_geometry g;
  status code = conv_check(call, &g, TO_LARGE, options);
  if (code != STATUS_OK) return code;
  return conv_forward(call, &g, TO_LARGE, call->values[ACTIVATION].integer == 1);
}

static status backward(op_call *call) {
  conv_geometry g;
  status code = conv_check(call, &g, TO_LARGE, options);
  return code == STATUS_OK ? conv_backward(call, &g, TO_LARGE) : code;
}

static bool repeat(op_call *call, op_step *s) {
  conv_geometry g;
  return conv_check(call, &g, TO_LARGE, options) == STATUS_OK &&
         conv_repeat(call, &g, TO_LARGE, call->values[ACTIVATION].integer == 1, s);
}

static double flops(const op_call *call) {
  conv_geometry g;
  op_call copy = *call;
  return conv_check(&copy, &g, TO_LARGE, options) == STATUS_OK ? conv_flops(&g) : 0;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR, 0, NULL, NULL },
  { "bias", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "stride", P_PAIR, OPTION, "1", NULL },
  { "padding", P_PAIR, OPTION, "0", NULL },
  { "output_padding", P_PAIR, OPTION, "0", NULL },
  { "dilation", P_PAIR, OPTION, "1", NULL },
  { "groups", P_INTEGER, OPTION, "1", NULL },
  { "activation", P_CHOICE, OPTION, "none", "none|relu" },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "bench x=normal(256,16,7,7):lanes weight=normal(16,8,3,3) bias=normal(8) stride=2 padding=1 output_padding=1 "
  "activation=relu",
  "x=normal(2,3,4,3) weight=normal(3,4,3,3) bias=normal(4) stride=2 padding=1 output_padding=1",
  "x=normal(1,2,3,3) weight=normal(2,3,3,2) stride=3",
  "x=normal(9,3,2,4) weight=normal(3,2,3,3) bias=normal(2) stride=2 activation=relu",
  "x=normal(8,4,3,3):lanes weight=normal(4,5,2,3) bias=normal(5) padding=1,0 stride=2,3 output_padding=0,2",
  "x=normal(17,4,3,4):t weight=normal(4,3,3,3) bias=normal(6) groups=2 dilation=2 padding=1",
  "x=normal(7,3,3,3) weight=normal(3,1,3,3):t bias=normal(3) groups=3 stride=2 activation=relu",
  "x=normal(10,9,1,1) weight=normal(9,1,3,3) bias=normal(1) padding=1",
  "x=normal(3,2,2,2) weight=normal(2,2,1,1) stride=3 dilation=2 output_padding=1",
  "x=normal(11,2,3,3) weight=normal(2,3,3,3) bias=normal(3) stride=4,6 dilation=6,4 padding=3",
  NULL,
};

const op op_conv_transpose2d = {
  .name = "conv_transpose2d",
  .flags = OP_FUNCTIONAL,
  .help = "conv_transpose2d(x, weight, bias, { stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1,\n"
          "  activation = \"none\" }) -> tensor\n\n"
          "Transposed convolution of x (N, C_in, H, W) with weight (C_in, C_out / groups, KH, KW), plus bias (C_out)\n"
          "or nil; the gradient of conv2d with respect to its input.  output_padding makes the result larger on one\n"
          "side.  activation = \"relu\" takes max(0, result) in the same pass.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
  .repeat = repeat,
  .flops = flops,
};

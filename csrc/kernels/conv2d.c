/* conv2d.c -- y = activation(x * weight + bias), cross-correlation over the last two dims.
** x (N, C_in, H, W), weight (C_out, C_in/G, KH, KW), bias (C_out) or nil, y (N, C_out, OH, OW):
**   y[n][k][oh][ow] = bias[k] + sum over c, kh, kw of
**       x[n][c][oh * stride - padding + kh * dilation][..] * weight[k][c][kh][kw]
** x is the large side, y the small one: see conv_geometry.h.  Backward: dx is the transposed convolution of dy. */
#include "conv_pass.h"

enum { STRIDE, PADDING, DILATION, GROUPS, ACTIVATION };

static const conv_options options = { STRIDE, PADDING, -1, DILATION, GROUPS, ACTIVATION };

static status forward(op_call *call) {
  conv_geometry g;
  status code = conv_check(call, &g, TO_SMALL, options);
  if (code != STATUS_OK) return code;
  return conv_forward(call, &g, TO_SMALL, call->values[ACTIVATION].integer == 1);
}

static status backward(op_call *call) {
  conv_geometry g;
  status code = conv_check(call, &g, TO_SMALL, options);
  return code == STATUS_OK ? conv_backward(call, &g, TO_SMALL) : code;
}

static bool repeat(op_call *call, op_step *s) {
  conv_geometry g;
  return conv_check(call, &g, TO_SMALL, options) == STATUS_OK &&
         conv_repeat(call, &g, TO_SMALL, call->values[ACTIVATION].integer == 1, s);
}

static double flops(const op_call *call) {
  conv_geometry g;
  op_call copy = *call;
  return conv_check(&copy, &g, TO_SMALL, options) == STATUS_OK ? conv_flops(&g) : 0;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR, 0, NULL, NULL },
  { "bias", P_TENSOR_OR_NIL, 0, NULL, NULL },
  { "stride", P_PAIR, OPTION, "1", NULL },
  { "padding", P_PAIR, OPTION, "0", NULL },
  { "dilation", P_PAIR, OPTION, "1", NULL },
  { "groups", P_INTEGER, OPTION, "1", NULL },
  { "activation", P_CHOICE, OPTION, "none", "none|relu" },
  { NULL, P_TENSOR, 0, NULL, NULL },
};

static const char *const samples[] = {
  "bench x=normal(256,8,15,15):lanes weight=normal(16,8,3,3) bias=normal(16) stride=2 padding=1 activation=relu",
  "bench x=normal(128,64,16,16):lanes weight=normal(64,64,3,3) bias=normal(64) padding=1",
  "bench x=normal(1,16,8,8) weight=normal(32,16,3,3) bias=normal(32) stride=2",
  "x=normal(2,3,5,5) weight=normal(4,3,3,3) bias=normal(4) stride=2 padding=1",
  "x=normal(1,1,7,6) weight=normal(2,1,3,2) stride=3",
  "x=normal(9,2,5,4) weight=normal(3,2,2,3) bias=normal(3) padding=0,2 activation=relu",
  "x=normal(8,3,6,5):lanes weight=normal(5,3,3,3) bias=normal(5) padding=2,1 stride=1,2",
  "x=normal(17,4,6,6):t weight=normal(6,2,3,3) bias=normal(6) groups=2 padding=1 dilation=2",
  "x=normal(7,4,4,4) weight=normal(4,1,3,3):t bias=normal(4) groups=4 padding=1 activation=relu",
  "x=normal(10,3,3,3) weight=normal(9,3,3,3) bias=normal(9)",
  "x=normal(3,2,1,1) weight=normal(3,2,1,1)",
  "x=normal(12,2,4,5) weight=normal(4,2,1,1) bias=normal(4) stride=3 padding=1",
  "x=normal(16,16,6,8):lanes weight=normal(16,16,3,3) bias=normal(16) padding=1 activation=relu",
  "x=normal(16,24,6,6) weight=normal(20,24,3,3)",
  NULL,
};

const op op_conv2d = {
  .name = "conv2d",
  .flags = OP_FUNCTIONAL,
  .help = "conv2d(x, weight, bias, { stride = 1, padding = 0, dilation = 1, groups = 1, activation = \"none\" }) -> "
          "tensor\n\n"
          "Cross-correlation of x (N, C_in, H, W) with weight (C_out, C_in / groups, KH, KW), plus bias (C_out) or\n"
          "nil; result (N, C_out, OH, OW).  stride, padding and dilation are a number or { height, width }.\n"
          "activation = \"relu\" takes max(0, result) in the same pass.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
  .repeat = repeat,
  .flops = flops,
};

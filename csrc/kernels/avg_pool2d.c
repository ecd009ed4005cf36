/* avg_pool2d.c -- y[h, w] = mean of x over a window.   dx = each dy divided among its window's pixels.
** Padding counts as zeros, or not at all (count_include_pad = false). */
#include "../tensor/integers.h"
#include "average_pool.h"

enum { KERNEL, STRIDE, PADDING, CEIL_MODE, COUNT_PADDING };

static void fill(span *s, const axis *a, bool count_padding) {
  for (int64_t o = 0; o < a->n_out; o++) {
    int64_t begin = o * a->stride - a->padding, end = least(begin + a->kernel, a->n_in + a->padding);
    int64_t padded = end - begin;
    s[o].begin = begin > 0 ? begin : 0;
    s[o].end = least(end, a->n_in);
    s[o].size = count_padding ? padded : s[o].end - s[o].begin;
  }
}

static status make_spans(op_call *call, const images *x, spans *out) {
  axis axes[2];
  status code = axes_of_windows(call, x, &call->values[KERNEL], &call->values[STRIDE], &call->values[PADDING], NULL,
                                call->values[CEIL_MODE].flag, axes);
  if (code == STATUS_OK) code = spans_new(call, axes[0].n_out, axes[1].n_out, out);
  if (code != STATUS_OK) return code;
  for (int d = 0; d < 2; d++) fill(out->of[d], &axes[d], call->values[COUNT_PADDING].flag);
  return STATUS_OK;
}

static status forward(op_call *call) { return average_forward(call, make_spans); }
static status backward(op_call *call) { return average_backward(call, make_spans); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "kernel_size", P_PAIR, 0, NULL, NULL },
  { "stride", P_PAIR, OPTION, "0,0", NULL },
  { "padding", P_PAIR, OPTION, "0,0", NULL },
  { "ceil_mode", P_FLAG, OPTION, "false", NULL },
  { "count_include_pad", P_FLAG, OPTION, "true", NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=normal(2,3,5,5) kernel_size=2",
  "x=normal(9,2,7,6):lanes kernel_size=3,2 stride=2,1 padding=1,1",
  "x=normal(1,2,5,7):t kernel_size=3 stride=2 padding=1 ceil_mode=true count_include_pad=false",
  "x=normal(3,1,4,4) kernel_size=4",
  "x=normal(2,2,6,6) kernel_size=3 stride=2 padding=1 ceil_mode=true",
  "bench x=normal(128,64,16,16):lanes kernel_size=2",
  NULL,
};

const op op_avg_pool2d = {
  .name = "avg_pool2d",
  .flags = OP_FUNCTIONAL,
  .help = "avg_pool2d(x, kernel_size [, { stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true "
          "}]) -> tensor\n\n"
          "Means of x (N, C, H, W) over windows.  Sizes are integers or pairs.  ceil_mode keeps a last window that hangs "
          "over the edge; count_include_pad = false divides by the pixels inside x only.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

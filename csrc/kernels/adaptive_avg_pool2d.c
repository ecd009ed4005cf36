/* adaptive_avg_pool2d.c -- means over windows that divide x into output_size parts, whatever its size:
** output o of n reads the pixels [floor(o size / n), ceil((o + 1) size / n)), so neighbours may share a pixel. */
#include <inttypes.h>

#include "average_pool.h"

enum { OUTPUT_SIZE };
enum { LARGEST_SIZE = 1 << 24 };

static void fill(span *s, int64_t n_in, int64_t n_out) {
  for (int64_t o = 0; o < n_out; o++) {
    s[o].begin = o * n_in / n_out;
    s[o].end = ((o + 1) * n_in + n_out - 1) / n_out;
    s[o].size = s[o].end - s[o].begin;
  }
}

static status make_spans(op_call *call, const images *x, spans *out) {
  const int64_t *size = call->values[OUTPUT_SIZE].list.items;
  for (int d = 0; d < 2; d++)
    if (size[d] < 1 || size[d] > LARGEST_SIZE)
      return op_fail(call, "output_size must be in 1..%d, not %" PRId64, LARGEST_SIZE, size[d]);
  if (x->height == 0 || x->width == 0) return op_fail(call, "x is empty: %s", tensor_shape_text(x->t).text);
  status code = spans_new(call, size[0], size[1], out);
  if (code != STATUS_OK) return code;
  fill(out->of[0], x->height, size[0]);
  fill(out->of[1], x->width, size[1]);
  return STATUS_OK;
}

static status forward(op_call *call) { return average_forward(call, make_spans); }
static status backward(op_call *call) { return average_backward(call, make_spans); }

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "output_size", P_PAIR, 0, NULL, NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=normal(2,3,5,5) output_size=1",
  "x=normal(9,2,7,6):lanes output_size=3,4",
  "x=normal(1,2,3,4):t output_size=5,2",
  "x=normal(2,2,8,8) output_size=4",
  "bench x=normal(128,64,16,16):lanes output_size=4",
  NULL,
};

const op op_adaptive_avg_pool2d = {
  .name = "adaptive_avg_pool2d",
  .flags = OP_FUNCTIONAL,
  .help = "adaptive_avg_pool2d(x, output_size) -> tensor\n\n"
          "Means of x (N, C, H, W) over output_size (an integer or a pair) windows of nearly equal size.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

/* average_pool.h -- means over windows, for avg_pool2d.c and adaptive_avg_pool2d.c. */
#ifndef PERILUNE_AVERAGE_POOL_H
#define PERILUNE_AVERAGE_POOL_H

#include "spatial.h"

/* Output o of an axis reads the input pixels [begin, end) and divides by size. */
typedef struct span {
  int64_t begin, end, size;
} span;

typedef struct spans {
  int64_t n[2];        /* outputs, vertically and horizontally */
  span *of[2];
} spans;

status spans_new(op_call *call, int64_t height, int64_t width, spans *out);

/* What the options of the call say about the windows over x: spans_new, filled; *out holds nothing after a failure. */
typedef status (*spans_maker)(op_call *call, const images *x, spans *out);

/* y = mean of x over each window. */
status average_forward(op_call *call, spans_maker make);
/* dx = each dy spread evenly over its window. */
status average_backward(op_call *call, spans_maker make);

#endif

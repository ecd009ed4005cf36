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
void spans_free(op_call *call, spans *s);      /* may be called again */

/* y = mean of x over each window.  y, x: lanes order. */
void average_forward(const context *c, images y, images x, const spans *s);
/* dx = each dy spread evenly over its window (overwrites dx). */
void average_backward(const context *c, images dx, images dy, const spans *s);

#endif

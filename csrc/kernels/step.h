/* step.h -- what an operation does to a few samples, kept to be done again.
**
** For an input of a few kilobytes, checking shapes, choosing a way and making tensors costs as much as the arithmetic.
** After a forward that is not recorded, op.repeat says how to do the same to other values of x without all that.
** It is for operations that treat each sample by itself: x (N, ...) and y (N, ...) float32, sample n of y from sample n
** of x alone, with the same bits whatever N is.  A step holds as long as the shape and strides of a sample and all
** other inputs stay what they were: program.h, which keeps steps, sees to that. */
#ifndef PERILUNE_STEP_H
#define PERILUNE_STEP_H

#include "../tensor/context.h"

typedef struct op_step {
  /* y = f(x) for n >= 1 samples, those of x x_sample elements apart, those of y dense.  Cannot fail.
  ** NULL: y is x under another shape. */
  void (*run)(const void *own, const context *c, float *y, const float *x, int64_t x_sample, int64_t n);
  void *own;              /* what run wants to know: a block of own_bytes from context_get, or NULL */
  size_t own_bytes;
  int64_t most;           /* samples up to which forward would go this way */
} op_step;

#endif

/* reshape.h -- what the operations share that only change a tensor's shape. */
#ifndef PERILUNE_RESHAPE_H
#define PERILUNE_RESHAPE_H

#include "op.h"

/* Strides under which `shape` is a view of x; false where it needs a copy.  The numbers of elements are equal. */
bool reshape_strides(const tensor *x, int n_dims, const int64_t *shape, int64_t *stride);
/* x under the new shape: a view if possible. */
tensor *reshaped(context *c, tensor *x, int n_dims, const int64_t *shape);
/* One size may be -1: what is left over of numel elements.  *fits: the sizes hold numel; else they stay as they
** were. */
status reshape_sizes(op_call *call, int64_t numel, int n_dims, int64_t *shape, bool *fits);
/* outputs[0] = input 0 under the new shape. */
status reshape_output(op_call *call, int n_dims, const int64_t *shape);
/* The step of one that leaves the first dim alone: a view, or a copy of what lies channels-last. */
bool reshape_repeat(const op_call *call, op_step *s);
/* The backward of every such operation. */
status reshape_backward(op_call *call);

#endif

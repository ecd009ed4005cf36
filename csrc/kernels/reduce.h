/* reduce.h -- folds of a tensor over any of its dims, whatever its strides.
**
** The reduced items are cut into chunks by their number alone; each chunk is folded by one thread, the chunks'
** totals are put together in order: the same bits for any number of threads.  Where the innermost dimension in
** memory stays, whole rows of it are folded into rows of totals; where it is reduced, dense runs are. */
#ifndef PERILUNE_REDUCE_H
#define PERILUNE_REDUCE_H

#include "elementwise.h"
#include "fold.h"

typedef struct reduction {
  fold_kind kind;
  dtype compute;            /* float32, float64 or int64; x has it, or is bool or uint8 */
  const elementwise *map;   /* NULL, or what is done to x first: loops with operands (x) or (x, center) */
  const void *extra;        /* of map */
  tensor *center;           /* NULL, or of dtype `compute`, contiguous, of the shape of `out` */
  double divisor;           /* the totals are divided by it (float results); 0: not divided */
} reduction;

/* out: contiguous, x's shape with 1 for the reduced dims (n_dims included); any dtype. */
status reduce(context *c, const reduction *r, tensor *out, tensor *x, const bool *reduced);

/* What operations share.  The shape of x with 1 for the reduced dims; returns the number of reduced items. */
int64_t reduced_shape(const tensor *x, const bool *reduced, int64_t *shape);
/* outputs[0] = the reduction of x over the P_DIMS of values[k], a new tensor of dtype `result`; without the reduced
** dims unless keep. */
status reduce_output(op_call *call, const reduction *r, tensor *x, const bool *reduced, bool keep, dtype result);
/* Takes the reduced dims, which have size 1, out of the tensor's own shape: for an output that nobody has seen yet. */
void forget_reduced(tensor *t, const bool *reduced);
/* A view of an output or its gradient with 1 for the reduced dims (a new reference): broadcasts against x. */
tensor *restore_reduced(context *c, tensor *t, int n_dims, const int64_t *x_shape, const bool *reduced);
/* input_gradients[0] = loops(dy, operands...): like elementwise_gradient, but dy and the other operands that have the
** output's shape are spread over x's shape first.  spread[i] tells which operands are such.  The gradient has the
** memory order of the last operand that is not spread, else lanes where the forward left 1 in memo[0]. */
status reduce_gradient(op_call *call, const bool *reduced, const elementwise *loops, int n_operands,
                       tensor *const *operands, const bool *spread, const void *extra);

#endif

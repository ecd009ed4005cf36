/* indices.h -- index tensors (int64, 1-based), and moving elements along a dim by them. */
#ifndef PERILUNE_INDICES_H
#define PERILUNE_INDICES_H

#include "op.h"

/* *out = input i as a contiguous int64 tensor (a new reference); its items must all be in 1..bound. */
status indices_checked(op_call *call, int i, int64_t bound, tensor **out);

/* For every position p of index, with q = p but for q[dim] = index[p]:
**   INDICES_GATHER   straight[p] = indexed[q]
**   INDICES_SCATTER  indexed[q] = straight[p], the last one where several p have the same q
**   INDICES_ADD      indexed[q] += straight[p], in the order of p along dim
** Both have one dtype, as many dims as index, and at least its sizes (indexed: but along dim).  The same bits for any
** number of threads. */
typedef enum indices_move { INDICES_GATHER, INDICES_SCATTER, INDICES_ADD } indices_move;
status indices_along(context *c, indices_move move, int dim, tensor *index, tensor *indexed, tensor *straight);

/* The checks that gather and scatter share: input 1 is an index for dim of input 0.  Sets *dim and *index (a new
** reference). */
status indices_for_dim(op_call *call, int *dim, tensor **index);

/* t spread over a shape that it broadcasts to: a view (a new reference). */
tensor *spread_view(context *c, tensor *t, int n_dims, const int64_t *shape);

#endif

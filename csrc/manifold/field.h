/* field.h -- the repulsion of a map in the plane, by a tree that is kept for several iterations.
**
** Approximations, each with what it does to the exact KL divergence in experiments/bench/tsne.lua:
**   - a cell far from a bucket of 16 points acts by a series of third order (expansion.h, interactions.h);
**   - which cells are far is decided when the tree is built; between builds the points move and all cells are measured
**     anew, but the lists stay.  A cell that has grown too much acts from its mean alone, and a bucket that has is
**     served point by point, so that no series is used where it does not converge; if many have grown, a new tree is
**     built. */
#ifndef PERILUNE_FIELD_H
#define PERILUNE_FIELD_H

#include "cells.h"
#include "interactions.h"

typedef struct field {
  cells tree;
  interactions lists;
  double *q_sums;     /* (n_buckets) */
  bool is_built;
} field;

status field_make(context *c, int64_t n, field *out);    /* n >= 1 */
void field_free(field *f);                               /* may be all zero */

/* repulsion (n, 2) and the sum of q of the map (n, 2), as manifold_repulsion has them.  rebuild: a new tree; there is
** one too where none was, or where the points have moved much.  Allocates for a new tree only. */
status field_repulsion(context *c, field *f, const float *map, double angle, bool rebuild, float *repulsion,
                       double *q_sum);

#endif

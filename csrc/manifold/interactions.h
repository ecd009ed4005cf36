/* interactions.h -- for each bucket of a tree (cells.h), the cells that it takes as a whole and the buckets that it
** meets point by point.
**
** A cell is far from a bucket, and is taken as a whole, where
**     radius of the bucket + radius of the cell < 1.2 angle sqrt(distance^2 + 1),
** the distance from the center of the bucket's box to the mean of the cell, each radius from there to the farthest
** corner of the box.  (1.2: so that an angle gives about the quality that it gives where cells act by their mean,
** repulsion.c.)  The series by which a far cell is felt (expansion.h) converges within sqrt(distance^2 + 1), where
** 1 / (1 + r^2) has its nearest pole in the complex plane: hence the 1, which is the scale of the kernel.  It lets even
** the root be far while the map is small.  angle 0: nothing is far. */
#ifndef PERILUNE_INTERACTIONS_H
#define PERILUNE_INTERACTIONS_H

#include "cells.h"

typedef struct interactions {
  allocator *memory;
  int32_t n_buckets, capacity;     /* capacity: of one bucket */
  int32_t *n_far, *n_near;         /* (n_buckets) */
  int32_t *entries;                /* (n_buckets, capacity): far cells from the front, near buckets from the back */
} interactions;

/* All zero to begin with.  Allocates what it keeps: more where the lists have become longer. */
status interactions_find(context *c, const cells *t, double angle, interactions *lists);
void interactions_free(interactions *lists);

static inline const int32_t *interactions_far(const interactions *l, int64_t b) { return l->entries + b * l->capacity; }
static inline const int32_t *interactions_near(const interactions *l, int64_t b) {
  return l->entries + (b + 1) * l->capacity - l->n_near[b];
}

#endif

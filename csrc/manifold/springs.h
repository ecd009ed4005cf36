/* springs.h -- the edges of the affinities, laid out for the pull along them.
**
** Edges of a row that matter most may be pulled in every iteration and the rest in every few: each lot is a set of
** springs of its own.  Each row is filled up to a multiple of SPRINGS with edges to the row itself, of value 0. */
#ifndef PERILUNE_SPRINGS_H
#define PERILUNE_SPRINGS_H

#include "manifold.h"

enum { SPRINGS = 8 };

typedef struct springs {
  allocator *memory;
  int64_t n, n_entries;
  int64_t *start;       /* n + 1, multiples of SPRINGS */
  int32_t *column;      /* n_entries */
  float *value;         /* n_entries */
} springs;

/* strong: of each row the `share`, 0 .. 1, of its edges that have the largest values, rounded up; weak: the others.
** Both are filled, or neither. */
status springs_make(context *c, const affinities *a, double share, springs *strong, springs *weak);
void springs_free(springs *s);    /* may be all zero */

/* attraction (n, m): rest (n, m), or nothing where that is NULL, + the sum over j of p_ij q_ij (y_i - y_j), with
** q_ij = 1 / (1 + |y_i - y_j|^2).  Cannot fail. */
void springs_attraction(context *c, const springs *s, const float *y, int m, const float *rest, float *attraction);

#endif

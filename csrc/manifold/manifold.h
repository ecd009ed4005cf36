/* manifold.h -- the stages of t-SNE, each a function of plain arrays.
**
** van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 2014.
**
**   n   points        d   their features        k   neighbours of each
**   m   dimensions of the map, 2 or 3           y   (n, m) the map
**
** A stage allocates only what its comment says, through the context, and gives the same bits for any number of threads.
** Rows are numbered from 0 here; bind/ counts from 1. */
#ifndef PERILUNE_MANIFOLD_H
#define PERILUNE_MANIFOLD_H

#include "../tensor/context.h"

enum { MAX_MAP_DIMS = 3 };

/* p (n, k): p[i][j] = exp(-beta_i distance[i][j]) / sum, with beta_i such that the entropy of row i is
** log(perplexity), to 1e-5 where there is such a beta.  Equal distances give equal probabilities.  Cannot fail. */
void manifold_perplexity(context *c, const float *distance, int64_t n, int64_t k, double perplexity, float *p);

/* A sparse symmetric matrix by rows: entries start[i] .. start[i + 1] - 1 of row i, columns ascending. */
typedef struct affinities {
  allocator *memory;
  int64_t n, n_entries;
  int64_t *start;       /* n + 1 */
  int32_t *column;      /* n_entries */
  float *value;         /* n_entries; all together sum to 1 */
} affinities;

/* (p + p') / (2 n) of conditional probabilities p (n, k) at columns index (n, k).  Columns of a row differ. */
status affinities_make(context *c, const int64_t *index, const float *p, int64_t n, int64_t k, affinities *out);
void affinities_free(affinities *a);    /* may be all zero */

/* repulsion (n, m): sum over j of q_ij^2 (y_i - y_j), and the sum of all q_ij, i != j.  A cell of the tree stands for
** its points where its width is less than angle times its distance; angle 0 is exact.  Allocates the tree. */
status manifold_repulsion(context *c, const float *y, int64_t n, int m, double angle, float *repulsion, double *q_sum);

/* The Kullback-Leibler divergence sum of p log(p / (q / q_sum)).  Allocates n doubles. */
status manifold_divergence(context *c, const affinities *a, const float *y, int m, double q_sum, double *divergence);

/* One step of gradient descent with momentum and gains (Jacobs 1988), in place on y, velocity and gain, all (n, m):
**   gradient = exaggeration attraction - repulsion / q_sum
** Then the map is moved so that its mean is zero.  *norm: of the gradient.  Allocates a few numbers for each chunk of
** points; where there is no memory nothing has changed. */
typedef struct descent {
  double exaggeration, learning_rate, momentum, q_sum;
} descent;
status manifold_step(context *c, const descent *d, const float *attraction, const float *repulsion, int64_t n, int m,
                     float *y, float *velocity, float *gain, double *norm);

#endif

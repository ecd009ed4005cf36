/* placement.h -- the force on new points in a map whose points stand still.
**
** Each new point i has a distribution of its own over the fitted points j, p_j|i, and in the map
** q_j|i = 1 / (1 + |y_i - y_j|^2) / Z_i.  The gradient of its divergence, p exaggerated, without its factor 2, is
**     exaggeration sum_j p_j|i (y_i - y_j) / (1 + |y_i - y_j|^2)  -  sum_j (y_i - y_j) / (1 + |y_i - y_j|^2)^2 / Z_i.
** New points do not feel each other: where one goes does not depend on which others come with it.
** Polycar, Strazar & Zupan, "Embedding to reference t-SNE space addresses batch effects", Machine Learning 2021. */
#ifndef PERILUNE_PLACEMENT_H
#define PERILUNE_PLACEMENT_H

#include "tree.h"

typedef struct placement {
  const tree *tree;           /* of the fitted map */
  const float *fitted;        /* (n, m) */
  const int64_t *index;       /* (n_new, k) rows of fitted, from 1 */
  const float *p;             /* (n_new, k), rows sum to 1 */
  int64_t k;
  double angle, exaggeration;
} placement;

/* gradient (n_new, m) at y (n_new, m).  Cannot fail. */
void placement_gradient(context *c, const placement *p, const float *y, int64_t n_new, float *gradient);

#endif

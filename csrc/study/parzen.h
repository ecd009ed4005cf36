/* parzen.h -- the Parzen estimator of TPE: a mixture of n + 1 product kernels over d parameters.
**
** Bergstra et al., NeurIPS 2011; Falkner et al., ICML 2018 (multivariate); Watanabe, arXiv 2304.11127 (each part).
** One kernel stands on every observation, and the prior is as wide as the space.  Bandwidths, weights and the
** treatment of steps and categories are Optuna 5's, so that log densities agree with it.
** It grows with its study: an observation more costs O(n) moves, but only its neighbours get new widths.  What it is
** afterwards depends on the observations alone, not on the way they came: a study that was read again from its storage
** goes on with the same bits.
** Observations have a number, the trial's: the older ones of more than 25 weigh less.  Rows are contiguous float64 in
** the internal representation (a category is its 0-based index, everything else itself, not its logarithm), and lie
** in their ranges, on the grid where there is a step. */
#ifndef PERILUNE_PARZEN_H
#define PERILUNE_PARZEN_H

#include "../tensor/context.h"

typedef struct parzen_parameter {
  int64_t n_choices;       /* of a categorical one; 0: numeric, with the rest */
  double low, high, step;  /* low < high; step 0: continuous, otherwise values are low + i * step */
  bool is_log;             /* low > 0, and low - step / 2 > 0 */
} parzen_parameter;

typedef struct parzen parzen;

/* Without observations: the prior alone.  The space is copied.  NULL: no memory, message in c. */
parzen *parzen_new(context *c, int64_t d, const parzen_parameter *space);
void parzen_free(context *c, parzen *p);          /* p may be NULL */

int64_t parzen_count(const parzen *p);            /* of observations */
int64_t parzen_dimensions(const parzen *p);
const parzen_parameter *parzen_parameter_of(const parzen *p, int64_t j);

/* row (d).  Fails with NO_MEMORY, or INVALID if it has an observation of this number; then it is as it was. */
status parzen_insert(context *c, parzen *p, int64_t number, const double *row);
bool parzen_remove(parzen *p, int64_t number);    /* whether there was one */

/* points (m, d) -> log_pdf (m).  The same bits for any number of threads.  Fails with NO_MEMORY only. */
status parzen_log_pdf(context *c, parzen *p, int64_t m, const double *points, double *log_pdf);
/* uniforms (m, 1 + d) in [0, 1): the first of a row picks the kernel -> points (m, d).  Cannot fail. */
void parzen_sample(parzen *p, int64_t m, const double *uniforms, double *points);

#endif

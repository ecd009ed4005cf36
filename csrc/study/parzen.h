/* parzen.h -- the Parzen estimator of TPE: a mixture of n + 1 product kernels over d parameters.
**
** Bergstra et al., NeurIPS 2011; Falkner et al., ICML 2018 (multivariate); Watanabe, arXiv 2304.11127 (each part).
** One kernel stands on every observation, and the prior, as wide as the space, is the last.  Bandwidths, weights and
** the treatment of steps and categories are Optuna 5's, so that log densities agree with it.
** n observations, d parameters, m points; rows are contiguous float64 in the internal representation (a category is
** its 0-based index, everything else itself, not its logarithm).  Values must lie in their ranges. */
#ifndef PERILUNE_PARZEN_H
#define PERILUNE_PARZEN_H

#include "../tensor/context.h"

typedef struct parzen_parameter {
  int64_t n_choices;       /* of a categorical one; 0: numeric, with the rest */
  double low, high, step;  /* low < high; step 0: continuous, otherwise values are low + i * step */
  bool is_log;             /* low > 0, and low - step / 2 > 0 */
} parzen_parameter;

typedef struct parzen parzen;

/* observations (n, d), oldest first: the oldest of more than 25 weigh less.  n may be 0: the prior alone.
** NULL: no memory, message in c.  The space is not copied and must live as long. */
parzen *parzen_new(context *c, int64_t n, int64_t d, const double *observations, const parzen_parameter *space);
void parzen_free(context *c, parzen *p);          /* p may be NULL */

/* points (m, d) -> log_pdf (m).  Cannot fail. */
void parzen_log_pdf(parzen *p, int64_t m, const double *points, double *log_pdf);
/* uniforms (m, 1 + d) in [0, 1): the first of a row picks the kernel -> points (m, d).  Cannot fail. */
void parzen_sample(const parzen *p, int64_t m, const double *uniforms, double *points);

#endif

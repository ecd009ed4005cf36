/* tpe.h -- the choice of a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011): of m points drawn from the
** density of the better observations, the one that is likeliest relative to the density of the others. */
#ifndef PERILUNE_TPE_H
#define PERILUNE_TPE_H

#include "parzen.h"

/* uniforms (m, 1 + d) as for parzen_sample, m >= 1 -> best (d); of equals the first.  Fails with NO_MEMORY. */
status tpe_choose(context *c, parzen *better, parzen *others, int64_t m, const double *uniforms, double *best);

#endif

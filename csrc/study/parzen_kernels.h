/* parzen_kernels.h -- how an estimator lies in memory, for parzen.c and parzen_density.c alone.
**
** Kernel 0 is the prior, kernel i + 1 stands on observation i.  Columns are padded to whole blocks with kernels
** that weigh nothing, so that loops over a block have a fixed length. */
#ifndef PERILUNE_PARZEN_KERNELS_H
#define PERILUNE_PARZEN_KERNELS_H

#include <math.h>

#include "parzen.h"

enum { PARZEN_BLOCK = 64 };

typedef struct parzen_place {
  double mu;
  int64_t number;
} parzen_place;

typedef struct parzen_column {
  parzen_parameter parameter;
  double low, high;      /* its ends: half a step farther out, and logarithms where it is_log */
  double *mu;            /* (capacity): centers; of a category the choice, -1 in the prior */
  double *inverse;       /* (capacity): 1 / sigma */
  double *constant;      /* (capacity): what no point changes in the logarithm of this factor */
  parzen_place *sorted;  /* (capacity): the n observations by mu, equal ones by number */
  int64_t changed;       /* where the last one came or went */
} parzen_column;

struct parzen {
  int64_t n, d, capacity;    /* observations; parameters; kernels that there is room for, whole blocks */
  parzen_column *columns;    /* (d) */
  int64_t *numbers;          /* (capacity): of the observations, ascending */
  double *base;              /* (capacity): the constants of all columns */
  double *weight;            /* (capacity) */
  bool weights_stale;
  double weight_sum;
  double log_scale;          /* what all kernels have in common; as old as the weights */
  void *block;               /* holds the (capacity) arrays */
  size_t block_bytes;
};

/* Weights and scale as n wants them. */
void parzen_refresh_weights(parzen *p);

static inline double parzen_transformed(const parzen_parameter *q, double x) { return q->is_log ? log(x) : x; }

/* log(1 + kernels): how much likelier a category's kernel makes its own choice than any other. */
static inline double parzen_bonus(const parzen *p) { return log1p((double)p->n + 1.0); }

#endif

/* divergence.c -- the Kullback-Leibler divergence that both forces reduce. */
#include <math.h>

#include "../tensor/parallel.h"
#include "manifold.h"

typedef struct job {
  const affinities *affinities;
  const float *y;
  int m;
  double log_q_sum, *divergence;
} job;

/* p log(p q_sum / q) = p (log p + log q_sum + log(1 + distance)). */
static void diverge_rows(void *argument, int64_t begin, int64_t end) {
  const job *k = argument;
  const affinities *a = k->affinities;
  for (int64_t i = begin; i < end; i++) {
    double sum = 0;
    for (int64_t e = a->start[i]; e < a->start[i + 1]; e++) {
      double squared = 0, p = (double)a->value[e];
      for (int d = 0; d < k->m; d++) {
        double difference = (double)k->y[i * k->m + d] - (double)k->y[(int64_t)a->column[e] * k->m + d];
        squared += difference * difference;
      }
      if (p > 0) sum += p * (log(p) + k->log_q_sum + log1p(squared));
    }
    k->divergence[i] = sum;
  }
}

status manifold_divergence(context *c, const affinities *a, const float *y, int m, double q_sum, double *divergence) {
  size_t sums_bytes = (size_t)a->n * sizeof(double);
  double *sums = context_get(c, sums_bytes);
  if (!sums) return STATUS_NO_MEMORY;
  job k = { a, y, m, log(q_sum), sums };
  parallel_for(c, a->n, 128, diverge_rows, &k);
  *divergence = 0;
  for (int64_t i = 0; i < a->n; i++) *divergence += sums[i];
  context_put(c, sums, sums_bytes);
  return STATUS_OK;
}

/* parallel.c -- chunks over OpenMP threads.  See parallel.h. */
#include "parallel.h"

#include <omp.h>

void parallel_for(const context *c, int64_t n, int64_t grain, parallel_body body, void *argument) {
  if (n <= 0) return;
  int64_t n_chunks = (n + grain - 1) / grain;
  int n_threads = n_chunks < c->n_threads ? (int)n_chunks : c->n_threads;
  if (omp_in_parallel()) n_threads = 1;
#pragma omp parallel for schedule(static) num_threads(n_threads) if (n_threads > 1)
  for (int64_t chunk = 0; chunk < n_chunks; chunk++) {
    int64_t begin = chunk * grain;
    int64_t end = begin + grain < n ? begin + grain : n;
    body(argument, begin, end);
  }
}

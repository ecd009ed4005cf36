/* tpe.c -- see tpe.h. */
#include "tpe.h"

#include <string.h>

static int64_t argmax_of_ratio(int64_t m, const double *log_better, const double *log_others) {
  int64_t best = 0;
  for (int64_t i = 1; i < m; i++)
    if (log_better[i] - log_others[i] > log_better[best] - log_others[best]) best = i;
  return best;
}

status tpe_choose(context *c, parzen *better, parzen *others, int64_t m, const double *uniforms, double *best) {
  size_t d = (size_t)parzen_dimensions(better), rows = (size_t)m, n_bytes = rows * (d + 2) * sizeof(double);
  double *points = context_get(c, n_bytes);
  if (points == NULL) return STATUS_NO_MEMORY;
  double *log_better = points + rows * d, *log_others = log_better + rows;
  parzen_sample(better, m, uniforms, points);
  status s = parzen_log_pdf(c, better, m, points, log_better);
  if (s == STATUS_OK) s = parzen_log_pdf(c, others, m, points, log_others);
  if (s == STATUS_OK) memcpy(best, points + (size_t)argmax_of_ratio(m, log_better, log_others) * d, d * sizeof *best);
  context_put(c, points, n_bytes);
  return s;
}

/* attraction.c -- the pull along the edges of the affinities, and the divergence that both forces reduce.
**
** Edges of a row are taken LANES at a time, with a sum for each lane that is added up at the end of the row. */
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "manifold.h"

enum { LANES = 16 };

typedef struct job {
  const affinities *affinities;
  const float *y;
  int m;
  float *attraction;     /* or NULL */
  double log_q_sum, *divergence;
} job;

/* sum[d][lane] += p q (y_i - y_j) over a row's edges.  The last edges, fewer than LANES, are filled up with p = 0. */
#define PULL_ROW(GROUP)                                                                 \
  int64_t e = 0;                                                                        \
  for (; e + LANES <= count; e += LANES) GROUP(column + e, value + e, y, own, sum);     \
  if (e < count) {                                                                      \
    float p[LANES] = { 0 };                                                             \
    int32_t j[LANES] = { 0 };                                                           \
    for (int64_t lane = 0; lane < count - e; lane++) {                                  \
      p[lane] = value[e + lane];                                                        \
      j[lane] = column[e + lane];                                                       \
    }                                                                                   \
    GROUP(j, p, y, own, sum);                                                           \
  }

static inline __attribute__((always_inline)) void
group2(const int32_t *restrict j, const float *restrict p, const float *restrict y, const float *restrict own,
       float sum[restrict 2][LANES]) {
  for (int lane = 0; lane < LANES; lane++) {
    float d0 = own[0] - y[j[lane] * 2], d1 = own[1] - y[j[lane] * 2 + 1];
    float pq = p[lane] / (1.0f + d0 * d0 + d1 * d1);
    sum[0][lane] += pq * d0;
    sum[1][lane] += pq * d1;
  }
}

static inline __attribute__((always_inline)) void
group3(const int32_t *restrict j, const float *restrict p, const float *restrict y, const float *restrict own,
       float sum[restrict 3][LANES]) {
  for (int lane = 0; lane < LANES; lane++) {
    float d0 = own[0] - y[j[lane] * 3], d1 = own[1] - y[j[lane] * 3 + 1], d2 = own[2] - y[j[lane] * 3 + 2];
    float pq = p[lane] / (1.0f + d0 * d0 + d1 * d1 + d2 * d2);
    sum[0][lane] += pq * d0;
    sum[1][lane] += pq * d1;
    sum[2][lane] += pq * d2;
  }
}

CLONES static void pull2(const int32_t *restrict column, const float *restrict value, int64_t count,
                         const float *restrict y, const float *restrict own, float sum[restrict 2][LANES]) {
  PULL_ROW(group2)
}

CLONES static void pull3(const int32_t *restrict column, const float *restrict value, int64_t count,
                         const float *restrict y, const float *restrict own, float sum[restrict 3][LANES]) {
  PULL_ROW(group3)
}

static void pull_rows(void *argument, int64_t begin, int64_t end) {
  const job *k = argument;
  const affinities *a = k->affinities;
  for (int64_t i = begin; i < end; i++) {
    float sum[MAX_MAP_DIMS][LANES] = { { 0 } };
    int64_t from = a->start[i], count = a->start[i + 1] - from;
    if (k->m == 2) pull2(a->column + from, a->value + from, count, k->y, k->y + i * 2, sum);
    else pull3(a->column + from, a->value + from, count, k->y, k->y + i * 3, sum);
    for (int d = 0; d < k->m; d++) {
      float total = 0;
      for (int lane = 0; lane < LANES; lane++) total += sum[d][lane];
      k->attraction[i * k->m + d] = total;
    }
  }
}

void manifold_attraction(context *c, const affinities *a, const float *y, int m, float *attraction) {
  job k = { .affinities = a, .y = y, .m = m, .attraction = attraction };
  parallel_for(c, a->n, 128, pull_rows, &k);
}

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
  job k = { .affinities = a, .y = y, .m = m, .log_q_sum = log(q_sum), .divergence = sums };
  parallel_for(c, a->n, 128, diverge_rows, &k);
  *divergence = 0;
  for (int64_t i = 0; i < a->n; i++) *divergence += sums[i];
  context_put(c, sums, sums_bytes);
  return STATUS_OK;
}

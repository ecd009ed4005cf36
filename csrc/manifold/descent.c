/* descent.c -- one step of gradient descent with momentum and a gain for each coordinate.
** Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks 1988; van der Maaten &
** Hinton, JMLR 2008. */
#include <math.h>

#include "../tensor/parallel.h"
#include "manifold.h"

static const float GAIN_STEP = 0.2f, GAIN_DECAY = 0.8f, LEAST_GAIN = 0.01f;

/* Lane l of a sum is of coordinate l % m: LANES is a multiple of both m, and GRAIN of LANES. */
enum { LANES = 24, GRAIN = 64 * LANES };

typedef struct moving {
  float exaggeration, scale, rate, momentum;
  const float *attraction, *repulsion;
  int64_t m;
  float *y, *velocity, *gain;
  double mean[MAX_MAP_DIMS];
  double *squares;       /* by chunk */
  double *sums;          /* (chunks, MAX_MAP_DIMS) of y */
} moving;

/* A gain grows while its gradient keeps pointing against the velocity, that is, in the direction that we move in. */
#define MOVE(i, lane)                                                                                      \
  {                                                                                                        \
    float gradient = exaggeration * attraction[i] - scale * repulsion[i], before = velocity[i];            \
    float grown = (gradient > 0) != (before > 0) ? gain[i] + GAIN_STEP : gain[i] * GAIN_DECAY;             \
    gain[i] = grown < LEAST_GAIN ? LEAST_GAIN : grown;                                                     \
    velocity[i] = momentum * before - rate * gain[i] * gradient;                                           \
    y[i] += velocity[i];                                                                                   \
    square[lane] += gradient * gradient;                                                                   \
    sum[lane] += y[i];                                                                                     \
  }

CLONES static void move(float exaggeration, float scale, float rate, float momentum, const float *restrict attraction,
                        const float *restrict repulsion, int64_t count, float *restrict y, float *restrict velocity,
                        float *restrict gain, float square[restrict LANES], float sum[restrict LANES]) {
  int64_t at = 0;
  for (; at + LANES <= count; at += LANES)
    for (int lane = 0; lane < LANES; lane++) MOVE(at + lane, lane)
  for (int lane = 0; lane < count - at; lane++) MOVE(at + lane, lane)
}

static void move_chunk(void *argument, int64_t begin, int64_t end) {
  const moving *k = argument;
  float square[LANES] = { 0 }, sum[LANES] = { 0 };
  int64_t from = begin * k->m, chunk = begin / GRAIN;
  move(k->exaggeration, k->scale, k->rate, k->momentum, k->attraction + from, k->repulsion + from, (end - begin) * k->m,
       k->y + from, k->velocity + from, k->gain + from, square, sum);
  k->squares[chunk] = 0;
  for (int64_t d = 0; d < k->m; d++) k->sums[chunk * MAX_MAP_DIMS + d] = 0;
  for (int lane = 0; lane < LANES; lane++) {
    k->squares[chunk] += (double)square[lane];
    k->sums[chunk * MAX_MAP_DIMS + lane % k->m] += (double)sum[lane];
  }
}

CLONES static void subtract(float *restrict y, int64_t count, const float mean[restrict LANES]) {
  int64_t at = 0;
  for (; at + LANES <= count; at += LANES)
    for (int lane = 0; lane < LANES; lane++) y[at + lane] -= mean[lane];
  for (int lane = 0; lane < count - at; lane++) y[at + lane] -= mean[lane];
}

static void center_chunk(void *argument, int64_t begin, int64_t end) {
  const moving *k = argument;
  float mean[LANES];
  for (int lane = 0; lane < LANES; lane++) mean[lane] = (float)k->mean[lane % k->m];
  subtract(k->y + begin * k->m, (end - begin) * k->m, mean);
}

status manifold_step(context *c, const descent *d, const float *attraction, const float *repulsion, int64_t n, int m,
                     float *y, float *velocity, float *gain, double *norm) {
  int64_t n_chunks = (n + GRAIN - 1) / GRAIN;
  size_t sums_bytes = (size_t)n_chunks * (1 + MAX_MAP_DIMS) * sizeof(double);
  double *sums = context_get(c, sums_bytes), squares = 0;
  if (!sums) return STATUS_NO_MEMORY;
  float scale = d->q_sum > 0 ? (float)(1 / d->q_sum) : 0;   /* 0: all points are too far apart to repel each other */
  moving k = { (float)d->exaggeration, scale, (float)d->learning_rate, (float)d->momentum, attraction,
               repulsion, m, y, velocity, gain, { 0 }, sums, sums + n_chunks };
  parallel_for(c, n, GRAIN, move_chunk, &k);
  for (int64_t chunk = 0; chunk < n_chunks; chunk++) {
    squares += k.squares[chunk];
    for (int i = 0; i < m; i++) k.mean[i] += k.sums[chunk * MAX_MAP_DIMS + i] / (double)n;
  }
  parallel_for(c, n, GRAIN, center_chunk, &k);
  context_put(c, sums, sums_bytes);
  *norm = sqrt(squares);
  return STATUS_OK;
}

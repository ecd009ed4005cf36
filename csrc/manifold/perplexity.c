/* perplexity.c -- from the distances of a point's neighbours to probabilities of the wanted perplexity.
**
** With t_j = beta (distance_j - nearest), and S, T, U the sums of e^-t, t e^-t, t^2 e^-t:
**   p_j = e^-t_j / S        entropy = log S + T / S        d entropy / d log beta = -(U / S - (T / S)^2)
** Newton's method in log beta, kept between bounds that bisection narrows. */
#include <math.h>

#include "../kernels/vector_math.h"
#include "../tensor/parallel.h"
#include "manifold.h"

enum { LANES = 16, MAX_STEPS = 100 };
#define ENTROPY_TOLERANCE 1e-5
#define LONGEST_STEP 4.0      /* of log beta */

typedef struct perplexity_search {
  const float *distance;
  float *p;
  int64_t k;
  double entropy;
} perplexity_search;

/* p = e^-t, and p, t p, t^2 p into the sums of a lane. */
VECTOR_MATH void weigh_item(float away, float beta, float *p, float *s, float *t, float *u) {
  float x = beta * away;
  x = x < 100.0f ? x : 100.0f;
  float weight = exp_float(-x), weighted = x * weight;
  *p = weight;
  *s += weight;
  *t += weighted;
  *u += x * weighted;
}

CLONES static void weigh(const float *restrict distance, int64_t k, float beta, float *restrict p,
                         float sums[restrict 3][LANES]) {
  float nearest_distance = distance[0], s[LANES] = { 0 }, t[LANES] = { 0 }, u[LANES] = { 0 };
  int64_t at = 0;
  for (; at + LANES <= k; at += LANES)
    for (int lane = 0; lane < LANES; lane++)
      weigh_item(distance[at + lane] - nearest_distance, beta, &p[at + lane], &s[lane], &t[lane], &u[lane]);
  for (int lane = 0; lane < k - at; lane++)
    weigh_item(distance[at + lane] - nearest_distance, beta, &p[at + lane], &s[lane], &t[lane], &u[lane]);
  for (int lane = 0; lane < LANES; lane++) {
    sums[0][lane] = s[lane];
    sums[1][lane] = t[lane];
    sums[2][lane] = u[lane];
  }
}

static double total(const float *lanes) {
  double sum = 0;
  for (int lane = 0; lane < LANES; lane++) sum += (double)lanes[lane];
  return sum;
}

CLONES static void scale(float *p, int64_t k, float factor) {
  for (int64_t j = 0; j < k; j++) p[j] *= factor;
}

/* One over the mean distance beyond the nearest: t is then 1 on average. */
static double first_log_beta(const float *distance, int64_t k) {
  double sum = 0;
  for (int64_t j = 0; j < k; j++) sum += (double)distance[j] - (double)distance[0];
  return sum > 0 ? log((double)k / sum) : 0;
}

static double bounded_step(double excess, double slope) {
  double step = slope > 0 ? excess / slope : INFINITY;
  if (fabs(step) <= LONGEST_STEP) return step;
  return excess > 0 ? LONGEST_STEP : -LONGEST_STEP;
}

static void search_row(const perplexity_search *s, const float *distance, float *p) {
  double log_beta = first_log_beta(distance, s->k), low = -INFINITY, high = INFINITY, sum = 1;
  for (int i = 0; i < MAX_STEPS; i++) {
    float sums[3][LANES], beta = (float)exp(log_beta);
    if (!(beta < INFINITY)) break;
    weigh(distance, s->k, beta, p, sums);
    sum = total(sums[0]);
    double mean = total(sums[1]) / sum, variance = total(sums[2]) / sum - mean * mean;
    double excess = log(sum) + mean - s->entropy;
    if (fabs(excess) <= ENTROPY_TOLERANCE) break;
    if (excess > 0) low = log_beta;
    else high = log_beta;
    log_beta += bounded_step(excess, variance);
    if (log_beta <= low || log_beta >= high) log_beta = (low + high) / 2;
  }
  scale(p, s->k, (float)(1 / sum));
}

static void search_rows(void *argument, int64_t begin, int64_t end) {
  const perplexity_search *s = argument;
  for (int64_t i = begin; i < end; i++) search_row(s, s->distance + i * s->k, s->p + i * s->k);
}

void manifold_perplexity(context *c, const float *distance, int64_t n, int64_t k, double perplexity, float *p) {
  perplexity_search s = { distance, p, k, log(perplexity) };
  parallel_for(c, n, 64, search_rows, &s);
}

/* parzen.c -- see parzen.h.
**
** log p(x) = log sum_k exp(log w_k + sum_j log p_kj(x_j)).  What does not depend on x (weights, widths, the mass that
** lies in the range) is added up once a kernel.  A stepped parameter has few distinct kernels, since values repeat:
** their masses of [x - step/2, x + step/2] are computed once a point and looked up.  Terms below e^-50 of the largest
** so far are left out: 10,000 of them are less than a rounding. */
#include "parzen.h"

#include <math.h>
#include <string.h>

#include "../kernels/order.h"
#include "truncated_normal.h"

enum { N_FULL_WEIGHTS = 25, MAX_CLIP = 100 };
static const double LOG_SQRT_TWO_PI = 0.91893853320467274178;
static const double NEGLIGIBLE = 50.0;

struct parzen {
  int64_t n_kernels, d;
  const parzen_parameter *space;
  double *log_weight, *base;   /* (n_kernels); base has all that no point changes */
  double *mu, *sigma;          /* (d, n_kernels); of a category mu is the choice, -1 in the prior */
  int64_t *shared;             /* (d, n_kernels): the first kernel with the same mu and sigma */
  double *mass;                /* (n_kernels): scratch of one stepped parameter at one point */
  double *total;               /* (n_kernels): scratch of one point */
  size_t n_bytes;
};

/* -- making -- */

static double transformed(const parzen_parameter *q, double x) { return q->is_log ? log(x) : x; }
static double low_end(const parzen_parameter *q) { return transformed(q, q->low - 0.5 * q->step); }
static double high_end(const parzen_parameter *q) { return transformed(q, q->high + 0.5 * q->step); }

/* 1 up to 24 observations; from 25 on a ramp from 1/n to 1 and 25 ones.  The prior weighs 1. */
static void set_weights(parzen *p) {
  int64_t n = p->n_kernels - 1, n_ramp = n < N_FULL_WEIGHTS ? 0 : n - N_FULL_WEIGHTS;
  double sum = 0.0, first = n > 0 ? 1.0 / (double)n : 1.0;
  for (int64_t k = 0; k <= n; k++) {
    double weight = 1.0;
    if (k < n_ramp) weight = n_ramp == 1 ? first : first + (1.0 - first) * (double)k / (double)(n_ramp - 1);
    p->log_weight[k] = weight;
    sum += weight;
  }
  for (int64_t k = 0; k <= n; k++) p->log_weight[k] = log(p->log_weight[k] / sum);
}

/* The larger gap to a neighbour; the outermost two of several look inwards only.  Then clipped. */
static void set_widths(int64_t n, double low, double high, const order_item *order, const double *mu, double *sigma) {
  double narrowest = (high - low) / fmin(MAX_CLIP, (double)n + 2.0);
  for (int64_t i = 0; i < n; i++) {
    double here = mu[order[i].index];
    double below = here - (i > 0 ? mu[order[i - 1].index] : low);
    double above = (i + 1 < n ? mu[order[i + 1].index] : high) - here;
    double gap = fmax(below, above);
    if (n > 1 && i == 0) gap = above;
    if (n > 1 && i + 1 == n) gap = below;
    sigma[order[i].index] = fmin(fmax(gap, narrowest), high - low);
  }
}

/* Equal kernels lie side by side in the sorted order. */
static void set_shared(int64_t n, const order_item *order, const double *mu, const double *sigma, int64_t *shared) {
  for (int64_t i = 0; i < n; i++) {
    int64_t k = order[i].index, before = i > 0 ? order[i - 1].index : k;
    bool same = i > 0 && mu[k] == mu[before] && sigma[k] == sigma[before];
    shared[k] = same ? shared[before] : k;
  }
  shared[n] = n;
}

static void set_numeric(parzen *p, int64_t j, void *scratch) {
  const parzen_parameter *q = &p->space[j];
  int64_t n = p->n_kernels - 1;
  double *mu = p->mu + j * p->n_kernels, *sigma = p->sigma + j * p->n_kernels;
  double low = low_end(q), high = high_end(q);
  const order_item *order = order_sort(DTYPE_FLOAT64, n, mu, false, scratch);
  set_widths(n, low, high, order, mu, sigma);
  mu[n] = 0.5 * (low + high);
  sigma[n] = high - low;
  set_shared(n, order, mu, sigma, p->shared + j * p->n_kernels);
  for (int64_t k = 0; k <= n; k++) {
    p->base[k] -= log_normal_mass((low - mu[k]) / sigma[k], (high - mu[k]) / sigma[k]);
    if (q->step == 0.0) p->base[k] -= LOG_SQRT_TWO_PI + log(sigma[k]);
  }
}

/* Row k is 1/(n+1) everywhere and 1 more at the observed choice, normalised; sigma has the difference of the two
** logarithms. */
static void set_categorical(parzen *p, int64_t j) {
  int64_t n = p->n_kernels - 1;
  double choices = (double)p->space[j].n_choices, n_kernels = (double)p->n_kernels;
  double *mu = p->mu + j * p->n_kernels, *sigma = p->sigma + j * p->n_kernels;
  for (int64_t k = 0; k < n; k++) {
    p->base[k] += log(1.0 / n_kernels) - log1p(choices / n_kernels);
    sigma[k] = log1p(n_kernels);
  }
  p->base[n] -= log(choices);
  mu[n] = -1.0;
  sigma[n] = 0.0;
}

static parzen *reserve(context *c, int64_t n, int64_t d) {
  size_t rows = (size_t)n + 1, columns = (size_t)d;
  size_t n_bytes = sizeof(parzen) + rows * (4 + 3 * columns) * sizeof(double);
  parzen *p = context_get(c, n_bytes);
  if (p == NULL) return NULL;
  double *at = (double *)(p + 1);
  *p = (parzen){ .n_kernels = n + 1, .d = d, .n_bytes = n_bytes };
  p->log_weight = at;
  p->base = at + rows;
  p->mass = at + 2 * rows;
  p->total = at + 3 * rows;
  p->mu = at + 4 * rows;
  p->sigma = p->mu + columns * rows;
  p->shared = (int64_t *)(p->sigma + columns * rows);
  return p;
}

parzen *parzen_new(context *c, int64_t n, int64_t d, const double *observations, const parzen_parameter *space) {
  parzen *p = reserve(c, n, d);
  if (p == NULL) return NULL;
  size_t scratch_bytes = order_scratch(n > 0 ? n : 1);
  void *scratch = context_get(c, scratch_bytes);
  if (scratch == NULL) {
    parzen_free(c, p);
    return NULL;
  }
  p->space = space;
  set_weights(p);
  memcpy(p->base, p->log_weight, (size_t)p->n_kernels * sizeof *p->base);
  for (int64_t j = 0; j < d; j++) {
    for (int64_t k = 0; k < n; k++) p->mu[j * p->n_kernels + k] = transformed(&space[j], observations[k * d + j]);
    if (space[j].n_choices > 0) set_categorical(p, j);
    else set_numeric(p, j, scratch);
  }
  context_put(c, scratch, scratch_bytes);
  return p;
}

void parzen_free(context *c, parzen *p) {
  if (p != NULL) context_put(c, p, p->n_bytes);
}

/* -- densities -- */

static void add_categorical(parzen *p, int64_t j, double x) {
  const double *mu = p->mu + j * p->n_kernels, *sigma = p->sigma + j * p->n_kernels;
  for (int64_t k = 0; k < p->n_kernels; k++) p->total[k] += mu[k] == x ? sigma[k] : 0.0;
}

static void add_continuous(parzen *p, int64_t j, double x) {
  const double *mu = p->mu + j * p->n_kernels, *sigma = p->sigma + j * p->n_kernels;
  for (int64_t k = 0; k < p->n_kernels; k++) {
    double z = (x - mu[k]) / sigma[k];
    p->total[k] -= 0.5 * z * z;
  }
}

static void add_stepped(parzen *p, int64_t j, double x) {
  const parzen_parameter *q = &p->space[j];
  const double *mu = p->mu + j * p->n_kernels, *sigma = p->sigma + j * p->n_kernels;
  const int64_t *shared = p->shared + j * p->n_kernels;
  double left = transformed(q, x - 0.5 * q->step), right = transformed(q, x + 0.5 * q->step);
  for (int64_t k = 0; k < p->n_kernels; k++)
    if (shared[k] == k) p->mass[k] = log_normal_mass((left - mu[k]) / sigma[k], (right - mu[k]) / sigma[k]);
  for (int64_t k = 0; k < p->n_kernels; k++) p->total[k] += p->mass[shared[k]];
}

static double log_sum_exp(int64_t n, const double *x) {
  double highest = -INFINITY, sum = 0.0;
  for (int64_t k = 0; k < n; k++) highest = x[k] > highest ? x[k] : highest;
  if (highest == -INFINITY) return highest;
  for (int64_t k = 0; k < n; k++)
    if (x[k] > highest - NEGLIGIBLE) sum += exp(x[k] - highest);
  return highest + log(sum);
}

void parzen_log_pdf(parzen *p, int64_t m, const double *points, double *log_pdf) {
  for (int64_t i = 0; i < m; i++) {
    memcpy(p->total, p->base, (size_t)p->n_kernels * sizeof *p->total);
    for (int64_t j = 0; j < p->d; j++) {
      double x = points[i * p->d + j];
      if (p->space[j].n_choices > 0) add_categorical(p, j, x);
      else if (p->space[j].step > 0.0) add_stepped(p, j, x);
      else add_continuous(p, j, transformed(&p->space[j], x));
    }
    log_pdf[i] = log_sum_exp(p->n_kernels, p->total);
  }
}

/* -- sampling -- */

static int64_t pick_kernel(const parzen *p, double uniform) {
  double left = uniform;
  for (int64_t k = 0; k < p->n_kernels - 1; k++) {
    left -= exp(p->log_weight[k]);
    if (left < 0.0) return k;
  }
  return p->n_kernels - 1;
}

/* The choices in turn: each has 1/(n+1) of the whole, the observed one 1 more; the prior is uniform. */
static double sample_category(const parzen *p, int64_t j, double observed, double uniform) {
  int64_t n_choices = p->space[j].n_choices;
  double extra = observed < 0.0 ? 0.0 : (double)p->n_kernels;
  double left = uniform * ((double)n_choices + extra);
  for (int64_t i = 0; i < n_choices - 1; i++) {
    left -= 1.0 + ((double)i == observed ? extra : 0.0);
    if (left < 0.0) return (double)i;
  }
  return (double)(n_choices - 1);
}

static double sample_number(const parzen_parameter *q, double mu, double sigma, double uniform) {
  double a = (low_end(q) - mu) / sigma, b = (high_end(q) - mu) / sigma;
  double x = mu + sigma * truncated_normal_quantile(uniform, a, b);
  if (q->is_log) x = exp(x);
  if (q->step > 0.0) x = q->low + rint((x - q->low) / q->step) * q->step;
  return fmin(fmax(x, q->low), q->high);
}

void parzen_sample(const parzen *p, int64_t m, const double *uniforms, double *points) {
  for (int64_t i = 0; i < m; i++) {
    const double *uniform = uniforms + i * (p->d + 1);
    int64_t k = pick_kernel(p, uniform[0]);
    for (int64_t j = 0; j < p->d; j++) {
      double mu = p->mu[j * p->n_kernels + k], sigma = p->sigma[j * p->n_kernels + k];
      points[i * p->d + j] = p->space[j].n_choices > 0 ? sample_category(p, j, mu, uniform[1 + j])
                                                       : sample_number(&p->space[j], mu, sigma, uniform[1 + j]);
    }
  }
}

/* parzen_density.c -- log p(x) = log sum_k w_k exp(constants_k + sum_j log p_kj(x_j)), see parzen.h.
**
** A group of points walks over the kernels in blocks that stay in the first cache.  Of a stepped parameter the masses
** of [x - step/2, x + step/2] are computed once a block for each different x, since candidates repeat.  A point keeps
** its largest logarithm so far and the sum of the others relative to it.  Chunks of blocks run in parallel, and their
** sums are put together in their order. */
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "parzen_kernels.h"
#include "vector_normal.h"

enum { GROUP = 32, BLOCKS_A_CHUNK = 4, LANES = 8 };
static const double NARROW = 0.01;     /* in the narrowest sigma; see log_density_double */

typedef struct cell {                  /* what a stepped x stands for, transformed */
  double left, right, half, log_width;
  bool is_narrow;
} cell;

typedef struct sum {
  double highest, total;               /* exp(highest) * total is what was summed */
} sum;

typedef struct evaluation {
  const parzen *p;
  int64_t n_points;                    /* at most GROUP */
  double *x;                           /* (d, GROUP): transformed; of a stepped parameter the cell's index */
  cell *cells;                         /* (d, GROUP) */
  int64_t *n_cells;                    /* (d) */
  sum *sums;                           /* (chunks, GROUP) */
} evaluation;

/* -- what a block adds -- */

static CLONES void add_matches(double *restrict total, const double *restrict mu, double x, double bonus) {
  for (int64_t k = 0; k < PARZEN_BLOCK; k++) total[k] += mu[k] == x ? bonus : 0.0;
}

static CLONES void add_continuous(double *restrict total, const double *restrict mu, const double *restrict inverse,
                                  double x) {
  for (int64_t k = 0; k < PARZEN_BLOCK; k++) {
    double z = (x - mu[k]) * inverse[k];
    total[k] -= 0.5 * z * z;
  }
}

static CLONES void add_row(double *restrict total, const double *restrict row) {
  for (int64_t k = 0; k < PARZEN_BLOCK; k++) total[k] += row[k];
}

static CLONES void wide_row(double *restrict row, const double *restrict mu, const double *restrict inverse,
                            double left, double right) {
  for (int64_t k = 0; k < PARZEN_BLOCK; k++)
    row[k] = log_mass_double((left - mu[k]) * inverse[k], (right - mu[k]) * inverse[k]);
}

static CLONES void narrow_row(double *restrict row, const double *restrict mu, const double *restrict inverse,
                              double middle, double half, double log_width) {
  for (int64_t k = 0; k < PARZEN_BLOCK; k++)
    row[k] = log_density_double((middle - mu[k]) * inverse[k], half * inverse[k]) + log_double(inverse[k]) + log_width;
}

static CLONES double highest_of(const double *x) {
  double lane[LANES], highest = -INFINITY;
  for (int l = 0; l < LANES; l++) lane[l] = x[l];
  for (int64_t k = LANES; k < PARZEN_BLOCK; k += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = x[k + l] > lane[l] ? x[k + l] : lane[l];
  for (int l = 0; l < LANES; l++) highest = lane[l] > highest ? lane[l] : highest;
  return highest;
}

static CLONES double weighted_exp(const double *restrict x, const double *restrict weight, double highest) {
  double lane[LANES] = { 0 }, total = 0.0;
  for (int64_t k = 0; k < PARZEN_BLOCK; k += LANES)
    for (int l = 0; l < LANES; l++) lane[l] += weight[k + l] * exp_double(x[k + l] - highest);
  for (int l = 0; l < LANES; l++) total += lane[l];
  return total;
}

/* -- blocks -- */

static void add_stepped(const evaluation *e, int64_t j, int64_t first, double (*total)[PARZEN_BLOCK]) {
  const parzen_column *q = &e->p->columns[j];
  double row[PARZEN_BLOCK];
  for (int64_t at = 0; at < e->n_cells[j]; at++) {
    const cell *a = &e->cells[j * GROUP + at];
    if (a->is_narrow) narrow_row(row, q->mu + first, q->inverse + first, a->left + a->half, a->half, a->log_width);
    else wide_row(row, q->mu + first, q->inverse + first, a->left, a->right);
    for (int64_t i = 0; i < e->n_points; i++)
      if (e->x[j * GROUP + i] == (double)at) add_row(total[i], row);
  }
}

static void add_column(const evaluation *e, int64_t j, int64_t first, double (*total)[PARZEN_BLOCK]) {
  const parzen_column *q = &e->p->columns[j];
  if (q->parameter.step > 0.0) {
    add_stepped(e, j, first, total);
    return;
  }
  double bonus = parzen_bonus(e->p);
  for (int64_t i = 0; i < e->n_points; i++) {
    double x = e->x[j * GROUP + i];
    if (q->parameter.n_choices > 0) add_matches(total[i], q->mu + first, x, bonus);
    else add_continuous(total[i], q->mu + first, q->inverse + first, x);
  }
}

static void merge(sum *s, double highest, double total) {
  if (highest > s->highest) {
    s->total *= exp(s->highest - highest);
    s->highest = highest;
    s->total += total;
  } else {
    s->total += total * exp(highest - s->highest);
  }
}

/* Chunks begin .. end - 1. */
static void sum_chunks(void *argument, int64_t begin, int64_t end) {
  const evaluation *e = argument;
  const parzen *p = e->p;
  int64_t n_blocks = p->n / PARZEN_BLOCK + 1;
  for (int64_t chunk = begin; chunk < end; chunk++) {
    sum *sums = e->sums + chunk * GROUP;
    for (int64_t i = 0; i < e->n_points; i++) sums[i] = (sum){ -INFINITY, 0.0 };
    int64_t last = (chunk + 1) * BLOCKS_A_CHUNK < n_blocks ? (chunk + 1) * BLOCKS_A_CHUNK : n_blocks;
    for (int64_t block = chunk * BLOCKS_A_CHUNK; block < last; block++) {
      double total[GROUP][PARZEN_BLOCK];
      int64_t first = block * PARZEN_BLOCK;
      for (int64_t i = 0; i < e->n_points; i++) memcpy(total[i], p->base + first, sizeof total[i]);
      for (int64_t j = 0; j < p->d; j++) add_column(e, j, first, total);
      for (int64_t i = 0; i < e->n_points; i++) {
        double block_highest = highest_of(total[i]);
        double highest = fmax(sums[i].highest, block_highest);
        merge(&sums[i], highest, weighted_exp(total[i], p->weight + first, highest));
      }
    }
  }
}

/* -- points -- */

static cell cell_of(const parzen_column *column, double x) {
  const parzen_parameter *q = &column->parameter;
  double low = x - 0.5 * q->step, high = x + 0.5 * q->step;
  double left = parzen_transformed(q, low), right = parzen_transformed(q, high);
  double width = q->is_log ? log1p(q->step / low) : q->step;
  double widest = width * 100.0 / (column->high - column->low);
  return (cell){ left, right, 0.5 * width, log(width), widest < NARROW };
}

static void set_points(evaluation *e, const double *points) {
  int64_t d = e->p->d;
  for (int64_t j = 0; j < d; j++) {
    const parzen_column *q = &e->p->columns[j];
    double seen[GROUP];
    e->n_cells[j] = 0;
    for (int64_t i = 0; i < e->n_points; i++) {
      double x = points[i * d + j], *at = &e->x[j * GROUP + i];
      if (q->parameter.step == 0.0) {
        *at = parzen_transformed(&q->parameter, x);
        continue;
      }
      int64_t known = 0;
      while (known < e->n_cells[j] && seen[known] != x) known++;
      *at = (double)known;
      if (known < e->n_cells[j]) continue;
      seen[known] = x;
      e->cells[j * GROUP + known] = cell_of(q, x);
      e->n_cells[j]++;
    }
  }
}

status parzen_log_pdf(context *c, parzen *p, int64_t m, const double *points, double *log_pdf) {
  int64_t n_chunks = p->n / (PARZEN_BLOCK * BLOCKS_A_CHUNK) + 1;
  size_t group = (size_t)p->d * GROUP, n_sums = (size_t)n_chunks * GROUP;
  size_t n_bytes = group * (sizeof(double) + sizeof(cell)) + (size_t)p->d * sizeof(int64_t) + n_sums * sizeof(sum);
  char *block = context_get(c, n_bytes);
  if (block == NULL) return STATUS_NO_MEMORY;
  evaluation e = { .p = p, .cells = (cell *)block };
  e.x = (double *)(e.cells + group);
  e.n_cells = (int64_t *)(e.x + group);
  e.sums = (sum *)(e.n_cells + p->d);
  parzen_refresh_weights(p);
  for (int64_t done = 0; done < m; done += GROUP) {
    e.n_points = m - done < GROUP ? m - done : GROUP;
    set_points(&e, points + done * p->d);
    parallel_for(c, n_chunks, 1, sum_chunks, &e);
    for (int64_t i = 0; i < e.n_points; i++) {
      sum all = { -INFINITY, 0.0 };
      for (int64_t chunk = 0; chunk < n_chunks; chunk++)
        merge(&all, e.sums[chunk * GROUP + i].highest, e.sums[chunk * GROUP + i].total);
      log_pdf[done + i] = all.highest + log(all.total) + p->log_scale;
    }
  }
  context_put(c, block, n_bytes);
  return STATUS_OK;
}

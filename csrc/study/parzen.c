/* parzen.c -- see parzen.h: the observations, their widths and weights; drawing.
**
** A kernel's width is the larger gap to its neighbours among the sorted centers, so that an observation more changes
** three widths at most (all of them while there are fewer than MAX_CLIP, since the narrowest allowed one depends on
** their number).  The mass that lies in the range, which is what costs, is computed again for these alone. */
#include "parzen.h"

#include <math.h>
#include <string.h>

#include "parzen_kernels.h"
#include "truncated_normal.h"

enum { N_FULL_WEIGHTS = 25, MAX_CLIP = 100 };
static const double LOG_SQRT_TWO_PI = 0.91893853320467274178, NOTHING = -1e300;

/* -- memory -- */

static bool is_categorical(const parzen_column *q) { return q->parameter.n_choices > 0; }

/* Cuts a block into the arrays; four doubles a kernel and five a column. */
static size_t arrays_bytes(int64_t d, int64_t capacity) {
  return (size_t)capacity * (3 + 5 * (size_t)d) * sizeof(double);
}

static void cut(parzen *p, parzen_column *columns, void *block, int64_t capacity) {
  double *at = block;
  p->numbers = block;
  p->base = at + capacity;
  p->weight = at + 2 * capacity;
  at += 3 * capacity;
  for (int64_t j = 0; j < p->d; j++, at += 5 * capacity) {
    columns[j].mu = at;
    columns[j].inverse = at + capacity;
    columns[j].constant = at + 2 * capacity;
    columns[j].sorted = (parzen_place *)(at + 3 * capacity);
  }
}

/* Kernel k becomes a copy of the prior that is too small to count. */
static void pad(parzen *p, int64_t k) {
  p->base[k] = NOTHING;
  p->weight[k] = 0.0;
  for (int64_t j = 0; j < p->d; j++) {
    parzen_column *q = &p->columns[j];
    q->mu[k] = q->mu[0];
    q->inverse[k] = q->inverse[0];
    q->constant[k] = q->constant[0];
  }
}

static void copy_arrays(parzen *p, const parzen *old, const parzen_column *old_columns) {
  size_t n_bytes = (size_t)old->capacity * sizeof(double);
  memcpy(p->numbers, old->numbers, n_bytes);
  memcpy(p->base, old->base, n_bytes);
  memcpy(p->weight, old->weight, n_bytes);
  for (int64_t j = 0; j < p->d; j++) {
    memcpy(p->columns[j].mu, old_columns[j].mu, n_bytes);
    memcpy(p->columns[j].inverse, old_columns[j].inverse, n_bytes);
    memcpy(p->columns[j].constant, old_columns[j].constant, n_bytes);
    memcpy(p->columns[j].sorted, old_columns[j].sorted, 2 * n_bytes);
  }
}

/* Room for one kernel more. */
static status make_room(context *c, parzen *p) {
  if (p->n + 1 < p->capacity) return STATUS_OK;
  int64_t capacity = 2 * p->capacity;
  size_t n_bytes = arrays_bytes(p->d, capacity), columns_bytes = (size_t)p->d * sizeof(parzen_column);
  void *block = context_get(c, n_bytes);
  parzen_column *old_columns = block == NULL ? NULL : context_get(c, columns_bytes);
  if (old_columns == NULL) {
    if (block != NULL) context_put(c, block, n_bytes);
    return STATUS_NO_MEMORY;
  }
  parzen old = *p;
  memcpy(old_columns, p->columns, columns_bytes);
  cut(p, p->columns, block, capacity);
  copy_arrays(p, &old, old_columns);
  p->capacity = capacity;
  p->block = block;
  p->block_bytes = n_bytes;
  for (int64_t k = old.capacity; k < capacity; k++) pad(p, k);
  context_put(c, old_columns, columns_bytes);
  context_put(c, old.block, old.block_bytes);
  return STATUS_OK;
}

/* -- one kernel -- */

/* log of 1 / the mass that lies in the range, and of the density's scale where there is no step. */
static double constant_of(const parzen_column *q, double mu, double sigma) {
  double log_mass = log_normal_mass((q->low - mu) / sigma, (q->high - mu) / sigma);
  return -log_mass - (q->parameter.step == 0.0 ? LOG_SQRT_TWO_PI + log(sigma) : 0.0);
}

static void add_constants(parzen *p, int64_t k) {
  p->base[k] = 0.0;
  for (int64_t j = 0; j < p->d; j++) p->base[k] += p->columns[j].constant[k];
}

static void set_prior(parzen *p) {
  for (int64_t j = 0; j < p->d; j++) {
    parzen_column *q = &p->columns[j];
    q->mu[0] = is_categorical(q) ? -1.0 : 0.5 * (q->low + q->high);
    q->inverse[0] = is_categorical(q) ? 1.0 : 1.0 / (q->high - q->low);
    q->constant[0] = is_categorical(q) ? 0.0 : constant_of(q, q->mu[0], q->high - q->low);
  }
  add_constants(p, 0);
}

/* The larger gap to a neighbour; the outermost two of several look inwards only.  Then clipped. */
static double width_at(const parzen_column *q, int64_t n, int64_t i) {
  double here = q->sorted[i].mu, range = q->high - q->low;
  double below = here - (i > 0 ? q->sorted[i - 1].mu : q->low);
  double above = (i + 1 < n ? q->sorted[i + 1].mu : q->high) - here;
  double gap = fmax(below, above);
  if (n > 1 && i == 0) gap = above;
  if (n > 1 && i + 1 == n) gap = below;
  return fmin(fmax(gap, range / fmin(MAX_CLIP, (double)n + 2.0)), range);
}

/* Where number is, or would be, among the observations. */
static int64_t position_of(const parzen *p, int64_t number) {
  int64_t low = 0, high = p->n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (p->numbers[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void set_width(parzen *p, parzen_column *q, int64_t i) {
  double sigma = width_at(q, p->n, i);
  int64_t k = position_of(p, q->sorted[i].number) + 1;
  if (q->inverse[k] == 1.0 / sigma) return;
  q->inverse[k] = 1.0 / sigma;
  q->constant[k] = constant_of(q, q->mu[k], sigma);
  add_constants(p, k);
}

/* -- sorted centers -- */

static int64_t sorted_position(const parzen_column *q, int64_t n, double mu, int64_t number) {
  int64_t low = 0, high = n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    const parzen_place *at = &q->sorted[middle];
    if (at->mu < mu || (at->mu == mu && at->number < number)) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void sorted_insert(parzen_column *q, int64_t n, double mu, int64_t number) {
  int64_t at = q->changed = sorted_position(q, n, mu, number);
  memmove(q->sorted + at + 1, q->sorted + at, (size_t)(n - at) * sizeof *q->sorted);
  q->sorted[at] = (parzen_place){ mu, number };
}

static void sorted_remove(parzen_column *q, int64_t n, double mu, int64_t number) {
  int64_t at = q->changed = sorted_position(q, n, mu, number);
  memmove(q->sorted + at, q->sorted + at + 1, (size_t)(n - 1 - at) * sizeof *q->sorted);
}

/* The widths beside the places that changed, or all of them while the narrowest depends on n. */
static void set_widths(parzen *p) {
  bool all = p->n + 2 <= MAX_CLIP;
  for (int64_t j = 0; j < p->d; j++) {
    parzen_column *q = &p->columns[j];
    if (is_categorical(q)) continue;
    int64_t first = all || q->changed == 0 ? 0 : q->changed - 1;
    int64_t last = all || q->changed + 1 >= p->n ? p->n - 1 : q->changed + 1;
    for (int64_t i = first; i <= last; i++) set_width(p, q, i);
  }
}

/* -- observations -- */

/* Moves kernels from k on by one place up or down. */
static void shift(parzen *p, int64_t k, int64_t by) {
  int64_t from = by > 0 ? k : k + 1, count = p->n + 1 - from;
  size_t n_bytes = (size_t)count * sizeof(double);
  memmove(p->numbers + from - 1 + by, p->numbers + from - 1, n_bytes);
  memmove(p->base + from + by, p->base + from, n_bytes);
  for (int64_t j = 0; j < p->d; j++) {
    parzen_column *q = &p->columns[j];
    memmove(q->mu + from + by, q->mu + from, n_bytes);
    memmove(q->inverse + from + by, q->inverse + from, n_bytes);
    memmove(q->constant + from + by, q->constant + from, n_bytes);
  }
}

status parzen_insert(context *c, parzen *p, int64_t number, const double *row) {
  int64_t at = position_of(p, number);
  if (at < p->n && p->numbers[at] == number)
    return context_fail(c, STATUS_INVALID, "parzen: there is an observation %lld already", (long long)number);
  status s = make_room(c, p);
  if (s != STATUS_OK) return s;
  shift(p, at + 1, 1);
  p->numbers[at] = number;
  p->base[at + 1] = 0.0;
  for (int64_t j = 0; j < p->d; j++) {
    parzen_column *q = &p->columns[j];
    q->mu[at + 1] = parzen_transformed(&q->parameter, row[j]);
    q->inverse[at + 1] = is_categorical(q) ? 1.0 : 0.0;   /* no width has this inverse: it will be set */
    q->constant[at + 1] = 0.0;
    if (!is_categorical(q)) sorted_insert(q, p->n, q->mu[at + 1], number);
  }
  p->n++;
  p->weights_stale = true;
  set_widths(p);
  return STATUS_OK;
}

bool parzen_remove(parzen *p, int64_t number) {
  int64_t at = position_of(p, number);
  if (at == p->n || p->numbers[at] != number) return false;
  for (int64_t j = 0; j < p->d; j++) {
    parzen_column *q = &p->columns[j];
    if (!is_categorical(q)) sorted_remove(q, p->n, q->mu[at + 1], number);
  }
  shift(p, at + 1, -1);
  pad(p, p->n--);
  p->weights_stale = true;
  set_widths(p);
  return true;
}

int64_t parzen_count(const parzen *p) { return p->n; }
int64_t parzen_dimensions(const parzen *p) { return p->d; }
const parzen_parameter *parzen_parameter_of(const parzen *p, int64_t j) { return &p->columns[j].parameter; }

/* -- the whole -- */

parzen *parzen_new(context *c, int64_t d, const parzen_parameter *space) {
  size_t head_bytes = sizeof(parzen) + (size_t)d * sizeof(parzen_column);
  size_t block_bytes = arrays_bytes(d, PARZEN_BLOCK);
  parzen *p = context_get(c, head_bytes);
  void *block = p == NULL ? NULL : context_get(c, block_bytes);
  if (block == NULL) {
    if (p != NULL) context_put(c, p, head_bytes);
    return NULL;
  }
  *p = (parzen){ .d = d, .capacity = PARZEN_BLOCK, .columns = (parzen_column *)(p + 1), .weights_stale = true,
                 .block = block, .block_bytes = block_bytes };
  for (int64_t j = 0; j < d; j++) {
    const parzen_parameter *q = &space[j];
    p->columns[j] = (parzen_column){ .parameter = *q };
    if (q->n_choices > 0) continue;
    p->columns[j].low = parzen_transformed(q, q->low - 0.5 * q->step);
    p->columns[j].high = parzen_transformed(q, q->high + 0.5 * q->step);
  }
  cut(p, p->columns, block, PARZEN_BLOCK);
  set_prior(p);
  for (int64_t k = 1; k < PARZEN_BLOCK; k++) pad(p, k);
  return p;
}

void parzen_free(context *c, parzen *p) {
  if (p == NULL) return;
  context_put(c, p->block, p->block_bytes);
  context_put(c, p, sizeof(parzen) + (size_t)p->d * sizeof(parzen_column));
}

/* 1 up to 24 observations; from 25 on a ramp from 1/n to 1 and 25 ones.  The prior weighs 1.  A category's kernel is
** 1/(kernels + choices) everywhere and 1 + kernels times that at its own choice, the prior 1/choices: what the kernels
** share goes into log_scale, and what the prior has more into its base. */
void parzen_refresh_weights(parzen *p) {
  if (!p->weights_stale) return;
  int64_t n = p->n, n_ramp = n < N_FULL_WEIGHTS ? 0 : n - N_FULL_WEIGHTS;
  double sum = 1.0, first = n > 0 ? 1.0 / (double)n : 1.0;
  double slope = n_ramp > 1 ? (1.0 - first) / (double)(n_ramp - 1) : 0.0;
  p->weight[0] = 1.0;
  for (int64_t i = 0; i < n; i++) {
    p->weight[i + 1] = i < n_ramp ? first + slope * (double)i : 1.0;
    sum += p->weight[i + 1];
  }
  p->weight_sum = sum;
  p->log_scale = -log(sum);
  add_constants(p, 0);
  for (int64_t j = 0; j < p->d; j++) {
    if (!is_categorical(&p->columns[j])) continue;
    double choices = (double)p->columns[j].parameter.n_choices, all = (double)n + 1.0 + choices;
    p->base[0] += log(all / choices);
    p->log_scale -= log(all);
  }
  p->weights_stale = false;
}

/* -- sampling -- */

static int64_t pick_kernel(const parzen *p, double uniform) {
  double left = uniform * p->weight_sum;
  for (int64_t k = 1; k <= p->n; k++) {
    left -= p->weight[k];
    if (left < 0.0) return k;
  }
  return 0;
}

/* The choices in turn: each has 1/(n+1) of the whole, the observed one 1 more; the prior is uniform. */
static double sample_category(const parzen *p, const parzen_column *q, int64_t k, double uniform) {
  int64_t n_choices = q->parameter.n_choices;
  double extra = k == 0 ? 0.0 : (double)p->n + 1.0;
  double left = uniform * ((double)n_choices + extra);
  for (int64_t i = 0; i < n_choices - 1; i++) {
    left -= 1.0 + ((double)i == q->mu[k] ? extra : 0.0);
    if (left < 0.0) return (double)i;
  }
  return (double)(n_choices - 1);
}

static double sample_number(const parzen_column *column, int64_t k, double uniform) {
  const parzen_parameter *q = &column->parameter;
  double mu = column->mu[k], inverse = column->inverse[k];
  double a = (column->low - mu) * inverse, b = (column->high - mu) * inverse;
  double x = mu + truncated_normal_quantile(uniform, a, b) / inverse;
  if (q->is_log) x = exp(x);
  if (q->step > 0.0) x = q->low + rint((x - q->low) / q->step) * q->step;
  return fmin(fmax(x, q->low), q->high);
}

void parzen_sample(parzen *p, int64_t m, const double *uniforms, double *points) {
  parzen_refresh_weights(p);
  for (int64_t i = 0; i < m; i++) {
    const double *uniform = uniforms + i * (p->d + 1);
    int64_t k = pick_kernel(p, uniform[0]);
    for (int64_t j = 0; j < p->d; j++) {
      const parzen_column *q = &p->columns[j];
      points[i * p->d + j] = is_categorical(q) ? sample_category(p, q, k, uniform[1 + j])
                                               : sample_number(q, k, uniform[1 + j]);
    }
  }
}

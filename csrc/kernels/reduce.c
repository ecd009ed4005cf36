/* reduce.c -- folds of a tensor over any of its dims.  See reduce.h. */
#include "reduce.h"

#include <string.h>

enum { BLOCK = 1024, ITEMS_A_CHUNK = 1 << 15, MOST_LANE_CHUNKS = 64, FEW_ITEMS = 32 };

typedef struct axis {
  int64_t size, step;      /* step in x, bytes */
  int64_t out_step;        /* in `out`, items; kept axes only */
} axis;

typedef struct plan {
  const reduction *r;
  const char *x;
  dtype stored;
  int n_kept, n_reduced;
  axis kept[MAX_DIMS], reduced[MAX_DIMS];     /* outermost first */
  bool lanes;              /* the innermost kept axis is done in rows */
  int64_t n_out, n_items;  /* totals; items that go into each */
  int64_t chunk, n_chunks; /* of the items (in rows of lanes: of the rows) */
  int64_t tile, n_tiles;   /* of the innermost kept axis, when lanes */
  fold_value *totals;      /* [n_chunks][n_out] */
} plan;

/* -- making the plan -- */

static void insert_axis(axis *axes, int *n, axis new_axis) {
  int at = (*n)++;
  for (; at > 0 && axes[at - 1].step < new_axis.step; at--) axes[at] = axes[at - 1];
  axes[at] = new_axis;
}

/* Axes that lie behind one another become one. */
static void merge_axes(axis *axes, int *n) {
  int last = 0;
  for (int k = 1; k < *n; k++) {
    axis *outer = &axes[last];
    if (outer->step == axes[k].step * axes[k].size && outer->out_step == axes[k].out_step * axes[k].size) {
      *outer = (axis){ outer->size * axes[k].size, axes[k].step, axes[k].out_step };
    } else {
      axes[++last] = axes[k];
    }
  }
  if (*n > 0) *n = last + 1;
}

static void split_axes(plan *p, const tensor *out, const tensor *x, const bool *reduced) {
  int64_t item = (int64_t)dtype_size(x->dtype);
  p->n_out = p->n_items = 1;
  for (int d = 0; d < x->n_dims; d++) {
    *(reduced[d] ? &p->n_items : &p->n_out) *= x->shape[d];
    if (x->shape[d] == 1) continue;
    if (reduced[d]) insert_axis(p->reduced, &p->n_reduced, (axis){ x->shape[d], x->stride[d] * item, 0 });
    else insert_axis(p->kept, &p->n_kept, (axis){ x->shape[d], x->stride[d] * item, out->stride[d] });
  }
  merge_axes(p->kept, &p->n_kept);
  merge_axes(p->reduced, &p->n_reduced);
}

static int64_t divided_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

static void cut(plan *p) {
  const axis *lane = &p->kept[p->n_kept > 0 ? p->n_kept - 1 : 0];      /* read only where there is one */
  bool inner = p->n_kept > 0 && (p->n_reduced == 0 || lane->step < p->reduced[p->n_reduced - 1].step);
  p->lanes = inner || (p->n_kept > 0 && p->n_items < FEW_ITEMS && lane->size >= FEW_ITEMS);
  p->chunk = ITEMS_A_CHUNK;
  if (p->lanes) {
    p->tile = lane->size < BLOCK ? lane->size : BLOCK;
    p->n_tiles = divided_up(lane->size, p->tile);
    p->chunk = divided_up(ITEMS_A_CHUNK, p->tile);
    if (divided_up(p->n_items, p->chunk) > MOST_LANE_CHUNKS) p->chunk = divided_up(p->n_items, MOST_LANE_CHUNKS);
  }
  p->n_chunks = divided_up(p->n_items, p->chunk);
}

/* -- walking -- */

typedef struct place {
  int64_t at[MAX_DIMS];
  int64_t x;               /* bytes */
} place;

static place find_place(const axis *axes, int n, int64_t index) {
  place p = { .x = 0 };
  for (int k = n - 1; k >= 0; k--) {
    p.at[k] = index % axes[k].size;
    index /= axes[k].size;
    p.x += p.at[k] * axes[k].step;
  }
  return p;
}

static void next_place(place *p, const axis *axes, int n) {
  for (int k = n - 1; k >= 0; k--) {
    p->x += axes[k].step;
    if (++p->at[k] < axes[k].size) return;
    p->x -= axes[k].size * axes[k].step;
    p->at[k] = 0;
  }
}

static int64_t out_index(const axis *axes, int n, const place *p) {
  int64_t index = 0;
  for (int k = 0; k < n; k++) index += p->at[k] * axes[k].out_step;
  return index;
}

/* n items from x, mapped, as a dense run: in place, or in one of the blocks. */
static const void *mapped(const plan *p, int64_t n, const char *x, int64_t step, const double *center,
                          double *loaded, double *result) {
  const reduction *r = p->r;
  const void *items = x;
  if (p->stored != r->compute || step != (int64_t)dtype_size(r->compute)) {
    dense_load(p->stored, r->compute, n, loaded, x, step);
    items = loaded;
  }
  if (r->map == NULL) return items;
  void *data[] = { result, (void *)(uintptr_t)items, (void *)(uintptr_t)center };
  dense_loop_for(r->map, r->compute)(n, data, r->extra);
  return result;
}

static void load_center(const plan *p, int64_t n, int64_t at, int64_t step, double *center) {
  if (p->r->center == NULL) return;
  int64_t item = (int64_t)dtype_size(p->r->compute);
  const char *from = (const char *)tensor_data(p->r->center) + at * item;
  dense_load(p->r->compute, p->r->compute, n, center, from, step * item);
}

/* -- runs of reduced items into one total -- */

static void fold_run(const plan *p, int64_t n, const char *x, int64_t step, const double *center,
                     fold_value *total) {
  const reduction *r = p->r;
  double loaded[BLOCK], result[BLOCK];
  bool direct = r->map == NULL && p->stored == r->compute && step == (int64_t)dtype_size(r->compute);
  int64_t most = direct ? n : BLOCK;
  for (int64_t done = 0; done < n; done += most) {
    int64_t count = n - done < most ? n - done : most;
    const void *items = mapped(p, count, x + done * step, step, center, loaded, result);
    fold_row(r->kind, r->compute, count, items, total);
  }
}

static void fold_runs(const plan *p, int64_t begin, int64_t end, const char *x, const double *center,
                      fold_value *total) {
  int outer = p->n_reduced - 1;
  if (outer < 0) {
    fold_run(p, 1, x, (int64_t)dtype_size(p->stored), center, total);
    return;
  }
  const axis *run = &p->reduced[outer];
  place at = find_place(p->reduced, outer, begin / run->size);
  int64_t first = begin % run->size;
  for (int64_t done = begin; done < end; first = 0) {
    int64_t n = run->size - first < end - done ? run->size - first : end - done;
    fold_run(p, n, x + at.x + first * run->step, run->step, center, total);
    done += n;
    next_place(&at, p->reduced, outer);
  }
}

/* Task = chunk * n_out + output. */
static void run_tasks(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  double center[BLOCK];
  for (int64_t task = begin; task < end; task++) {
    int64_t chunk = task / p->n_out;
    place kept = find_place(p->kept, p->n_kept, task % p->n_out);
    int64_t out = out_index(p->kept, p->n_kept, &kept);
    int64_t first = chunk * p->chunk, last = first + p->chunk < p->n_items ? first + p->chunk : p->n_items;
    fold_value total = fold_identity(p->r->kind, p->r->compute);
    load_center(p, last - first < BLOCK ? last - first : BLOCK, out, 0, center);
    fold_runs(p, first, last, p->x + kept.x, center, &total);
    p->totals[chunk * p->n_out + out] = total;
  }
}

/* -- rows of lanes into rows of totals -- */

/* Dense float32 rows that follow one another along the innermost reduced axis may be summed several at a time. */
static bool can_sum_rows(const plan *p, const place *row, int64_t left) {
  const reduction *r = p->r;
  if (r->kind != FOLD_SUM || r->map != NULL || r->compute != DTYPE_FLOAT32 || p->stored != DTYPE_FLOAT32) return false;
  if (p->kept[p->n_kept - 1].step != 4 || p->n_reduced == 0 || left < FOLD_ROWS) return false;
  return p->reduced[p->n_reduced - 1].size - row->at[p->n_reduced - 1] >= FOLD_ROWS;
}

static void fold_tile(const plan *p, int64_t n, int64_t chunk, const char *x, int64_t out) {
  const axis *lane = &p->kept[p->n_kept > 0 ? p->n_kept - 1 : 0];      /* read only where there is one */
  fold_value totals[BLOCK];
  double center[BLOCK], loaded[BLOCK], result[BLOCK];
  int64_t first = chunk * p->chunk, last = first + p->chunk < p->n_items ? first + p->chunk : p->n_items;
  place row = find_place(p->reduced, p->n_reduced, first);
  for (int64_t i = 0; i < n; i++) totals[i] = fold_identity(p->r->kind, p->r->compute);
  load_center(p, n, out, lane->out_step, center);
  for (int64_t k = first, done; k < last; k += done) {
    done = 1;
    if (can_sum_rows(p, &row, last - k)) {
      const axis *along = &p->reduced[p->n_reduced - 1];
      fold_sum_rows(n, (const float *)(const void *)(x + row.x), along->step / 4, &totals[0].real);
      done = FOLD_ROWS;
    } else {
      const void *items = mapped(p, n, x + row.x, lane->step, center, loaded, result);
      fold_lanes(p->r->kind, p->r->compute, n, items, totals);
    }
    for (int64_t j = 0; j < done; j++) next_place(&row, p->reduced, p->n_reduced);
  }
  fold_value *to = p->totals + chunk * p->n_out + out;
  for (int64_t i = 0; i < n; i++) to[i * lane->out_step] = totals[i];
}

/* Task = (chunk * outer places + outer place) * n_tiles + tile. */
static void run_tiles(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  int outer = p->n_kept - 1;
  const axis *lane = &p->kept[outer];
  int64_t n_outer = p->n_out / lane->size;
  for (int64_t task = begin; task < end; task++) {
    int64_t start = task % p->n_tiles * p->tile, rest = task / p->n_tiles;
    place kept = find_place(p->kept, outer, rest % n_outer);
    int64_t out = out_index(p->kept, outer, &kept) + start * lane->out_step;
    int64_t n = lane->size - start < p->tile ? lane->size - start : p->tile;
    fold_tile(p, n, rest / n_outer, p->x + kept.x + start * lane->step, out);
  }
}

/* -- the totals -- */

typedef struct finish_job {
  const plan *plan;
  tensor *out;
} finish_job;

static void store(const plan *p, tensor *out, int64_t i, fold_value total) {
  bool real = dtype_is_float(p->r->compute);
  double value = real ? total.real : (double)total.integer;
  if (p->r->divisor != 0.0) value /= p->r->divisor;
  switch (out->dtype) {
    case DTYPE_FLOAT32: tensor_float32(out)[i] = (float)value; break;
    case DTYPE_FLOAT64: tensor_float64(out)[i] = value; break;
    case DTYPE_INT64: tensor_int64(out)[i] = real ? (int64_t)value : total.integer; break;
    case DTYPE_UINT8: tensor_uint8(out)[i] = (uint8_t)(real ? (int64_t)value : total.integer); break;
    case DTYPE_BOOL: tensor_uint8(out)[i] = value != 0.0; break;
  }
}

static void finish(void *argument, int64_t begin, int64_t end) {
  const finish_job *job = argument;
  const plan *p = job->plan;
  for (int64_t chunk = 1; chunk < p->n_chunks; chunk++)
    fold_totals(p->r->kind, p->r->compute, end - begin, p->totals + chunk * p->n_out + begin, p->totals + begin);
  for (int64_t i = begin; i < end; i++)
    store(p, job->out, i, p->n_chunks > 0 ? p->totals[i] : fold_identity(p->r->kind, p->r->compute));
}

static void run_plan(const context *c, plan *p) {
  int64_t n_tasks = p->n_chunks * p->n_out, items = p->n_items < p->chunk ? p->n_items : p->chunk;
  if (p->lanes) {
    n_tasks = n_tasks / p->kept[p->n_kept - 1].size * p->n_tiles;
    items *= p->tile;
  }
  int64_t grain = items > 0 ? divided_up(ITEMS_A_CHUNK, items) : 1;
  parallel_for(c, n_tasks, grain, p->lanes ? run_tiles : run_tasks, p);
}

status reduce(context *c, const reduction *r, tensor *out, tensor *x, const bool *reduced) {
  plan p = { .r = r, .x = tensor_data(x), .stored = x->dtype };
  split_axes(&p, out, x, reduced);
  if (p.n_out == 0) return STATUS_OK;
  cut(&p);
  size_t n_bytes = (size_t)(p.n_chunks * p.n_out) * sizeof *p.totals;
  if (n_bytes > 0) p.totals = context_get(c, n_bytes);
  if (n_bytes > 0 && p.totals == NULL) return STATUS_NO_MEMORY;
  run_plan(c, &p);
  parallel_for(c, p.n_out, ITEMS_A_CHUNK, finish, &(finish_job){ &p, out });
  if (n_bytes > 0) context_put(c, p.totals, n_bytes);
  return STATUS_OK;
}

/* -- what operations share -- */

int64_t reduced_shape(const tensor *x, const bool *reduced, int64_t *shape) {
  int64_t n = 1;
  for (int d = 0; d < x->n_dims; d++) {
    shape[d] = reduced[d] ? 1 : x->shape[d];
    if (reduced[d]) n *= x->shape[d];
  }
  return n;
}

tensor *restore_reduced(context *c, tensor *t, int n_dims, const int64_t *x_shape, const bool *reduced) {
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
  int own = 0;
  if (t->n_dims == n_dims) return tensor_retain(t);
  for (int d = 0; d < n_dims; d++) {
    shape[d] = reduced[d] ? 1 : x_shape[d];
    stride[d] = reduced[d] ? 1 : t->stride[own++];
  }
  return tensor_view(c, t, n_dims, shape, stride, t->offset);
}

void forget_reduced(tensor *t, const bool *reduced) {
  int n_dims = 0;
  for (int d = 0; d < t->n_dims; d++) {
    if (reduced[d]) continue;
    t->shape[n_dims] = t->shape[d];
    t->stride[n_dims++] = t->stride[d];
  }
  t->n_dims = n_dims;
}

status reduce_output(op_call *call, const reduction *r, tensor *x, const bool *reduced, bool keep, dtype result) {
  int64_t shape[MAX_DIMS];
  reduced_shape(x, reduced, shape);
  status code = op_output(call, 0, result, x->n_dims, shape);
  if (code == STATUS_OK) code = reduce(call->context, r, call->outputs[0], x, reduced);
  if (code == STATUS_OK && !keep) forget_reduced(call->outputs[0], reduced);
  return code;
}

static status plain_gradient(op_call *call) {
  const tensor_meta *meta = &call->input_meta[0];
  if (call->memo[0] == 0 || meta->n_dims < 2) return op_gradient(call, 0);
  call->input_gradients[0] = tensor_new_lanes(call->context, meta->dtype, meta->n_dims, meta->shape);
  return call->input_gradients[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

status reduce_gradient(op_call *call, const bool *reduced, const elementwise *loops, int n_operands,
                       tensor *const *operands, const bool *spread, const void *extra) {
  const tensor_meta *meta = &call->input_meta[0];
  tensor *ready[MAX_OPERANDS] = { NULL };
  status code = STATUS_OK;
  const tensor *like = NULL;
  for (int k = 0; k < n_operands && code == STATUS_OK; k++) {
    ready[k] = spread[k] ? restore_reduced(call->context, operands[k], meta->n_dims, meta->shape, reduced)
                         : tensor_retain(operands[k]);
    if (ready[k] == NULL) code = STATUS_NO_MEMORY;
    if (!spread[k]) like = operands[k];
  }
  if (code == STATUS_OK) code = like != NULL ? op_gradient_like(call, 0, like) : plain_gradient(call);
  if (code == STATUS_OK)
    elementwise_run(call->context, loops, meta->dtype, call->input_gradients[0], n_operands, ready, extra);
  for (int k = 0; k < n_operands; k++) tensor_release(ready[k]);
  return code;
}

/* loss.c -- see loss.h. */
#include "loss.h"

#include <math.h>

#include "../tensor/parallel.h"
#include "rows.h"

typedef struct work {
  const loss *l;
  double k;
  bool is_double;
  rows rows;
  tensor *in[MAX_LOSS_INPUTS];         /* rows operands 0 .. n_in */
  int n_in;
  int place[MAX_LOSS_INPUTS];          /* rows operand of in[i], or -1 */
  tensor *out;                         /* NULL: reduce */
  int out_place;
  double *partial, running;
  loss_loop loop;                      /* backward */
  double factor;                       /* of the slope */
  tensor *gradient;                    /* reduction none: another factor, by element; else NULL */
  int gradient_place;
} work;

/* -- leaves -- */

CLONES static double sum_float32(int64_t n, const float *x) {
  float sum[16] = { 0 };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int64_t j = 0; j < 16; j++) sum[j] += x[i + j];
  double total = 0.0;
  for (int64_t j = 0; j < 16; j++) total += (double)sum[j];
  for (; i < n; i++) total += (double)x[i];
  return total;
}

CLONES static double sum_float64(int64_t n, const double *x) {
  double sum[8] = { 0 };
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int64_t j = 0; j < 8; j++) sum[j] += x[i + j];
  double total = 0.0;
  for (int64_t j = 0; j < 8; j++) total += sum[j];
  for (; i < n; i++) total += x[i];
  return total;
}

CLONES static void scale_float32(int64_t n, float *restrict x, float factor, const float *restrict g) {
  if (g == NULL)
    for (int64_t i = 0; i < n; i++) x[i] *= factor;
  else
    for (int64_t i = 0; i < n; i++) x[i] *= factor * g[i];
}

CLONES static void scale_float64(int64_t n, double *restrict x, double factor, const double *restrict g) {
  if (g == NULL)
    for (int64_t i = 0; i < n; i++) x[i] *= factor;
  else
    for (int64_t i = 0; i < n; i++) x[i] *= factor * g[i];
}

static double sum_of(dtype d, int64_t n, const void *x) {
  return d == DTYPE_FLOAT64 ? sum_float64(n, x) : sum_float32(n, x);
}

/* -- the walk -- */

static void *item(const tensor *t, int64_t i) { return (char *)tensor_data(t) + i * (int64_t)dtype_size(t->dtype); }

static void point_at(const work *w, const int64_t *at, const void **in) {
  for (int i = 0; i < MAX_LOSS_INPUTS; i++) in[i] = w->in[i] != NULL ? item(w->in[i], at[w->place[i]]) : NULL;
}

static void value_piece(void *argument, int64_t n, const int64_t *at) {
  work *w = argument;
  double block[ROW_BLOCK];
  const void *in[MAX_LOSS_INPUTS];
  point_at(w, at, in);
  void *y = w->out != NULL ? item(w->out, at[w->out_place]) : block;
  w->l->value[w->is_double](n, y, in, w->k);
  if (w->out == NULL) w->running += sum_of(w->in[0]->dtype, n, y);
}

static void slope_piece(void *argument, int64_t n, const int64_t *at) {
  const work *w = argument;
  const void *in[MAX_LOSS_INPUTS];
  point_at(w, at, in);
  void *dx = item(w->out, at[w->out_place]);
  const void *g = w->gradient != NULL ? item(w->gradient, at[w->gradient_place]) : NULL;
  w->loop(n, dx, in, w->k);
  if (w->is_double) scale_float64(n, dx, w->factor, g);
  else scale_float32(n, dx, (float)w->factor, g);
}

static void value_chunk(void *argument, int64_t begin, int64_t end) {
  work mine = *(const work *)argument;
  mine.running = 0.0;
  rows_walk(&mine.rows, begin, end, value_piece, &mine);
  if (mine.partial != NULL) mine.partial[begin / ROWS_GRAIN] = mine.running;
}

static void slope_chunk(void *argument, int64_t begin, int64_t end) {
  work *w = argument;
  rows_walk(&w->rows, begin, end, slope_piece, w);
}

/* Fills in the rows that all operands of w share.  They do: each has been made to lie beside the input. */
static void plan(work *w) {
  tensor *operands[MAX_ROW_OPERANDS];
  int n = 0;
  for (int i = 0; i < MAX_LOSS_INPUTS; i++) {
    if (w->in[i] == NULL) continue;
    w->place[i] = n;
    operands[n++] = w->in[i];
  }
  w->out_place = n;
  if (w->out != NULL) operands[n++] = w->out;
  w->gradient_place = n;
  if (w->gradient != NULL) operands[n++] = w->gradient;
  rows_plan(n, operands, &w->rows);
}

/* -- forward -- */

static status check(op_call *call) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_constants(call);
  if (code != STATUS_OK) return code;
  const tensor *x = call->inputs[0];
  if (!tensor_same_shape(x, call->inputs[1]))
    return op_fail(call, "input is %s but target is %s; they must have the same shape", tensor_shape_text(x).text,
                   tensor_shape_text(call->inputs[1]).text);
  for (int i = 2; i < call->n_inputs; i++) {
    const tensor *weight = call->inputs[i];
    int n;
    int64_t shape[MAX_DIMS];
    if (weight == NULL) continue;
    bool fits = weight->n_dims <= x->n_dims &&
                shape_broadcast(x->n_dims, x->shape, weight->n_dims, weight->shape, &n, shape);
    for (int d = 0; fits && d < x->n_dims; d++) fits = shape[d] == x->shape[d];
    if (!fits)
      return op_fail(call, "%s is %s and does not broadcast to the input's %s", op_input_name(call, i),
                     tensor_shape_text(weight).text, tensor_shape_text(x).text);
  }
  return STATUS_OK;
}

/* saved[i]: the inputs, walkable beside one another. */
static status lay_out(op_call *call) {
  for (int i = 0; i < call->n_inputs; i++) {
    if (call->inputs[i] == NULL) continue;
    call->saved[i] = rows_beside(call->context, call->inputs[i], i == 0 ? NULL : call->saved[0]);
    if (call->saved[i] == NULL) return STATUS_NO_MEMORY;
  }
  return STATUS_OK;
}

static double divisor(const tensor_meta *x, int64_t reduction) {
  double n = 1.0;
  for (int d = 0; d < x->n_dims; d++) n *= (double)x->shape[d];
  if (reduction == LOSS_MEAN) return n;
  return reduction == LOSS_BATCHMEAN && x->n_dims > 0 ? (double)x->shape[0] : 1.0;
}

static work begin(op_call *call, const loss *l, double k) {
  work w = { .l = l, .k = k, .is_double = call->input_meta[0].dtype == DTYPE_FLOAT64 };
  for (int i = 0; i < call->n_inputs; i++) w.in[i] = call->saved[i];
  return w;
}

static status reduce(op_call *call, work *w, int64_t reduction) {
  context *c = call->context;
  int64_t n = rows_items(&w->rows), n_chunks = (n + ROWS_GRAIN - 1) / ROWS_GRAIN;
  size_t n_bytes = (size_t)(n_chunks + 1) * sizeof *w->partial;
  w->partial = context_get(c, n_bytes);
  if (w->partial == NULL) return STATUS_NO_MEMORY;
  parallel_for(c, n, ROWS_GRAIN, value_chunk, w);
  double total = 0.0;
  for (int64_t i = 0; i < n_chunks; i++) total += w->partial[i];
  context_put(c, w->partial, n_bytes);
  call->outputs[0] = tensor_number(c, call->input_meta[0].dtype, total / divisor(&call->input_meta[0], reduction));
  return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

status loss_forward(op_call *call, const loss *l, int64_t reduction, double k) {
  status code = check(call);
  if (code == STATUS_OK) code = lay_out(call);
  if (code != STATUS_OK) return code;
  work w = begin(call, l, k);
  if (reduction != LOSS_NONE) {
    plan(&w);
    return reduce(call, &w, reduction);
  }
  code = op_output_like(call, 0, w.in[0], w.in[0]->dtype);
  if (code != STATUS_OK) return code;
  w.out = call->outputs[0];
  plan(&w);
  parallel_for(call->context, rows_items(&w.rows), ROWS_GRAIN, value_chunk, &w);
  return STATUS_OK;
}

/* -- backward -- */

static status slope_of(op_call *call, work w, int i) {
  loss_loop target_slope = w.l->target_slope[w.is_double];
  w.loop = i == 1 && target_slope != NULL ? target_slope : w.l->slope[w.is_double];
  if (i == 1 && target_slope == NULL) w.factor = -w.factor;
  status code = op_gradient_like(call, i, w.in[0]);
  if (code != STATUS_OK) return code;
  w.out = call->input_gradients[i];
  plan(&w);
  parallel_for(call->context, rows_items(&w.rows), ROWS_GRAIN, slope_chunk, &w);
  return STATUS_OK;
}

status loss_backward(op_call *call, const loss *l, int64_t reduction, double k) {
  work w = begin(call, l, k);
  tensor *g = call->output_gradients[0];
  w.factor = 1.0;
  if (reduction == LOSS_NONE) {
    w.gradient = rows_beside(call->context, g, w.in[0]);
    if (w.gradient == NULL) return STATUS_NO_MEMORY;
  } else {
    w.factor = tensor_get(g, NULL) / divisor(&call->input_meta[0], reduction);
  }
  status code = STATUS_OK;
  for (int i = 0; i < 2 && code == STATUS_OK; i++)
    if (call->needs_gradient[i]) code = slope_of(call, w, i);
  tensor_release(w.gradient);
  return code;
}

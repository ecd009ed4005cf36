/* elementwise.c -- dtypes, broadcasting and dense blocks for elementwise operations.  See elementwise.h. */
#include "elementwise.h"

#include <string.h>

/* -- promotion -- */

static dtype larger(dtype a, dtype b) { return a > b ? a : b; }

static int kind(dtype d) { return d == DTYPE_BOOL ? 0 : d <= DTYPE_INT64 ? 1 : 2; }

/* `strong` decides unless `weak` is of a higher kind (bool < integer < float). */
static dtype weakly(dtype strong, dtype weak) { return kind(weak) > kind(strong) ? weak : strong; }

dtype promoted_dtype(int n, tensor *const *inputs) {
  enum { NUMBER, SCALAR, ARRAY };
  dtype found[3] = { DTYPE_BOOL, DTYPE_BOOL, DTYPE_BOOL };
  bool any[3] = { false, false, false };
  for (int i = 0; i < n; i++) {
    const tensor *t = inputs[i];
    int rank = t->is_number ? NUMBER : t->n_dims == 0 ? SCALAR : ARRAY;
    dtype d = t->is_number && dtype_is_float(t->dtype) ? DTYPE_FLOAT32 : t->dtype;
    found[rank] = larger(found[rank], d);
    any[rank] = true;
  }
  dtype result = found[NUMBER];
  if (any[SCALAR]) result = weakly(found[SCALAR], result);
  if (any[ARRAY]) result = weakly(found[ARRAY], result);
  return result;
}

/* -- dense blocks -- */

enum { BLOCK = 512 };

typedef struct job {
  dense_loop loop;
  const void *extra;
  int n_operands;
  dtype compute;
  dtype stored[MAX_OPERANDS];    /* of each operand; [0]: what the loop writes */
} job;

static void gather(int64_t n, size_t size, char *to, const char *from, int64_t step) {
  if (size == 4) {
    for (int64_t i = 0; i < n; i++) memcpy(to + i * 4, from + i * step, 4);
  } else if (size == 8) {
    for (int64_t i = 0; i < n; i++) memcpy(to + i * 8, from + i * step, 8);
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = from[i * step];
  }
}

static void scatter(int64_t n, size_t size, char *to, int64_t step, const char *from) {
  if (size == 4) {
    for (int64_t i = 0; i < n; i++) memcpy(to + i * step, from + i * 4, 4);
  } else if (size == 8) {
    for (int64_t i = 0; i < n; i++) memcpy(to + i * step, from + i * 8, 8);
  } else {
    for (int64_t i = 0; i < n; i++) to[i * step] = from[i];
  }
}

/* bool and uint8 become the dtype that the loop computes in. */
static void widen(int64_t n, dtype compute, void *to, const char *from, int64_t step) {
  const uint8_t *in = (const uint8_t *)from;
  if (compute == DTYPE_FLOAT32) {
    float *out = to;
    for (int64_t i = 0; i < n; i++) out[i] = in[i * step];
  } else if (compute == DTYPE_FLOAT64) {
    double *out = to;
    for (int64_t i = 0; i < n; i++) out[i] = in[i * step];
  } else {
    int64_t *out = to;
    for (int64_t i = 0; i < n; i++) out[i] = in[i * step];
  }
}

void dense_load(dtype stored, dtype compute, int64_t n, void *to, const char *from, int64_t step) {
  if (stored != compute) {
    widen(n, compute, to, from, step);
  } else {
    gather(n, dtype_size(compute), to, from, step);
  }
}

/* Operands that are dense are used where they lie; a broadcast one is spread once and used for every block. */
static void run_blocks(const job *j, int64_t n, char *const *data, const int64_t *step, const bool *dense) {
  double block[MAX_OPERANDS][BLOCK];
  void *current[MAX_OPERANDS];
  int64_t first = n < BLOCK ? n : BLOCK;
  size_t written = dtype_size(j->stored[0]);
  for (int k = 0; k < j->n_operands; k++) {
    current[k] = dense[k] ? (void *)data[k] : block[k];
    if (!dense[k] && k > 0 && step[k] == 0) dense_load(j->stored[k], j->compute, first, block[k], data[k], 0);
  }
  for (int64_t done = 0; done < n; done += BLOCK) {
    int64_t count = n - done < BLOCK ? n - done : BLOCK;
    for (int k = 0; k < j->n_operands; k++) {
      if (dense[k]) {
        current[k] = data[k] + done * step[k];
      } else if (k > 0 && step[k] != 0) {
        dense_load(j->stored[k], j->compute, count, block[k], data[k] + done * step[k], step[k]);
      }
    }
    j->loop(count, current, j->extra);
    if (!dense[0]) scatter(count, written, data[0] + done * step[0], step[0], current[0]);
  }
}

static void run_job(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const job *j = extra;
  bool dense[MAX_OPERANDS], all = true;
  void *direct[MAX_OPERANDS];
  for (int k = 0; k < j->n_operands; k++) {
    bool same = k == 0 || j->stored[k] == j->compute;
    dense[k] = same && (n == 1 || step[k] == (int64_t)dtype_size(j->stored[k]));
    all = all && dense[k];
    direct[k] = data[k];
  }
  if (all) {
    j->loop(n, direct, j->extra);
  } else {
    run_blocks(j, n, data, step, dense);
  }
}

dense_loop dense_loop_for(const elementwise *loops, dtype compute) {
  switch (compute) {
    case DTYPE_FLOAT32: return loops->float32;
    case DTYPE_FLOAT64: return loops->float64;
    case DTYPE_INT64: return loops->int64;
    default: return loops->boolean;
  }
}

void elementwise_run(const context *c, const elementwise *loops, dtype compute, tensor *to, int n_operands,
                     tensor *const *operands, const void *extra) {
  job j = { .loop = dense_loop_for(loops, compute), .extra = extra, .n_operands = n_operands + 1, .compute = compute };
  tensor *all[MAX_OPERANDS] = { to };
  j.stored[0] = loops->predicate ? DTYPE_BOOL : compute;
  for (int k = 0; k < n_operands; k++) {
    all[k + 1] = operands[k];
    j.stored[k + 1] = operands[k]->dtype;
  }
  iterate(c, n_operands + 1, all, run_job, &j);
}

/* -- operands and results -- */

static bool loadable(const tensor *t, dtype compute) {
  return t->dtype == compute || (compute != DTYPE_BOOL && t->dtype <= DTYPE_UINT8);
}

/* elementwise_run after converting operands that the blocks cannot. */
static status run_converted(context *c, const elementwise *loops, dtype compute, tensor *to, int n_operands,
                            tensor *const *operands, const void *extra) {
  tensor *ready[MAX_OPERANDS] = { NULL };
  status code = STATUS_OK;
  for (int k = 0; k < n_operands && code == STATUS_OK; k++) {
    tensor *t = operands[k];
    ready[k] = loadable(t, compute) ? tensor_retain(t) : tensor_to(c, t, compute);
    if (ready[k] == NULL) code = STATUS_NO_MEMORY;
  }
  if (code == STATUS_OK) elementwise_run(c, loops, compute, to, n_operands, ready, extra);
  for (int k = 0; k < n_operands; k++) tensor_release(ready[k]);
  return code;
}

static status broadcast_shape(op_call *call, int n, tensor *const *inputs, int *n_dims, int64_t *shape) {
  *n_dims = 0;
  for (int i = 0; i < n; i++) {
    int64_t so_far[MAX_DIMS];
    memcpy(so_far, shape, sizeof so_far);
    if (shape_broadcast(*n_dims, so_far, inputs[i]->n_dims, inputs[i]->shape, n_dims, shape)) continue;
    return op_fail(call, "shapes %s and %s do not broadcast", shape_to_text(*n_dims, so_far).text,
                   tensor_shape_text(inputs[i]).text);
  }
  return STATUS_OK;
}

static bool has_shape(const tensor *t, int n_dims, const int64_t *shape) {
  return t->n_dims == n_dims && memcmp(t->shape, shape, (size_t)n_dims * sizeof *shape) == 0;
}

static status new_output(op_call *call, dtype d, int n, tensor *const *inputs) {
  int64_t shape[MAX_DIMS] = { 0 };
  int n_dims = 0;
  status code = broadcast_shape(call, n, inputs, &n_dims, shape);
  if (code != STATUS_OK) return code;
  for (int i = 0; i < n; i++)
    if (has_shape(inputs[i], n_dims, shape)) return op_output_like(call, 0, inputs[i], d);
  return op_output(call, 0, d, n_dims, shape);
}

static dtype compute_dtype(const elementwise *loops, dtype promoted) {
  if (loops->boolean != NULL) return DTYPE_BOOL;
  if (dtype_is_float(promoted)) return promoted;
  return loops->int64 != NULL ? DTYPE_INT64 : DTYPE_FLOAT32;
}

static status output_as(op_call *call, const elementwise *loops, dtype compute, dtype result, int n_inputs,
                        tensor *const *inputs, const void *extra) {
  dtype written = loops->predicate ? DTYPE_BOOL : compute;
  status code = new_output(call, written, n_inputs, inputs);
  if (code == STATUS_OK)
    code = run_converted(call->context, loops, compute, call->outputs[0], n_inputs, inputs, extra);
  if (code != STATUS_OK || written == result) return code;
  tensor *converted = tensor_to(call->context, call->outputs[0], result);
  tensor_release(call->outputs[0]);
  call->outputs[0] = converted;
  return converted != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

status elementwise_output(op_call *call, const elementwise *loops, dtype promoted, int n_inputs,
                          tensor *const *inputs, const void *extra) {
  dtype compute = compute_dtype(loops, promoted);
  dtype result = loops->predicate ? DTYPE_BOOL : dtype_is_float(compute) ? compute : promoted;
  return output_as(call, loops, compute, result, n_inputs, inputs, extra);
}

status elementwise_forward(op_call *call, const elementwise *loops, const void *extra) {
  dtype promoted = promoted_dtype(call->n_inputs, call->inputs);
  return elementwise_output(call, loops, promoted, call->n_inputs, call->inputs, extra);
}

/* -- gradients -- */

/* The saved operands come last and know the order in which the forward lay; the gradient may be a broadcast one. */
static const tensor *order_of(int n_operands, tensor *const *operands) {
  for (int k = n_operands - 1; k > 0; k--)
    if (tensor_same_shape(operands[k], operands[0])) return operands[k];
  return operands[0];
}

status elementwise_gradient(op_call *call, int i, const elementwise *loops, int n_operands,
                            tensor *const *operands, const void *extra) {
  context *c = call->context;
  dtype compute = operands[0]->dtype;
  tensor *full = tensor_new_like(c, order_of(n_operands, operands), compute);
  if (full == NULL) return STATUS_NO_MEMORY;
  status code = run_converted(c, loops, compute, full, n_operands, operands, extra);
  if (code == STATUS_OK) code = op_gradient_unbroadcast(call, i, full);
  tensor_release(full);
  return code;
}

status elementwise_pass_gradient(op_call *call, int i) {
  return op_gradient_unbroadcast(call, i, call->output_gradients[0]);
}

status elementwise_save_input(op_call *call, const elementwise *loops, const void *extra) {
  status code = elementwise_forward(call, loops, extra);
  if (code == STATUS_OK) op_save(call, 0, call->inputs[0]);
  return code;
}

status elementwise_save_output(op_call *call, const elementwise *loops, const void *extra) {
  status code = elementwise_forward(call, loops, extra);
  if (code == STATUS_OK) op_save(call, 0, call->outputs[0]);
  return code;
}

status elementwise_save_inputs(op_call *call, const elementwise *loops, const void *extra) {
  status code = elementwise_forward(call, loops, extra);
  for (int i = 0; i < call->n_inputs && code == STATUS_OK; i++) op_save(call, i, call->inputs[i]);
  return code;
}

status elementwise_saved_gradient(op_call *call, const elementwise *loops, const void *extra) {
  tensor *operands[] = { call->output_gradients[0], call->saved[0] };
  return elementwise_gradient(call, 0, loops, 2, operands, extra);
}

/* -- steps -- */

typedef struct unary {
  dense_loop loop;
  int64_t numel;   /* of a sample */
} unary;

static void run_unary(const void *own, const context *c, float *y, const float *x, int64_t x_sample, int64_t n) {
  const unary *u = own;
  (void)c;
  int64_t times = x_sample == u->numel ? 1 : n, length = x_sample == u->numel ? n * u->numel : u->numel;
  for (int64_t i = 0; i < times; i++) {
    void *data[2] = { y + i * u->numel, (float *)(uintptr_t)(x + i * x_sample) };
    u->loop(length, data, NULL);
  }
}

/* A loop takes a sample as one run: its elements lie in the same order in x and y, and fill y (program.c). */
bool elementwise_repeat(const op_call *call, const elementwise *loops, op_step *s) {
  const tensor *x = call->inputs[0], *y = call->outputs[0];
  int64_t numel = 1;
  for (int d = 1; d < x->n_dims; d++) {
    if (x->shape[d] > 1 && x->stride[d] != y->stride[d]) return false;
    numel *= x->shape[d];
  }
  unary *u = context_get(call->context, sizeof *u);
  if (u == NULL) return false;
  *u = (unary){ loops->float32, numel };
  s->run = run_unary;
  s->own = u;
  s->own_bytes = sizeof *u;
  return true;
}

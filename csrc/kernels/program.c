/* program.c -- see program.h. */
#include "program.h"

#include <string.h>

#include "../tensor/parallel.h"

enum {
  MOST_SAMPLES = 15,         /* larger batches go through other kernels */
  MOST_BYTES = 1 << 20,      /* of what the steps keep */
  MOST_FLOATS = 1 << 16,     /* of a sample, all that lies between the steps */
  LINE = 16,                 /* floats in a line of the cache */
  MOST_CHUNKS = 4,           /* a dense layer reads its weights once for each */
  CHUNK_WORK = 90000         /* multiply-adds that are worth a thread's while */
};

/* Shape and strides of one sample, that is of the dims behind the first. */
typedef struct sample_layout {
  int n_dims;                /* the first included */
  int64_t shape[MAX_DIMS], stride[MAX_DIMS];
} sample_layout;

typedef struct stage {
  op_step step;
  int64_t numel;             /* of a sample of its output */
  int64_t place;             /* of its output between the steps, in floats for each sample */
} stage;

struct program {
  allocator *memory;
  size_t n_bytes;            /* of this block */
  bool complete, spoilt;
  sample_layout x, y;
  int64_t most;              /* samples */
  int64_t floats;            /* between the steps, for each sample */
  size_t kept_bytes;
  double work;               /* multiply-adds for a sample */
  int n_stages, last;        /* `last` makes y; those behind it are views */
  stage stages[];
};

static sample_layout layout_of(const tensor *t) {
  sample_layout l = { .n_dims = t->n_dims };
  memcpy(l.shape, t->shape, sizeof l.shape);
  memcpy(l.stride, t->stride, sizeof l.stride);
  return l;
}

static int64_t sample_numel(const tensor *t) {
  int64_t n = 1;
  for (int d = 1; d < t->n_dims; d++) n *= t->shape[d];
  return n;
}

/* Do the elements of a sample fill a run of memory, in any order of the dims? */
static bool has_dense_samples(const tensor *t) {
  int64_t reach = 1;
  for (int d = 1; d < t->n_dims; d++) {
    if (t->stride[d] < 0 || (t->stride[d] == 0 && t->shape[d] > 1)) return false;
    reach += (t->shape[d] - 1) * t->stride[d];
  }
  return reach == sample_numel(t);
}

/* -- writing -- */

program *program_new(context *c, int n_steps) {
  size_t n_bytes = sizeof(program) + (size_t)n_steps * sizeof(stage);
  program *p = context_get(c, n_bytes);
  if (p != NULL) *p = (program){ .memory = c->memory, .n_bytes = n_bytes, .most = MOST_SAMPLES, .last = -1 };
  return p;
}

static void forget(allocator *memory, op_step *s) {
  if (s->own != NULL) allocator_put(memory, s->own, s->own_bytes);
}

static void forget_steps(program *p) {
  for (int i = 0; i < p->n_stages; i++) forget(p->memory, &p->stages[i].step);
  p->n_stages = 0;
}

void program_free(program *p) {
  if (p == NULL) return;
  forget_steps(p);
  allocator_put(p->memory, p, p->n_bytes);
}

/* The distance between samples is not looked at again: it must fit a matrix product. */
bool program_wants(const tensor *x) {
  return x->dtype == DTYPE_FLOAT32 && x->n_dims >= 2 && x->shape[0] >= 1 && x->shape[0] <= MOST_SAMPLES &&
         x->stride[0] >= 0 && x->stride[0] <= INT32_MAX && tensor_numel(x) > 0;
}

void program_spoil(program *p) {
  p->spoilt = true;
  forget_steps(p);
}

static double work_of(const op_call *call) {
  return call->op->flops == NULL ? 0.0 : call->op->flops(call) / 2.0 / (double)call->inputs[0]->shape[0];
}

static bool add(program *p, op_call *call) {
  const tensor *x = call->inputs[0], *y = call->outputs[0];
  if (call->op->repeat == NULL || !program_wants(x) || !program_wants(y) || x->shape[0] != y->shape[0]) return false;
  stage *s = &p->stages[p->n_stages];
  *s = (stage){ .step = { .most = MOST_SAMPLES }, .numel = sample_numel(y), .place = p->floats };
  if (!call->op->repeat(call, &s->step)) return false;
  p->n_stages++;
  p->work += work_of(call);
  p->kept_bytes += s->step.own_bytes;
  if (s->step.most < p->most) p->most = s->step.most;
  if (s->step.run == NULL) return y->offset == x->offset;
  p->last = p->n_stages - 1;
  p->floats += (s->numel + LINE - 1) / LINE * LINE;
  return has_dense_samples(y) && p->floats <= MOST_FLOATS && p->kept_bytes <= MOST_BYTES;
}

void program_add(program *p, op_call *call) {
  if (p->spoilt) return;
  if (p->x.n_dims == 0) p->x = layout_of(call->inputs[0]);
  if (!add(p, call)) program_spoil(p);
}

void program_finish(program *p, const tensor *y) {
  if (p->last < 0) program_spoil(p);
  p->y = layout_of(y);
  p->complete = !p->spoilt;
}

/* -- running -- */

bool program_is_complete(const program *p) { return p->complete; }

bool program_fits(const program *p, const tensor *x) {
  if (!program_wants(x) || x->n_dims != p->x.n_dims || x->shape[0] > p->most) return false;
  for (int d = 1; d < x->n_dims; d++)
    if (x->shape[d] != p->x.shape[d] || x->stride[d] != p->x.stride[d]) return false;
  return true;
}

typedef struct job {
  const program *program;
  const context *context;
  const float *x;
  float *y, *between;
  int64_t x_sample, n;
} job;

static void run_samples(void *argument, int64_t begin, int64_t end) {
  const job *j = argument;
  const program *p = j->program;
  const float *x = j->x + begin * j->x_sample;
  int64_t x_sample = j->x_sample;
  for (int i = 0; i <= p->last; i++) {
    const stage *s = &p->stages[i];
    if (s->step.run == NULL) continue;
    float *y = (i == p->last ? j->y : j->between + s->place * j->n) + begin * s->numel;
    s->step.run(s->step.own, j->context, y, x, x_sample, end - begin);
    x = y;
    x_sample = s->numel;
  }
}

static tensor *new_output(context *c, const program *p, int64_t n) {
  int64_t shape[MAX_DIMS];
  memcpy(shape, p->y.shape, sizeof shape);
  shape[0] = n;
  tensor *y = tensor_new(c, DTYPE_FLOAT32, p->y.n_dims, shape);
  if (y == NULL) return NULL;
  for (int d = 1; d < y->n_dims; d++) y->stride[d] = p->y.stride[d];
  return y;
}

static int64_t samples_of_chunk(const program *p, int64_t n) {
  int64_t least = (int64_t)(CHUNK_WORK / (p->work + 1.0)) + 1, most = (n + MOST_CHUNKS - 1) / MOST_CHUNKS;
  return least > most ? least : most;
}

status program_run(context *c, const program *p, const tensor *x, tensor **y) {
  int64_t n = x->shape[0];
  size_t n_bytes = (size_t)(p->floats * n) * sizeof(float);
  *y = new_output(c, p, n);
  float *between = *y == NULL ? NULL : context_get(c, n_bytes);
  if (between == NULL) {
    tensor_release(*y);
    *y = NULL;
    return STATUS_NO_MEMORY;
  }
  job j = { p, c, tensor_float32(x), tensor_float32(*y), between, x->stride[0], n };
  parallel_for(c, n, samples_of_chunk(p, n), run_samples, &j);
  context_put(c, between, n_bytes);
  return STATUS_OK;
}

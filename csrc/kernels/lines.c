/* lines.c -- operations along one dim.  See lines.h. */
#include "lines.h"

#include <string.h>

enum { GROUP = 16, ITEMS_A_CHUNK = 1 << 14, MOST_CHUNKS = 32, GROUP_BYTES = 1 << 20 };

typedef struct plan {
  const line_job *job;
  int n_dims;                                /* without dim, outermost first */
  int64_t shape[MAX_DIMS];
  int64_t step[MAX_LINES][MAX_DIMS];         /* bytes */
  int64_t along[MAX_LINES];                  /* bytes from item to item of a line */
  bool dense[MAX_LINES];
  size_t size[MAX_LINES], offset[MAX_LINES]; /* of the scratch lines of operand k in a chunk's scratch */
  size_t chunk_bytes;
  int64_t n_lines, grain, group;
  char *scratch;                             /* [chunk][chunk_bytes] */
} plan;

static int64_t length_of(const line_job *job, int k) {
  const tensor *t = job->operands[k];
  return t->n_dims == 0 ? 1 : t->shape[job->dim];
}

static size_t aligned(size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }

static void plan_operand(plan *p, int k) {
  const tensor *t = p->job->operands[k];
  int64_t size = (int64_t)dtype_size(t->dtype);
  p->size[k] = (size_t)size;
  p->along[k] = t->n_dims == 0 ? size : t->stride[p->job->dim] * size;
  p->dense[k] = p->along[k] == size || length_of(p->job, k) <= 1;
  for (int d = 0, at = 0; d < t->n_dims; d++)
    if (d != p->job->dim) p->step[k][at++] = t->stride[d] * size;
}

/* Neighbouring lines lie along the dimension with the smallest step: it goes last. */
static void order_dims(plan *p) {
  int last = p->n_dims - 1, best = last, k = p->job->n_outputs;
  for (int d = last - 1; d >= 0; d--)
    if (p->shape[d] > 1 && (p->shape[best] == 1 || p->step[k][d] < p->step[k][best])) best = d;
  if (best < 0 || best == last) return;
  int64_t size = p->shape[best];
  p->shape[best] = p->shape[last];
  p->shape[last] = size;
  for (int j = 0; j < p->job->n_operands; j++) {
    int64_t step = p->step[j][best];
    p->step[j][best] = p->step[j][last];
    p->step[j][last] = step;
  }
}

static void plan_scratch(plan *p) {
  size_t strided = 0;
  for (int k = 0; k < p->job->n_operands; k++)
    if (!p->dense[k]) strided += aligned((size_t)length_of(p->job, k) * p->size[k]);
  p->group = strided == 0 ? 1 : GROUP;
  while (p->group > 1 && strided * (size_t)p->group > GROUP_BYTES) p->group /= 2;
  p->chunk_bytes = aligned(p->job->scratch_bytes);
  for (int k = 0; k < p->job->n_operands; k++) {
    p->offset[k] = p->chunk_bytes;
    if (!p->dense[k]) p->chunk_bytes += aligned((size_t)length_of(p->job, k) * p->size[k]) * (size_t)p->group;
  }
}

static void make_plan(plan *p, const line_job *job) {
  const tensor *first = job->operands[job->n_outputs];
  int64_t longest = 1;
  p->job = job;
  p->n_lines = 1;
  for (int d = 0; d < first->n_dims; d++) {
    if (d == job->dim) continue;
    p->shape[p->n_dims++] = first->shape[d];
    p->n_lines *= first->shape[d];
  }
  for (int k = 0; k < job->n_operands; k++) {
    plan_operand(p, k);
    if (length_of(job, k) > longest) longest = length_of(job, k);
  }
  order_dims(p);
  plan_scratch(p);
  p->grain = ITEMS_A_CHUNK / longest + 1;
  if (p->n_lines / p->grain >= MOST_CHUNKS) p->grain = p->n_lines / MOST_CHUNKS + 1;
  p->grain = (p->grain + p->group - 1) / p->group * p->group;
}

/* A bundle of n lines between memory and scratch; item by item, since neighbours share cache lines. */
static void move_bundle(const plan *p, int k, int64_t n, char *lines, int64_t step, char *scratch, bool load) {
  int64_t length = length_of(p->job, k);
  size_t size = p->size[k], pitch = aligned((size_t)length * size);
  for (int64_t i = 0; i < length; i++) {
    for (int64_t j = 0; j < n; j++) {
      char *item = lines + i * p->along[k] + j * step, *place = scratch + (size_t)j * pitch + (size_t)i * size;
      if (size == 4 && load) memcpy(place, item, 4);
      else if (size == 4) memcpy(item, place, 4);
      else if (load) memcpy(place, item, size);
      else memcpy(item, place, size);
    }
  }
}

static void run_bundle(const plan *p, int64_t n, char *const *data, char *scratch) {
  const line_job *job = p->job;
  line l = { .scratch = job->scratch_bytes > 0 ? scratch : NULL, .extra = job->extra };
  int last = p->n_dims - 1;
  int64_t step[MAX_LINES] = { 0 };
  for (int k = 0; k < job->n_operands; k++) {
    step[k] = last >= 0 ? p->step[k][last] : 0;
    l.length[k] = length_of(job, k);
    if (!p->dense[k] && k >= job->n_outputs)
      move_bundle(p, k, n, data[k], step[k], scratch + p->offset[k], true);
  }
  for (int64_t j = 0; j < n; j++) {
    for (int k = 0; k < job->n_operands; k++) {
      size_t pitch = aligned((size_t)l.length[k] * p->size[k]);
      l.data[k] = p->dense[k] ? data[k] + j * step[k] : scratch + p->offset[k] + (size_t)j * pitch;
    }
    job->function(&l);
  }
  for (int k = 0; k < job->n_outputs; k++)
    if (!p->dense[k]) move_bundle(p, k, n, data[k], step[k], scratch + p->offset[k], false);
}

static void run_chunk(void *argument, int64_t begin, int64_t end) {
  const plan *p = argument;
  char *scratch = p->scratch + (size_t)(begin / p->grain) * p->chunk_bytes;
  int last = p->n_dims - 1;
  for (int64_t done = begin; done < end;) {
    char *data[MAX_LINES] = { 0 };
    int64_t rest = done, at_last = 0;
    for (int k = 0; k < p->job->n_operands; k++) data[k] = tensor_data(p->job->operands[k]);
    for (int d = last; d >= 0; d--) {
      int64_t at = rest % p->shape[d];
      rest /= p->shape[d];
      if (d == last) at_last = at;
      for (int k = 0; k < p->job->n_operands; k++) data[k] += at * p->step[k][d];
    }
    int64_t n = last >= 0 ? p->shape[last] - at_last : 1;
    if (n > end - done) n = end - done;
    if (p->group > 1 && n > p->group) n = p->group;
    run_bundle(p, n, data, scratch);
    done += n;
  }
}

status run_lines(context *c, const line_job *job) {
  plan p = { 0 };
  make_plan(&p, job);
  if (p.n_lines == 0) return STATUS_OK;
  size_t n_bytes = (size_t)((p.n_lines + p.grain - 1) / p.grain) * p.chunk_bytes;
  if (n_bytes > 0) p.scratch = context_get(c, n_bytes);
  if (n_bytes > 0 && p.scratch == NULL) return STATUS_NO_MEMORY;
  parallel_for(c, p.n_lines, p.grain, run_chunk, &p);
  if (n_bytes > 0) context_put(c, p.scratch, n_bytes);
  return STATUS_OK;
}

status lines_forward(op_call *call, line_function float32, line_function float64) {
  tensor *x = call->inputs[0];
  int dim = 0;
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_dim_or_scalar(call, 0, x->n_dims, &dim);
  if (code == STATUS_OK) code = op_output_like(call, 0, x, x->dtype);
  if (code != STATUS_OK) return code;
  line_job job = { .function = x->dtype == DTYPE_FLOAT32 ? float32 : float64, .n_operands = 2, .n_outputs = 1,
                   .operands = { call->outputs[0], x }, .dim = dim };
  op_save(call, 0, call->outputs[0]);
  return run_lines(call->context, &job);
}

status lines_backward(op_call *call, line_function float32, line_function float64) {
  tensor *saved = call->saved[0], *dy = call->output_gradients[0];
  int dim = 0;
  status code = op_gradient_like(call, 0, saved);
  if (code == STATUS_OK) code = op_dim_or_scalar(call, 0, saved->n_dims, &dim);
  if (code != STATUS_OK) return code;
  line_job job = { .function = saved->dtype == DTYPE_FLOAT32 ? float32 : float64, .n_operands = 3, .n_outputs = 1,
                   .operands = { call->input_gradients[0], dy, saved }, .dim = dim };
  return run_lines(call->context, &job);
}

/* dropout.c -- y = x / (1 - p) with probability 1 - p, else 0.   dx the same of dy.
** Srivastava et al., JMLR 2014.
**
** Item i, in x's memory order, is kept if word i % 4 of draw i / 4 of the context's generator is at least p 2^32:
** the mask does not depend on the number of threads.  It is saved as one byte an element. */
#include "../tensor/parallel.h"
#include "../tensor/random.h"
#include "op.h"
#include "rows.h"

enum { P, TRAINING };                            /* values */
enum { MASK };                                   /* saved */
enum { DRAWS = ROW_BLOCK / 4 + 1 };              /* that a piece of ROW_BLOCK items can touch */

typedef struct work {
  rows rows;
  tensor *y, *x, *mask;      /* operands of rows; backward: dx, dy, mask */
  uint64_t seed, offset;
  int64_t next;              /* number of the next piece's first item */
  double p, scale;
} work;

/* Philox 4x32-10 (tensor/random.c) of DRAWS draws at once: one draw is a chain of ten multiplications, many fill
** the vector unit.  words: draw by draw. */
CLONES static void draw_words(uint32_t *restrict words, uint64_t seed, uint64_t first) {
  uint32_t c0[DRAWS], c1[DRAWS], c2[DRAWS], c3[DRAWS];
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int i = 0; i < DRAWS; i++) {
    c0[i] = (uint32_t)(first + (uint64_t)i);
    c1[i] = (uint32_t)((first + (uint64_t)i) >> 32);
    c2[i] = c3[i] = 0;
  }
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < DRAWS; i++) {
      uint64_t product0 = (uint64_t)0xD2511F53u * c0[i], product1 = (uint64_t)0xCD9E8D57u * c2[i];
      c0[i] = (uint32_t)(product1 >> 32) ^ c1[i] ^ key0;
      c2[i] = (uint32_t)(product0 >> 32) ^ c3[i] ^ key1;
      c1[i] = (uint32_t)product1;
      c3[i] = (uint32_t)product0;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int i = 0; i < DRAWS; i++) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
}

CLONES static void choose(int64_t n, uint8_t *restrict mask, const uint32_t *restrict words, uint32_t least) {
  for (int64_t i = 0; i < n; i++) mask[i] = words[i] >= least;
}

CLONES static void apply_float32(int64_t n, float *restrict y, const float *restrict x, const uint8_t *restrict mask,
                                 float scale) {
  for (int64_t i = 0; i < n; i++) y[i] = mask[i] ? x[i] * scale : 0.0f;
}

CLONES static void apply_float64(int64_t n, double *restrict y, const double *restrict x,
                                 const uint8_t *restrict mask, double scale) {
  for (int64_t i = 0; i < n; i++) y[i] = mask[i] ? x[i] * scale : 0.0;
}

static void apply_piece(void *argument, int64_t n, const int64_t *at) {
  const work *w = argument;
  const uint8_t *mask = tensor_uint8(w->mask) + at[2];
  if (w->x->dtype == DTYPE_FLOAT32)
    apply_float32(n, tensor_float32(w->y) + at[0], tensor_float32(w->x) + at[1], mask, (float)w->scale);
  else
    apply_float64(n, tensor_float64(w->y) + at[0], tensor_float64(w->x) + at[1], mask, w->scale);
}

static void drop_piece(void *argument, int64_t n, const int64_t *at) {
  work *w = argument;
  uint32_t words[4 * DRAWS];
  uint8_t *mask = tensor_uint8(w->mask) + at[2];
  double least = w->p * 0x1p32;
  draw_words(words, w->seed, w->offset + (uint64_t)(w->next / 4));
  if (least < 0x1p32) choose(n, mask, words + w->next % 4, (uint32_t)least);
  else for (int64_t i = 0; i < n; i++) mask[i] = 0;
  apply_piece(w, n, at);
  w->next += n;
}

static void drop_chunk(void *argument, int64_t begin, int64_t end) {
  work mine = *(const work *)argument;
  mine.next = begin;
  rows_walk(&mine.rows, begin, end, drop_piece, &mine);
}

static void apply_chunk(void *argument, int64_t begin, int64_t end) {
  work *w = argument;
  rows_walk(&w->rows, begin, end, apply_piece, w);
}

static double scale_for(double p) { return p < 1.0 ? 1.0 / (1.0 - p) : 0.0; }

static status drop(op_call *call, tensor *x) {
  context *c = call->context;
  status code = op_output_like(call, 0, x, x->dtype);
  if (code != STATUS_OK) return code;
  call->saved[MASK] = tensor_new_like(c, x, DTYPE_UINT8);
  if (call->saved[MASK] == NULL) return STATUS_NO_MEMORY;
  double p = call->values[P].number;
  work w = { .y = call->outputs[0], .x = x, .mask = call->saved[MASK], .seed = c->random.seed,
             .offset = c->random.offset, .p = p, .scale = scale_for(p) };
  rows_plan(3, (tensor *[3]){ w.y, w.x, w.mask }, &w.rows);
  parallel_for(c, rows_items(&w.rows), ROWS_GRAIN, drop_chunk, &w);
  c->random.offset += (uint64_t)((rows_items(&w.rows) + 3) / 4);
  return STATUS_OK;
}

static status forward(op_call *call) {
  double p = call->values[P].number;
  status code = op_require_float(call);
  if (code == STATUS_OK && !(p >= 0.0 && p <= 1.0)) code = op_fail(call, "p is %g; it must be in [0, 1]", message_number(p));
  if (code != STATUS_OK) return code;
  tensor *x = call->inputs[0];
  if (!call->values[TRAINING].flag || p == 0.0) {
    call->outputs[0] = tensor_alias(call->context, x);
    return call->outputs[0] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
  }
  x = rows_beside(call->context, x, NULL);
  if (x == NULL) return STATUS_NO_MEMORY;
  code = drop(call, x);
  tensor_release(x);
  return code;
}

static status backward(op_call *call) {
  tensor *mask = call->saved[MASK];
  if (mask == NULL) {
    call->input_gradients[0] = tensor_retain(call->output_gradients[0]);
    return STATUS_OK;
  }
  tensor *dy = rows_beside(call->context, call->output_gradients[0], mask);
  if (dy == NULL) return STATUS_NO_MEMORY;
  status code = op_gradient_like(call, 0, mask);
  if (code == STATUS_OK) {
    work w = { .y = call->input_gradients[0], .x = dy, .mask = mask, .scale = scale_for(call->values[P].number) };
    rows_plan(3, (tensor *[3]){ w.y, w.x, w.mask }, &w.rows);
    parallel_for(call->context, rows_items(&w.rows), ROWS_GRAIN, apply_chunk, &w);
  }
  tensor_release(dy);
  return code;
}

static const parameter parameters[] = {
  { "x", P_TENSOR, 0, NULL, NULL },
  { "p", P_NUMBER, 0, "0.5", NULL },
  { "training", P_FLAG, 0, "true", NULL },
  { .name = NULL },
};

static const char *const samples[] = {
  "x=normal(3,4,5) p=0",
  "x=normal(5,7):t p=0.3 training=false",
  "x=normal(17,3,2,2):lanes p=1",
  "bench x=normal(256,8,15,15):lanes p=0.5",
  NULL,
};

const op op_dropout = {
  .name = "dropout",
  .flags = OP_FUNCTIONAL,
  .help = "dropout(x [, p = 0.5 [, training = true]]) -> tensor\n\n"
          "Zeroes each element with probability p and divides the others by 1 - p; x itself where training is false.  "
          "Which elements go depends on perilune.manual_seed and on x's memory order.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};

/* sgd.c -- stochastic gradient descent with momentum, in PyTorch's form:
**   g = gradient + weight_decay p;   b = momentum b + (1 - dampening) g   (b = g at the first step)
**   p -= lr (nesterov ? g + momentum b : b),  without momentum  p -= lr g
** Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum.  ICML 2013. */
#include "../tensor/parallel.h"
#include "optimizer.h"

typedef struct constants {
  double lr, weight_decay, sign, momentum, intake;   /* intake: 1 - dampening */
  bool nesterov;
} constants;

CLONES static void plain_float32(int64_t n, float *restrict p, const float *restrict gradient, const constants *k) {
  const float lr = (float)k->lr, decay = (float)k->weight_decay, sign = (float)k->sign;
  for (int64_t i = 0; i < n; i++) p[i] -= lr * (sign * gradient[i] + decay * p[i]);
}

CLONES static void momentum_float32(int64_t n, float *restrict p, const float *restrict gradient,
                                    float *restrict b, const constants *k) {
  const float lr = (float)k->lr, decay = (float)k->weight_decay, sign = (float)k->sign;
  const float momentum = (float)k->momentum, intake = (float)k->intake;
  const float from_g = k->nesterov ? 1.0f : 0.0f, from_b = k->nesterov ? momentum : 1.0f;
  for (int64_t i = 0; i < n; i++) {
    float g = sign * gradient[i] + decay * p[i];
    b[i] = momentum * b[i] + intake * g;
    p[i] -= lr * (from_g * g + from_b * b[i]);
  }
}

CLONES static void plain_float64(int64_t n, double *restrict p, const double *restrict gradient,
                                 const constants *k) {
  for (int64_t i = 0; i < n; i++) p[i] -= k->lr * (k->sign * gradient[i] + k->weight_decay * p[i]);
}

CLONES static void momentum_float64(int64_t n, double *restrict p, const double *restrict gradient,
                                    double *restrict b, const constants *k) {
  const double from_g = k->nesterov ? 1.0 : 0.0, from_b = k->nesterov ? k->momentum : 1.0;
  for (int64_t i = 0; i < n; i++) {
    double g = k->sign * gradient[i] + k->weight_decay * p[i];
    b[i] = k->momentum * b[i] + k->intake * g;
    p[i] -= k->lr * (from_g * g + from_b * b[i]);
  }
}

static void loop_float32(int64_t n, void *const *operands, const void *k) {
  if (operands[2] == NULL) plain_float32(n, operands[0], operands[1], k);
  else momentum_float32(n, operands[0], operands[1], operands[2], k);
}

static void loop_float64(int64_t n, void *const *operands, const void *k) {
  if (operands[2] == NULL) plain_float64(n, operands[0], operands[1], k);
  else momentum_float64(n, operands[0], operands[1], operands[2], k);
}

static bool uses_state(const optimizer_options *o, int k) { return k == 0 && o->momentum != 0.0; }

static void update(const context *c, const optimizer_item *item, const optimizer_options *o) {
  constants k = { .lr = o->lr, .weight_decay = o->weight_decay, .sign = o->maximize ? -1.0 : 1.0,
                  .momentum = o->momentum, .intake = 1.0 - o->dampening, .nesterov = o->nesterov };
  if (item->is_new[0]) k.intake = 1.0;   /* the buffer is zero: b = g */
  optimizer_run(c, item, loop_float32, loop_float64, &k);
}

const optimizer optimizer_sgd = {
  .name = "sgd", .defaults = { .lr = 1e-3 }, .states = { "momentum_buffer" }, .uses_state = uses_state,
  .update = update,
};

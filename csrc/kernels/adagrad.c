/* adagrad.c -- Adagrad, in PyTorch's form, t = step:
**   g = gradient + weight_decay p;   s += g^2;   p -= lr / (1 + (t - 1) lr_decay)  g / (sqrt(s) + eps)
** s starts at initial_accumulator_value.  Duchi, Hazan & Singer, JMLR 2011. */
#include <math.h>

#include "../tensor/parallel.h"
#include "optimizer.h"

typedef struct constants {
  double lr, weight_decay, sign, eps;
} constants;

CLONES static void adagrad_float32(int64_t n, float *restrict p, const float *restrict gradient,
                                   float *restrict s, const constants *k) {
  const float lr = (float)k->lr, decay = (float)k->weight_decay, sign = (float)k->sign, eps = (float)k->eps;
  for (int64_t i = 0; i < n; i++) {
    float g = sign * gradient[i] + decay * p[i];
    s[i] += g * g;
    p[i] -= lr * g / (sqrtf(s[i]) + eps);
  }
}

CLONES static void adagrad_float64(int64_t n, double *restrict p, const double *restrict gradient,
                                   double *restrict s, const constants *k) {
  for (int64_t i = 0; i < n; i++) {
    double g = k->sign * gradient[i] + k->weight_decay * p[i];
    s[i] += g * g;
    p[i] -= k->lr * g / (sqrt(s[i]) + k->eps);
  }
}

static void loop_float32(int64_t n, void *const *o, const void *k) { adagrad_float32(n, o[0], o[1], o[2], k); }
static void loop_float64(int64_t n, void *const *o, const void *k) { adagrad_float64(n, o[0], o[1], o[2], k); }

static bool uses_state(const optimizer_options *o, int k) {
  (void)o;
  return k == 0;
}

static double state_start(const optimizer_options *o) { return o->initial_accumulator_value; }

static void update(const context *c, const optimizer_item *item, const optimizer_options *o) {
  constants k = { .lr = o->lr / (1.0 + (double)(item->step - 1) * o->lr_decay), .weight_decay = o->weight_decay,
                  .sign = o->maximize ? -1.0 : 1.0, .eps = o->eps };
  optimizer_run(c, item, loop_float32, loop_float64, &k);
}

const optimizer optimizer_adagrad = {
  .name = "adagrad", .defaults = { .lr = 1e-2, .eps = 1e-10 }, .counts_steps = true, .states = { "sum" },
  .uses_state = uses_state, .state_start = state_start, .update = update,
};

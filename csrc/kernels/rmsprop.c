/* rmsprop.c -- RMSprop, in PyTorch's form:
**   g = gradient + weight_decay p;   s = alpha s + (1 - alpha) g^2
**   centered: a += (1 - alpha) (g - a), d = sqrt(s - a^2) + eps;   otherwise d = sqrt(s) + eps
**   momentum > 0: b = momentum b + g / d,  p -= lr b;              otherwise p -= lr g / d
** Tieleman & Hinton, lecture 6.5 of Neural networks for machine learning, 2012; centered: Graves 2013. */
#include <math.h>

#include "../tensor/parallel.h"
#include "optimizer.h"

typedef struct constants {
  double lr, weight_decay, sign, alpha, intake, eps, momentum;
} constants;

/* Without momentum and centering, the common case. */
CLONES static void plain_float32(int64_t n, float *restrict p, const float *restrict gradient, float *restrict s,
                                 const constants *k) {
  const float lr = (float)k->lr, decay = (float)k->weight_decay, sign = (float)k->sign, eps = (float)k->eps;
  const float alpha = (float)k->alpha, intake = (float)k->intake;
  for (int64_t i = 0; i < n; i++) {
    float g = sign * gradient[i] + decay * p[i];
    s[i] = alpha * s[i] + intake * g * g;
    p[i] -= lr * g / (sqrtf(s[i]) + eps);
  }
}

CLONES static void momentum_float32(int64_t n, float *restrict p, const float *restrict gradient, float *restrict s,
                                    float *restrict b, const constants *k) {
  const float lr = (float)k->lr, decay = (float)k->weight_decay, sign = (float)k->sign, eps = (float)k->eps;
  const float alpha = (float)k->alpha, intake = (float)k->intake, momentum = (float)k->momentum;
  for (int64_t i = 0; i < n; i++) {
    float g = sign * gradient[i] + decay * p[i];
    s[i] = alpha * s[i] + intake * g * g;
    b[i] = momentum * b[i] + g / (sqrtf(s[i]) + eps);
    p[i] -= lr * b[i];
  }
}

/* b may be NULL. */
static void centered_float32(int64_t n, float *p, const float *gradient, float *s, float *b, float *a,
                             const constants *k) {
  const float lr = (float)k->lr, decay = (float)k->weight_decay, sign = (float)k->sign, eps = (float)k->eps;
  const float alpha = (float)k->alpha, intake = (float)k->intake, momentum = (float)k->momentum;
  for (int64_t i = 0; i < n; i++) {
    float g = sign * gradient[i] + decay * p[i];
    s[i] = alpha * s[i] + intake * g * g;
    a[i] += intake * (g - a[i]);
    float direction = g / (sqrtf(s[i] - a[i] * a[i]) + eps);
    if (b != NULL) direction = b[i] = momentum * b[i] + direction;
    p[i] -= lr * direction;
  }
}

/* b or a may be NULL. */
static void rmsprop_float64(int64_t n, double *p, const double *gradient, double *s, double *b, double *a,
                            const constants *k) {
  for (int64_t i = 0; i < n; i++) {
    double g = k->sign * gradient[i] + k->weight_decay * p[i];
    double mean = 0.0;
    s[i] = k->alpha * s[i] + k->intake * g * g;
    if (a != NULL) mean = a[i] += k->intake * (g - a[i]);
    double direction = g / (sqrt(s[i] - mean * mean) + k->eps);
    if (b != NULL) direction = b[i] = k->momentum * b[i] + direction;
    p[i] -= k->lr * direction;
  }
}

static void loop_float32(int64_t n, void *const *o, const void *k) {
  if (o[4] != NULL) centered_float32(n, o[0], o[1], o[2], o[3], o[4], k);
  else if (o[3] != NULL) momentum_float32(n, o[0], o[1], o[2], o[3], k);
  else plain_float32(n, o[0], o[1], o[2], k);
}

static void loop_float64(int64_t n, void *const *o, const void *k) {
  rmsprop_float64(n, o[0], o[1], o[2], o[3], o[4], k);
}

static bool uses_state(const optimizer_options *o, int k) {
  return k == 0 || (k == 1 && o->momentum > 0.0) || (k == 2 && o->centered);
}

static void update(const context *c, const optimizer_item *item, const optimizer_options *o) {
  constants k = { .lr = o->lr, .weight_decay = o->weight_decay, .sign = o->maximize ? -1.0 : 1.0,
                  .alpha = o->alpha, .intake = 1.0 - o->alpha, .eps = o->eps, .momentum = o->momentum };
  optimizer_run(c, item, loop_float32, loop_float64, &k);
}

const optimizer optimizer_rmsprop = {
  .name = "rmsprop", .defaults = { .lr = 1e-2, .alpha = 0.99, .eps = 1e-8 }, .counts_steps = true,
  .states = { "square_avg", "momentum_buffer", "grad_avg" }, .uses_state = uses_state, .update = update,
};

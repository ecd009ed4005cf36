/* adam.c -- Adam and AdamW, in PyTorch's form, t = step:
**   p *= 1 - lr weight_decay   (AdamW)      g = gradient + weight_decay p   (Adam)
**   m += (1 - beta1) (g - m);   v = beta2 v + (1 - beta2) g^2;   amsgrad: h = max(h, v), and h replaces v below
**   p -= lr / (1 - beta1^t)  m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
** Kingma & Ba, ICLR 2015.  Loshchilov & Hutter, ICLR 2019.  Reddi, Kale & Kumar, ICLR 2018 (amsgrad). */
#include <math.h>

#include "../tensor/parallel.h"
#include "optimizer.h"

typedef struct constants {
  double shrink;         /* AdamW: 1 - lr weight_decay */
  double weight_decay;   /* Adam */
  double sign, intake1, beta2, intake2, step_size, root_correction, eps;
} constants;

CLONES static void adam_float32(int64_t n, float *restrict p, const float *restrict gradient, float *restrict m,
                                float *restrict v, const constants *k) {
  const float shrink = (float)k->shrink, decay = (float)k->weight_decay, sign = (float)k->sign;
  const float intake1 = (float)k->intake1, beta2 = (float)k->beta2, intake2 = (float)k->intake2;
  const float step_size = (float)k->step_size, eps = (float)k->eps;
  const float inverse_root = (float)(1.0 / k->root_correction);   /* one division an element less */
  for (int64_t i = 0; i < n; i++) {
    float kept = p[i] * shrink;
    float g = sign * gradient[i] + decay * kept;
    m[i] += intake1 * (g - m[i]);
    v[i] = beta2 * v[i] + intake2 * g * g;
    p[i] = kept - step_size * m[i] / (sqrtf(v[i]) * inverse_root + eps);
  }
}

CLONES static void amsgrad_float32(int64_t n, float *restrict p, const float *restrict gradient,
                                   float *restrict m, float *restrict v, float *restrict h, const constants *k) {
  const float shrink = (float)k->shrink, decay = (float)k->weight_decay, sign = (float)k->sign;
  const float intake1 = (float)k->intake1, beta2 = (float)k->beta2, intake2 = (float)k->intake2;
  const float step_size = (float)k->step_size, eps = (float)k->eps;
  const float inverse_root = (float)(1.0 / k->root_correction);   /* one division an element less */
  for (int64_t i = 0; i < n; i++) {
    float kept = p[i] * shrink;
    float g = sign * gradient[i] + decay * kept;
    m[i] += intake1 * (g - m[i]);
    v[i] = beta2 * v[i] + intake2 * g * g;
    h[i] = v[i] > h[i] || v[i] != v[i] ? v[i] : h[i];
    p[i] = kept - step_size * m[i] / (sqrtf(h[i]) * inverse_root + eps);
  }
}

static void adam_float64(int64_t n, double *p, const double *gradient, double *m, double *v, double *h,
                         const constants *k) {
  for (int64_t i = 0; i < n; i++) {
    double kept = p[i] * k->shrink;
    double g = k->sign * gradient[i] + k->weight_decay * kept;
    m[i] += k->intake1 * (g - m[i]);
    v[i] = k->beta2 * v[i] + k->intake2 * g * g;
    double largest = v[i];
    if (h != NULL) {
      h[i] = v[i] > h[i] || v[i] != v[i] ? v[i] : h[i];
      largest = h[i];
    }
    p[i] = kept - k->step_size * m[i] / (sqrt(largest) / k->root_correction + k->eps);
  }
}

static void loop_float32(int64_t n, void *const *o, const void *k) {
  if (o[4] == NULL) adam_float32(n, o[0], o[1], o[2], o[3], k);
  else amsgrad_float32(n, o[0], o[1], o[2], o[3], o[4], k);
}

static void loop_float64(int64_t n, void *const *o, const void *k) {
  adam_float64(n, o[0], o[1], o[2], o[3], o[4], k);
}

static bool uses_state(const optimizer_options *o, int k) { return k < 2 || o->amsgrad; }

static void update(const context *c, const optimizer_item *item, const optimizer_options *o, bool decoupled) {
  double correction1 = 1.0 - pow(o->beta1, (double)item->step);
  double correction2 = 1.0 - pow(o->beta2, (double)item->step);
  constants k = {
    .shrink = decoupled ? 1.0 - o->lr * o->weight_decay : 1.0,
    .weight_decay = decoupled ? 0.0 : o->weight_decay,
    .sign = o->maximize ? -1.0 : 1.0,
    .intake1 = 1.0 - o->beta1,
    .beta2 = o->beta2,
    .intake2 = 1.0 - o->beta2,
    .step_size = o->lr / correction1,
    .root_correction = sqrt(correction2),
    .eps = o->eps,
  };
  optimizer_run(c, item, loop_float32, loop_float64, &k);
}

static void adam(const context *c, const optimizer_item *item, const optimizer_options *o) {
  update(c, item, o, false);
}

static void adamw(const context *c, const optimizer_item *item, const optimizer_options *o) {
  update(c, item, o, true);
}

const optimizer optimizer_adam = {
  .name = "adam", .defaults = { .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8 }, .counts_steps = true,
  .states = { "exp_avg", "exp_avg_sq", "max_exp_avg_sq" }, .uses_state = uses_state, .update = adam,
};

const optimizer optimizer_adamw = {
  .name = "adamw", .counts_steps = true,
  .defaults = { .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 1e-2 },
  .states = { "exp_avg", "exp_avg_sq", "max_exp_avg_sq" }, .uses_state = uses_state, .update = adamw,
};
